// A connection is shared by its stream, its pending operations and its timers, so that a stream may be destroyed
// at any moment. After every wait an operation asks the connection why it was woken: closed, timed out, cancelled
// or done.
#include "os/socket.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>

#include "os/endpoint.hpp"
#include "os/fault.hpp"
#include "os/loop.hpp"

namespace meshai::os {
namespace {
namespace asio = boost::asio;
using boost::system::error_code;

// Completes with a tuple and, unlike use_awaitable, without a coroutine frame of its own.
constexpr auto token = asio::as_tuple(asio::deferred);

// A deadline for one direction. Moving it costs an assignment: the timer is armed only where it would ring too
// late, and when it rings early it is armed again for what the deadline is by then.
struct expiry {
  explicit expiry(const executor& loop) : timer(loop) {}

  loop_timer timer;
  instant deadline = never;
  instant rings = never;  // never: not armed
  unsigned round = 0;     // tells an earlier arming's ring, already on its way, from this one's
  bool pending = false;   // an operation waits under it
};

struct connection : std::enable_shared_from_this<connection> {
  connection(const executor& loop, env::address to)
      : socket(loop), peer(std::move(to)), reading(loop), writing(loop) {}

  // Before an operation waits: what forbids it, if anything does.
  std::optional<error> refusal(expiry& side);
  void move(expiry& side, instant when);
  void arm(expiry& side);
  void ring(expiry& side);
  // Why an operation failed; throws where it was cancelled.
  error reason(const error_code& why, std::string_view doing) const;
  void close() noexcept;
  // Once asked whether it can be written to, the reactor would tell that with everything else, for good.
  error_code watch_anew();

  bool stranded() const { return over && over->has_lost(local); }

  loop_descriptor socket;
  const env::address peer;
  std::shared_ptr<const ways> over;  // none: not watched
  std::string local;                 // the IP address that it goes out from
  expiry reading;
  expiry writing;
  bool closed = false;
  bool timed_out = false;
};

struct pending_mark {
  explicit pending_mark(expiry& of) : side(of) { side.pending = true; }
  ~pending_mark() { side.pending = false; }
  expiry& side;
};

error closed_here() {
  return {error_kind::unavailable, "the connection was closed on this side"};
}

error out_of_time(const env::address& peer) {
  return {error_kind::timeout, fmt::format("{} did not answer in time", peer.text())};
}

std::optional<error> connection::refusal(expiry& side) {
  if (closed) return closed_here();
  if (timed_out) return out_of_time(peer);
  if (side.deadline >= side.rings) return std::nullopt;
  if (side.deadline <= std::chrono::steady_clock::now()) {
    timed_out = true;
    return out_of_time(peer);
  }
  arm(side);
  return std::nullopt;
}

void connection::move(expiry& side, instant when) {
  side.deadline = when;
  if (side.pending && when < side.rings) arm(side);
}

void connection::arm(expiry& side) {
  side.rings = side.deadline;
  side.timer.expires_at(side.rings);
  side.timer.async_wait([self = shared_from_this(), &side, round = ++side.round](error_code why) {
    if (!why && round == side.round) self->ring(side);
  });
}

void connection::ring(expiry& side) {
  side.rings = never;
  if (!side.pending || side.deadline == never) return;
  if (std::chrono::steady_clock::now() < side.deadline) return arm(side);
  timed_out = true;
  error_code ignored;
  socket.cancel(ignored);
}

error connection::reason(const error_code& why, std::string_view doing) const {
  if (closed) return closed_here();
  if (why != asio::error::operation_aborted) {
    return fault(why.value(), fmt::format("{} {}", doing, peer.text()));
  }
  if (timed_out) return out_of_time(peer);
  throw boost::system::system_error(why);
}

void connection::close() noexcept {
  if (std::exchange(closed, true)) return;
  reading.timer.cancel();
  writing.timer.cancel();
  error_code ignored;
  socket.close(ignored);
}

error_code connection::watch_anew() {
  error_code why;
  descriptor fd(socket.release());
  socket.assign(fd.get(), why);
  if (!why) fd.release();
  return why;
}

class socket_stream final : public env::stream, public immediate_writer {
 public:
  explicit socket_stream(std::shared_ptr<connection> over) : connection_(std::move(over)) {}
  ~socket_stream() override { connection_->close(); }

  task<result<std::size_t>> read_some(std::span<char> into) override;
  task<result<void>> write_all(std::span<const std::string_view> pieces) override;
  void read_by(instant when) override { connection_->move(connection_->reading, when); }
  void write_by(instant when) override { connection_->move(connection_->writing, when); }
  void close() noexcept override { connection_->close(); }
  const env::address& peer() const override { return connection_->peer; }
  bool stranded() const override { return connection_->stranded(); }
  void write_now(std::string_view bytes) noexcept override;

