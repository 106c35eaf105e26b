// care: arithmetic on the digits of a number. Internal.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "care/letters.hpp"

namespace meshai::care {

inline int digit(char c) {
  return c - '0';
}
// Up to nine digits.
inline int number(std::string_view digits) {
  int made = 0;
  for (const char c : digits) made = made * 10 + digit(c);
  return made;
}
inline bool digits_of(std::string_view text, std::size_t size) {
  return text.size() == size && all_digits(text);
}
inline bool one_digit_only(std::string_view digits) {
  return digits.find_first_not_of(digits.front()) == std::string_view::npos;
}
inline int weighted(std::string_view digits, std::initializer_list<int> weights) {
  int sum = 0;
  auto at = digits.begin();
  for (const int weight : weights) sum += digit(*at++) * weight;
  return sum;
}
inline bool is_luhn(std::string_view digits) {
  int sum = 0;
  bool twice = false;
  for (auto c = digits.rbegin(); c != digits.rend(); ++c, twice = !twice) {
    const int value = digit(*c) * (twice ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 == 0;
}
inline bool is_day(int month, int day) {
  constexpr std::string_view days = "\x1f\x1d\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f";
  return month >= 1 && month <= 12 && day >= 1 && day <= days[static_cast<std::size_t>(month - 1)];
}
// Two digits each, "MMDD" and "DDMM".
inline bool is_month_day(std::string_view digits) {
  return is_day(number(digits.substr(0, 2)), number(digits.substr(2, 2)));
}
inline bool is_day_month(std::string_view digits) {
  return is_day(number(digits.substr(2, 2)), number(digits.substr(0, 2)));
}
// ISO 7064 mod 11, 10 over all digits, the last one being the check.
inline bool is_mod_11_10(std::string_view digits) {
  int product = 10;
  for (const char c : digits.substr(0, digits.size() - 1)) {
    const int sum = (digit(c) + product) % 10;
    product = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  return (11 - product) % 10 == digit(digits.back());
}
// Letters count as ISO 13616 has them: A is 10.
inline int mod_97(std::string_view text, int rest = 0) {
  for (const char c : text) rest = is_digit(c) ? (rest * 10 + digit(c)) % 97 : (rest * 100 + c - 'A' + 10) % 97;
  return rest;
}

}  // namespace meshai::care
