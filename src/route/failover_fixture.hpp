// route: what the tests of failover drive it with.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "route/testing.hpp"

namespace meshai::route::testing {

// Drives one failover and writes down what it wants.
struct failing_over : ::testing::Test {
  std::vector<candidate> candidates;
  failover::options how;
  std::optional<failover> decides;
  instant now = start;
  instant alarm = never;
  std::vector<std::string> log;

  void begin(std::size_t count) {
    candidates.resize(count);
    for (auto& each : candidates) each.patience = how.bounds.first_token_timeout;
    begin();
  }
  void begin() {
    decides.emplace(candidates, how, now);
    decides->begin(now);
  }
  // The actions since the last call, but for alarms: "start 0:2" is attempt 0 on candidate 2.
  std::vector<std::string> actions() {
    std::vector<std::string> out;
    while (const auto a = decides->next()) {
      const auto number = std::to_string(a->attempt);
      switch (a->what) {
        case action::kind::start:
          out.push_back("start " + number + ":" + std::to_string(a->candidate));
          break;
        case action::kind::cancel:
          out.push_back("cancel " + number);
          break;
        case action::kind::expire:
          out.push_back("expire " + number + " " + std::string(to_string(a->missed)));
          break;
        case action::kind::judge:
          out.push_back("judge " + number);
          break;
        case action::kind::forward:
          out.push_back("forward " + number);
          break;
        case action::kind::arm:
          alarm = a->when;
          break;
        case action::kind::finish:
          out.push_back("finish " + std::to_string(static_cast<int>(a->how)));
          break;
      }
    }
    return out;
  }
  void pass(std::chrono::nanoseconds time) {
    now += time;
    decides->tick(now);
  }
  void fail(int attempt, fault_kind kind) { decides->faulted(attempt, fault_of(kind), now); }
};

using strings = std::vector<std::string>;
inline const std::string done = "finish 0", failed = "finish 1", cut_off = "finish 2", gone = "finish 3";

}  // namespace meshai::route::testing
