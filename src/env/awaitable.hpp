// env: the one Boost name that headers may carry: the coroutine type of everything that waits.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace meshai {

// Leaf operations return task<result<T>> and never throw. The one exception that flies through a task is
// cancellation (boost::system::system_error, operation_aborted); only env::scope catches it.
template <class T>
using task = boost::asio::awaitable<T>;

using executor = boost::asio::any_io_executor;

}  // namespace meshai
