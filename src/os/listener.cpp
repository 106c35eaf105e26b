#include "os/listener.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <optional>
#include <utility>

#include "os/endpoint.hpp"
#include "os/fault.hpp"
#include "os/loop.hpp"
#include "os/socket.hpp"

namespace meshai::os {
namespace {
namespace asio = boost::asio;
using boost::system::error_code;

// Which file a Unix socket is, so that close() does not remove another's of the same name.
struct file_id {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const file_id&) const = default;
};

std::optional<file_id> find_socket(const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return std::nullopt;
  return file_id{found.st_dev, found.st_ino};
}

struct door {
  door(const executor& on, env::address at, bool remove_file) : loop(on), socket(on), local(std::move(at)) {
    if (remove_file && local.is_unix()) file = find_socket(local.path);
  }

  void close() noexcept {
    if (std::exchange(closed, true)) return;
    error_code ignored;
    socket.close(ignored);
    if (file && find_socket(local.path) == file) ::unlink(local.path.c_str());
  }

  executor loop;
  loop_descriptor socket;
  const env::address local;
  std::optional<file_id> file;  // what close() takes away
  bool closed = false;
};

// Connections that died in the queue, and what Linux passes up from the network (accept(2)): not the listener's
// fault.
bool is_passing(int code) {
  switch (code) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case EAGAIN:  // somebody else took it
      return true;
    default:
      return false;
  }
}

class socket_listener final : public env::listener {
 public:
  explicit socket_listener(std::shared_ptr<door> through) : door_(std::move(through)) {}
  ~socket_listener() override { door_->close(); }

  task<result<std::unique_ptr<env::stream>>> accept() override;
  const env::address& local() const override { return door_->local; }
  void close() noexcept override { door_->close(); }

 private:
  std::shared_ptr<door> door_;
};

task<result<std::unique_ptr<env::stream>>> socket_listener::accept() {
  const auto self = door_;
  for (;;) {
    if (self->closed) co_return fail(error_kind::unavailable, "the listener is closed");
    // Always through the loop: in a flood of connections, those that were accepted get their turn.
    const auto [why] =
        co_await self->socket.async_wait(asio::posix::descriptor_base::wait_read, asio::as_tuple(asio::deferred));
    if (self->closed) continue;
    if (why) throw boost::system::system_error(why);
    endpoint from;
    from.size = sizeof from.bytes;
    descriptor fd(::accept4(self->socket.native_handle(), from.data(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      // The far end of a Unix socket has no name of its own.
      auto peer = self->local.is_unix() ? self->local : to_address(from);
      co_return adopt(self->loop, std::move(fd), std::move(peer));
    }
    if (!is_passing(errno)) co_return std::unexpected(fault(errno, "accepting on " + self->local.text()));
  }
}

bool somebody_answers(const endpoint& where) {
  const descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return probe && (::connect(probe.get(), where.data(), where.size) == 0 || errno == EAGAIN);
}

int bind_unix(int fd, const endpoint& where, const std::string& path) {
  if (find_socket(path)) {
    if (somebody_answers(where)) return EADDRINUSE;
    ::unlink(path.c_str());
  }
  if (::bind(fd, where.data(), where.size) != 0) return errno;
  // Before listen(), so nobody gets in meanwhile; the umask would be that of every thread.
  return ::chmod(path.c_str(), 0600) == 0 ? 0 : errno;
}

int bind_ip(int fd, const endpoint& where, bool reuse_port) {
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (reuse_port) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (where.family() == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  return ::bind(fd, where.data(), where.size) == 0 ? 0 : errno;
}

}  // namespace

std::optional<env::address> listens_at(int fd) {
  int listening = 0;
  socklen_t size = sizeof listening;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) return std::nullopt;
  endpoint bound;
  bound.size = sizeof bound.bytes;
  if (::getsockname(fd, bound.data(), &bound.size) != 0) return std::nullopt;
  return to_address(bound);
}

result<descriptor> open_listener(const env::address& at, bool reuse_port) {
  const auto where = to_endpoint(at);
  if (!where) return std::unexpected(where.error());
  const auto doing = "listening on " + at.text();
  descriptor fd(::socket(where->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return std::unexpected(fault(errno, doing));
  const int bad = at.is_unix() ? bind_unix(fd.get(), *where, at.path) : bind_ip(fd.get(), *where, reuse_port);
  if (bad != 0) return std::unexpected(fault(bad, doing));
  if (::listen(fd.get(), SOMAXCONN) != 0) return std::unexpected(fault(errno, doing));
  return fd;
}

result<std::unique_ptr<env::listener>> adopt_listener(const executor& loop, descriptor fd, bool remove_file) {
  const auto at = listens_at(fd.get());
  if (!at) return fail(error_kind::malformed, "a descriptor that was handed over does not listen");
  auto made = std::make_shared<door>(loop, *at, remove_file);
  error_code why;
  made->socket.assign(fd.get(), why);
  if (why) return std::unexpected(fault(why.value(), "listening on " + at->text()));
  fd.release();
  return std::make_unique<socket_listener>(std::move(made));
}

result<std::unique_ptr<env::listener>> listen(const executor& loop, const env::address& at, bool reuse_port) {
  auto opened = open_listener(at, reuse_port);
  if (!opened) return std::unexpected(std::move(opened.error()));
  return adopt_listener(loop, *std::move(opened), true);
}

}  // namespace meshai::os
