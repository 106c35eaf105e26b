#include "env/event.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/append.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "base/check.hpp"

namespace meshai::env {
namespace asio = boost::asio;
using boost::system::error_code;

struct event::waiter {
  executor loop;
  asio::any_completion_handler<void(error_code)> handler;

  void finish(error_code why) {
    if (!handler) return;
    // Posted, never called: whoever sets the event goes on first.
    asio::post(loop, asio::append(std::exchange(handler, nullptr), why));
  }
};

event::event(executor loop) : loop_(loop), waiter_(std::make_shared<waiter>(loop, nullptr)) {}

event::~event() {
  waiter_->finish(asio::error::operation_aborted);
}

void event::set() {
  if (waiter_->handler) {
    waiter_->finish({});
  } else {
    set_ = true;
  }
}

task<void> event::wait() {
  return wait(true);
}
task<void> event::wait_uncancelled() {
  return wait(false);
}

task<void> event::wait(bool cancellable) {
  if (std::exchange(set_, false)) co_return;
  const auto self = waiter_;
  CHECK(!self->handler);
  auto start = [self, cancellable](auto handler) {
    // Wrapped first: any_completion_handler claims the handler's own slot and offers one of its own.
    self->handler = std::move(handler);
    auto slot = asio::get_associated_cancellation_slot(self->handler);
    if (cancellable && slot.is_connected()) {
      slot.assign([waiting = std::weak_ptr(self)](asio::cancellation_type) {
        if (const auto still = waiting.lock()) still->finish(asio::error::operation_aborted);
      });
    }
  };
  const auto [why] = co_await asio::async_initiate<const asio::as_tuple_t<asio::deferred_t>, void(error_code)>(
      std::move(start), asio::as_tuple(asio::deferred));
  if (why) throw boost::system::system_error(why);
}

}  // namespace meshai::env
