// os: fork and exec, with everything a child must not inherit taken away.
#pragma once

#include <sys/types.h>

#include "env/process.hpp"
#include "os/descriptor.hpp"

namespace meshai::os {

struct launched {
  pid_t pid = -1;
  descriptor pidfd;
};

// Forks in the calling thread, which the child's life then hangs on where `what.dies_with_us`. Returns once the
// program runs. unavailable: the program, its folder or its output cannot be opened; exhausted: no process can be
// had.
result<launched> launch(const env::command& what);

}  // namespace meshai::os
