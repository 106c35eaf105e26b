// route: the words that the rule of complexity knows. Stems in lower case, a few per language; each counts once.
#pragma once

#include <span>
#include <string_view>

namespace meshai::route {

// What a word makes of a wish. The highest of 3, 4, 5 and 6 counts, once; twos are added to it.
//   6  hard by itself ("prove")
//   5  asks for something long ("draft"): as 6, but as 3 where something small is named
//   4  medium, and small ("e-mail")
//   3  medium by itself ("explain")
//   2  more of it ("in detail")
//   1  small ("short")
//   0  only looks like one of the others ("planet" begins as "plan" does)
//  -1  a look-up
//  -3  a look-up that takes a medium word's points ("how many")
// A stem with a space is looked for where two words meet.
struct weighted_stem {
  std::string_view stem;
  int points;
};

std::span<const weighted_stem> stems();
// The longest that the word begins with; null: none.
const weighted_stem* longest_stem(std::string_view word);
// Whole words of small talk and look-ups, sorted.
std::span<const std::string_view> easy_words();

}  // namespace meshai::route
