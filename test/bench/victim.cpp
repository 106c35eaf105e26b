#include "victim.hpp"

#include <poll.h>

#include <cerrno>

namespace meshai::bench {
namespace {

constexpr std::string_view stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string delta(const std::string& content) {
  return victim::event(R"({"id":"c","object":"chat.completion.chunk","created":1760000000,"model":"m","choices":[)"
                       R"({"index":0,"delta":{"content":")" +
                       content + R"("},"finish_reason":null}]})");
}

std::string ending() {
  return victim::event(R"({"id":"c","object":"chat.completion.chunk","created":1760000000,"model":"m","choices":[)"
                       R"({"index":0,"delta":{},"finish_reason":"stop"}]})") +
         victim::event("[DONE]") + "0\r\n\r\n";
}

}  // namespace

int listen_somewhere(int& port) {
  const int door = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  auto at = loopback(0);
  if (::bind(door, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(door, 128) != 0) stop("listen");
  socklen_t size = sizeof at;
  ::getsockname(door, reinterpret_cast<sockaddr*>(&at), &size);
  port = ntohs(at.sin_port);
  return door;
}

// As one event of a stream in one HTTP chunk.
std::string victim::event(const std::string& json) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", json.size() + 8);
  return size + ("data: " + json) + "\n\n\r\n";
}

void victim::put(int fd, const std::string& bytes) {
  if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
    std::fputs("bench_switch: an answer did not get out\n", stderr);
  }
}

void victim::open(int door) {
  door_ = door;
  epoll_event wanted{.events = EPOLLIN, .data = {.fd = door}};
  ::epoll_ctl(poll_, EPOLL_CTL_ADD, door, &wanted);
}

void victim::drop(int fd) {
  ::close(fd);
  peers_.erase(fd);
  if (held == fd) held = -1;
}

void victim::serve() {
  epoll_event events[16];
  const int count = ::epoll_wait(poll_, events, 16, 0);
  for (int i = 0; i < count; ++i) {
    const int fd = events[i].data.fd;
    if (fd == door_) {
      const int made = ::accept4(door_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (made < 0) continue;
      send_at_once(made);
      peers_[made].fd = made;
      epoll_event wanted{.events = EPOLLIN, .data = {.fd = made}};
      ::epoll_ctl(poll_, EPOLL_CTL_ADD, made, &wanted);
      continue;
    }
    const auto found = peers_.find(fd);
    if (found == peers_.end()) continue;
    auto& who = found->second;
    if (who.in.empty()) who.began = now();
    char bytes[16384];
    const auto n = ::read(fd, bytes, sizeof bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) {
      drop(fd);
      continue;
    }
    who.in.append(bytes, static_cast<std::size_t>(n));
    take(who);
  }
}

void victim::serve_for_ever() {
  pollfd all{.fd = poll_, .events = POLLIN, .revents = 0};
  for (;;) {
    ::poll(&all, 1, -1);
    serve();
  }
}

bool victim::take(peer& who) {
  const auto end = who.in.find("\r\n\r\n");
  if (end == who.in.npos) return false;
  const auto length = header(std::string_view(who.in.data(), end + 2), "content-length");
  const auto size = length.empty() ? 0u : std::strtoul(length.data(), nullptr, 10);
  if (who.in.size() < end + 4 + size) return false;
  const auto body = who.in.substr(end + 4, size);
  who.in.erase(0, end + 4 + size);
  answer(who, body);
  return true;
}

void victim::answer(peer& who, const std::string& body) {
  constexpr std::string_view mark = "number ";
  const auto at = body.find(mark);
  const auto number = at == body.npos ? std::string("00000000") : body.substr(at + mark.size(), 8);
  if (body.find(", break") == body.npos) {
    ++whole_ones;
    return stream(who.fd, 0, pieces, number, role_ == role::drips);
  }
  began = who.began;
  if (role_ == role::helps) return stream(who.fd, first_piece, pieces, number, false);
  held = who.fd;
  if (role_ != role::mute) stream(who.fd, 0, pieces_before, number, false);
}

void victim::stream(int fd, int first, int last, const std::string& number, bool slowly) {
  std::string out(stream_head);
  for (int i = first; i < last; ++i) {
    if (slowly) {
      put(fd, out);
      out.clear();
      ::usleep(1000);
    }
    out += delta(piece(i, number));
  }
  if (last == pieces) out += ending();
  put(fd, out);
}

}  // namespace meshai::bench
