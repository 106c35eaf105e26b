#include "env/network.hpp"

#include <boost/asio/ip/address.hpp>

namespace meshai::env {
namespace {

boost::asio::ip::address parse(const std::string& ip) {
  boost::system::error_code ignored;
  auto parsed = boost::asio::ip::make_address(ip, ignored);
  if (parsed.is_v6() && parsed.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, parsed.to_v6());
  }
  return parsed;
}

}  // namespace

bool address::is_loopback() const {
  return is_unix() || parse(ip).is_loopback();
}

bool address::is_private() const {
  if (is_loopback()) return true;
  const auto parsed = parse(ip);
  if (parsed.is_v6()) {
    const auto bytes = parsed.to_v6().to_bytes();
    return parsed.to_v6().is_link_local() || (bytes[0] & 0xfe) == 0xfc;
  }
  const auto bits = parsed.to_v4().to_uint();
  return (bits >> 24) == 10 || (bits >> 20) == 0xac1 || (bits >> 16) == 0xc0a8 || (bits >> 16) == 0xa9fe;
}

std::string address::text() const {
  if (is_unix()) return "unix:" + path;
  const bool v6 = ip.find(':') != std::string::npos;
  return (v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

}  // namespace meshai::env
