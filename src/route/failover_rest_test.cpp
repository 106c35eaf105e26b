// Going on after the first token, and hedges.
#include <gtest/gtest.h>

#include "route/failover_fixture.hpp"

namespace meshai::route {
namespace {

using namespace std::chrono_literals;
using namespace testing;

// After the first token: one row per kind of fault.
TEST_F(failing_over, after_the_first_token_another_goes_on_unless_the_caller_is_to_be_told) {
  for (int kind = 0; kind < static_cast<int>(fault_kinds); ++kind) {
    begin(3);
    fail(0, fault_kind::unreachable);
    decides->token(1, now);
    actions();
    EXPECT_TRUE(decides->sent());
    fail(1, static_cast<fault_kind>(kind));
    const bool tell = verdict_of(static_cast<fault_kind>(kind)) == verdict::tell;
    EXPECT_EQ(actions(), tell ? (strings{cut_off}) : (strings{"start 2:2"})) << kind;
    EXPECT_EQ(decides->told()->kind, static_cast<fault_kind>(kind));
    if (tell) continue;
    decides->token(2, now);
    decides->ended(2, now);
    EXPECT_EQ(actions(), (strings{"forward 2", done})) << kind;
  }
}

TEST_F(failing_over, a_fallbacks_complaint_never_replaces_what_broke_the_stream) {
  for (const auto complaint : {fault_kind::bad_request, fault_kind::content_policy, fault_kind::key_refused,
                               fault_kind::context_length, fault_kind::misfit}) {
    begin(2);
    decides->token(0, now);
    actions();
    fail(0, fault_kind::cut);
    EXPECT_EQ(actions(), (strings{"start 1:1"}));
    fail(1, complaint);
    while (!decides->finished()) {  // the first one is asked once more, after a pause
      actions();
      pass(alarm - now);
      actions();
      fail(decides->asked() - 1, complaint);
    }
    EXPECT_EQ(actions().back(), cut_off);
    EXPECT_EQ(decides->told()->kind, fault_kind::cut) << to_string(complaint);
  }
}

TEST_F(failing_over, an_answer_that_cannot_be_gone_on_with_is_cut) {
  how.continues = false;
  begin(2);
  decides->token(0, now);
  actions();
  fail(0, fault_kind::cut);
  EXPECT_EQ(actions(), (strings{cut_off}));

  how = {.fallback = false};
  begin(2);
  decides->token(0, now);
  actions();
  fail(0, fault_kind::cut);
  EXPECT_EQ(actions(), (strings{cut_off}));
}

TEST_F(failing_over, the_rest_has_the_streams_time_and_the_requests_budget) {
  how.bounds.attempts = 3;
  begin(1);
  decides->token(0, now);
  actions();
  while (now < start + 700s) {  // past the request's timeout
    now += 50s;
    decides->moved(0, now);
  }
  fail(0, fault_kind::cut);
  actions();
  pass(alarm - now);
  EXPECT_EQ(actions(), (strings{"start 1:0"}));
  EXPECT_EQ(alarm, now + 600s);  // the last candidate's first token has no other bound
  fail(1, fault_kind::cut);
  actions();
  pass(alarm - now);
  EXPECT_EQ(actions(), (strings{"start 2:0"}));
  fail(2, fault_kind::cut);
  EXPECT_EQ(actions(), (strings{cut_off}));
}

TEST_F(failing_over, the_same_node_is_asked_otherwise_at_once) {
  begin(2);
  decides->token(0, now);
  fail(0, fault_kind::cut);
  actions();
  auto no_prefill = fault_of(fault_kind::bad_request);
  no_prefill.another_way = true;
  decides->faulted(1, no_prefill, now);
  EXPECT_EQ(actions(), (strings{"start 2:1"}));
}

// ---- hedges

TEST_F(failing_over, a_first_token_later_than_ever_is_hedged) {
  candidates.resize(3);
  for (auto& each : candidates) each.patience = 10s;
  candidates[0].longest_first_token = 800ms;
  begin();
  actions();
  EXPECT_EQ(alarm, start + 800ms);
  pass(800ms);
  EXPECT_EQ(actions(), (strings{"start 1:1"}));
  pass(5s);
  EXPECT_EQ(actions(), strings{});  // one hedge at a time
  decides->token(1, now);
  EXPECT_EQ(actions(), (strings{"forward 1", "cancel 0"}));
  decides->ended(1, now);
  EXPECT_EQ(actions(), (strings{done}));
}

TEST_F(failing_over, no_silence_below_a_quarter_second_is_hedged_nor_what_is_not_known) {
  candidates.resize(2);
  for (auto& each : candidates) each.patience = 10s;
  candidates[0].longest_first_token = 3ms;
  begin();
  actions();
  EXPECT_EQ(alarm, start + 250ms);
  candidates[0].longest_first_token.reset();
  begin();
  actions();
  EXPECT_EQ(alarm, start + 10s);
}

TEST_F(failing_over, a_silent_stream_is_hedged_and_whoever_moves_first_goes_on) {
  candidates.resize(2);
  for (auto& each : candidates) {
    each.patience = 10s;
    each.longest_gap = 400ms;
  }
  begin();
  decides->token(0, now);
  actions();
  EXPECT_EQ(alarm, now + 400ms);
  pass(400ms);
  EXPECT_EQ(actions(), (strings{"start 1:1"}));
  decides->moved(0, now);  // it was only slow
  EXPECT_EQ(actions(), (strings{"cancel 1"}));
  pass(400ms);
  EXPECT_EQ(actions(), (strings{"start 2:1"}));  // cancelled without blame, it may be asked again
  decides->token(2, now);
  EXPECT_EQ(actions(), (strings{"forward 2", "cancel 0"}));
  decides->moved(0, now);
  fail(0, fault_kind::cut);
  EXPECT_EQ(actions(), strings{});
  decides->ended(2, now);
  EXPECT_EQ(actions(), (strings{done}));
}

TEST_F(failing_over, a_hedge_takes_over_from_one_that_dies) {
  candidates.resize(2);
  for (auto& each : candidates) each.longest_gap = 400ms;
  begin();
  decides->token(0, now);
  pass(400ms);
  actions();
  fail(0, fault_kind::unreachable);
  EXPECT_EQ(actions(), strings{});
  decides->token(1, now);
  EXPECT_EQ(actions(), (strings{"forward 1"}));
}

TEST_F(failing_over, hedges_go_no_tier_up_unless_told_so) {
  candidates.resize(2);
  for (auto& each : candidates) each.patience = 10s;
  candidates[0].longest_first_token = 300ms;
  candidates[0].where = tier::local;
  candidates[1].where = tier::cloud;
  begin();
  actions();
  EXPECT_EQ(alarm, start + 10s);
  how.bounds.hedge_up = true;
  begin();
  actions();
  EXPECT_EQ(alarm, start + 300ms);
}

TEST_F(failing_over, one_whose_way_is_gone_is_hedged_at_once_whatever_is_known_of_it) {
  for (const bool streams : {true, false}) {
    begin(3);
    candidates[1].where = tier::cloud;
    if (streams) decides->token(0, now);
    actions();
    decides->stranded(0, now);
    EXPECT_EQ(actions(), (strings{"start 1:1"}));
    decides->stranded(0, now);
    EXPECT_EQ(actions(), strings{}) << "one at a time";
    fail(1, fault_kind::unreachable);
    pass(1ns);
    EXPECT_EQ(actions(), (strings{"start 2:2"})) << "the next one, as long as it does not move";
    decides->token(2, now);
    EXPECT_EQ(actions(), (strings{"forward 2", "cancel 0"}));
  }
  begin(2);
  decides->token(0, now);
  actions();
  decides->stranded(0, now);
  actions();
  decides->moved(0, now);
  EXPECT_EQ(actions(), (strings{"cancel 1"})) << "the way is back";
}

TEST_F(failing_over, a_denied_hedge_is_no_attempt_and_the_last_of_its_request) {
  candidates.resize(2);
  for (auto& each : candidates) each.patience = 10s;
  candidates[0].longest_first_token = 300ms;
  begin();
  actions();
  pass(300ms);
  EXPECT_EQ(actions(), (strings{"start 1:1"}));
  decides->hedge_denied(1, now);
  EXPECT_EQ(actions(), strings{});
  EXPECT_EQ(decides->asked(), 1);
  EXPECT_EQ(alarm, start + 10s);
  fail(0, fault_kind::cut);
  EXPECT_EQ(actions(), (strings{"start 2:1"}));  // denied as a hedge, asked as the next
}

TEST_F(failing_over, one_whose_first_words_are_held_back_may_not_fall_silent) {
  how.bounds.idle_timeout = 5s;
  begin(1);
  decides->token(0, now);
  fail(0, fault_kind::cut);
  actions();
  pass(1s);
  actions();
  decides->heard(1, now);
  pass(4s);
  decides->heard(1, now);
  actions();
  EXPECT_EQ(alarm, now + 5s);
  pass(5s);
  EXPECT_EQ(actions(), (strings{"expire 1 idle_timeout"}));
}

TEST_F(failing_over, the_line_before_a_node_is_not_its_silence) {
  candidates.assign(2, {.patience = 10s, .longest_first_token = 300ms, .longest_gap = 300ms});
  begin();
  decides->queued(0);
  actions();
  EXPECT_EQ(alarm, start + 10s) << "but a reason to go elsewhere in the end";
  pass(9s);
  decides->admitted(0, now);
  actions();
  EXPECT_EQ(alarm, now + 300ms);
  pass(300ms);
  EXPECT_EQ(actions(), (strings{"start 1:1"}));
}

TEST_F(failing_over, who_waits_too_long_in_one_line_is_sent_to_the_next) {
  begin(2);
  decides->queued(0);
  actions();
  pass(10s);
  EXPECT_EQ(actions(), (strings{"expire 0 first_token_timeout"}));
  decides->faulted(0, busy_fault("a"), now);
  EXPECT_EQ(actions(), (strings{"start 1:1"}));
  EXPECT_EQ(decides->asked(), 1) << "nobody was asked at the first one";
}

TEST_F(failing_over, nothing_is_hedged_that_may_not_be) {
  const auto alarm_of = [&](const failover::options& with) {
    how = with;
    candidates.assign(2, {.patience = 10s, .longest_first_token = 300ms, .longest_gap = 300ms});
    begin();
    actions();
    return alarm;
  };
  EXPECT_EQ(alarm_of({}), start + 300ms);
  EXPECT_EQ(alarm_of({.stream = false}), start + 600s);
  EXPECT_EQ(alarm_of({.fallback = false}), start + 600s);
  EXPECT_EQ(alarm_of({.bounds = {.attempts = 1}}), start + 600s);
}

}  // namespace
}  // namespace meshai::route
