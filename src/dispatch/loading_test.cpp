// Engines that are not ready: who is asked meanwhile, who waits for them, and what is held against them.
#include <gtest/gtest.h>

#include "dispatch/testing.hpp"

namespace meshai::dispatch {
namespace {

using namespace std::chrono_literals;
using testing::mesh;

constexpr std::string_view hello = "Hello there.";

// An engine that answers from `ready_at` on, or never comes, as is known then.
struct loading {
  instant ready_at{};
  bool comes = true;

  static task<result<void>> wait(const loading& self, route::health& known, env::world here) {
    co_await here.clock.sleep_until(self.ready_at);
    if (self.comes) co_return result<void>();
    known.set_presence(route::make_target_id("engine"), route::presence::gone);
    co_return fail(error_kind::unavailable, "the engine is not ready (resting: it ended at once)");
  }
};

struct an_engine_that_loads : ::testing::Test {
  void SetUp() override {
    add_engine();
    engine.ready_at = m.world.clock.now() + 5s;
  }
  void add_engine() {
    m.add("engine", tier::local).play({.text = "one two three"});
    m.ways.back().ready = [this] { return engine.comes && m.world.clock.now() >= engine.ready_at; };
    m.ways.back().wait_ready = [this](env::world here) { return loading::wait(engine, m.known, here); };
    m.known.set_presence(id, route::presence::coming);
  }
  void expect_nothing_held_against_it() const {
    const auto seen = m.known.look(id, m.world.clock.now());
    EXPECT_EQ(seen.breaker, route::breaker::closed);
    EXPECT_EQ(seen.faults, 0u);
  }

  loading engine;
  mesh m;
  route::target_id id = route::make_target_id("engine");
};

TEST_F(an_engine_that_loads, is_waited_for_where_nobody_else_can_answer) {
  for (const bool stream : {true, false}) {
    engine.ready_at = m.world.clock.now() + 5s;
    const auto came = m.ask(hello, stream);
    EXPECT_EQ(came.ended, stream ? progress::end : progress::answer) << came.problem.message;
    EXPECT_EQ(came.text, "one two three");
    EXPECT_GE(came.took, 5s);
    EXPECT_EQ(came.facts.attempts, 1);
    EXPECT_TRUE(came.story.failed.empty());
  }
  EXPECT_EQ(m.providers[0]->requests().size(), 2u) << "it was not asked before it was ready";
  expect_nothing_held_against_it();
}

TEST_F(an_engine_that_loads, is_not_waited_for_where_another_answers) {
  m.add("sky", tier::cloud).play({.text = "four five six"});
  const auto came = m.ask(hello);
  EXPECT_EQ(came.facts.node, "sky");
  EXPECT_LT(came.took, 1s);
  EXPECT_EQ(came.facts.attempts, 1);
  expect_nothing_held_against_it();
}

// The engine died a moment ago: it stands first in a ranking that was made before.
TEST_F(an_engine_that_loads, is_passed_over_where_it_was_ranked_first) {
  m.known.set_presence(id, route::presence::here);
  m.add("sky", tier::cloud).play({.text = "four five six"});
  const auto came = m.ask(hello);
  EXPECT_EQ(came.facts.node, "sky");
  EXPECT_LT(came.took, 1s);
  EXPECT_EQ(came.facts.attempts, 1) << "who is put off was not asked";
  EXPECT_TRUE(m.providers[0]->requests().empty());
  expect_nothing_held_against_it();
}

TEST_F(an_engine_that_loads, is_waited_for_once_all_others_failed) {
  m.add("sky", tier::cloud).play({.status = 500});
  const auto came = m.ask(hello);
  EXPECT_EQ(came.ended, progress::end) << came.problem.message;
  EXPECT_EQ(came.facts.node, "engine");
  EXPECT_GE(came.took, 5s);
  EXPECT_EQ(came.facts.attempts, 2);
  expect_nothing_held_against_it();
}

TEST_F(an_engine_that_loads, is_waited_for_no_longer_than_the_deadline) {
  m.limits.request_timeout = 2s;
  const auto came = m.ask(hello);
  EXPECT_EQ(came.ended, progress::failed);
  EXPECT_EQ(came.problem.status, 504);
  EXPECT_LT(came.took, 3s);
  EXPECT_TRUE(m.providers[0]->requests().empty());
  expect_nothing_held_against_it();
}

TEST_F(an_engine_that_loads, is_not_waited_for_once_it_is_known_not_to_come) {
  engine.comes = false;
  const auto came = m.ask(hello);
  EXPECT_EQ(came.ended, progress::failed);
  EXPECT_NE(came.problem.message.find("the engine is not ready"), std::string::npos) << came.problem.message;
  EXPECT_LT(came.took, 10s);
  EXPECT_TRUE(m.providers[0]->requests().empty());
}

}  // namespace
}  // namespace meshai::dispatch
