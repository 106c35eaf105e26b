// A conversation over several requests, in the pretend world.
#include "dispatch/recall.hpp"

#include <gtest/gtest.h>

#include "dispatch/testing.hpp"

namespace meshai::dispatch {
namespace {

using testing::mesh;

constexpr const char* hard = "Write a business plan";
constexpr const char* easy = "What is 2+2?";

struct talking : ::testing::Test {
  mesh m;
  chat::request said = mesh::say(hard);

  void SetUp() override {
    m.add("here", tier::local);
    m.add("far", tier::cloud);
  }
  // The node that answered; its answer and the next question are put behind.
  std::string turn(std::string_view next) {
    const auto got = m.ask(said);
    EXPECT_EQ(got.ended, progress::end) << got.problem.message;
    add(chat::role::assistant, got.text);
    add(chat::role::user, next);
    return got.facts.node;
  }
  void add(chat::role by, std::string_view text) {
    auto& message = said.messages.emplace_back();
    message.role = by;
    message.parts.emplace_back().text = text;
  }
};

TEST_F(talking, stays_with_its_node) {
  EXPECT_EQ(turn(easy), "far");
  EXPECT_EQ(turn(easy), "far");
  EXPECT_EQ(turn(easy), "far");
  EXPECT_EQ(m.ask(easy).facts.node, "here") << "another conversation";
}

TEST_F(talking, goes_on_with_whoever_took_over) {
  m.providers[1]->play({.status = 500, .message = "broken", .times = 1});
  EXPECT_EQ(turn(easy), "here");
  EXPECT_EQ(turn(hard), "here") << "no more is needed than at the beginning";
}

TEST_F(talking, leaves_when_the_need_clearly_grows_and_then_stays_there) {
  said = mesh::say(easy);
  EXPECT_EQ(turn(easy), "here");
  EXPECT_EQ(turn(hard), "here");
  EXPECT_EQ(turn(easy), "far");
  EXPECT_EQ(turn(easy), "far");
}

struct pleasing : talking {
  route::lesson look(std::string_view node, route::complexity how) {
    return m.remembers->learned.look(route::make_target_id(node, "fake-model"), how, m.world.clock.now());
  }
};

TEST_F(pleasing, an_answer_counts_for_its_class_and_a_question_put_again_against_it) {
  m.ask(easy);
  EXPECT_NEAR(look("here", route::complexity::simple).answered, 1, 0.01);
  EXPECT_GT(look("here", route::complexity::simple).wait, 0);
  EXPECT_EQ(look("here", route::complexity::hard).answered, 0);
  EXPECT_EQ(look("here", route::complexity::simple).again, 0);
  for (int i = 0; i < 5; ++i) m.ask(easy);
  EXPECT_NEAR(look("here", route::complexity::simple).again, 2, 0.01);
}

TEST_F(pleasing, who_asks_without_chance_wants_no_other_answer) {
  auto what = mesh::say(easy);
  what.temperature = 0;
  for (int i = 0; i < 3; ++i) m.ask(what);
  EXPECT_EQ(look("here", route::complexity::simple).again, 0);
}

TEST_F(pleasing, a_fault_of_its_own_counts_against_a_node_and_a_rate_limit_does_not) {
  m.providers[0]->play({.status = 500, .message = "broken", .times = 1});
  m.ask(easy);
  EXPECT_NEAR(look("here", route::complexity::simple).failed, 1, 0.01);
  EXPECT_NEAR(look("far", route::complexity::simple).answered, 1, 0.01);
  m.providers[0]->play({.status = 429, .type = "rate_limit_error", .message = "slow down"});
  const auto limited = m.ask("What is the capital of France?");
  ASSERT_EQ(limited.story.failed.size(), 1u);
  EXPECT_EQ(limited.story.failed.front().fault, "rate_limited");
  EXPECT_NEAR(look("here", route::complexity::simple).failed, 1, 0.01);
}

TEST_F(pleasing, explaining_is_not_asking) {
  m.ask(easy);
  (void)m.asks.explain(m.make_query(mesh::say(easy)));
  EXPECT_EQ(look("here", route::complexity::simple).again, 0);
}

}  // namespace
}  // namespace meshai::dispatch
