// route: classes of English words that tell what a question is about, for form.cpp.
#pragma once

#include <cstdint>
#include <string_view>

namespace meshai::route {

// FNV-1a over the code points of a word in lower case.
inline constexpr std::uint32_t hash_begin = 2166136261u;
constexpr std::uint32_t hash_on(std::uint32_t hash, char32_t c) {
  return (hash ^ static_cast<std::uint32_t>(c)) * 16777619u;
}

enum class word_class : std::uint8_t {
  what,
  which,
  who,
  when,
  where,
  why,
  how,
  condition,
  negation,
  quantity,
  reckon,
  create,
  small,  // articles, prepositions, ...
  person,
  you,
  modal,
  cause,
  compare,
  numeral,
  time,
  logic,
  law,
  body,
  nature,
  society,
  code,
  all_of,
  last,
};
inline constexpr std::size_t word_class_count = static_cast<std::size_t>(word_class::last);

// A word may be of none; bit i stands for class i.
std::uint32_t classes_of(std::uint32_t hash);
std::string_view to_string(word_class of);

}  // namespace meshai::route
