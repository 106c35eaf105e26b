// route: the words that the rule of complexity knows. Stems in lower case, a few per language; each counts once.
#pragma once

#include <span>
#include <string_view>

namespace meshai::route {

// Six points: hard by itself. Three: medium by itself; the highest of these counts, once. Two: more of it, added.
// None: a word that only looks like one of the others. Less than none: a look-up; -3 takes a medium word's points
// ("how many").
struct weighted_stem {
  std::string_view stem;
  int points;  // what it makes of a wish, see below
};

std::span<const weighted_stem> stems();
// The longest that the word begins with; null: none.
const weighted_stem* longest_stem(std::string_view word);
// Whole words of small talk and look-ups, sorted.
std::span<const std::string_view> easy_words();

}  // namespace meshai::route
