// os: how other threads reach a loop that may be gone by then.
#pragma once

#include <functional>
#include <mutex>

#include "env/awaitable.hpp"

namespace meshai::os {

class mailbox {
 public:
  explicit mailbox(executor loop) : loop_(std::move(loop)) {}

  // From any thread: runs `work` on the loop. Once closed, `work` is destroyed where it was posted.
  void post(std::move_only_function<void()> work);
  void close();

 private:
  std::mutex mutex_;
  executor loop_;
  bool open_ = true;
};

}  // namespace meshai::os
