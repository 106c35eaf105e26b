#include "os/line.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

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

result<std::pair<line, line>> line::make() {
  int ends[2];
  if (::socketpair(AF_UNIX, kind, 0, ends) != 0) return std::unexpected(fault(errno, "making a pair of sockets"));
  return std::pair(line(descriptor(ends[0])), line(descriptor(ends[1])));
}

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

bool line::send(std::string_view text, int with) {
  text = text.substr(0, longest);
  iovec piece{const_cast<char*>(text.data()), text.size()};  // sendmsg's old signature; it does not write to it
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (with >= 0) {
    message.msg_control = room.data();
    message.msg_controllen = room.size();
    auto* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof with);
    std::memcpy(CMSG_DATA(head), &with, sizeof with);
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(text.size());
}

std::optional<parcel> line::receive() {
  parcel out;
  out.text.resize(longest);
  iovec piece{out.text.data(), out.text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = room.data();
  message.msg_controllen = room.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) {
    // Nobody sends an empty message: nothing read is the end.
    gone_ = got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    return std::nullopt;
  }
  out.text.resize(static_cast<std::size_t>(got));
  for (auto* head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(head), sizeof fd);
    out.with = descriptor(fd);
  }
  return out;
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
