#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/system/system_error.hpp>

#include "base/check.hpp"
#include "os/os.hpp"

namespace meshai::os {
namespace asio = boost::asio;

struct signals::parts {
  asio::signal_set::rebind_executor<executor>::other set;
};

signals::signals(executor loop, std::initializer_list<int> numbers)
    : parts_(new parts{decltype(parts::set)(loop)}) {
  for (const int number : numbers) {
    boost::system::error_code bad;
    parts_->set.add(number, bad);
    CHECK(!bad);  // only a number that cannot be caught
  }
}

signals::~signals() = default;

task<int> signals::next() {
  const auto [why, number] = co_await parts_->set.async_wait(asio::as_tuple(asio::deferred));
  if (why) throw boost::system::system_error(why);
  co_return number;
}

}  // namespace meshai::os
