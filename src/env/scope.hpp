// env: structured concurrency: every spawned coroutine belongs to a scope, which cancels and joins it.
#pragma once

#include <cstddef>
#include <memory>

#include "env/awaitable.hpp"

namespace meshai::env {

// Single-threaded, on one executor, whose loop outlives it.
class scope {
 public:
  explicit scope(executor loop);
  // Cancels what still runs, without waiting for it: after that it may only touch what it owns itself. Where
  // children refer to their parent, co_await close() first.
  ~scope();
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;

  // Starts `work` on the executor. An operation_aborted that leaves it ends it quietly; any other exception is a
  // bug. After cancel() nothing new starts: `work` is dropped.
  void spawn(task<void> work);

  std::size_t running() const;
  void cancel();      // asks everything to end (terminal cancellation)
  task<void> join();  // waits until everything has ended by itself; itself cancellable. One waiter at a time.
  // cancel(), then waits, whether or not the caller is being cancelled meanwhile. A caller that is already
  // cancelled must first co_await this_coro::throw_if_cancelled(false), or Asio throws before this is entered.
  task<void> close();

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace meshai::env
