#include "os/ways.hpp"

#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <cstring>
#include <set>
#include <utility>

#include "os/descriptor.hpp"
#include "os/endpoint.hpp"
#include "os/loop.hpp"

namespace meshai::os {
namespace {

constexpr std::size_t most_addresses = 1024;

// Those on a link that is up and has a carrier (RFC 2863 calls it operational).
std::set<std::string> usable_addresses() {
  std::set<std::string> out;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return out;
  for (const auto* one = all; one != nullptr; one = one->ifa_next) {
    constexpr unsigned well = IFF_UP | IFF_RUNNING;
    if (one->ifa_addr == nullptr || (one->ifa_flags & well) != well) continue;
    const int family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    endpoint at;
    at.size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::memcpy(&at.bytes, one->ifa_addr, at.size);
    out.insert(to_address(at).ip);
  }
  ::freeifaddrs(all);
  return out;
}

descriptor open_netlink() {
  descriptor fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl wanted{};
  wanted.nl_family = AF_NETLINK;
  wanted.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&wanted), sizeof wanted) != 0) return {};
  return fd;
}

}  // namespace

struct ways::state : std::enable_shared_from_this<state> {
  explicit state(const executor& loop) : news(loop) {}

  void begin();
  void await();
  void look();

  loop_descriptor news;
  std::function<void()> tell;
  std::set<std::string> there, lost;
};

void ways::state::begin() {
  auto fd = open_netlink();
  if (!fd) return;
  boost::system::error_code why;
  news.assign(fd.get(), why);
  if (why) return;
  fd.release();
  there = usable_addresses();
  await();
}

void ways::state::await() {
  news.async_wait(
      boost::asio::posix::descriptor_base::wait_read, [self = weak_from_this()](boost::system::error_code why) {
        const auto alive = self.lock();
        if (!alive || why || !alive->news.is_open()) return;
        // What it says is not read: the addresses are looked at as they are now, once for all of it.
        std::array<char, 16 << 10> bytes;
        while (::recv(alive->news.native_handle(), bytes.data(), bytes.size(), 0) >= 0 || errno == ENOBUFS) {
        }
        alive->look();
        alive->await();
      });
}

void ways::state::look() {
  auto now = usable_addresses();
  for (const auto& ip : now) lost.erase(ip);
  bool fresh = false;
  for (const auto& ip : there) {
    if (!now.contains(ip) && lost.size() < most_addresses) fresh = lost.insert(ip).second || fresh;
  }
  there = std::move(now);
  if (fresh && tell) tell();
}

ways::ways(executor loop) : state_(std::make_shared<state>(loop)) {}

ways::~ways() = default;

void ways::watch(std::function<void()> tell) {
  const bool wanted = static_cast<bool>(tell);
  state_->tell = std::move(tell);
  boost::system::error_code ignored;
  if (wanted && !state_->news.is_open()) {
    state_->begin();
  } else if (!wanted && state_->news.is_open()) {
    state_->news.close(ignored);
    state_->lost.clear();
  }
}

bool ways::cut_off() const {
  const auto leads_out = [](const std::string& ip) {
    return !env::address{.ip = ip, .port = 0, .path = {}}.is_loopback();
  };
  return !state_->lost.empty() && std::ranges::none_of(state_->there, leads_out);
}

bool ways::has_lost(const std::string& ip) const {
  return state_->lost.contains(ip);
}

}  // namespace meshai::os
