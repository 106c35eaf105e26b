// chat: what to make of text that is not what it should be.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace meshai::chat {

// Bytes of a provider's error text that are kept.
inline constexpr std::size_t most_error_text = 2048;

// The arguments of a call as the JSON object that Anthropic and Gemini want. A model may write anything; what is
// no object is handed on as {"arguments": "..."}, so that the tool refuses it and the model sees what it wrote.
std::string arguments_object(std::string_view arguments);

// What an error answer without an error object says to people: plain text, cut; nothing where it is HTML.
std::string error_text(std::string_view body);

}  // namespace meshai::chat
