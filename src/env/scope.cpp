#include "env/scope.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <cstdio>
#include <exception>
#include <list>
#include <utility>

#include "base/check.hpp"
#include "env/event.hpp"

namespace meshai::env {
namespace asio = boost::asio;

struct scope::state {
  explicit state(executor on) : loop(on), idle(on) {}

  executor loop;
  event idle;
  std::list<asio::cancellation_signal> children;
  bool cancelled = false;
};

namespace {

void must_be_cancellation(const std::exception_ptr& thrown) {
  if (!thrown) return;
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) return;
    std::fprintf(stderr, "meshai: bug: a coroutine ended with %s\n", e.code().message().c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "meshai: bug: a coroutine ended with an exception: %s\n", e.what());
  }
  CHECK(!"exceptions end in the .cpp that called the library");
}

}  // namespace

scope::scope(executor loop) : state_(std::make_shared<state>(std::move(loop))) {}

scope::~scope() {
  cancel();
}

void scope::spawn(task<void> work) {
  if (state_->cancelled) return;
  const auto self = state_;
  const auto child = self->children.emplace(self->children.end());
  asio::co_spawn(self->loop, std::move(work),
                 asio::bind_cancellation_slot(child->slot(), [self, child](std::exception_ptr thrown) {
                   must_be_cancellation(thrown);
                   self->children.erase(child);
                   if (self->children.empty()) self->idle.set();
                 }));
}

std::size_t scope::running() const {
  return state_->children.size();
}

void scope::cancel() {
  const auto self = state_;
  self->cancelled = true;
  // A child that ends while it is being cancelled erases itself: step first, then emit.
  for (auto child = self->children.begin(); child != self->children.end();) {
    auto& signal = *child++;
    signal.emit(asio::cancellation_type::terminal);
  }
}

task<void> scope::join() {
  const auto self = state_;
  while (!self->children.empty()) {
    self->idle.clear();
    co_await self->idle.wait();
  }
}

task<void> scope::close() {
  const auto self = state_;
  co_await asio::this_coro::throw_if_cancelled(false);
  cancel();
  while (!self->children.empty()) {
    self->idle.clear();
    co_await self->idle.wait_uncancelled();
  }
  co_await asio::this_coro::throw_if_cancelled(true);
}

}  // namespace meshai::env
