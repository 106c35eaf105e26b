// os: listening on TCP and Unix sockets.
#pragma once

#include <memory>

#include "env/network.hpp"

namespace meshai::os {

// IPv6 means IPv6 only: [::] does not take 0.0.0.0's place. A Unix socket is for its owner alone (0600); one that
// a dead process left behind is replaced, a living one is unavailable; close() takes the file away.
result<std::unique_ptr<env::listener>> listen(const executor& loop, const env::address& at, bool reuse_port);

}  // namespace meshai::os
