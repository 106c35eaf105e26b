// engine: waiting for a child with a deadline, and running one for what it prints.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "env/clock.hpp"
#include "env/process.hpp"
#include "env/world.hpp"

namespace meshai::engine {

// Returns when it has ended, or at `by`.
task<void> wait_until(env::world world, std::shared_ptr<env::child> child, instant by);

// Runs `what` until it ends, or kills it at `by`; what it printed, at most 1 MB. `file` holds it meanwhile and is
// removed.
task<result<std::string>> output_of(env::world world, env::command what, std::filesystem::path file, instant by);

}  // namespace meshai::engine
