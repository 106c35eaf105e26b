// route: what a stronger model would add on a prompt: how much more often its answer would be right than a weaker
// one's, as trained on questions that models of both kinds have answered (docs/operating/gain.md).
//
// Two estimates are added: shallow trees over the form of the text (form.hpp), and a weight for each of its words.
// Both were trained to tell strong - weak, so the sum is a difference of probabilities.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "route/form.hpp"

namespace meshai::route {

struct gain {
  double expected = 0;   // of 1: strong - weak
  double rank = 0;       // 0 to 1: `expected` among exam questions, half of which are below 0.5
  bool options = false;  // it lists what to choose from
};

class gain_model {
 public:
  // The file that tools/complexity/train writes: see there. An error says what is wrong with it.
  static constexpr std::size_t most_bytes = 1 << 20;
  static std::expected<gain_model, std::string> read(std::span<const unsigned char> file);

  // Any bytes, in linear time; of a long text its two ends (form.hpp).
  gain of(std::string_view text) const;

 private:
  // A tree in preorder: the child for "at most" follows its parent, `right` says how much farther the other is.
  struct branch {
    float value = 0;  // what is compared with; of a leaf, its estimate
    std::uint16_t number = 0;
    std::uint16_t right = 0;
  };
  static constexpr std::uint16_t leaf = 0xffff;

  double by_form(const form& seen) const;
  double by_words(std::vector<std::uint32_t>& hashes) const;

  common_words known_;
  std::vector<branch> branches_;
  std::vector<std::uint32_t> roots_;
  std::vector<std::int8_t> words_;  // by hash; a power of two
  float word_scale_ = 0, base_ = 0, middle_ = 0, width_ = 1;
};

// The one that ships: src/route/data/gain.weights, built into the program.
const gain_model& shipped_gain();

}  // namespace meshai::route
