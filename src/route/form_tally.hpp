// route: what is counted in one piece of a text, for form.cpp.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

#include "route/form.hpp"
#include "route/form_words.hpp"

namespace meshai::route {

using word_set = std::bitset<2048>;  // by hash: what shares a bit is taken for the same word

// Of the stem, or of an option.
struct tally {
  std::array<std::uint32_t, word_class_count> of_class{};
  std::uint32_t letters_read = 0, words = 0, letters = 0, long_words = 0, longest_words = 0, short_words = 0;
  std::uint32_t longest = 0, names = 0, acronyms = 0, sentences = 0, in_sentence = 0;
  std::uint32_t numbers = 0, digits = 0, decimals = 0, years = 0, amounts = 0, operators = 0, latex = 0;
  std::uint32_t questions = 0, blanks = 0, quotes = 0, brackets = 0, commas = 0, colons = 0, lines = 0, code = 0;
  std::uint32_t foreign = 0, ideographs = 0, distinct = 0;
  double largest = 0;
  std::uint32_t first_classes = 0, sentence_classes = 0;  // of the first word; in the last sentence
  float rarity = 0, rarest = 0, unknown = 0;
  char32_t end = 0;  // the last that is no blank
  word_set content;
};

// Adds what `text` holds. `words`: gets the hashes of its words, in order; null: nobody wants them.
void count(std::string_view text, const common_words& known, std::vector<std::uint32_t>* words, tally& into);

}  // namespace meshai::route
