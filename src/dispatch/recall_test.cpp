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
  m.providers[1]->play({.status = 500, .message = "broken"});
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

}  // namespace
}  // namespace meshai::dispatch
