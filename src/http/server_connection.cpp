#include "http/server_connection.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "base/check.hpp"

namespace meshai::http {
namespace asio = boost::asio;

namespace {

constexpr std::size_t kept_body_memory = 64 * 1024;  // between two requests of a connection

struct counted {
  explicit counted(std::size_t& in, bool& mark) : count(in), flag(mark) {
    ++count;
    flag = true;
  }
  ~counted() {
    --count;
    flag = false;
  }
  std::size_t& count;
  bool& flag;
};

}  // namespace

bool budget_share::grow_to(std::size_t bytes) {
  if (!from_ || bytes <= held_) return true;
  if (!from_->try_acquire(bytes - held_)) return false;
  held_ = bytes;
  return true;
}

void budget_share::release() noexcept {
  if (from_ && held_ > 0) from_->release(held_);
  held_ = 0;
}

// One line of the head at its longest must fit into the buffer, since the parser takes whole lines.
connection::connection(std::shared_ptr<server::state> home, std::unique_ptr<env::stream> stream)
    : home_(std::move(home)),
      place_(home_->connections.insert(home_->connections.end(), this)),
      stream_(std::move(stream)),
      parser_(home_->options.head),
      in_(home_->options.head.bytes + buffer::smallest),
      budget_(home_->options.budget),
      arrived_(home_->world.loop),
      room_(home_->world.loop),
      reading_(home_->world.loop),
      answering_(home_->world.loop) {}

connection::~connection() {
  home_->connections.erase(place_);
}

task<void> connection::run() {
  reading_.spawn(read_all_the_time());
  answering_.spawn(take_requests());
  bool cancelled = false;
  try {
    co_await answering_.join();
  } catch (const boost::system::system_error&) {
    cancelled = true;  // caught to end both coroutines before their connection goes; thrown on below
  }
  stream_->close();
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await answering_.close();
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await reading_.close();
  if (cancelled) throw boost::system::system_error(asio::error::operation_aborted);
}

// ---- reading ----

task<void> connection::read_all_the_time() {
  for (;;) {
    const auto room = in_.room();
    if (room.empty()) {
      waiting_for_room_ = true;
      co_await room_.wait();
      waiting_for_room_ = false;
      continue;
    }
    const auto size = co_await stream_->read_some(room);
    if (!size || *size == 0) {
      read_timed_out_ = !size && size.error().kind == error_kind::timeout;
      break;
    }
    in_.filled(*size);
    if (waiting_for_bytes_) arrived_.set();
  }
  read_ended_ = true;
  arrived_.set();
  // Nobody is left to answer. A body that comes too slowly is told to the handler instead.
  if (handling_ && !read_timed_out_) answering_.cancel();
}

void connection::consume(std::size_t size) {
  in_.consume(size);
  if (size > 0 && waiting_for_room_) room_.set();
}

task<void> connection::more() {
  waiting_for_bytes_ = true;
  co_await arrived_.wait();
  waiting_for_bytes_ = false;
}

// ---- requests, one after the other ----

task<void> connection::take_requests() {
  for (;;) {
    if (!co_await next_head()) co_return;
    if (!co_await answer_one()) co_return;
  }
}

task<bool> connection::next_head() {
  parser_.reset();
  turn_ = {};
  const auto& limits = home_->options;
  bool begun = false;
  auto by = in(fresh_ ? limits.head_timeout : limits.idle_timeout);
  stream_->read_by(by);
  for (;;) {
    const auto got = parser_.feed(in_.data());
    if (!got) {
      co_await refuse(got.error());
      co_return false;
    }
    consume(got->consumed);
    if (got->what == wire::progress::head) break;
    const bool idle = !parser_.got_some() && in_.empty();
    if (read_ended_ || (idle && home_->draining == std::chrono::nanoseconds::zero())) co_return false;
    if (idle && home_->draining && in(*home_->draining) < by) {
      by = in(*home_->draining);
      stream_->read_by(by);
    }
    if (!idle && !begun) {
      begun = true;
      stream_->read_by(in(limits.head_timeout));
    }
    co_await more();
  }
  stream_->read_by(never);
  fresh_ = false;
  turn_.head_request = parser_.head().method == "HEAD";
  // Who has closed already, or their sending half, is gone: as it would be a moment later.
  co_return !read_ended_;
}

task<bool> connection::answer_one() {
  request in(*this);
  responder out(*this);
  {
    const counted running(home_->busy, handling_);
    co_await home_->what.handle(in, out);
    if (turn_.answer == progress::none && !read_ended_) {
      (void)co_await send_shaped(500, {error_kind::unavailable, "the request was left without an answer"});
    }
  }
  budget_.release();
  body_.clear();
  if (body_.capacity() > kept_body_memory) body_.shrink_to_fit();
  if (turn_.answer != progress::complete || read_ended_) co_return false;
  if (parser_.ended()) co_return turn_.keep;
  if (turn_.keep) co_return co_await drop_rest_of_body();
  co_await linger();
  co_return false;
}

task<void> connection::refuse(error why) {
  turn_.body_failed = true;
  if (co_await send_shaped(parser_.refusal_status(), std::move(why))) co_await linger();
}

task<result<void>> connection::send_shaped(int status, error why) {
  const auto shaped = home_->what.refuse(status, why);
  std::vector<wire::header> headers;
  headers.reserve(shaped.headers.size());
  for (const auto& [name, value] : shaped.headers) headers.push_back({name, value});
  co_return co_await send(status, headers, shaped.body);
}

task<bool> connection::drop_rest_of_body() {
  stream_->read_by(in(home_->options.body_window));
  for (;;) {
    const auto got = parser_.feed(in_.data());
    if (!got) co_return false;
    consume(got->consumed);
    if (parser_.ended()) co_return true;
    if (got->what != wire::progress::need_more) continue;
    if (read_ended_) co_return false;
    co_await more();
  }
}

// Closing while the caller still sends would make the system answer with a reset, which can overtake the answer.
task<void> connection::linger() {
  stream_->read_by(in(home_->options.linger));
  while (!read_ended_) {
    consume(in_.data().size());
    co_await more();
  }
}

// ---- the body of the request ----

task<result<std::string_view>> connection::read_body(std::size_t limit) {
  CHECK(!std::exchange(turn_.body_asked, true));
  if (parser_.ended()) co_return std::string_view();
  auto received = co_await receive_body(limit);
  stream_->read_by(never);
  if (!received) {
    turn_.body_failed = true;
    co_return std::unexpected(std::move(received.error()));
  }
  co_return std::string_view(body_);
}

task<result<void>> connection::receive_body(std::size_t limit) {
  const auto& limits = home_->options;
  const auto length = head().content_length.value_or(0);
  parser_.limit_body(limit);
  // Refused before a byte of it has come: who waits for an answer before sending gets one.
  if (length > limit) co_return fail(error_kind::refused, "the body is larger than allowed");
  if (!budget_.grow_to(length)) co_return fail(error_kind::exhausted, "too many bytes of requests are being held");
  body_.reserve(length);
  if (head().expects_continue && in_.empty()) {
    turn_.continued = true;
    constexpr std::string_view go_on[] = {"HTTP/1.1 100 Continue\r\n\r\n"};
    if (auto sent = co_await put(go_on); !sent) co_return sent;
  }
  const auto last = in(limits.body_timeout);
  auto window = std::min(last, in(limits.body_window));
  std::size_t moved = 0;
  stream_->read_by(window);
  for (;;) {
    const auto got = parser_.feed(in_.data());
    if (!got) {
      const bool too_long = parser_.refusal_status() == 413;
      co_return fail(too_long ? error_kind::refused : error_kind::malformed, got.error().detail);
    }
    consume(got->consumed);
    if (auto grown = grow_body(got->body); !grown) co_return grown;
    if (parser_.ended()) co_return result<void>{};
    if (got->what != wire::progress::need_more) continue;
    if (read_timed_out_) co_return fail(error_kind::timeout, "the body came too slowly");
    if (read_ended_) co_return fail(error_kind::unavailable, "the caller has gone");
    if (body_.size() - moved >= limits.body_progress) {
      moved = body_.size();
      window = std::min(last, in(limits.body_window));
      stream_->read_by(window);
    }
    co_await more();
  }
}

result<void> connection::grow_body(std::string_view piece) {
  // In steps, so that a body in small chunks does not ask the budget for each of them.
  constexpr std::size_t step = 64 * 1024;
  const auto size = body_.size() + piece.size();
  if (!head().content_length && size > 0 && !budget_.grow_to((size + step - 1) / step * step))
    return fail(error_kind::exhausted, "too many bytes of requests are being held");
  body_ += piece;
  return {};
}

}  // namespace meshai::http
