// os: child processes, started by one thread that lives as long as the runtime.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "env/process.hpp"

namespace meshai::os {

class process final : public env::process {
 public:
  explicit process(executor loop) : loop_(std::move(loop)) {}
  result<std::unique_ptr<env::child>> start(const env::command& what) override;

 private:
  executor loop_;
};

}  // namespace meshai::os
