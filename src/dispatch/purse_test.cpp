// What attempts cost: held before, settled after, whatever happens between.
#include "dispatch/purse.hpp"

#include <gmock/gmock.h>

#include "dispatch/testing.hpp"
#include "env/scope.hpp"

namespace meshai::dispatch {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::mesh;
using testing::outcome;

// The book itself, and a list of what was settled; what is held is "on disk" a millisecond later.
struct wallet final : purse {
  std::expected<ledger::hold, ledger::shortage> reserve(std::string_view key, const ledger::claim& what,
                                                        const ledger::moment& at) override {
    auto held = book.reserve(key, what, at);
    if (!held) return held;
    ++open;
    claims.push_back(what);
    const auto stands = book.look(key, at);
    if (!stands) return held;
    most = std::max(most, stands->spent.tokens + stands->held.tokens);
    return held;
  }
  task<std::optional<ledger::shortage>> written(executor, ledger::hold) override {
    if (clock) co_await clock->sleep_until(clock->now() + 1ms);
    if (broken) co_return ledger::shortage{.of = ledger::shortage::kind::unwritten, .again = 1s};
    co_return std::nullopt;
  }
  void settle(const ledger::hold& of, const expense& what, instant now) override {
    --open;
    book.settle(of, what.cost, now);
    all.push_back(what);
    nodes.emplace_back(what.node);
  }

  ledger::book book;
  env::clock* clock = nullptr;
  bool broken = false;
  int open = 0;
  std::int64_t most = 0;  // tokens spent and held at any time
  std::vector<ledger::claim> claims;
  std::vector<expense> all;  // key and node may be gone
  std::vector<std::string> nodes;
};

struct paying : ::testing::Test {
  paying() { pays->clock = &m.world.clock; }
  void allow(ledger::limits of) { pays->book.set_limits({{"me", of}}); }
  void price(std::size_t node, double input, double output) {
    m.nodes[node].price = meshai::price{.input = input, .output = output};
  }
  query of_me(const chat::request& what) {
    auto made = m.make_query(what);
    made.who = "me";
    made.budget = true;
    return made;
  }
  static chat::request say(std::string_view text, bool stream = true, int max_tokens = 100,
                           std::string_view model = "auto") {
    const auto body = std::string(R"({"model":")") + std::string(model) + R"(","max_tokens":)" +
                      std::to_string(max_tokens) + R"(,"messages":[{"role":"user","content":")" +
                      std::string(text) + R"("}])" + (stream ? R"(,"stream":true})" : "}");
    return *chat::parse_request(chat::endpoint::chat_completions, body);
  }
  outcome ask(const chat::request& what) {
    outcome out;
    m.pretend.spawn(m.run(of_me(what), out));
    m.pretend.run([&] { return out.ended.has_value(); });
    return out;
  }
  ledger::standing stands() {
    return *pays->book.look("me", {.now = m.world.clock.now(), .wall = m.world.clock.wall()});
  }

  std::shared_ptr<wallet> pays = std::make_shared<wallet>();
  mesh m{sim::options{
             .seed = 1, .between = {.latency_min = 1ms, .latency_max = 1ms}, .within = {}, .keep_log = false},
         256, pays};
};

