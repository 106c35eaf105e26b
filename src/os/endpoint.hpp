// os: env::address as the kernel has it.
#pragma once

#include <sys/socket.h>

#include "env/network.hpp"

namespace meshai::os {

struct endpoint {
  sockaddr_storage bytes{};
  socklen_t size = 0;

  int family() const { return bytes.ss_family; }
  sockaddr* data() { return reinterpret_cast<sockaddr*>(&bytes); }
  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

// malformed: the IP is not numeric, or the path of the Unix socket is longer than the system allows (107 bytes).
result<endpoint> to_endpoint(const env::address& from);
// An IPv4 address in IPv6's clothes (::ffff:1.2.3.4) comes out as plain IPv4.
env::address to_address(const endpoint& from);

}  // namespace meshai::os
