// base: text as code points, any bytes allowed: what is not UTF-8 goes by single bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace meshai {

struct letter {
  char32_t code = 0;
  std::size_t size = 1;  // bytes
};

// The one at `at`, which lies within `text`.
letter letter_at(std::string_view text, std::size_t at);

// In UTF-8; below 0x10000.
void append_letter(std::string& to, char32_t c);

// Lower case for Latin, Greek and Cyrillic.
char32_t lower(char32_t c);

// Of a script written without spaces between words.
bool stands_alone(char32_t c);

// Part of a word, in lower case; apostrophes and hyphens are.
bool is_letter(char32_t c);

}  // namespace meshai
