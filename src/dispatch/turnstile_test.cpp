// Places at a node: who gets one, who waits, and who has to make way.
#include "dispatch/turnstile.hpp"

#include <gtest/gtest.h>

#include <list>
#include <vector>

#include "env/scope.hpp"
#include "sim/sim.hpp"

namespace meshai::dispatch {
namespace {

struct before_a_node : ::testing::Test {
  // One who wants in; its place is kept until somebody takes it away.
  struct guest {
    std::optional<turnstile::place> place;
    bool over = false;
    std::unique_ptr<env::scope> waits;
  };

  guest& come(const std::string& who, int slots = 2) {
    auto& one = guests.emplace_back();
    one.waits = std::make_unique<env::scope>(world.loop);
    one.waits->spawn(wait(who, slots, one));
    pretend.run();
    return one;
  }
  task<void> wait(std::string who, int slots, guest& one) {
    one.place = co_await at->enter(world.loop, std::move(who), slots);
    one.over = true;
  }
  void leave(guest& one) {
    one.place.reset();
    pretend.run();
  }

  sim::simulation pretend{{}};
  env::world world = pretend.add_host("us", "10.0.0.1").world();
  std::shared_ptr<turnstile> at = std::make_shared<turnstile>(4);
  std::list<guest> guests;
};

TEST_F(before_a_node, as_many_enter_as_there_are_places) {
  auto& first = come("a");
  auto& second = come("a");
  auto& third = come("a");
  EXPECT_TRUE(first.place && second.place);
  EXPECT_FALSE(third.over);
  EXPECT_EQ(at->waiting(), 1u);
  EXPECT_FALSE(at->try_enter("b", 2)) << "nobody goes past the line";
  leave(first);
  EXPECT_TRUE(third.place);
  EXPECT_EQ(at->inside(), 2u);
  EXPECT_EQ(at->waiting(), 0u);
}

TEST_F(before_a_node, a_place_goes_to_who_holds_the_fewest) {
  auto& first = come("greedy");
  come("greedy");
  auto& third = come("greedy");
  auto& other = come("modest");
  leave(first);
  EXPECT_TRUE(other.place);
  EXPECT_FALSE(third.over);
  leave(other);
  EXPECT_TRUE(third.place);
}

TEST_F(before_a_node, among_equals_who_came_first_is_first) {
  auto& in = come("a", 1);
  auto& b = come("b", 1);
  auto& c = come("c", 1);
  leave(in);
  EXPECT_TRUE(b.place);
  EXPECT_FALSE(c.over);
}

TEST_F(before_a_node, a_full_line_sends_away_the_newest_of_the_longest) {
  come("greedy");
  come("greedy");
  std::vector<guest*> waiting;
  waiting.reserve(4);
  for (int i = 0; i < 4; ++i) waiting.push_back(&come("greedy"));
  auto& one_more = come("greedy");
  EXPECT_TRUE(one_more.over && !one_more.place) << "its own line is the longest";
  auto& other = come("modest");
  EXPECT_FALSE(other.over);
  EXPECT_TRUE(waiting[3]->over && !waiting[3]->place);
  EXPECT_FALSE(waiting[2]->over);
  EXPECT_EQ(at->waiting(), 4u);
}

TEST_F(before_a_node, whoever_goes_away_leaves_no_gap) {
  auto& in = come("a", 1);
  auto& gone = come("b", 1);
  auto& next = come("c", 1);
  gone.waits->cancel();
  pretend.run();
  EXPECT_EQ(at->waiting(), 1u);
  leave(in);
  EXPECT_TRUE(next.place);
  EXPECT_EQ(at->inside(), 1u);
}

// Admitted and cancelled in the same turn of the loop.
TEST_F(before_a_node, a_place_given_to_one_who_is_going_is_passed_on) {
  auto& in = come("a", 1);
  auto& going = come("b", 1);
  auto& next = come("c", 1);
  in.place.reset();
  going.waits->cancel();
  pretend.run();
  EXPECT_FALSE(going.place);
  EXPECT_TRUE(next.place);
  EXPECT_EQ(at->inside(), 1u);
}

TEST_F(before_a_node, more_places_let_more_in) {
  come("a", 1);
  auto& waits = come("b", 1);
  auto& newcomer = come("c", 3);
  EXPECT_TRUE(waits.place);
  EXPECT_TRUE(newcomer.place);
}

TEST_F(before_a_node, nothing_is_left_when_all_have_gone) {
  for (int i = 0; i < 5; ++i) come(std::to_string(i));
  while (!guests.empty()) {
    guests.front().place.reset();
    pretend.run();
    guests.pop_front();
  }
  EXPECT_EQ(at->inside(), 0u);
  EXPECT_EQ(at->waiting(), 0u);
}

TEST(turnstiles, are_one_for_each_node) {
  turnstiles all(1);
  EXPECT_EQ(all.at("a"), all.at("a"));
  EXPECT_NE(all.at("a"), all.at("b"));
}

}  // namespace
}  // namespace meshai::dispatch
