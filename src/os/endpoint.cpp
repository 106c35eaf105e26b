#include "os/endpoint.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <boost/asio/ip/tcp.hpp>
#include <cstring>

namespace meshai::os {
namespace asio = boost::asio;

result<endpoint> to_endpoint(const env::address& from) {
  endpoint to;
  if (from.is_unix()) {
    sockaddr_un where{};
    if (from.path.size() >= sizeof where.sun_path) {
      return fail(error_kind::malformed, fmt::format("the path of a Unix socket has at most {} bytes: {}",
                                                     sizeof where.sun_path - 1, from.path));
    }
    where.sun_family = AF_UNIX;
    std::memcpy(where.sun_path, from.path.data(), from.path.size());
    std::memcpy(&to.bytes, &where, sizeof where);
    to.size = sizeof where;
    return to;
  }
  boost::system::error_code bad;
  const auto ip = asio::ip::make_address(from.ip, bad);
  if (bad) return fail(error_kind::malformed, fmt::format("not a numeric IP address: {}", from.ip));
  const asio::ip::tcp::endpoint where(ip, from.port);
  std::memcpy(&to.bytes, where.data(), where.size());
  to.size = static_cast<socklen_t>(where.size());
  return to;
}

env::address to_address(const endpoint& from) {
  if (from.family() == AF_UNIX) {
    const auto* where = reinterpret_cast<const sockaddr_un*>(&from.bytes);
    return {.ip = {}, .port = 0, .path = where->sun_path};
  }
  asio::ip::tcp::endpoint where;
  where.resize(from.size);
  std::memcpy(where.data(), &from.bytes, from.size);
  auto ip = where.address();
  if (ip.is_v6() && ip.to_v6().is_v4_mapped()) ip = asio::ip::make_address_v4(asio::ip::v4_mapped, ip.to_v6());
  return {.ip = ip.to_string(), .port = where.port(), .path = {}};
}

}  // namespace meshai::os
