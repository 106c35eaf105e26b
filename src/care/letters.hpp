// care: bytes as letters and digits. Internal.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace meshai::care {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_letter(char c) {
  return is_upper(c) || is_lower(c);
}
constexpr bool is_word(char c) {
  return is_digit(c) || is_letter(c);
}
constexpr bool is_beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}
constexpr char to_lower(char c) {
  return is_upper(c) ? static_cast<char>(c + 32) : c;
}
constexpr char to_upper(char c) {
  return is_lower(c) ? static_cast<char>(c - 32) : c;
}
inline bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

// The character before `at` belongs to an escape of JSON text ("\n"), not to a word.
inline bool after_escape(std::string_view text, std::size_t at) {
  constexpr std::string_view escapes = "nrt";
  return at >= 2 && text[at - 2] == '\\' && escapes.contains(text[at - 1]);
}

}  // namespace meshai::care
