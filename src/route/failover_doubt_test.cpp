// An answer of this device that is kept back, and gives way where it is doubted.
#include <gtest/gtest.h>

#include "route/failover_fixture.hpp"

namespace meshai::route {
namespace {

using namespace std::chrono_literals;
using namespace testing;

// One candidate for each tier, in this order.
struct doubting : failing_over {
  void begin_with(std::vector<tier> tiers) {
    how.doubts = true;
    candidates.resize(tiers.size());
    for (std::size_t i = 0; i < tiers.size(); ++i) {
      candidates[i].where = tiers[i];
      candidates[i].patience = 10s;
    }
    begin();
    EXPECT_EQ(actions(), (strings{"start 0:0"}));
  }
};

TEST_F(doubting, only_a_model_here_while_somebody_farther_up_is_left) {
  begin_with({tier::local, tier::cloud});
  EXPECT_TRUE(decides->may_doubt(0));
  EXPECT_FALSE(decides->may_doubt(1));
  decides->token(0, now);
  EXPECT_FALSE(decides->may_doubt(0));  // the caller has it

  begin_with({tier::local, tier::local});
  EXPECT_FALSE(decides->may_doubt(0));

  begin_with({tier::local, tier::cloud});
  fail(0, fault_kind::timeout);
  EXPECT_EQ(actions(), (strings{"start 1:1"}));
  EXPECT_FALSE(decides->may_doubt(0));  // nobody fresh is left up there

  how.fallback = false;
  begin_with({tier::local, tier::cloud});
  EXPECT_FALSE(decides->may_doubt(0));
  how.fallback = true;

  how.bounds.attempts = 1;
  begin_with({tier::local, tier::cloud});
  EXPECT_FALSE(decides->may_doubt(0));
}

TEST_F(doubting, of_what_the_caller_named_nothing_is_doubted) {
  candidates.resize(2);
  candidates[0].by = cause::name;
  begin_with({tier::local, tier::cloud});
  EXPECT_FALSE(decides->may_doubt(0));
}

TEST_F(doubting, it_is_judged_in_time_and_goes_to_the_caller_where_it_is_sure) {
  begin_with({tier::local, tier::cloud});
  decides->held(0, now);
  EXPECT_EQ(actions(), strings{});
  EXPECT_EQ(alarm - now, how.bounds.held_for);
  pass(how.bounds.held_for - 1ns);
  EXPECT_EQ(actions(), strings{});
  pass(1ns);
  EXPECT_EQ(actions(), (strings{"judge 0"}));
  decides->token(0, now);
  EXPECT_EQ(actions(), (strings{"forward 0"}));
  decides->ended(0, now);
  EXPECT_EQ(actions(), (strings{done}));
}

TEST_F(doubting, the_nearest_tier_above_is_asked_whatever_the_order) {
  begin_with({tier::local, tier::cloud, tier::neighbour, tier::regional});
  decides->held(0, now);
  decides->doubted(0, now);
  EXPECT_EQ(actions(), (strings{"start 1:2"}));
  decides->token(1, now);
  EXPECT_EQ(actions(), (strings{"forward 1", "cancel 0"}));
  decides->ended(1, now);
  EXPECT_EQ(actions(), (strings{done}));
}

TEST_F(doubting, it_is_the_answer_when_nobody_above_has_one) {
  for (const auto kind : {fault_kind::unreachable, fault_kind::content_policy, fault_kind::bad_request,
                          fault_kind::key_refused, fault_kind::rate_limited}) {
    begin_with({tier::local, tier::cloud});
    decides->held(0, now);
    decides->doubted(0, now);
    EXPECT_EQ(actions(), (strings{"start 1:1"}));
    fail(1, kind);
    EXPECT_EQ(actions(), (strings{"forward 0"})) << to_string(kind);
    decides->ended(0, now);
    EXPECT_EQ(actions(), (strings{done}));
  }
}

TEST_F(doubting, so_it_is_where_all_of_it_had_come) {
  begin_with({tier::local, tier::cloud, tier::cloud});
  decides->doubted(0, now);  // before any token was told: a whole answer
  decides->ended(0, now);
  EXPECT_EQ(actions(), (strings{"start 1:1"}));
  decides->refused(1, now);
  EXPECT_EQ(actions(), (strings{"start 2:2"}));
  fail(2, fault_kind::server_error);
  EXPECT_EQ(actions(), (strings{"forward 0", done}));
}

TEST_F(doubting, others_are_not_waited_for_one_after_the_other) {
  begin_with({tier::local, tier::cloud, tier::cloud});
  decides->held(0, now);
  decides->doubted(0, now);
  EXPECT_EQ(actions(), (strings{"start 1:1"}));
  decides->moved(0, now);
  pass(10s);
  EXPECT_EQ(actions(), (strings{"expire 1 first_token_timeout"}));
  fail(1, fault_kind::timeout);
  EXPECT_EQ(actions(), (strings{"forward 0"}));
}

TEST_F(doubting, the_last_one_above_is_not_waited_for_without_end) {
  begin_with({tier::local, tier::cloud});
  decides->held(0, now);
  pass(50ms);
  decides->doubted(0, now);
  EXPECT_EQ(actions(), (strings{"start 1:1"}));
  EXPECT_EQ(alarm - now, 10s);
}

TEST_F(doubting, when_it_breaks_off_itself_the_other_goes_on_alone) {
  begin_with({tier::local, tier::cloud, tier::cloud});
  decides->held(0, now);
  decides->doubted(0, now);
  fail(0, fault_kind::cut);
  EXPECT_EQ(actions(), (strings{"start 1:1"}));
  fail(1, fault_kind::server_error);
  EXPECT_EQ(actions(), (strings{"start 2:2"}));
  decides->token(2, now);
  decides->ended(2, now);
  EXPECT_EQ(actions(), (strings{"forward 2", done}));
}

TEST_F(doubting, others_go_on_with_a_stronger_one_that_breaks_off_before_it_does) {
  begin_with({tier::local, tier::cloud, tier::cloud});
  decides->held(0, now);
  decides->doubted(0, now);
  decides->token(1, now);
  EXPECT_EQ(actions(), (strings{"start 1:1", "forward 1", "cancel 0"}));
  fail(1, fault_kind::cut);
  EXPECT_EQ(actions(), (strings{"start 2:2"}));
}

TEST_F(doubting, what_is_kept_has_its_deadlines_too) {
  begin_with({tier::local, tier::cloud});
  decides->held(0, now);
  actions();
  decides->doubted(0, now);
  actions();
  fail(1, fault_kind::unreachable);
  EXPECT_EQ(actions(), (strings{"forward 0"}));
  EXPECT_EQ(alarm - now, how.bounds.idle_timeout);
}

}  // namespace
}  // namespace meshai::route
