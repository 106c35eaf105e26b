#include "dispatch/dispatch.hpp"

#include <gtest/gtest.h>

#include "dispatch/testing.hpp"
#include "env/metrics.hpp"
#include "env/scope.hpp"

namespace meshai::dispatch {
namespace {

using namespace std::chrono_literals;
using testing::mesh;
using testing::outcome;

constexpr const char* hello = "What is 2+2?";

TEST(dispatch, streams_an_answer) {
  mesh m;
  auto& one = m.add("one", tier::local);
  one.play({.text = "The answer is four."});
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::end) << got.problem.message;
  EXPECT_EQ(got.text, "The answer is four.");
  EXPECT_EQ(got.finishes, 1);
  EXPECT_EQ(got.facts.node, "one");
  EXPECT_EQ(got.facts.model, "fake-model");
  EXPECT_EQ(got.facts.attempts, 1);
  EXPECT_EQ(got.story.request_id, "req-1");
  EXPECT_EQ(one.requests().size(), 1u);
}

TEST(dispatch, answers_whole) {
  mesh m;
  m.add("one").play({.text = "The answer is four."});
  const auto got = m.ask(hello, false);
  EXPECT_EQ(got.ended, progress::answer) << got.problem.message;
  EXPECT_EQ(got.text, "The answer is four.");
  EXPECT_TRUE(got.usage.known);
  EXPECT_GT(got.usage.output, 0);
}

TEST(dispatch, speaks_every_dialect) {
  for (const auto speaks : {fake::protocol::openai, fake::protocol::anthropic, fake::protocol::gemini}) {
    for (const bool stream : {true, false}) {
      mesh m;
      m.add("one", tier::cloud, {.speaks = speaks}).play({.text = "Four, I think."});
      const auto got = m.ask(hello, stream);
      EXPECT_EQ(got.ended, stream ? progress::end : progress::answer) << got.problem.message;
      EXPECT_EQ(got.text, "Four, I think.");
      EXPECT_TRUE(got.usage.known);
    }
  }
}

// Before the first token every fault of the first leads to the second; the caller sees one whole answer.
TEST(dispatch, fails_over_before_the_first_token) {
  const fake::script faults[] = {
      {.fault = fake::fault::reset, .at = -1},
      {.fault = fake::fault::reset, .at = 0},
      {.status = 500, .message = "oops"},
      {.status = 503, .message = "down"},
      {.status = 529, .message = "overloaded"},
      {.status = 429, .message = "slow", .headers = {{"retry-after", "7"}}},
      {.status = 401, .message = "key"},
      {.status = 402, .message = "pay"},
      {.status = 403, .message = "no"},
      {.status = 404, .message = "no such model"},
      {.status = 408, .message = "late"},
      {.status = 400, .code = "context_length_exceeded", .message = "maximum context length"},
      {.status = 400, .code = "unsupported_parameter", .message = "is not supported"},
      {.status = 302, .headers = {{"location", "http://10.9.9.9/"}}},
      {.fault = fake::fault::html},
      {.fault = fake::fault::error_body},
      {.fault = fake::fault::garbage, .at = 0},
      {.fault = fake::fault::error_event, .at = 0},
      {.fault = fake::fault::truncate, .at = 0},
      {.text = "never ends", .fault = fake::fault::stall, .at = 0},
  };
  for (const auto& fault : faults) {
    for (const bool stream : {true, false}) {
      mesh m;
      auto& first = m.add("first", tier::local, {.models = {"a"}});
      auto& second = m.add("second", tier::cloud, {.models = {"b"}});
      m.routes = {{"both", {"first/a", "second/b"}}};
      m.limits.request_timeout = 100s;
      first.play(fault);
      second.play({.text = "Four."});
      const bool silent = fault.fault == fake::fault::stall;
      const auto got = m.ask(mesh::say(hello, stream, "both"));
      const auto what = std::to_string(static_cast<int>(fault.fault)) + " " + std::to_string(fault.status) +
                        (stream ? " streamed" : " whole");
      EXPECT_EQ(got.ended, stream ? progress::end : progress::answer) << what << ": " << got.problem.message;
      EXPECT_EQ(got.text, "Four.") << what;
      EXPECT_EQ(got.facts.node, "second") << what;
      EXPECT_EQ(got.facts.attempts, 2) << what;
      EXPECT_LE(got.took, silent ? 11s : 500ms) << what;
    }
  }
}

TEST(dispatch, what_is_the_callers_own_fault_is_told_at_once) {
  mesh m;
  m.add("first").play(
      {.status = 400, .type = "invalid_request_error", .code = "bad_thing", .message = "No such thing."});
  auto& second = m.add("second");
  m.nodes[0].weight = 1'000'000'000;  // first among equals
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::failed);
  EXPECT_EQ(got.problem.status, 400);
  EXPECT_EQ(got.problem.message, "No such thing.");
  EXPECT_TRUE(second.requests().empty());
}

