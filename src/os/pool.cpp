#include "os/pool.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>

#include "env/clock.hpp"
#include "os/loop.hpp"

namespace meshai::os {
namespace asio = boost::asio;

namespace {
// Beyond this the work is done on the spot: slow is better than unbounded.
constexpr std::size_t queue_bound = 256;
}  // namespace

thread_pool::thread_pool(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
}

thread_pool::~thread_pool() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ready_.notify_all();
  threads_.clear();  // joins while the queue still stands
}

bool thread_pool::submit(std::move_only_function<void()>& work) {
  {
    const std::lock_guard lock(mutex_);
    if (threads_.empty() || queue_.size() >= queue_bound) return false;
    queue_.push_back(std::move(work));
  }
  ready_.notify_one();
  return true;
}

void thread_pool::serve() {
  for (;;) {
    std::move_only_function<void()> work;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

pool::pool(executor loop, thread_pool& shared, std::shared_ptr<mailbox> home)
    : loop_(std::move(loop)), shared_(shared), home_(std::move(home)) {}

pool::~pool() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return running_ == 0; });
}

task<void> pool::run(std::move_only_function<void()> work) {
  loop_timer finished(loop_, never);
  bool done = false;
  std::move_only_function<void()> job = [this, &work, &finished, &done] {
    work();
    home_->post([&finished, &done] {
      done = true;
      finished.cancel();
    });
    // Last, and under the lock: after this the pool may go.
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) idle_.notify_all();
  };
  {
    const std::lock_guard lock(mutex_);
    ++running_;
  }
  if (!shared_.submit(job)) {
    {
      const std::lock_guard lock(mutex_);
      --running_;
    }
    work();
    co_return;
  }
  // An empty slot of its own: a cancellation of the caller waits for the work, which uses the caller's variables.
  while (!done) {
    co_await finished.async_wait(
        asio::bind_cancellation_slot(asio::cancellation_slot(), asio::as_tuple(asio::deferred)));
  }
}

}  // namespace meshai::os
