#include "engine/board.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "env/clock.hpp"
#include "env/scope.hpp"

namespace meshai::engine {

// A place among the waiters, given up when it goes.
class board::place {
 public:
  place(board& in, executor loop, std::shared_ptr<env::event> woken) : in_(in) {
    const std::lock_guard lock(in_.mutex_);
    mine_ = in_.waiters_.insert(in_.waiters_.end(), {std::move(loop), std::move(woken)});
  }
  ~place() {
    const std::lock_guard lock(in_.mutex_);
    in_.waiters_.erase(mine_);
  }
  place(const place&) = delete;
  place& operator=(const place&) = delete;

 private:
  board& in_;
  std::list<waiter>::iterator mine_;
};

engine::facts board::read() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

bool board::ready() const {
  const std::lock_guard lock(mutex_);
  return now_.state == state::ready;
}

void board::write(const std::function<void(engine::facts&)>& change) {
  const std::lock_guard lock(mutex_);
  change(now_);
  wake_all();
}

void board::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  wake_all();
}

void board::wake_all() {
  // An event belongs to the loop of whoever waits for it.
  for (const auto& one : waiters_) boost::asio::post(one.loop, [woken = one.woken] { woken->set(); });
}

task<result<void>> board::wait_ready(std::shared_ptr<board> self, env::world here, instant deadline,
                                     bool only_coming) {
  const auto woken = std::make_shared<env::event>(here.loop);
  const place mine(*self, here.loop, woken);
  env::scope timer(here.loop);
  timer.spawn(wake_at(here.clock, deadline, woken));
  for (;;) {
    {
      const std::lock_guard lock(self->mutex_);
      const auto& now = self->now_;
      if (self->closed_) co_return fail(error_kind::unavailable, "the engine is stopped");
      if (now.state == state::ready) co_return result<void>();
      const bool in_vain = only_coming && !now.coming;
      if (in_vain || here.clock.now() >= deadline)
        co_return fail(in_vain ? error_kind::unavailable : error_kind::timeout,
                       fmt::format("the engine is not ready ({}{}{})", to_string(now.state),
                                   now.reason.empty() ? "" : ": ", now.reason));
    }
    co_await woken->wait();
  }
}

task<void> wake_at(env::clock& clock, instant when, std::shared_ptr<env::event> woken) {
  co_await clock.sleep_until(when);
  woken->set();
}

}  // namespace meshai::engine
