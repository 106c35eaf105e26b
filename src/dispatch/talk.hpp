// dispatch: the coroutine of one attempt: it waits for its turn, and reads what comes into the mailbox. Internal.
#pragma once

#include <memory>

#include "dispatch/running.hpp"

namespace meshai::dispatch {

// It waits for the engine, for a place in the line and for what must be on disk first, and reads on as long as
// there is room for what it reads.
task<void> talk(std::shared_ptr<errand> all, lane& at);

}  // namespace meshai::dispatch
