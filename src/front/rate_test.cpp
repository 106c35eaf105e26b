// Keys that were issued, and how often and how much a key may ask.
#include <gmock/gmock.h>

#include "front/testing.hpp"

namespace meshai::front {
namespace {

using ::testing::HasSubstr;
using namespace meshai::front::testing;

struct issued : door_fixture {
  issued() {
    m.add("one");
    keys->demanded = true;
    keys->callers.emplace(crypto::sha256("sk-mesh-abc"),
                          caller{.name = "phone", .key = {}, .models = {}, .limits = {}});
    now->issued = keys;
  }
  std::shared_ptr<issued_keys> keys = std::make_shared<issued_keys>();
};

TEST_F(issued, keys_open_as_configured_ones_do) {
  EXPECT_EQ(chat(hello, "Authorization: Bearer sk-mesh-abc\r\n").status, 200);
  EXPECT_EQ(post("/v1/messages", hello_claude, "x-api-key: sk-mesh-abc\r\n").status, 200);
  EXPECT_EQ(chat(hello, "Authorization: Bearer sk-mesh-abd\r\n").status, 401);
  EXPECT_EQ(chat(hello).status, 401);
  EXPECT_THAT(chat(hello).error("hint"), HasSubstr("meshai key new"));
  EXPECT_EQ(say(request("POST", "/v1/chat/completions", hello), owner_port).status, 200);
}

TEST_F(issued, the_door_stays_closed_when_the_last_is_revoked) {
  keys->callers.clear();
  EXPECT_EQ(chat(hello).status, 401);
  EXPECT_EQ(chat(hello, "Authorization: Bearer sk-mesh-abc\r\n").status, 401);
}

TEST_F(issued, a_door_without_any_key_is_open) {
  keys->callers.clear();
  keys->demanded = false;
  EXPECT_EQ(chat(hello).status, 200);
}

TEST_F(issued, stand_beside_configured_ones) {
  rules.callers.push_back(make_caller("me", "k-me"));
  EXPECT_EQ(chat(hello, "x-api-key: k-me\r\n").status, 200);
  EXPECT_EQ(chat(hello, "x-api-key: sk-mesh-abc\r\n").status, 200);
}

struct rated : door_fixture {
  void allow(ledger::limits of) {
    m.add("one");
    auto me = make_caller("me", "k-me");
    me.limits = of;
    rules.callers.push_back(std::move(me));
    rules.callers.push_back(make_caller("other", "k-other"));
    now->accounts->set_limits({{"me", of}});
    key = "k-me";
  }
};

TEST_F(rated, requests_over_the_rate_are_told_when_to_come_back) {
  allow({.requests_a_minute = 2, .tokens_a_minute = {}});
  EXPECT_EQ(chat(hello).status, 200);
  const auto second = chat(hello);
  EXPECT_EQ(second.header("x-ratelimit-limit-requests"), "2");
  EXPECT_EQ(second.header("x-ratelimit-remaining-requests"), "0");
  EXPECT_EQ(second.header("x-ratelimit-limit-tokens"), "");
  EXPECT_THAT(second.header("x-ratelimit-reset-requests"),
              ::testing::MatchesRegex("(1m[01](\\.[0-9]+)?|[0-9.]+)s"));
  const auto third = chat(hello);
  EXPECT_EQ(third.status, 429);
  EXPECT_EQ(third.parsed().at("error").at("type").as_string(), "rate_limit_error");
  EXPECT_EQ(third.parsed().at("error").at("code").as_string(), "rate_limited");
  const auto seconds = std::stoi(std::string(third.header("retry-after")));
  EXPECT_GE(seconds, 1);
  EXPECT_LE(seconds, 61);
  const auto claude = post("/v1/messages", hello_claude);
  EXPECT_EQ(claude.status, 429);
  EXPECT_EQ(claude.parsed().at("type").as_string(), "error");
  EXPECT_EQ(claude.parsed().at("error").at("type").as_string(), "rate_limit_error");
  EXPECT_NE(claude.header("retry-after"), "");
  EXPECT_EQ(chat(hello, "Authorization: Bearer k-other\r\n").status, 200) << "another key has its own";
  EXPECT_EQ(get("/v1/models").status, 200) << "only questions count";
  pass(std::chrono::seconds(seconds));
  EXPECT_EQ(chat(hello).status, 200);
}

TEST_F(rated, one_over_the_rate_is_refused_before_its_body_is_read) {
  allow({.requests_a_minute = 1, .tokens_a_minute = {}});
  EXPECT_EQ(chat(hello).status, 200);
  const auto began = m.world.clock.now();
  EXPECT_EQ(chat("", "Content-Length: 100000\r\n").status, 429);
  EXPECT_LT(m.world.clock.now() - began, 1s);
}

TEST_F(rated, what_is_left_of_a_budget_is_told) {
  allow({.money = 2'500'000'000, .tokens = 1000});
  now->accounts->set_elsewhere("me", ledger::day_of(m.world.clock.wall()), {.tokens = 100, .money = 500'000'000});
  const auto got = chat(hello_stream);
  EXPECT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.header("x-mesh-budget-tokens"), "1000");
  EXPECT_EQ(got.header("x-mesh-budget-tokens-left"), "900");
  EXPECT_EQ(got.header("x-mesh-budget-money"), "2.5");
  EXPECT_EQ(got.header("x-mesh-budget-money-left"), "2");
  EXPECT_EQ(chat(hello, "Authorization: Bearer k-other\r\n").header("x-mesh-budget-money"), "");
}

TEST_F(rated, a_budget_in_money_does_not_go_where_nobody_knows_the_price) {
  allow({.money = 1'000'000'000, .tokens = {}});
  const auto got = chat(hello);
  EXPECT_EQ(got.status, 403);
  EXPECT_EQ(got.parsed().at("error").at("code").as_string(), "no_price");
}

}  // namespace
}  // namespace meshai::front