TEST(dispatch, no_finish_reason_is_a_cut) {
  mesh m;
  m.add("one").play({.text = "Something", .fault = fake::fault::no_finish});
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::failed);
  EXPECT_EQ(got.text, "Something");
}

TEST(dispatch, a_missing_done_ends_the_stream_after_a_quarter_of_a_second) {
  mesh m;
  m.add("one").play({.text = "Four.", .fault = fake::fault::no_done});
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::end) << got.problem.message;
  EXPECT_EQ(got.text, "Four.");
  EXPECT_LE(got.took, 300ms);
  EXPECT_EQ(m.over.idle(), 0u);  // that connection is closed
}

TEST(dispatch, a_finish_said_twice_is_no_fault) {
  mesh m;
  m.add("one").play({.text = "Four.", .fault = fake::fault::double_finish});
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::end) << got.problem.message;
  EXPECT_EQ(got.text, "Four.");
}

TEST(dispatch, keeps_the_connection_of_a_whole_stream) {
  mesh m;
  m.add("one");
  m.ask(hello);
  EXPECT_EQ(m.over.idle(), 1u);
}

TEST(dispatch, a_slow_drip_that_is_healthy_is_left_alone) {
  mesh m;
  m.add("one").play({.text = "a b c d e f g h i j", .first_token = 8s, .gap = 20s});
  m.add("two");
  m.nodes[0].weight = 1'000'000'000;
  m.limits.first_token_timeout = 30s;  // the fake waits its gap before the first token too
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::end) << got.problem.message;
  EXPECT_EQ(got.text, "a b c d e f g h i j");
  EXPECT_EQ(got.facts.attempts, 1);
}

TEST(dispatch, a_slow_first_token_never_fails_the_last_candidate) {
  mesh m;
  m.add("only").play({.text = "late", .first_token = 100s});
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::end) << got.problem.message;
  EXPECT_EQ(got.text, "late");
  EXPECT_GE(got.quiet, 6);  // the front may send its headers after 15 s
}

TEST(dispatch, one_deadline_for_all) {
  mesh m;
  m.limits.request_timeout = 30s;
  for (const auto* name : {"a", "b", "c"}) m.add(name).play({.text = "x", .fault = fake::fault::stall, .at = 0});
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::failed);
  EXPECT_EQ(got.problem.status, 504);
  EXPECT_LE(got.took, 31s);
}

TEST(dispatch, all_down_tells_the_first_error) {
  mesh m;
  m.add("a").play({.status = 503, .message = "gone fishing", .headers = {{"retry-after", "30"}}});
  m.add("b").play({.status = 401, .message = "key"});
  m.nodes[0].weight = 1'000'000'000;
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::failed);
  EXPECT_EQ(got.problem.status, 503);
  EXPECT_TRUE(got.problem.message.contains("gone fishing"));
  EXPECT_EQ(got.retry_after, 30s);
  EXPECT_FALSE(got.problem.hint.empty());
}

