// env: child processes.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "env/awaitable.hpp"

namespace meshai::env {

struct command {
  std::string program;                   // absolute path
  std::vector<std::string> arguments;    // without argv[0]
  std::vector<std::string> environment;  // NAME=value; the child sees exactly these
  std::string directory;                 // working folder; empty keeps ours
  std::string output;                    // stdout and stderr are appended to this file; empty discards them
  std::size_t address_space = 0;         // RLIMIT_AS in bytes; 0 leaves it
  bool dies_with_us = true;  // PR_SET_PDEATHSIG SIGKILL, from a thread that lives as long as the process
  bool own_network = false;  // a network namespace of its own where the system allows it, else silently not
};

struct exit_status {
  int code = 0;    // exit code when signal is 0
  int signal = 0;  // the signal that ended it
};

// A running child. Destroying it kills and reaps it.
// no_new_privs, RLIMIT_CORE 0 and coredump_filter 0 are set for every child; only descriptors 0-2 are inherited.
class child {
 public:
  virtual ~child() = default;
  virtual int pid() const = 0;
  virtual void signal(int number) = 0;
  // When it has ended (pidfd). May be awaited once at a time, again after it ended.
  virtual task<exit_status> wait() = 0;
};

class process {
 public:
  virtual ~process() = default;
  virtual result<std::unique_ptr<child>> start(const command& what) = 0;
};

}  // namespace meshai::env
