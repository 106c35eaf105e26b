// chat: what a target cannot express of a request. It is refused with its name, or dropped and listed where the
// caller allows that; never silently left out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/vocabulary.hpp"

namespace meshai::chat {

class shortfall {
 public:
  // `target` is what the problem calls the other side: "Anthropic's API".
  shortfall(const request& of, std::string_view target) : of_(of), target_(target) {}

  // `param` is the caller's name for it; `hint` says what to do instead, where there is more to say.
  void refuse(std::string_view param, std::string_view hint = {});
  // The same with its name in each caller's dialect.
  void refuse_named(std::string_view openai, std::string_view anthropic, std::string_view hint = {});
  // A hint to the provider that changes no answer (a mark for its cache, an end user's id): listed, not refused.
  void let_go(std::string_view param);
  // Members that only the caller's own dialect knows; null says nothing.
  void refuse_extra(const raw_members& extra);

  // What was dropped, each once; or the problem (400, unsupported_parameter) that names the first refusal.
  parsed<std::vector<std::string>> take();

 private:
  const request& of_;
  std::string_view target_;
  std::optional<problem> refused_;
  std::vector<std::string> dropped_;
};

}  // namespace meshai::chat
