#include "env/network.hpp"

#include <gtest/gtest.h>

namespace meshai::env {
namespace {

address ip(std::string text) {
  return {.ip = std::move(text), .port = 1, .path = {}};
}

TEST(address, knows_loopback) {
  for (const auto* text : {"127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"})
    EXPECT_TRUE(ip(text).is_loopback()) << text;
  for (const auto* text : {"128.0.0.1", "10.0.0.1", "::2", "8.8.8.8", "not an address", ""}) {
    EXPECT_FALSE(ip(text).is_loopback()) << text;
  }
  EXPECT_TRUE((address{.ip = {}, .port = 0, .path = "/run/x.sock"}).is_loopback());
}

TEST(address, knows_private_networks_and_their_edges) {
  for (const auto* text : {"10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.3.4",
                           "fd00::1", "fc00::1", "fe80::1", "127.0.0.1", "::ffff:192.168.0.1"}) {
    EXPECT_TRUE(ip(text).is_private()) << text;
  }
  for (const auto* text :
       {"11.0.0.1", "172.15.0.1", "172.32.0.1", "192.169.0.1", "2001:db8::1", "1.1.1.1", "fe00::1"}) {
    EXPECT_FALSE(ip(text).is_private()) << text;
  }
}

TEST(address, prints_as_it_is_written_in_urls) {
  EXPECT_EQ(ip("::1").text(), "[::1]:1");
  EXPECT_EQ(ip("127.0.0.1").text(), "127.0.0.1:1");
  EXPECT_EQ((address{.ip = {}, .port = 0, .path = "/a"}).text(), "unix:/a");
}

}  // namespace
}  // namespace meshai::env
