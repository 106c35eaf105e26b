// bench: sockets without a library between: what measures must cost little itself.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace meshai::bench {

// Nanoseconds of the clock that all processes of one machine share.
inline std::int64_t now() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

[[noreturn]] inline void stop(const char* what) {
  std::perror(what);
  std::exit(2);
}

inline sockaddr_in loopback(int port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return at;
}

inline void send_at_once(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// The value of a header in a head; empty where there is none. Proxies write names in the case they like.
inline std::string_view header(std::string_view head, std::string_view lower_name) {
  for (std::size_t line = head.find("\r\n"); line != head.npos; line = head.find("\r\n", line)) {
    line += 2;
    const auto colon = line + lower_name.size();
    if (colon >= head.size() || head[colon] != ':') continue;
    bool same = true;
    for (std::size_t i = 0; same && i < lower_name.size(); ++i) same = (head[line + i] | 0x20) == lower_name[i];
    if (!same) continue;
    auto value = head.substr(colon + 1, head.find("\r\n", colon) - colon - 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    return value;
  }
  return {};
}

// What stands between `before` and the next quote; empty where `before` does not occur.
inline std::string_view quoted(std::string_view in, std::string_view before) {
  const auto at = in.find(before);
  if (at == in.npos) return {};
  const auto rest = in.substr(at + before.size());
  return rest.substr(0, rest.find('"'));
}

}  // namespace meshai::bench
