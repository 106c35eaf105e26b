// os: child processes, started by one thread that lives as long as the runtime.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "env/process.hpp"
#include "os/descriptor.hpp"
#include "os/launch.hpp"

namespace meshai::os {

// PR_SET_PDEATHSIG fires when the thread that forked ends, not the process: so children come from a thread of
// their own. Shared by all workers.
class process_starter {
 public:
  process_starter() = default;
  ~process_starter();
  process_starter(const process_starter&) = delete;
  process_starter& operator=(const process_starter&) = delete;

  // Waits for the child to be on its feet (a few milliseconds).
  result<launched> start(const env::command& what);
  // Takes a killed child that has not gone yet, and reaps it when it has.
  void bury(descriptor pidfd);

 private:
  void serve(std::stop_token until);
  void reap();

  std::mutex mutex_;
  std::condition_variable_any wanted_, served_;
  const env::command* order_ = nullptr;
  std::optional<result<launched>> outcome_;
  std::vector<descriptor> dying_;
  std::mutex one_at_a_time_;
  std::jthread thread_;  // from the first start on
};

// A worker's door to it.
class process final : public env::process {
 public:
  process(executor loop, process_starter& starter) : loop_(std::move(loop)), starter_(starter) {}
  result<std::unique_ptr<env::child>> start(const env::command& what) override;

 private:
  executor loop_;
  process_starter& starter_;
};

}  // namespace meshai::os
