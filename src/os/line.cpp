#include "os/line.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "os/endpoint.hpp"
#include "os/fault.hpp"

namespace meshai::os {
namespace {

constexpr int kind = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;

bool is_ours(int fd) {
  ucred who{};
  socklen_t size = sizeof who;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.uid == ::getuid();
}

}  // namespace

result<descriptor> line::open(const std::string& path) {
  const auto where = to_endpoint({.path = path});
  if (!where) return std::unexpected(where.error());
  descriptor fd(::socket(AF_UNIX, kind, 0));
  // Whoever opens it is the only one who may: what lies there was left by a process that died.
  ::unlink(path.c_str());
  if (!fd || ::bind(fd.get(), where->data(), where->size) != 0 || ::chmod(path.c_str(), 0600) != 0 ||
      ::listen(fd.get(), 4) != 0)
    return std::unexpected(fault(errno, "listening on " + path));
  return fd;
}

result<line> line::call(const std::string& path) {
  const auto where = to_endpoint({.path = path});
  if (!where) return std::unexpected(where.error());
  descriptor fd(::socket(AF_UNIX, kind, 0));
  if (!fd || ::connect(fd.get(), where->data(), where->size) != 0)
    return std::unexpected(fault(errno, "calling at " + path));
  return line(std::move(fd));
}

std::optional<line> line::answer(int from) {
  descriptor fd(::accept4(from, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd || !is_ours(fd.get())) return std::nullopt;
  return line(std::move(fd));
}

bool line::send(std::string_view text) {
  text = text.substr(0, longest);
  ssize_t sent = 0;
  do {
    sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(text.size());
}

std::optional<std::string> line::receive() {
  std::string text(longest, '\0');
  ssize_t got = 0;
  do {
    got = ::recv(fd_.get(), text.data(), text.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) {
    // Nobody sends an empty message: nothing read is the end.
    gone_ = got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    return std::nullopt;
  }
  text.resize(static_cast<std::size_t>(got));
  return text;
}

bool line::wait(int patience_ms) const {
  pollfd one{fd_.get(), POLLIN, 0};
  int got = 0;
  do {
    got = ::poll(&one, 1, patience_ms);
  } while (got < 0 && errno == EINTR);
  return got != 0;
}

}  // namespace meshai::os
