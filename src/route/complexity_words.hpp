// route: the words that the rule of complexity knows. Stems in lower case, a few per language; each counts once.
#pragma once

#include <span>
#include <string_view>

namespace meshai::route {

struct weighted_stem {
  std::string_view stem;
  int points;  // positive: makes an answer long or thoughtful; negative: a look-up
};

// Sorted and free of prefixes of one another, so that the greatest stem not after a word is the only one to look
// at.
std::span<const weighted_stem> stems();
// Whole words of small talk and look-ups, sorted.
std::span<const std::string_view> easy_words();

}  // namespace meshai::route
