// route: the language of a question, where it is plain: by its script, and for Latin letters by the small words
// that every sentence has. What is short, mixed or a program stays unknown, and then no rule goes by it.
#pragma once

#include <span>
#include <string_view>

#include "chat/chat.hpp"

namespace meshai::route {

// An ISO 639-1 code, one of known_languages(); empty: unknown.
std::string_view language_of(std::string_view text);
// Of the last user message.
std::string_view language_of(const chat::request& asked);

std::span<const std::string_view> known_languages();  // sorted

}  // namespace meshai::route
