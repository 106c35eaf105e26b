// route: whether a small model's answer may stand, or somebody stronger is asked (a cascade: Chen et al., "FrugalGPT",
// 2023). It goes by what the model itself tells: the probability of each token that it chose, and its words.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "chat/chat.hpp"

namespace meshai::route {

// "I don't know", "As an AI I have no access to ...": near the beginning of an answer, in any of seventeen
// languages. Linear in the first bytes of it; any bytes.
bool says_it_does_not_know(std::string_view answer);

// Of one answer as it comes.
class confidence {
 public:
  void add(std::span<const chat::delta> steps);
  void add(const chat::answer& whole);

  // Seen so far: as the model counted them, or at least the steps that held one.
  std::int64_t tokens() const { return told_.tokens > 0 ? told_.tokens : steps_; }
  // The quadratic mean of their log-probabilities, as a probability, 0 to 1: of what it was least sure weighs most,
  // however long the answer. 1 where the model told none.
  double value() const;
  bool unknowing() const { return says_it_does_not_know(begin_); }
  // A call of a tool is an act, and judged by whoever offers the tool.
  bool doubtful(double below) const { return !acts_ && (value() < below || unknowing()); }

 private:
  void add(std::string_view text);

  chat::certainty told_;
  std::int64_t steps_ = 0;
  std::string begin_;  // of its text
  bool acts_ = false;
};

}  // namespace meshai::route
