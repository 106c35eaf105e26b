// chat: changes to members of a JSON object in its text, where every other byte must stay as it came.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace meshai::chat {

struct edit {
  std::string_view name;  // plain, without escapes
  std::string_view raw;   // the new value, valid JSON; empty to take the member out
};

// `object_text` is an object that has been parsed without a fault. A member that was not there goes to the end.
std::string splice(std::string_view object_text, std::span<const edit> edits);
inline std::string splice(std::string_view object_text, std::initializer_list<edit> edits) {
  return splice(object_text, std::span(edits.begin(), edits.size()));
}

}  // namespace meshai::chat
