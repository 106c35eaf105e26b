// care: is a text about health, or about law? Internal.
//
// Two linear models over pieces of words, trained by tools/care/train on terms and prompts of ten languages
// (docs/operating/care.md). A long text is looked at in overlapping windows, so that one sentence of it is enough.
// Linear in the text's length, no allocation, any bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "care/care.hpp"

namespace meshai::care {

class subject_model {
 public:
  static constexpr std::array subjects{kind::medical, kind::legal};
  using scores = std::array<double, subjects.size()>;  // above 0: it is about that

  // The file that tools/care/train writes. An error says what is wrong with it.
  static std::expected<subject_model, std::string> read(std::span<const unsigned char> file);

  scores of(std::string_view text) const;

 private:
  static constexpr std::size_t buckets = 1 << 15;
  using weights = std::array<std::int8_t, subjects.size()>;  // of one piece

  friend class windows;
  std::vector<weights> weights_;  // by hash
  std::array<float, subjects.size()> scales_{}, biases_{};
};

// The one that ships: src/care/data/care.weights, built into the program.
const subject_model& shipped_subjects();

void look_for_subjects(std::string_view text, content_set wanted, found& into);

}  // namespace meshai::care
