// route: how long a prompt is, in tokens. Only the model that reads it can tell exactly; everybody else goes by
// its length in bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "chat/chat.hpp"

namespace meshai::route {

struct prompt_size {
  std::int64_t at_least = 0;  // eight bytes a token, more than any tokenizer makes of words
  std::int64_t likely = 0;    // see estimate_tokens
  std::int64_t at_most = 0;   // a byte a token, with what a template puts around each message
};
prompt_size measure(const chat::request& of);

// What an engine made of the prompt: exact, for its own model.
struct counted_prompt {
  std::string node;
  std::int64_t tokens = 0;
};
// Null where that node did not count.
const counted_prompt* find_count(std::span<const counted_prompt> in, std::string_view node);

}  // namespace meshai::route
