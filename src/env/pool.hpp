// env: somewhere else to run what would hold up the event loop.
#pragma once

#include <functional>

#include "env/awaitable.hpp"

namespace meshai::env {

class pool {
 public:
  virtual ~pool() = default;
  // Runs `work` on another thread (inline in a simulator) and returns here, on the caller's executor, when it is
  // done. `work` does not throw. It is not interrupted by cancellation: the caller waits for it and is cancelled
  // after.
  virtual task<void> run(std::move_only_function<void()> work) = 0;
};

}  // namespace meshai::env
