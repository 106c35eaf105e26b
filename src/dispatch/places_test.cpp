// Nodes that answer only so many at once: who waits, who goes elsewhere, who is told so.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "dispatch/testing.hpp"
#include "env/scope.hpp"

namespace meshai::dispatch {
namespace {

using namespace std::chrono_literals;
using testing::mesh;
using testing::outcome;

constexpr std::string_view hello = "Hello there.";

struct places : ::testing::Test {
  fake::provider& add(std::string name, tier where, int room) {
    auto& made = m.add(std::move(name), where);
    made.play({.text = "one two three", .first_token = 1s});
    m.ways.back().places = [room] { return room; };
    return made;
  }
  // Asks as this caller; what comes of it is seen later.
  outcome& begin(std::string who, bool fallback = true) {
    auto& out = outcomes.emplace_back();
    auto request = mesh::say(hello);
    request.mesh.fallback = fallback;
    auto what = m.make_query(request);
    what.who = std::move(who);
    m.pretend.spawn(m.run(std::move(what), out));
    return out;
  }
  void run() {
    m.pretend.run(
        [&] { return std::ranges::all_of(outcomes, [](const outcome& o) { return o.ended.has_value(); }); });
  }

  mesh m{1, {.latency_min = 1ms, .latency_max = 1ms}, 4};
  std::deque<outcome> outcomes;
};

TEST_F(places, questions_wait_their_turn) {
  auto& only = add("only", tier::local, 1);
  for (int i = 0; i < 4; ++i) begin("me");
  run();
  std::vector<std::chrono::nanoseconds> firsts;
  for (const auto& each : outcomes) {
    EXPECT_EQ(each.ended, progress::end);
    EXPECT_EQ(each.facts.attempts, 1);
    firsts.push_back(each.first_token);
  }
  std::ranges::sort(firsts);
  EXPECT_GE(firsts[3], 4s) << "one after the other";
  EXPECT_EQ(only.requests().size(), 4u);
}

TEST_F(places, one_callers_many_do_not_keep_out_anothers_one) {
  add("only", tier::local, 1);
  for (int i = 0; i < 5; ++i) begin("greedy");
  m.pretend.run([&] { return m.world.clock.now().time_since_epoch() > 100ms; });
  auto& modest = begin("modest");
  run();
  EXPECT_EQ(modest.ended, progress::end);
  EXPECT_LT(modest.first_token, 3s);
}

TEST_F(places, who_waits_too_long_is_answered_elsewhere) {
  add("first", tier::local, 1).clear();
  m.providers[0]->play({.text = "one two three", .first_token = 1h});
  add("second", tier::neighbour, 0);
  m.limits.first_token_timeout = 5s;
  m.limits.hedge_share = 0;
  begin("a", false);
  auto& other = begin("b");
  m.pretend.run([&] { return other.ended.has_value(); });
  EXPECT_EQ(other.ended, progress::end) << other.problem.message;
  EXPECT_EQ(other.facts.node, "second");
  EXPECT_EQ(other.facts.attempts, 1);
  ASSERT_EQ(other.story.failed.size(), 1u);
  EXPECT_EQ(other.story.failed[0].fault, "busy");
  EXPECT_TRUE(m.known.look(route::make_target_id("first"), m.world.clock.now()).available())
      << "a line is no fault";
}

TEST_F(places, a_full_line_is_told_with_a_time_to_come_back) {
  add("only", tier::local, 1);
  for (int i = 0; i < 7; ++i) begin("me");
  run();
  int whole = 0, busy = 0;
  for (const auto& each : outcomes) {
    whole += each.ended == progress::end;
    if (each.ended != progress::failed) continue;
    ++busy;
    EXPECT_EQ(each.problem.status, 503);
    EXPECT_EQ(each.problem.code, "node_busy");
    EXPECT_FALSE(each.problem.hint.empty());
    EXPECT_TRUE(each.retry_after);
    EXPECT_LT(each.took, 1s);
  }
  EXPECT_EQ(whole, 5);
  EXPECT_EQ(busy, 2);
}

TEST_F(places, who_leaves_gives_the_place_back) {
  auto& only = add("only", tier::local, 1);
  only.clear();
  only.play({.text = "never", .first_token = 1h, .times = 1});
  only.play({.text = "one two three"});
  outcome left;
  {
    env::scope caller(m.world.loop);
    caller.spawn(m.run(m.make_query(mesh::say(hello)), left));
    m.pretend.run([&] { return !only.requests().empty(); });
  }
  auto& next = begin("me");
  run();
  EXPECT_EQ(next.ended, progress::end);
}

// ---- connections that are there before they are needed

TEST(standing_by, the_next_place_is_connected_unless_it_is_farther_away) {
  for (const bool up : {false, true}) {
    mesh m;
    m.limits.hedge_up = up;
    m.add("first", tier::neighbour).play({.text = "one two", .gap = 1s});
    auto& near = m.add("near", tier::neighbour);
    m.nodes[0].weight = 1'000'000'000;
    auto& far = m.add("far", tier::cloud);
    EXPECT_EQ(m.ask(hello).facts.node, "first");
    EXPECT_EQ(near.connections(), 1u);
    EXPECT_EQ(far.connections(), 0u) << "it is not the next one";
    EXPECT_TRUE(near.requests().empty());
    m.known.probed(route::make_target_id("near"), false, m.world.clock.now());
    m.known.probed(route::make_target_id("near"), false, m.world.clock.now());
    m.known.probed(route::make_target_id("near"), false, m.world.clock.now());
    EXPECT_EQ(m.ask(hello).facts.node, "first");
    EXPECT_EQ(far.connections(), up ? 1u : 0u);
  }
}

TEST(standing_by, nobody_else_is_called_on_where_nobody_else_may_answer) {
  mesh m;
  m.add("first", tier::neighbour).play({.text = "one two", .gap = 1s});
  auto& near = m.add("near", tier::neighbour);
  m.nodes[0].weight = 1'000'000'000;
  auto asked = mesh::say(hello);
  asked.mesh.fallback = false;
  EXPECT_EQ(m.ask(asked).facts.node, "first");
  EXPECT_EQ(near.connections(), 0u);
}

}  // namespace
}  // namespace meshai::dispatch
