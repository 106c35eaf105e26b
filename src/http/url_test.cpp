#include "http/url.hpp"

#include <gtest/gtest.h>

namespace meshai::http {
namespace {

TEST(parse_origin, takes_a_url_apart) {
  const auto got = parse_origin("https://api.example.com/v1/");
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->origin.tls);
  EXPECT_EQ(got->origin.host, "api.example.com");
  EXPECT_EQ(got->origin.port, 443);
  EXPECT_EQ(got->path, "/v1");
  EXPECT_EQ(got->query, "");
  EXPECT_EQ(got->origin.authority(), "api.example.com");
  EXPECT_EQ(got->origin.text(), "https://api.example.com");
}

TEST(parse_origin, keeps_port_path_and_query) {
  const auto got = parse_origin("http://localhost:18080/a%20b/c?api-version=1&x=%26");
  ASSERT_TRUE(got);
  EXPECT_FALSE(got->origin.tls);
  EXPECT_EQ(got->origin.port, 18080);
  EXPECT_EQ(got->path, "/a%20b/c");
  EXPECT_EQ(got->query, "api-version=1&x=%26");
  EXPECT_EQ(got->origin.authority(), "localhost:18080");
}

TEST(parse_origin, numeric_addresses) {
  const auto six = parse_origin("http://[::1]:8080");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->origin.host, "::1");
  EXPECT_EQ(six->origin.authority(), "[::1]:8080");
  EXPECT_EQ(six->path, "");
  EXPECT_EQ(parse_origin("http://192.168.0.1")->origin.host, "192.168.0.1");
}

TEST(parse_origin, unix_sockets) {
  for (const char* url : {"unix:///run/x.sock", "unix:/run/x.sock"}) {
    const auto got = parse_origin(url);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->origin.socket_path, "/run/x.sock");
    EXPECT_EQ(got->origin.authority(), "localhost");
    EXPECT_EQ(got->origin.text(), "unix:///run/x.sock");
  }
  EXPECT_FALSE(parse_origin("unix:relative"));
  EXPECT_FALSE(parse_origin("unix:"));
  EXPECT_FALSE(parse_origin("unix:///" + std::string(107, 'x')));
}

TEST(parse_origin, refuses_the_rest_and_never_repeats_it) {
  for (const char* url :
       {"", "api.example.com", "ftp://canary", "https://", "https:///path", "https://user:canary@h/",
        "https://canary@h/", "https://h/#canary", "https://h:0/", "https://h:65536/", "https://h:x/",
        "https://a b/", "https://h%20canary/", "https://[::canary]/", "https://\xC3\xA4.example/",
        "file:///etc/canary", "https://h/canary\r\nx"}) {
    const auto got = parse_origin(url);
    ASSERT_FALSE(got) << url;
    EXPECT_EQ(got.error().kind, error_kind::malformed);
    EXPECT_FALSE(got.error().detail.contains("canary")) << got.error().detail;
  }
  EXPECT_FALSE(parse_origin("https://h/" + std::string(3000, 'x')));
}

TEST(parse_proxy, hosts_ports_and_users) {
  const auto plain = parse_proxy("proxy.lan:3128");
  ASSERT_TRUE(plain);
  EXPECT_EQ((*plain)->host, "proxy.lan");
  EXPECT_EQ((*plain)->port, 3128);
  EXPECT_FALSE((*plain)->tls);
  EXPECT_TRUE((*plain)->authorization.empty());
  const auto with_user = parse_proxy("https://us%65r:p%40ss@[::1]:8443/");
  ASSERT_TRUE(with_user);
  EXPECT_TRUE((*with_user)->tls);
  EXPECT_EQ((*with_user)->host, "::1");
  EXPECT_EQ((*with_user)->authorization.reveal(), "Basic dXNlcjpwQHNz");  // "user:p@ss"
}

TEST(parse_proxy, pads_its_base64) {
  EXPECT_EQ((*parse_proxy("http://a:@h"))->authorization.reveal(), "Basic YTo=");
  EXPECT_EQ((*parse_proxy("http://ab:@h"))->authorization.reveal(), "Basic YWI6");
  EXPECT_EQ((*parse_proxy("http://ab:c@h"))->authorization.reveal(), "Basic YWI6Yw==");
}

TEST(parse_proxy, refuses_what_is_no_proxy) {
  for (const char* url : {"", "http://h/path", "http://h?q", "socks5://h:1080", "http://user:canary@/"}) {
    const auto got = parse_proxy(url);
    ASSERT_FALSE(got) << url;
    EXPECT_FALSE(got.error().detail.contains("canary"));
  }
}

TEST(origin, its_key_tells_ways_apart) {
  auto direct = parse_origin("https://h")->origin;
  auto proxied = direct;
  proxied.via = *parse_proxy("http://p:1");
  proxied.make_key();
  auto trusting = direct;
  trusting.ca_files = {"/etc/ca.pem"};
  trusting.make_key();
  auto near = direct;
  near.bound = reach::site;
  near.make_key();
  EXPECT_NE(direct.key, near.key);
  EXPECT_EQ(direct.key, parse_origin("https://h:443/v1")->origin.key);
  EXPECT_NE(direct.key, proxied.key);
  EXPECT_NE(direct.key, trusting.key);
  EXPECT_NE(direct.key, parse_origin("http://h:443")->origin.key);
}

}  // namespace
}  // namespace meshai::http