 private:
  std::shared_ptr<connection> connection_;
};

task<result<std::size_t>> socket_stream::read_some(std::span<char> into) {
  const auto self = connection_;
  if (auto refused = self->refusal(self->reading)) co_return std::unexpected(std::move(*refused));
  const pending_mark mark(self->reading);
  const auto [why, size] = co_await self->socket.async_read_some(asio::buffer(into.data(), into.size()), token);
  if (!why) co_return size;
  if (why == asio::error::eof) co_return 0;
  co_return std::unexpected(self->reason(why, "reading from"));
}

// Fills `parts` with what is left after the first `sent` bytes of `pieces`, as far as it fits.
std::size_t gather(std::span<const std::string_view> pieces, std::size_t sent, std::span<iovec> parts) {
  std::size_t count = 0;
  for (const auto piece : pieces) {
    if (sent >= piece.size()) {
      sent -= piece.size();
      continue;
    }
    if (count == parts.size()) break;
    // iovec serves readers too, hence its pointer to what may be written; sendmsg does not.
    parts[count++] = {const_cast<char*>(piece.data() + sent), piece.size() - sent};
    sent = 0;
  }
  return count;
}

// What a write nearly always is: one system call, without a round through the loop. Returns the bytes sent or
// -errno.
ssize_t send_now(int fd, std::span<const std::string_view> pieces, std::size_t sent) {
  std::array<iovec, 16> parts;
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = gather(pieces, sent, parts);
  for (;;) {
    const auto n = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

task<result<void>> socket_stream::write_all(std::span<const std::string_view> pieces) {
  const auto self = connection_;
  std::size_t left = 0;
  for (const auto piece : pieces) left += piece.size();
  for (std::size_t sent = 0; left > 0;) {
    if (self->closed) co_return std::unexpected(closed_here());
    if (self->timed_out) co_return std::unexpected(out_of_time(self->peer));
    const auto n = send_now(self->socket.native_handle(), pieces, sent);
    if (n >= 0) {
      sent += static_cast<std::size_t>(n);
      left -= static_cast<std::size_t>(n);
      continue;
    }
    error_code why(static_cast<int>(-n), boost::system::system_category());
    if (why.value() == EAGAIN) {
      if (auto refused = self->refusal(self->writing)) co_return std::unexpected(std::move(*refused));
      const pending_mark mark(self->writing);
      const auto [woken] = co_await self->socket.async_wait(asio::posix::descriptor_base::wait_write, token);
      why = woken;
    }
    if (why) co_return std::unexpected(self->reason(why, "writing to"));
  }
  co_return result<void>{};
}

void socket_stream::write_now(std::string_view bytes) noexcept {
  if (!connection_->closed) send_now(connection_->socket.native_handle(), std::span(&bytes, 1), 0);
}

result<std::shared_ptr<connection>> connection_over(const executor& loop, descriptor fd, env::address peer) {
  auto made = std::make_shared<connection>(loop, std::move(peer));
  error_code why;
  made->socket.assign(fd.get(), why);
  if (why) return std::unexpected(fault(why.value(), "watching the connection to " + made->peer.text()));
  fd.release();
  return made;
}

// Small writes are never held back for the acknowledgement of earlier ones (Nagle's algorithm off).
void send_at_once(const descriptor& fd) {
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

env::address local_of(int fd) {
  endpoint local;
  local.size = sizeof local.bytes;
  return ::getsockname(fd, local.data(), &local.size) == 0 ? to_address(local) : env::address();
}

// TCP lets a socket connect to itself when the port it was given by chance is the one it dials, where nobody
// listens.
bool is_itself(int fd) {
  endpoint local, remote;
  local.size = remote.size = sizeof local.bytes;
  return ::getsockname(fd, local.data(), &local.size) == 0 &&
         ::getpeername(fd, remote.data(), &remote.size) == 0 && to_address(local) == to_address(remote);
}

}  // namespace

result<std::unique_ptr<env::stream>> adopt(const executor& loop, descriptor connected, env::address peer) {
  if (!peer.is_unix()) send_at_once(connected);
  auto made = connection_over(loop, std::move(connected), std::move(peer));
  if (!made) return std::unexpected(std::move(made.error()));
  return std::make_unique<socket_stream>(std::move(*made));
}

task<result<std::unique_ptr<env::stream>>> dial(executor loop, env::address to, instant deadline,
                                                std::shared_ptr<const ways> over) {
  const auto where = to_endpoint(to);
  if (!where) co_return std::unexpected(where.error());
  const auto doing = "connecting to " + to.text();
  descriptor fd(::socket(where->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) co_return std::unexpected(fault(errno, doing));
  if (!to.is_unix()) send_at_once(fd);
  const int raw = fd.get();
  const bool at_once = ::connect(raw, where->data(), where->size) == 0;
  // No way leads there from here: nobody there is to blame.
  if (!at_once && errno == ENETUNREACH) co_return fail(error_kind::unavailable, fault(errno, doing).detail);
  if (!at_once && errno != EINPROGRESS) co_return std::unexpected(fault(errno, doing));
  const auto made = connection_over(loop, std::move(fd), std::move(to));
  if (!made) co_return std::unexpected(made.error());
  auto& self = **made;
  auto stream = std::make_unique<socket_stream>(*made);
  if (over && !self.peer.is_loopback()) {
    self.local = local_of(raw).ip;
    self.over = std::move(over);
    if (self.stranded()) {
      co_return fail(error_kind::unavailable, doing + ": the link of " + self.local + " is down on this machine");
    }
  }
  if (!at_once) {
    self.writing.deadline = deadline;
    if (auto refused = self.refusal(self.writing)) co_return std::unexpected(std::move(*refused));
    const pending_mark mark(self.writing);
    const auto [woken] = co_await self.socket.async_wait(asio::posix::descriptor_base::wait_write, token);
    if (woken) co_return std::unexpected(self.reason(woken, "connecting to"));
    self.writing.deadline = never;
    int code = 0;
    socklen_t size = sizeof code;
    ::getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &size);
    if (code != 0) co_return std::unexpected(fault(code, doing));
    if (const auto why = self.watch_anew()) co_return std::unexpected(fault(why.value(), doing));
  }
  if (!self.peer.is_unix() && self.peer.is_loopback() && is_itself(raw)) {
    co_return std::unexpected(fault(ECONNREFUSED, doing));
  }
  co_return std::unique_ptr<env::stream>(std::move(stream));
}

}  // namespace meshai::os