TEST_F(paying, what_was_used_is_what_is_spent) {
  m.add("sky");
  price(0, 1'000'000, 2'000'000);  // one a token, and two
  allow({.money = 1'000'000'000'000, .tokens = {}});
  for (const bool stream : {true, false}) {
    const auto before = stands().spent;
    const auto got = ask(say("What is 2+2?", stream));
    ASSERT_TRUE(got.ended == progress::end || got.ended == progress::answer) << got.problem.message;
    ASSERT_TRUE(got.usage.known);
    EXPECT_EQ(stands().spent.tokens - before.tokens, got.usage.input + got.usage.output);
    EXPECT_EQ(stands().spent.money - before.money, (got.usage.input + 2 * got.usage.output) * 1'000'000'000);
    EXPECT_EQ(stands().held, ledger::amount());
    EXPECT_TRUE(pays->all.back().answered);
    EXPECT_FALSE(pays->all.back().estimated);
  }
  EXPECT_GT(pays->claims.front().most.tokens, 100);
}

TEST_F(paying, a_spent_budget_asks_nobody_and_says_when_it_comes_back) {
  auto& sky = m.add("sky");
  allow({.money = {}, .tokens = 300});
  EXPECT_EQ(ask(say("hello")).ended, progress::end);
  outcome got;
  for (int i = 0; i < 200 && got.ended != progress::failed; ++i) got = ask(say("hello"));
  const auto asked = sky.requests().size();
  ASSERT_EQ(got.ended, progress::failed);
  EXPECT_EQ(got.problem.status, 429);
  EXPECT_EQ(got.problem.code, "budget_spent");
  EXPECT_THAT(got.problem.message, HasSubstr("300 tokens"));
  EXPECT_THAT(got.problem.hint, HasSubstr("00:00 UTC"));
  ASSERT_TRUE(got.retry_after);
  EXPECT_GT(*got.retry_after, 0ms);
  EXPECT_LE(*got.retry_after, 24h);
  EXPECT_EQ(ask(say("hello")).ended, progress::failed);
  EXPECT_EQ(sky.requests().size(), asked);
  EXPECT_LE(stands().spent.tokens, 300);
}

TEST_F(paying, what_would_never_fit_is_the_requests_fault) {
  m.add("sky");
  allow({.money = {}, .tokens = 300});
  const auto got = ask(say("hello", true, 1000));
  EXPECT_EQ(got.problem.status, 400);
  EXPECT_EQ(got.problem.code, "request_over_budget");
  EXPECT_FALSE(got.retry_after);
}

TEST_F(paying, where_one_costs_too_much_one_that_costs_nothing_answers) {
  auto& sky = m.add("sky");
  m.add("here", tier::local);
  price(0, 10, 10);
  price(1, 0, 0);
  allow({.money = 1, .tokens = {}});
  const auto got = ask(say("Write a business plan for a bakery"));
  EXPECT_EQ(got.ended, progress::end) << got.problem.message;
  EXPECT_EQ(got.facts.node, "here");
  EXPECT_TRUE(sky.requests().empty());
}

TEST_F(paying, without_max_tokens_no_longer_answer_is_asked_for_than_is_held) {
  auto& sky = m.add("sky");
  allow({.money = {}, .tokens = 1'000'000});
  EXPECT_EQ(ask(mesh::say("hello")).ended, progress::end);
  EXPECT_THAT(sky.requests().front().body, HasSubstr("\"max_tokens\":4096"));
  EXPECT_GE(pays->claims.front().most.tokens, 4096);
  // Who has no budget asks as they like.
  EXPECT_EQ(m.ask("hello").ended, progress::end);
  EXPECT_EQ(sky.requests().back().body.find("max_tokens"), std::string::npos);
}

TEST_F(paying, one_that_is_started_beside_a_silent_one_costs_too) {
  auto& first = m.add("first");
  m.add("second");
  m.routes.push_back({.name = "both", .route = {"first/fake-model", "second/fake-model"}});
  first.play({.text = "one two three four five six", .gap = 20ms});
  allow({.money = {}, .tokens = 1'000'000});
  for (int i = 0; i < 40; ++i) ask(say("count", true, 100, "both"));  // until its habits are known
  first.clear();
  first.play({.text = "late", .first_token = 1h});
  pays->all.clear();
  pays->nodes.clear();
  const auto got = ask(say("count", true, 100, "both"));
  ASSERT_EQ(got.ended, progress::end);
  EXPECT_LT(got.took, 2s) << "not after a deadline";
  ASSERT_EQ(pays->all.size(), 2u);
  EXPECT_THAT(pays->nodes, ::testing::UnorderedElementsAre("first", "second"));
  for (const auto& each : pays->all) EXPECT_GT(each.cost.tokens, 0);
  EXPECT_EQ(pays->open, 0);
}

TEST_F(paying, one_that_may_not_be_started_beside_it_holds_nothing) {
  auto& first = m.add("first");
  m.add("second");
  m.routes.push_back({.name = "both", .route = {"first/fake-model", "second/fake-model"}});
  first.play({.text = "one two three four five six", .gap = 20ms});
  allow({.money = {}, .tokens = 1'000'000});
  for (int i = 0; i < 40; ++i) ask(say("count", true, 100, "both"));
  first.clear();
  first.play({.text = "late", .first_token = 1h});
  while (m.known.may_hedge(0.06)) continue;  // the share is used up
  pays->all.clear();
  pays->nodes.clear();
  ASSERT_EQ(ask(say("count", true, 100, "both")).ended, progress::end);
  EXPECT_THAT(pays->nodes, ::testing::ElementsAre("second", "first", "second")) << "at once, not at the end";
  EXPECT_FALSE(pays->all[0].sent);
  EXPECT_EQ(pays->all[0].cost, ledger::amount());
}

TEST_F(paying, one_that_goes_on_with_an_answer_costs_too) {
  auto& first = m.add("first", tier::local);
  m.add("second");
  m.routes.push_back({.name = "both", .route = {"first/fake-model", "second/fake-model"}});
  first.play({.text = "one two three four five six", .fault = fake::fault::reset, .at = 3});
  allow({.money = {}, .tokens = 1'000'000});
  const auto got = ask(say("count", true, 100, "both"));
  ASSERT_EQ(got.ended, progress::end) << got.problem.message;
  ASSERT_EQ(pays->all.size(), 2u);
  EXPECT_EQ(pays->nodes, (std::vector<std::string>{"first", "second"}));
  EXPECT_TRUE(pays->all[1].answered);
  EXPECT_TRUE(pays->all[1].fallback);
  EXPECT_EQ(stands().spent.tokens, pays->all[0].cost.tokens + pays->all[1].cost.tokens);
}

TEST_F(paying, one_that_refuses_at_once_costs_nothing) {
  auto& first = m.add("first", tier::local);
  m.add("second");
  m.routes.push_back({.name = "both", .route = {"first/fake-model", "second/fake-model"}});
  first.play({.status = 503, .message = "no", .times = 1});
  allow({.money = {}, .tokens = 1'000'000});
  ASSERT_EQ(ask(say("hello", true, 100, "both")).ended, progress::end);
  ASSERT_EQ(pays->all.size(), 2u);
  EXPECT_EQ(pays->all[0].cost.tokens, 0);
  EXPECT_TRUE(pays->all[0].sent);
  EXPECT_GT(pays->all[1].cost.tokens, 0);
}

TEST_F(paying, who_hangs_up_pays_for_what_came) {
  auto& sky = m.add("sky");
  sky.play({.text = "one two three four five six seven eight", .gap = 100ms});
  allow({.money = {}, .tokens = 1'000'000});
  {
    auto exchange = m.asks.complete(of_me(say("hello")));
    std::vector<chat::delta> steps;
    int tokens = 0;
    bool done = false;
    const auto some = [](dispatch::exchange& of, std::vector<chat::delta>& into, int& count,
                         bool& over) -> task<void> {
      while (count < 3) {
        if (co_await of.next(into) != progress::deltas) break;
        for (const auto& step : into) count += step.is_token();
      }
      over = true;
    };
    m.pretend.spawn(some(*exchange, steps, tokens, done));
    m.pretend.run([&] { return done; });
    EXPECT_EQ(tokens, 3);
    EXPECT_EQ(pays->open, 1);
  }
  m.pretend.run([&] { return pays->open == 0; });
  ASSERT_EQ(pays->all.size(), 1u);
  EXPECT_GE(pays->all[0].output, 3);
  EXPECT_LT(pays->all[0].output, 20);
  EXPECT_EQ(stands().held, ledger::amount());
}

TEST_F(paying, nobody_sees_how_far_a_whole_answer_had_come) {
  auto& sky = m.add("sky");
  sky.play({.text = "late", .first_token = 1h});
  m.limits.request_timeout = 3s;
  m.limits.first_token_timeout = 3s;
  m.limits.attempts = 1;
  allow({.money = {}, .tokens = 1'000'000});
  const auto got = ask(say("hello", false));
  EXPECT_EQ(got.ended, progress::failed);
  ASSERT_EQ(pays->all.size(), 1u);
  EXPECT_EQ(pays->all[0].cost, pays->claims[0].most);
}

TEST_F(paying, what_cannot_be_written_down_is_not_asked) {
  auto& sky = m.add("sky");
  allow({.money = {}, .tokens = 1'000'000});
  pays->broken = true;
  const auto got = ask(say("hello"));
  EXPECT_EQ(got.problem.status, 503);
  EXPECT_EQ(got.problem.code, "ledger_unavailable");
  EXPECT_THAT(got.problem.hint, HasSubstr("meshai doctor"));
  EXPECT_TRUE(sky.requests().empty());
  EXPECT_EQ(stands().held, ledger::amount());
  EXPECT_EQ(pays->open, 0);
}

// A token budget for some of 64 that ask at once, with faults on the way.
TEST_F(paying, many_at_once_never_pass_the_budget) {
  auto& first = m.add("first", tier::local);
  m.add("second");
  m.routes.push_back({.name = "both", .route = {"first/fake-model", "second/fake-model"}});
  for (int i = 0; i < 10; ++i) {
    first.play({.text = "one two three four", .gap = 5ms, .times = 2});
    first.play({.text = "one two three four", .fault = fake::fault::reset, .at = 2, .times = 1});
  }
  constexpr std::int64_t budget = 5'000;
  allow({.money = {}, .tokens = budget});
  std::vector<outcome> got(64);
  for (auto& each : got) m.pretend.spawn(m.run(of_me(say("count to four", true, 60, "both")), each));
  m.pretend.run([&] { return std::ranges::all_of(got, [](const outcome& o) { return o.ended.has_value(); }); });
  int refused = 0, whole = 0;
  for (const auto& each : got) {
    refused += each.problem.status == 429;
    whole += each.ended == progress::end;
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(whole, 0);
  EXPECT_LE(pays->most, budget);
  EXPECT_EQ(pays->open, 0);
  EXPECT_LE(stands().spent.tokens, budget);
}

TEST(shortages, say_what_to_do_next) {
  using kind = ledger::shortage::kind;
  const auto slow = describe({.of = kind::requests_a_minute, .wanted = 1, .limit = 60, .again = 1500ms});
  EXPECT_EQ(slow.why.status, 429);
  EXPECT_EQ(slow.why.type, "rate_limit_error");
  EXPECT_THAT(slow.why.message, HasSubstr("60 times a minute"));
  EXPECT_EQ(slow.retry_after, 1500ms);
  const auto poor =
      describe({.of = kind::money, .wanted = 40'000'000, .left = 20'000'000, .limit = 5'000'000'000, .again = 1h});
  EXPECT_THAT(poor.why.message, HasSubstr("0.04"));
  EXPECT_THAT(poor.why.message, HasSubstr("0.02"));
  EXPECT_THAT(poor.why.message, HasSubstr("5,"));
  const auto held = describe({.of = kind::tokens, .wanted = 4, .left = 8, .limit = 10, .again = 1s, .held = true});
  EXPECT_EQ(held.why.code, "budget_held");
  const auto large = describe({.of = kind::tokens_a_minute, .wanted = 40, .left = 8, .limit = 10, .again = {}});
  EXPECT_EQ(large.why.status, 400);
  EXPECT_EQ(large.why.code, "request_over_rate");
}

}  // namespace
}  // namespace meshai::dispatch
