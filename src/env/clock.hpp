// env: time. All waiting and all measuring goes through here, so that a simulator can own it.
#pragma once

#include <chrono>

#include "env/awaitable.hpp"

namespace meshai {

// Monotonic time since an arbitrary start.
using instant = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
// Wall time (UTC), for what people and protocols see.
using wall_time = std::chrono::sys_time<std::chrono::milliseconds>;

inline constexpr instant never = instant::max();

namespace env {

class clock {
 public:
  virtual ~clock() = default;
  virtual instant now() const = 0;
  virtual wall_time wall() const = 0;
  // Returns at `when`, at once if it has passed; throws operation_aborted when cancelled.
  virtual task<void> sleep_until(instant when) = 0;
};

}  // namespace env
}  // namespace meshai
