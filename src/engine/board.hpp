// engine: where the keeper writes what it knows, and every thread reads it.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "engine/supervisor.hpp"
#include "env/event.hpp"

namespace meshai::engine {

class board {
 public:
  explicit board(env::address at) : address_(std::move(at)) {}

  const env::address& address() const { return address_; }
  engine::facts read() const;
  bool ready() const;

  // Changes what is known and wakes who waits for it.
  void write(const std::function<void(engine::facts&)>& change);
  // Nothing will be ready any more.
  void close();

  // See supervisor::wait_ready, and wait_coming where `only_coming`. `self` keeps the board while somebody waits.
  static task<result<void>> wait_ready(std::shared_ptr<board> self, env::world here, instant deadline,
                                       bool only_coming);

 private:
  struct waiter {
    executor loop;
    std::shared_ptr<env::event> woken;
  };
  class place;

  void wake_all();

  const env::address address_;
  mutable std::mutex mutex_;
  engine::facts now_;
  bool closed_ = false;
  std::list<waiter> waiters_;
};

// Sets `woken` at `when`; ends quietly when cancelled.
task<void> wake_at(env::clock& clock, instant when, std::shared_ptr<env::event> woken);

}  // namespace meshai::engine
