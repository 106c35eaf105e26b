// ledger: how much of something there was within the last minute.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "env/clock.hpp"

namespace meshai::ledger {

// By seconds: whatever minute one looks at, it never held more than was allowed.
class window {
 public:
  std::int64_t used(instant now);
  void add(std::int64_t n, instant now);
  // What was added at `when` was less after all.
  void give_back(std::int64_t n, instant when, instant now);
  // How long until `n` more fit within `limit`; nothing where they never do.
  std::optional<std::chrono::milliseconds> wait_for(std::int64_t n, std::int64_t limit, instant now);
  // How long until all of it is forgotten, where nothing is added.
  std::chrono::milliseconds empties_in(instant now);

 private:
  static constexpr std::int64_t seconds = 61;  // the one that has begun, and sixty before it
  static std::int64_t second_of(instant at);
  void move_to(std::int64_t second);
  // From `now`, which is within last_, to the beginning of `second`.
  std::chrono::milliseconds until(std::int64_t second, instant now) const;
  std::int64_t& slot(std::int64_t second) { return slots_[static_cast<std::size_t>(second % seconds)]; }

  std::array<std::int64_t, seconds> slots_{};
  std::int64_t last_ = 0;  // the second that has begun
  std::int64_t sum_ = 0;
};

}  // namespace meshai::ledger
