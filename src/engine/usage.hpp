// engine: what this machine has and what a process of it uses, from /proc and the control group.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "engine/plan.hpp"

namespace meshai::engine {

machine this_machine();

struct process_usage {
  std::uint64_t resident = 0;              // bytes, the mapped model included
  std::uint64_t anonymous = 0;             // bytes of it that are no file's
  std::chrono::milliseconds processor{0};  // time used so far, all threads
};
// Nothing once it is gone.
std::optional<process_usage> usage_of(int pid);

}  // namespace meshai::engine
