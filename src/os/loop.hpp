// os: Asio's objects on the loop that coroutines run on. Internal.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "env/awaitable.hpp"

namespace meshai::os {

using loop_timer = boost::asio::steady_timer::rebind_executor<executor>::other;
using loop_descriptor = boost::asio::posix::stream_descriptor::rebind_executor<executor>::other;

}  // namespace meshai::os
