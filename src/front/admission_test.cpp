#include "front/admission.hpp"

#include <gtest/gtest.h>

namespace meshai::front {
namespace {

visitor from(std::string_view host, std::string_view origin = {}, std::string_view site = {}) {
  return {
      .method = "POST", .host = host, .origin = origin, .fetch_site = site, .authorization = {}, .api_key = {}};
}

std::string page(const admission_rules& rules, const visitor& head) {
  const auto in = admit_page(rules, head);
  return in ? "" : in.error().code;
}

TEST(admission, a_rebound_name_is_refused) {
  admission_rules rules;
  for (const auto* host : {"127.0.0.1:9437", "localhost", "LOCALHOST:1", "[::1]:9437", "192.168.1.5:9437"}) {
    EXPECT_EQ(page(rules, from(host)), "") << host;
  }
  for (const auto* host : {"evil.example", "evil.example:9437", "localhost.evil.example", "127.0.0.1.evil.example",
                           "", "[::1", "1.2.3.4.5"}) {
    EXPECT_EQ(page(rules, from(host)), "host_not_allowed") << host;
  }
  rules.hosts = {"ai.home.example"};
  EXPECT_EQ(page(rules, from("AI.home.example:9437")), "");
}

TEST(admission, a_foreign_origin_is_refused) {
  admission_rules rules;
  const auto* host = "127.0.0.1:9437";
  EXPECT_EQ(page(rules, from(host, "http://127.0.0.1:9437")), "");
  for (const auto* origin : {"http://127.0.0.1:8000", "https://evil.example", "null", "file://",
                             "http://localhost:9437", "chrome-extension://abc"}) {
    EXPECT_EQ(page(rules, from(host, origin)), "origin_not_allowed") << origin;
  }
}

TEST(admission, cross_site_and_same_site_are_refused_without_an_origin_too) {
  admission_rules rules;
  const auto* host = "localhost:9437";
  EXPECT_EQ(page(rules, from(host, {}, "none")), "");
  EXPECT_EQ(page(rules, from(host, {}, "same-origin")), "");
  EXPECT_EQ(page(rules, from(host, {}, "cross-site")), "cross_site_request");
  EXPECT_EQ(page(rules, from(host, {}, "same-site")), "cross_site_request");
}

TEST(admission, a_listed_origin_gets_cors_and_nobody_else) {
  admission_rules rules;
  rules.cors_origins = {"https://app.example"};
  const auto in = admit_page(rules, from("localhost", "https://app.example", "cross-site"));
  ASSERT_TRUE(in);
  EXPECT_EQ(in->allowed_origin, "https://app.example");
  EXPECT_EQ(admit_page(rules, from("localhost", "http://localhost"))->allowed_origin, "");
  EXPECT_EQ(page(rules, from("localhost", "https://app.example.evil")), "origin_not_allowed");
}

class keys : public testing::Test {
 protected:
  keys() {
    rules_.callers.push_back({.name = "ann", .key = secret("sk-ann"), .models = {}});
    rules_.callers.push_back({.name = "bob", .key = secret("sk-bob"), .models = {}});
  }
  std::string name(visitor head) {
    const auto who = admit_key(rules_, head);
    if (!who) return who.error().code;
    return *who ? (*who)->name : "open";
  }
  admission_rules rules_;
};

TEST_F(keys, either_header_carries_them) {
  EXPECT_EQ(name({.method = {},
                  .host = {},
                  .origin = {},
                  .fetch_site = {},
                  .authorization = "Bearer sk-ann",
                  .api_key = {}}),
            "ann");
  EXPECT_EQ(name({.method = {},
                  .host = {},
                  .origin = {},
                  .fetch_site = {},
                  .authorization = "bearer sk-bob",
                  .api_key = {}}),
            "bob");
  EXPECT_EQ(
      name({.method = {}, .host = {}, .origin = {}, .fetch_site = {}, .authorization = {}, .api_key = "sk-bob"}),
      "bob");
}

TEST_F(keys, anything_else_is_refused) {
  EXPECT_EQ(name({}), "invalid_api_key");
  EXPECT_EQ(name({.method = {},
                  .host = {},
                  .origin = {},
                  .fetch_site = {},
                  .authorization = "Bearer sk-eve",
                  .api_key = {}}),
            "invalid_api_key");
  EXPECT_EQ(name({.method = {},
                  .host = {},
                  .origin = {},
                  .fetch_site = {},
                  .authorization = "Basic sk-ann",
                  .api_key = {}}),
            "invalid_api_key");
  EXPECT_EQ(
      name({.method = {}, .host = {}, .origin = {}, .fetch_site = {}, .authorization = "Bearer ", .api_key = {}}),
      "invalid_api_key");
}

TEST_F(keys, the_owner_and_an_open_door_need_none) {
  visitor owner;
  owner.owner = true;
  EXPECT_EQ(name(owner), "open");
  rules_.callers.clear();
  EXPECT_EQ(name({}), "open");
}

}  // namespace
}  // namespace meshai::front
