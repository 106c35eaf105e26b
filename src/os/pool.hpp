// os: a few threads for what would hold up an event loop.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "env/pool.hpp"
#include "os/mailbox.hpp"

namespace meshai::os {

// Shared by all workers.
class thread_pool {
 public:
  explicit thread_pool(std::size_t threads);
  ~thread_pool();  // finishes what was taken

  // False when the queue is full: `work` is still the caller's.
  bool submit(std::move_only_function<void()>& work);

 private:
  void serve();

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::move_only_function<void()>> queue_;
  bool ending_ = false;
  std::vector<std::jthread> threads_;
};

// A worker's door to it. Destroying it waits for the jobs of this worker, for they refer to its coroutines.
class pool final : public env::pool {
 public:
  pool(executor loop, thread_pool& shared, std::shared_ptr<mailbox> home);
  ~pool() override;
  task<void> run(std::move_only_function<void()> work) override;

 private:
  executor loop_;
  thread_pool& shared_;
  std::shared_ptr<mailbox> home_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t running_ = 0;
};

}  // namespace meshai::os
