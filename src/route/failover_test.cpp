#include "route/failover.hpp"

#include <map>

#include "route/failover_fixture.hpp"

namespace meshai::route {
namespace {

using namespace std::chrono_literals;
using namespace testing;

TEST_F(failing_over, forwards_the_first_answer) {
  begin(2);
  EXPECT_EQ(actions(), (strings{"start 0:0"}));
  decides->token(0, now);
  EXPECT_EQ(actions(), (strings{"forward 0"}));
  decides->moved(0, now);
  EXPECT_EQ(actions(), strings{});
  decides->ended(0, now);
  EXPECT_EQ(actions(), (strings{done}));
  EXPECT_TRUE(decides->finished());
  EXPECT_EQ(decides->asked(), 1);
}

TEST_F(failing_over, a_whole_answer_needs_no_token) {
  how.stream = false;
  begin(2);
  actions();
  decides->ended(0, now);
  EXPECT_EQ(actions(), (strings{"forward 0", done}));
}

// Before the first token: one row per verdict.
TEST_F(failing_over, follows_the_verdict) {
  struct {
    fault_kind kind;
    bool goes_on;
  } cases[] = {
      {fault_kind::unreachable, true},
      {fault_kind::timeout, true},
      {fault_kind::server_error, true},
      {fault_kind::malformed, true},
      {fault_kind::cut, true},
      {fault_kind::rate_limited, true},
      {fault_kind::quota, true},
      {fault_kind::key_refused, true},
      {fault_kind::forbidden, true},
      {fault_kind::model_missing, true},
      {fault_kind::context_length, true},
      {fault_kind::unsupported, true},
      {fault_kind::content_policy, false},
      {fault_kind::bad_request, false},
      {fault_kind::internal, false},
  };
  for (const auto& [kind, goes_on] : cases) {
    begin(2);
    actions();
    fail(0, kind);
    EXPECT_EQ(actions(), goes_on ? (strings{"start 1:1"}) : (strings{failed})) << to_string(kind);
  }
}

TEST_F(failing_over, the_first_error_is_told_whatever_the_fallbacks_complain_of) {
  begin(3);
  fail(0, fault_kind::server_error);
  fail(1, fault_kind::key_refused);
  fail(2, fault_kind::bad_request);
  actions();
  EXPECT_TRUE(decides->finished());
  EXPECT_EQ(decides->told()->kind, fault_kind::server_error);
}

TEST_F(failing_over, the_same_node_is_asked_again_only_when_no_other_is_left_and_after_a_pause) {
  begin(2);
  actions();
  fail(0, fault_kind::server_error);
  EXPECT_EQ(actions(), (strings{"start 1:1"}));
  fail(1, fault_kind::server_error);
  EXPECT_EQ(actions(), strings{});
  EXPECT_GE(alarm - now, 50ms);
  EXPECT_LE(alarm - now, 150ms);
  pass(alarm - now);
  EXPECT_EQ(actions(), (strings{"start 2:0"}));
  decides->token(2, now);
  decides->ended(2, now);
  EXPECT_EQ(actions(), (strings{"forward 2", done}));
}

TEST_F(failing_over, the_budget_of_attempts_is_kept) {
  how.bounds.attempts = 4;
  begin(1);
  int starts = 0;
  for (int i = 0; i < 20 && !decides->finished(); ++i) {
    for (const auto& each : actions()) starts += each.starts_with("start");
    if (!decides->finished() && alarm != never && starts > i) fail(i, fault_kind::server_error);
    actions();
    if (!decides->finished()) pass(alarm - now);
  }
  for (const auto& each : actions()) starts += each.starts_with("start");
  EXPECT_EQ(starts, 4);
  EXPECT_TRUE(decides->finished());
  EXPECT_EQ(decides->asked(), 4);

  begin(9);
  for (int i = 0; i < 4; ++i) fail(i, fault_kind::unreachable);
  EXPECT_TRUE(decides->finished());
}

TEST_F(failing_over, what_cannot_mend_itself_is_not_asked_again) {
  for (const auto kind : {fault_kind::rate_limited, fault_kind::quota, fault_kind::key_refused,
                          fault_kind::model_missing, fault_kind::unsupported}) {
    begin(1);
    actions();
    fail(0, kind);
    EXPECT_EQ(actions(), (strings{failed})) << to_string(kind);
  }
}

TEST_F(failing_over, without_fallback_there_is_one_attempt) {
  how.fallback = false;
  begin(2);
  actions();
  fail(0, fault_kind::unreachable);
  EXPECT_EQ(actions(), (strings{failed}));
}

TEST_F(failing_over, another_key_is_tried_on_the_same_node_at_once) {
  begin(2);
  actions();
  auto busy = fault_of(fault_kind::rate_limited);
  busy.another_key = true;
  decides->faulted(0, busy, now);
  EXPECT_EQ(actions(), (strings{"start 1:0"}));
}

TEST_F(failing_over, a_prompt_too_long_goes_only_where_more_is_known_to_fit) {
  candidates.resize(4);
  candidates[0].context = 8000;
  candidates[1].context = 4000;
  candidates[2].context = 32000;
  begin();
  actions();
  fail(0, fault_kind::context_length);
  EXPECT_EQ(actions(), (strings{"start 1:2"}));
  fail(1, fault_kind::context_length);
  EXPECT_EQ(actions(), (strings{"start 2:3"}));  // nothing is known of it
  fail(2, fault_kind::context_length);
  EXPECT_EQ(actions(), (strings{failed}));
  EXPECT_EQ(decides->told()->kind, fault_kind::context_length);
}

TEST_F(failing_over, what_was_never_sent_is_no_attempt) {
  how.bounds.attempts = 1;
  begin(3);
  auto never_sent = fault_of(fault_kind::unsupported);
  never_sent.asked = false;
  decides->faulted(0, never_sent, now);
  decides->refused(1, now);
  EXPECT_EQ(actions(), (strings{"start 0:0", "start 1:1", "start 2:2"}));
  EXPECT_EQ(decides->asked(), 1);
  fail(2, fault_kind::unreachable);
  EXPECT_EQ(actions(), (strings{failed}));
}

TEST_F(failing_over, all_refused_ends_without_a_fault) {
  begin(2);
  decides->refused(0, now);
  decides->refused(1, now);
  actions();
  EXPECT_TRUE(decides->finished());
  EXPECT_FALSE(decides->told());
  EXPECT_EQ(decides->asked(), 0);
}

TEST_F(failing_over, a_slow_first_token_goes_on_but_never_fails_the_last_candidate) {
  begin(2);
  actions();
  EXPECT_EQ(alarm, now + 10s);
  pass(10s);
  EXPECT_EQ(actions(), (strings{"expire 0 first_token_timeout"}));
  fail(0, fault_kind::timeout);
  EXPECT_EQ(actions(), (strings{"start 1:1"}));
  EXPECT_EQ(alarm, start + 600s);  // only the request's own deadline is left
  pass(100s);
  EXPECT_EQ(actions(), strings{});
  decides->token(1, now);
  EXPECT_EQ(actions(), (strings{"forward 1"}));
}

TEST_F(failing_over, patience_is_the_candidates_own) {
  candidates.resize(2);
  candidates[0].patience = 70s;
  candidates[1].patience = 10s;
  begin();
  actions();
  EXPECT_EQ(alarm, now + 70s);
}

TEST_F(failing_over, the_request_has_one_deadline) {
  begin(1);
  actions();
  pass(600s);
  EXPECT_EQ(actions(), (strings{"expire 0 request_timeout"}));
  fail(0, fault_kind::timeout);
  EXPECT_EQ(actions(), (strings{failed}));

  how.stream = false;  // a whole answer shows no token: nothing else bounds it
  now = start;
  begin(2);
  actions();
  EXPECT_EQ(alarm, now + 600s);
}

TEST_F(failing_over, a_stream_that_moves_lives_on_and_one_that_stands_still_is_left) {
  begin(2);
  actions();
  decides->token(0, now);
  actions();
  for (int i = 0; i < 59; ++i) {  // 59 minutes, past the request's timeout
    pass(59s);
    decides->moved(0, now);
    EXPECT_EQ(actions(), strings{}) << i;
  }
  pass(60s);
  EXPECT_EQ(actions(), (strings{"expire 0 idle_timeout"}));
  fail(0, fault_kind::timeout);
  EXPECT_EQ(actions(), (strings{"start 1:1"}));
}

TEST_F(failing_over, no_stream_is_longer_than_the_longest) {
  begin(2);
  decides->token(0, now);
  actions();
  while (now < start + 3600s) {
    decides->moved(0, now);
    now += 30s;
  }
  decides->moved(0, now);
  decides->tick(now);
  EXPECT_EQ(actions(), (strings{"expire 0 max_stream"}));
  fail(0, fault_kind::timeout);
  EXPECT_EQ(actions(), (strings{cut_off}));
}

TEST_F(failing_over, the_callers_leave_cancels_everything) {
  begin(2);
  actions();
  decides->caller_gone();
  EXPECT_EQ(actions(), (strings{"cancel 0", gone}));
  decides->token(0, now);
  fail(0, fault_kind::cut);
  decides->caller_gone();
  EXPECT_EQ(actions(), strings{});
}

TEST_F(failing_over, backoff_has_jitter_from_its_seed) {
  std::map<std::int64_t, int> seen;
  for (how.seed = 0; how.seed < 100; ++how.seed) {
    begin(1);
    fail(0, fault_kind::server_error);
    actions();
    ++seen[(alarm - now).count()];
  }
  EXPECT_GT(seen.size(), 90u);
}

}  // namespace
}  // namespace meshai::route
