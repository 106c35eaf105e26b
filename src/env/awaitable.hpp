// env: the one Boost name that headers may carry: the coroutine type of everything that waits.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace meshai {

// Where coroutines run: both worlds have an io_context. Named, since any_io_executor is asked and called through
// pointers at every step.
using executor = boost::asio::io_context::executor_type;

// Leaf operations return task<result<T>> and never throw. The one exception that flies through a task is
// cancellation (boost::system::system_error, operation_aborted); only env::scope catches it.
template <class T>
using task = boost::asio::awaitable<T, executor>;

}  // namespace meshai
