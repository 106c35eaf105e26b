// route: what a text looks like, as numbers: lengths, sentences, numbers, options, word shapes. What the trained
// gain goes by (gain.hpp); tools/complexity trains on the same numbers, since they come from here.
//
// They do not change with the order or the labels of options ("A." "(b)" "1)"), with a closing "Answer:", nor with
// capitals (but for `names` and `acronyms`). Linear in the text's length, any bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace meshai::route {

// Of a longer text the first and the last part are looked at.
inline constexpr std::size_t form_front = 6 * 1024, form_back = 2 * 1024;  // bytes

// What everybody's prompts are made of: the commonest words first, by their hashes.
class common_words {
 public:
  static constexpr std::size_t most = 4096;

  common_words() = default;
  explicit common_words(std::span<const std::uint32_t> commonest_first);
  // 0 the commonest, 1 not known at all: the logarithm of its place.
  float rarity(std::uint32_t hash) const;

 private:
  struct place {
    std::uint32_t hash = 0;
    float rarity = -1;  // less than 0: free
  };
  std::vector<place> places_;
};

inline constexpr std::size_t form_size = 95;
using form = std::array<float, form_size>;
// `words`: gets the hashes of all words, in order.
form form_of(std::string_view text, const common_words& known, std::vector<std::uint32_t>* words = nullptr);
std::span<const std::string_view, form_size> form_names();
std::size_t option_count(const form& of);   // those that a question lists to choose from
bool lists_options(std::string_view text);  // the same, and nothing else, at a tenth of the price

}  // namespace meshai::route
