#include "chat/splice.hpp"

#include <algorithm>

#include "chat/json.hpp"

namespace meshai::chat {
std::string splice(std::string_view object_text, std::span<const edit> edits) {
  std::string out;
  out.reserve(object_text.size() + 128);
  out += '{';
  const auto add = [&](std::string_view text) {
    if (out.size() > 1) out += ',';
    out += text;
  };
  for (json::walk members(object_text); members.next();) {
    const auto is_it = [&](const edit& e) { return json::same_name(members.name(), e.name); };
    const bool edited = std::ranges::any_of(edits, is_it);
    if (!edited) add(object_text.substr(members.begin(), members.end() - members.begin()));
  }
  for (const auto& [name, raw] : edits) {
    if (raw.empty()) continue;
    std::string member;
    json::append_string(member, name);
    add(member.append(":").append(raw));
  }
  return out += '}';
}

}  // namespace meshai::chat