TEST(dispatch, an_outage_is_not_hammered) {
  mesh m;
  auto& only = m.add("only");
  only.play({.status = 500, .message = "x"});
  int failed = 0;
  for (int i = 0; i < 20; ++i) failed += m.ask(hello).ended == progress::failed;
  EXPECT_EQ(failed, 20);
  EXPECT_LE(only.requests().size(), 8u);
  only.clear();
  // And used again within one probe interval.
  const auto before = m.world.clock.now();
  while (m.ask(hello).ended != progress::end && m.world.clock.now() < before + 1min) {
    bool over = false;
    const auto until = m.world.clock.now() + 100ms;
    m.pretend.spawn([](env::world& w, instant when, bool& flag) -> task<void> {
      co_await w.clock.sleep_until(when);
      flag = true;
    }(m.world, until, over));
    m.pretend.run([&] { return over; });
  }
  EXPECT_LE(m.world.clock.now() - before, 5s);
}

TEST(dispatch, reach_binds_failover) {
  mesh m;
  m.add("near", tier::local).play({.status = 500, .message = "x"});
  auto& far = m.add("far", tier::cloud);
  auto what = mesh::say(hello);
  what.mesh.reach = reach::device;
  const auto got = m.ask(what);
  EXPECT_EQ(got.ended, progress::failed);
  EXPECT_TRUE(far.requests().empty());
  what.model = "far/fake-model";
  const auto excluded = m.ask(what);
  EXPECT_EQ(excluded.problem.code, "reach_excludes_all");
  EXPECT_EQ(excluded.problem.status, 403);
  EXPECT_EQ(excluded.facts.attempts, 0);
  EXPECT_TRUE(far.requests().empty());
}

TEST(dispatch, the_callers_leave_cancels_the_upstream) {
  mesh m;
  auto& one = m.add("one");
  one.play({.text = "a b c d e f", .gap = 1s});
  outcome out;
  {
    env::scope caller(m.world.loop);
    caller.spawn(m.run(m.make_query(mesh::say(hello)), out));
    m.pretend.run([&] { return out.tokens >= 2; });
    EXPECT_EQ(one.broken_off(), 0);
  }
  m.pretend.run([&] { return one.broken_off() > 0; });
  EXPECT_EQ(one.broken_off(), 1);
  EXPECT_FALSE(out.ended);
  EXPECT_EQ(m.over.idle(), 0u);
}

TEST(dispatch, the_callers_leave_before_the_first_token_cancels_too) {
  mesh m;
  auto& one = m.add("one");
  one.play({.fault = fake::fault::stall, .at = -1});
  outcome out;
  {
    env::scope caller(m.world.loop);
    caller.spawn(m.run(m.make_query(mesh::say(hello)), out));
    m.pretend.run([&] { return !one.requests().empty(); });
  }
  const auto left = m.world.clock.now();
  m.pretend.run([&] { return one.broken_off() > 0; });
  EXPECT_EQ(one.broken_off(), 1);
  EXPECT_LE(m.world.clock.now() - left, 5ms);  // the way to the provider
}

TEST(dispatch, an_expired_attempt_is_hung_up_while_its_successor_streams) {
  mesh m;
  auto& first = m.add("first");
  first.play({.text = "x", .fault = fake::fault::stall, .at = 0});
  m.add("second").play({.text = "a b c d e f", .gap = 5s});
  m.nodes[0].weight = 1'000'000'000;
  outcome out;
  m.pretend.spawn(m.run(m.make_query(mesh::say(hello)), out));
  m.pretend.run([&] { return first.broken_off() > 0 || out.ended; });
  EXPECT_FALSE(out.ended);
  m.pretend.run([&] { return out.ended.has_value(); });
  EXPECT_EQ(out.text, "a b c d e f");
}

