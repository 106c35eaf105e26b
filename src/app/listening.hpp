// app: the sockets at which a configuration wants to be reached.
#pragma once

#include <vector>

#include "app/config.hpp"
#include "os/descriptor.hpp"

namespace meshai::app {

// Event loops: as many as it says, else one for each core, at most eight.
std::size_t worker_count(const api_config& api);

// A listening socket for each worker and address, by worker. The error says what to do where an address is taken.
result<std::vector<std::vector<os::descriptor>>> open_listeners(const api_config& api);

}  // namespace meshai::app
