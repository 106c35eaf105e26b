// env: a wake-up between coroutines of one executor.
#pragma once

#include <memory>

#include "env/awaitable.hpp"

namespace meshai::env {

// Auto-reset: set() releases the one waiter, or the next wait() at once. One waiter at a time; never shared
// between threads.
class event {
 public:
  explicit event(executor loop);
  ~event();
  event(const event&) = delete;
  event& operator=(const event&) = delete;

  void set();
  void clear() { set_ = false; }
  task<void> wait();              // throws operation_aborted when cancelled
  task<void> wait_uncancelled();  // a cancellation waits for the event

 private:
  struct waiter;
  task<void> wait(bool cancellable);

  executor loop_;
  std::shared_ptr<waiter> waiter_;
  bool set_ = false;
};

}  // namespace meshai::env