TEST(dispatch, a_slow_caller_holds_no_memory_and_loses_nothing) {
  mesh m;
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "word" + std::to_string(i) + " ";
  m.add("one").play({.text = text});
  m.limits.idle_timeout = 1s;
  outcome out;
  m.pretend.spawn(m.run(m.make_query(mesh::say(hello)), out, 2s));
  m.pretend.run([&] { return out.ended.has_value(); });
  EXPECT_EQ(out.ended, progress::end) << out.problem.message;
  EXPECT_EQ(out.text, text);
}

TEST(dispatch, a_local_engine_that_goes_in_circles_is_cut_short) {
  std::string loop;
  for (int i = 0; i < 400; ++i) loop += "I do not know. ";
  for (const bool stream : {true, false}) {
    mesh m;
    m.add("here", tier::local).play({.text = loop});
    const auto got = m.ask(hello, stream);
    EXPECT_EQ(got.ended, stream ? progress::end : progress::answer) << got.problem.message;
    EXPECT_EQ(got.finish, chat::finish::length);
    EXPECT_LT(got.text.size(), 800u);
    EXPECT_TRUE(got.text.starts_with("I do not know. "));
  }
}

TEST(dispatch, an_endless_answer_of_a_local_engine_ends) {
  mesh m;
  m.add("here", tier::local).play({.text = "round and round ", .fault = fake::fault::endless, .at = 1});
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::end) << got.problem.message;
  EXPECT_EQ(got.finish, chat::finish::length);
}

TEST(dispatch, a_local_whole_answer_is_put_together_from_its_stream) {
  mesh m;
  m.add("here", tier::local).play({.text = "Two and two make four."});
  const auto got = m.ask(hello, false);
  EXPECT_EQ(got.ended, progress::answer) << got.problem.message;
  EXPECT_EQ(got.text, "Two and two make four.");
  EXPECT_EQ(got.finish, chat::finish::stop);
}

TEST(dispatch, without_fallback_the_first_answers_or_nobody) {
  mesh m;
  m.add("first").play({.status = 500, .message = "x"});
  auto& second = m.add("second");
  m.nodes[0].weight = 1'000'000'000;
  auto what = mesh::say(hello);
  what.mesh.fallback = false;
  const auto got = m.ask(what);
  EXPECT_EQ(got.ended, progress::failed);
  EXPECT_EQ(got.facts.attempts, 1);
  EXPECT_TRUE(second.requests().empty());
}

TEST(dispatch, counts_tokens_where_somebody_can) {
  mesh m;
  m.add("openai");
  m.add("anthropic", tier::cloud, {.speaks = fake::protocol::anthropic});
  const auto what = *chat::parse_request(chat::endpoint::count_tokens,
                                         R"({"model":"auto","messages":[{"role":"user","content":"How many?"}]})");
  std::optional<std::expected<std::int64_t, failure>> got;
  m.pretend.spawn([](mesh& in, chat::request asked, auto& into) -> task<void> {
    into = co_await in.asks.count_tokens(in.make_query(asked));
  }(m, what, got));
  m.pretend.run([&] { return got.has_value(); });
  ASSERT_TRUE(got && *got) << (got ? (*got).error().why.message : "nothing");
  EXPECT_GT(**got, 0);
}

TEST(dispatch, counts_what_it_does) {
  mesh m;
  m.add("first").play({.status = 500, .message = "secret words"});
  m.add("second").play({.text = "Four."});
  m.nodes[0].weight = 1'000'000'000;
  m.ask(hello);
  const auto text = m.world.metrics.render();
  for (const auto* line :
       {"meshai_requests_total{outcome=\"done\"} 1",
        "meshai_attempts_total{node=\"first\",model=\"fake-model\"} 1",
        "meshai_attempt_faults_total{node=\"first\",model=\"fake-model\",fault=\"server_error\"} 1",
        "meshai_fallbacks_total{node=\"second\",model=\"fake-model\"} 1",
        "gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name=\"chat\"} 1"}) {
    EXPECT_TRUE(text.contains(line)) << line << "\n" << text;
  }
  EXPECT_FALSE(text.contains("secret words"));
}

}  // namespace
}  // namespace meshai::dispatch
