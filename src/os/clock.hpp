// os: the system's clocks and a loop's timers.
#pragma once

#include "env/clock.hpp"

namespace meshai::os {

class clock final : public env::clock {
 public:
  explicit clock(executor loop) : loop_(std::move(loop)) {}
  instant now() const override { return std::chrono::steady_clock::now(); }
  wall_time wall() const override;
  task<void> sleep_until(instant when) override;

 private:
  executor loop_;
};

}  // namespace meshai::os
