#include "os/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/system/system_error.hpp>

#include "os/loop.hpp"

namespace meshai::os {
namespace asio = boost::asio;

wall_time clock::wall() const {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

task<void> clock::sleep_until(instant when) {
  if (when <= now()) co_return;
  loop_timer timer(loop_, when);
  const auto [why] = co_await timer.async_wait(asio::as_tuple(asio::deferred));
  if (why) throw boost::system::system_error(why);
}

}  // namespace meshai::os
