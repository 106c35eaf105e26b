// os: the ways out of this machine, as rtnetlink(7) tells of them: which of its own addresses have been lost with
// their link or taken away. One per worker, on its loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "env/awaitable.hpp"

namespace meshai::os {

class ways {
 public:
  explicit ways(executor loop);
  ~ways();
  ways(const ways&) = delete;
  ways& operator=(const ways&) = delete;

  // Watches from now on, and calls `tell` on the loop each time an address is lost; empty ends that. Where the
  // kernel does not let us watch, nothing is ever lost.
  void watch(std::function<void()> tell);

  // An address of this machine that was there while we watched, and is gone or on a link without a carrier now.
  bool has_lost(const std::string& ip) const;
  // None is left that leads out of this machine.
  bool cut_off() const;

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace meshai::os
