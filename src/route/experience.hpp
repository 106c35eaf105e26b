// route: what came of asking each model, by class of question: answers, failures, and answers that did not please,
// since the caller asked the same again. It takes something off a candidate's score: a bounded part, and all of it
// fades. One per process and thread-safe: short locks, no waiting inside. It holds numbers only, nothing of what
// was asked.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "env/clock.hpp"
#include "route/complexity.hpp"
#include "route/directory.hpp"

namespace meshai::route {

// Of one model and class. Counts are as of `at`, and fade to half in three days; an answer is 1 when it is new.
struct lesson {
  target_id model;
  complexity how = complexity::simple;
  double answered = 0, failed = 0, again = 0;  // `again`: of those answered
  double wait = 0;                             // milliseconds to the first token, as usual; 0: never seen
  instant at = instant::min();

  // As they are now.
  lesson faded(instant now) const;
  // What they take off a score, 0 to most_deduction, in steps of 0.1.
  double deduction() const;
};
inline constexpr double most_deduction = 0.5;

class experience {
 public:
  void answered(target_id model, complexity how, std::optional<std::chrono::nanoseconds> wait, instant now);
  void failed(target_id model, complexity how, instant now);
  void asked_again(target_id model, complexity how, instant now);

  // As it is now; counts of zero where nothing is known.
  lesson look(target_id model, complexity how, instant now) const;

  // What has changed since the last call.
  std::vector<lesson> take_changed();
  // What an earlier process has learned; what this one knows already stands.
  void restore(const std::vector<lesson>& all);

 private:
  struct record {
    lesson of;
    bool changed = false;
  };
  lesson& change(target_id model, complexity how, instant now);

  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, record> records_;
};

}  // namespace meshai::route
