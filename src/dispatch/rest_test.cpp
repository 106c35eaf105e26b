// After the first token: another candidate goes on, and the caller gets one answer.
#include <gtest/gtest.h>

#include "dispatch/testing.hpp"
#include "env/scope.hpp"

namespace meshai::dispatch {
namespace {

using namespace std::chrono_literals;
using testing::mesh;
using testing::outcome;

const std::string whole =
    "The capital of France is Paris, which lies on the river Seine. It has two million people.";
constexpr std::string_view hello = "Tell me about France.";

// Two nodes: the first one breaks as the test says, the second one is well.
struct pair : mesh {
  explicit pair(fake::script broken, fake::options second_how = {})
      : first(add("first")), second(add("second", tier::cloud, std::move(second_how))) {
    nodes[0].weight = 1'000'000'000;
    broken.times = 1;
    first.play(std::move(broken));
    first.play({.text = whole});
    second.play({.text = whole});
    limits.idle_timeout = 5s;
  }
  fake::provider& first;
  fake::provider& second;
};

void expect_whole(const outcome& got, const std::string& what, const std::string& text = whole) {
  EXPECT_EQ(got.ended, progress::end) << what << ": " << got.problem.message;
  EXPECT_EQ(got.text, text) << what;
  EXPECT_EQ(got.finishes, 1) << what;
  EXPECT_EQ(got.finish, chat::finish::stop) << what;
}

TEST(rest, every_fault_in_mid_stream_is_gone_on_from) {
  using fake::fault;
  for (const auto broken : {fault::reset, fault::end, fault::truncate, fault::garbage, fault::stall,
                            fault::error_event, fault::no_finish}) {
    for (const auto speaks : {fake::protocol::openai, fake::protocol::anthropic, fake::protocol::gemini}) {
      for (const auto prefill : {true, false}) {
        pair m({.text = whole, .fault = broken, .at = 3}, {.speaks = speaks});
        m.nodes[1].prefill = prefill;
        const auto got = m.ask(hello);
        const auto what = std::to_string(static_cast<int>(broken)) + " " +
                          std::to_string(static_cast<int>(speaks)) + (prefill ? " prefill" : " asked");
        expect_whole(got, what);
        EXPECT_EQ(got.facts.node, "second") << what;
        EXPECT_EQ(got.facts.attempts, 2) << what;
        EXPECT_EQ(got.facts.answers, 2) << what;
        ASSERT_EQ(got.story.failed.size(), 1u) << what;
        EXPECT_EQ(got.story.failed[0].node, "first") << what;
        EXPECT_TRUE(got.story.failed[0].streamed) << what;
        EXPECT_EQ(m.second.requests().size(), 1u) << what;
      }
    }
  }
}

// The caller has had nothing yet: by a prefill it is gone on with, and else written anew.
TEST(rest, every_fault_in_the_middle_of_a_whole_answer_is_mended) {
  using fake::fault;
  for (const auto broken : {fault::reset, fault::end, fault::truncate, fault::garbage, fault::stall,
                            fault::error_event, fault::no_finish}) {
    for (const auto speaks : {fake::protocol::openai, fake::protocol::anthropic, fake::protocol::gemini}) {
      for (const auto prefill : {true, false}) {
        pair m({.text = whole, .fault = broken, .at = 3}, {.speaks = speaks});
        m.nodes[1].prefill = prefill;
        const auto got = m.ask(hello, false);
        const auto what = std::to_string(static_cast<int>(broken)) + " " +
                          std::to_string(static_cast<int>(speaks)) + (prefill ? " prefill" : " anew");
        EXPECT_EQ(got.ended, progress::answer) << what << ": " << got.problem.message;
        EXPECT_EQ(got.text, whole) << what;
        EXPECT_EQ(got.finish, chat::finish::stop) << what;
        EXPECT_EQ(got.tokens, 0) << what << ": no step leaves";
        EXPECT_EQ(got.facts.node, "second") << what;
        EXPECT_EQ(got.facts.attempts, 2) << what;
        EXPECT_LT(got.took, 7s) << what;
        ASSERT_EQ(m.second.requests().size(), 1u) << what;
        EXPECT_EQ(m.second.requests()[0].body.contains("The capital"), prefill) << what;
        ASSERT_EQ(got.story.failed.size(), 1u) << what;
        EXPECT_TRUE(got.story.failed[0].streamed) << what;
      }
    }
  }
}

TEST(rest, a_whole_answer_of_which_nobody_has_the_end_is_an_error) {
  mesh m;
  m.add("only").play({.text = whole, .fault = fake::fault::reset, .at = 3});
  const auto got = m.ask(hello, false);
  EXPECT_EQ(got.ended, progress::failed);
  EXPECT_EQ(got.text, "");
  EXPECT_FALSE(got.problem.message.empty());
}

TEST(rest, who_makes_no_streams_is_asked_whole_and_remembered) {
  mesh m;
  auto& only = m.add("only");
  only.play({.status = 400, .message = "Your organization must be verified to stream this model.", .times = 1});
  only.play({.text = whole});
  for (int i = 0; i < 2; ++i) {
    const auto got = m.ask(hello, false);
    EXPECT_EQ(got.ended, progress::answer) << got.problem.message;
    EXPECT_EQ(got.text, whole);
    EXPECT_EQ(got.facts.attempts, 1);
  }
  ASSERT_EQ(only.requests().size(), 3u);
  EXPECT_TRUE(only.requests()[0].body.contains("\"stream\":true"));
  EXPECT_FALSE(only.requests()[1].body.contains("\"stream\":true"));
  EXPECT_FALSE(only.requests()[2].body.contains("\"stream\":true"));
}

TEST(rest, who_answers_whole_though_asked_for_a_stream_is_believed) {
  for (const auto speaks : {fake::protocol::openai, fake::protocol::anthropic, fake::protocol::gemini}) {
    mesh m;
    m.add("only", tier::cloud, {.speaks = speaks, .streams = false}).play({.text = whole});
    const auto got = m.ask(hello, false);
    EXPECT_EQ(got.ended, progress::answer) << got.problem.message;
    EXPECT_EQ(got.text, whole);
  }
}

TEST(rest, usage_is_of_what_was_delivered) {
  mesh m;
  auto& only = m.add("only");
  only.play({.text = whole});
  const auto in_one = m.ask(hello);
  for (const auto prefill : {true, false}) {
    pair broken({.text = whole, .fault = fake::fault::reset, .at = 3});
    broken.nodes[1].prefill = prefill;
    const auto got = broken.ask(hello);
    EXPECT_EQ(got.usage.output, in_one.usage.output) << prefill;
    EXPECT_TRUE(got.usage.known);
  }
}

TEST(rest, a_refused_prefill_is_asked_otherwise_and_remembered) {
  for (const auto speaks : {fake::protocol::openai, fake::protocol::anthropic, fake::protocol::gemini}) {
    pair m({.text = whole, .fault = fake::fault::reset, .at = 3},
           {.speaks = speaks, .prefill = fake::going_on::refused});
    m.nodes[1].prefill = true;
    const auto what = std::to_string(static_cast<int>(speaks));
    expect_whole(m.ask(hello), what);
    EXPECT_EQ(m.second.requests().size(), 2u) << what;
    EXPECT_EQ(m.known.takes_prefill(route::make_target_id("second", "fake-model")), false) << what;
    m.first.clear();
    m.first.play({.text = whole, .fault = fake::fault::reset, .at = 3, .times = 1});
    expect_whole(m.ask(hello), what + " again");
    EXPECT_EQ(m.second.requests().size(), 3u) << what;
  }
}

TEST(rest, an_ignored_prefill_is_skipped_and_remembered) {
  pair m({.text = whole, .fault = fake::fault::reset, .at = 3}, {.prefill = fake::going_on::ignored});
  m.nodes[1].prefill = true;
  expect_whole(m.ask(hello), "ignored");
  EXPECT_EQ(m.known.takes_prefill(route::make_target_id("second", "fake-model")), false);
}

TEST(rest, what_was_just_said_is_cut_off) {
  for (const auto prefill : {true, false}) {
    pair m({.text = whole, .fault = fake::fault::reset, .at = 6},
           {.prefill = fake::going_on::overlaps, .asked = fake::going_on::overlaps});
    m.nodes[1].prefill = prefill;
    expect_whole(m.ask(hello), prefill ? "prefill" : "asked");
  }
}

TEST(rest, a_remark_is_never_sent_and_the_next_goes_on) {
  pair m({.text = whole, .fault = fake::fault::reset, .at = 3}, {.asked = fake::going_on::preamble});
  m.nodes[1].weight = 1'000'000;
  m.add("third").play({.text = whole});
  const auto got = m.ask(hello);
  expect_whole(got, "remark");
  EXPECT_EQ(got.facts.node, "third");
  ASSERT_EQ(got.story.failed.size(), 2u);
  EXPECT_EQ(got.story.failed[1].fault, "misfit");
  EXPECT_FALSE(got.story.failed[1].streamed);
}

TEST(rest, another_answer_is_never_sent_and_the_first_fault_is_told) {
  pair m({.text = whole, .fault = fake::fault::reset, .at = 3, .asked = fake::going_on::preamble});
  m.first.clear();
  m.first.play({.text = whole, .fault = fake::fault::end, .at = 3, .asked = fake::going_on::preamble});
  m.second.clear();
  m.second.play({.text = "The capital city that you ask for? No idea whatsoever, ask somebody else."});
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::failed);
  EXPECT_TRUE(whole.starts_with(got.text)) << got.text;
  EXPECT_EQ(got.problem.code, "node_cut");
  EXPECT_EQ(got.finishes, 0);
}

TEST(rest, the_only_node_is_asked_again_after_a_pause) {
  mesh m;
  auto& only = m.add("only");
  only.play({.text = whole, .fault = fake::fault::reset, .at = 3, .times = 1});
  only.play({.text = whole});
  const auto got = m.ask(hello);
  expect_whole(got, "only");
  EXPECT_EQ(got.facts.attempts, 2);
}

TEST(rest, several_breaks_are_several_seams) {
  pair m({.text = whole, .fault = fake::fault::reset, .at = 2});
  m.nodes[1].weight = 1'000'000;
  m.second.clear();
  m.second.play({.text = whole, .fault = fake::fault::reset, .at = 12, .times = 1});
  m.add("third").play({.text = whole});
  const auto got = m.ask(hello);
  expect_whole(got, "twice");
  EXPECT_EQ(got.story.failed.size(), 2u);
}

TEST(rest, without_fallback_a_cut_is_an_error) {
  for (const auto fault : {fake::fault::reset, fake::fault::end, fake::fault::truncate, fake::fault::garbage,
                           fake::fault::stall, fake::fault::error_event}) {
    pair m({.text = whole, .fault = fault, .at = 3});
    auto asked = mesh::say(hello);
    asked.mesh.fallback = false;
    const auto got = m.ask(asked);
    EXPECT_EQ(got.ended, progress::failed) << static_cast<int>(fault);
    EXPECT_EQ(got.finishes, 0) << static_cast<int>(fault);
    EXPECT_GE(got.tokens, 3) << static_cast<int>(fault);
    EXPECT_FALSE(got.problem.message.empty());
    EXPECT_GE(got.problem.status, 500);
    EXPECT_TRUE(m.second.requests().empty());
  }
}

TEST(rest, nobody_beyond_reach_goes_on) {
  mesh m;
  m.add("near", tier::local).play({.text = whole, .fault = fake::fault::reset, .at = 3});
  auto& far = m.add("far", tier::cloud);
  auto asked = mesh::say(hello);
  asked.mesh.reach = meshai::reach::device;
  const auto got = m.ask(asked);
  EXPECT_EQ(got.ended, progress::failed);
  EXPECT_TRUE(far.requests().empty());
}

TEST(rest, reasoning_is_begun_again) {
  pair m({.text = whole, .thinking = "Let me think about it first.", .fault = fake::fault::reset, .at = 2});
  const auto got = m.ask(hello);
  expect_whole(got, "thinking");
}

chat::request with_tool(bool stream = true) {
  return *chat::parse_request(
      chat::endpoint::chat_completions,
      std::string(
          R"({"model":"auto","messages":[{"role":"user","content":"weather?"}],"tools":[{"type":"function",)") +
          R"("function":{"name":"weather","parameters":{"type":"object"}}}],"stream":)" +
          (stream ? "true}" : "false}"));
}

struct call_seen {
  std::string id, name, arguments;
  int ids = 0;
};

// Asks for a call and puts its pieces together as a client would.
std::pair<std::optional<progress>, call_seen> ask_for_call(mesh& m) {
  std::pair<std::optional<progress>, call_seen> out;
  m.pretend.spawn([](mesh& in, auto& into) -> task<void> {
    const auto exchange = in.asks.complete(in.make_query(with_tool()));
    std::vector<chat::delta> steps;
    for (;;) {
      const auto came = co_await exchange->next(steps);
      for (const auto& step : steps) {
        for (const auto& piece : step.calls) {
          into.second.ids += !piece.id.empty();
          into.second.id += piece.id;
          into.second.name += piece.name;
          into.second.arguments += piece.arguments;
        }
      }
      if (came == progress::deltas) continue;
      into.first = came;
      co_return;
    }
  }(m, out));
  m.pretend.run([&] { return out.first.has_value(); });
  return out;
}

TEST(rest, a_call_cut_in_its_arguments_is_made_anew_and_joined_where_they_agree) {
  const std::string arguments = R"({"city":"Paris","unit":"celsius","days":3})";
  for (const auto speaks : {fake::protocol::openai, fake::protocol::anthropic}) {
    pair m({.calls = {{"weather", arguments}}, .fault = fake::fault::reset, .at = fake::in_call},
           {.speaks = speaks});
    m.second.clear();
    m.second.play({.calls = {{"weather", arguments}}});
    const auto [ended, call] = ask_for_call(m);
    EXPECT_EQ(ended, progress::end);
    EXPECT_EQ(call.name, "weather");
    EXPECT_EQ(call.arguments, arguments);
    EXPECT_EQ(call.ids, 1);
  }
}

TEST(rest, a_call_with_other_arguments_is_never_stitched) {
  pair m({.calls = {{"weather", R"({"city":"Paris","unit":"celsius"})"}},
          .fault = fake::fault::reset,
          .at = fake::in_call});
  m.first.clear();
  m.first.play({.calls = {{"weather", R"({"city":"Paris","unit":"celsius"})"}},
                .fault = fake::fault::reset,
                .at = fake::in_call});
  m.second.clear();
  m.second.play({.calls = {{"weather", R"({"city":"Rome","unit":"kelvin"})"}}});
  const auto [ended, call] = ask_for_call(m);
  EXPECT_EQ(ended, progress::failed);
  EXPECT_FALSE(call.arguments.contains("Rome") || call.arguments.contains("kelvin")) << call.arguments;
}

// The seam holds back its first words; that they came is no reason to wait for the rest of them for ever.
TEST(rest, one_that_falls_silent_at_the_seam_is_given_up_in_time) {
  mesh m;
  m.limits.idle_timeout = 2s;
  m.add("only").play({.text = "one two three", .fault = fake::fault::stall, .at = 1});
  const auto got = m.ask(hello);
  EXPECT_EQ(got.ended, progress::failed);
  EXPECT_EQ(got.problem.code, "node_timeout");
  EXPECT_LT(got.took, 20s);
}

TEST(rest, the_callers_leave_ends_a_continuation_too) {
  pair m({.text = whole, .fault = fake::fault::reset, .at = 3});
  m.second.clear();
  m.second.play({.fault = fake::fault::stall, .at = -1});
  outcome out;
  {
    env::scope caller(m.world.loop);
    caller.spawn(m.run(m.make_query(mesh::say(hello)), out));
    m.pretend.run([&] { return !m.second.requests().empty(); });
    EXPECT_EQ(m.second.broken_off(), 0);
    caller.cancel();
    m.pretend.run([&] { return m.second.broken_off() == 1; });
  }
  EXPECT_EQ(m.second.broken_off(), 1);
  EXPECT_FALSE(out.ended);
}

// ---- hedges

// Teaches the first node's habits by answers in a steady rhythm.
void teach(pair& m) {
  m.first.clear();
  m.first.play({.text = whole, .gap = 20ms});
  for (int i = 0; i < 40; ++i) m.ask(hello);
  m.first.clear();
}

TEST(hedge, a_stream_that_falls_silent_is_gone_on_with_before_it_is_given_up) {
  pair m({.text = whole});
  teach(m);
  m.first.play({.text = whole, .fault = fake::fault::stall, .at = 3, .gap = 20ms});
  const auto got = m.ask(hello);
  expect_whole(got, "stall");
  EXPECT_EQ(got.facts.node, "second");
  EXPECT_LT(got.took, 2s);  // the idle timeout is 5 s
  ASSERT_EQ(got.story.failed.size(), 1u);
  EXPECT_EQ(got.story.failed[0].node, "first");
  EXPECT_EQ(got.story.failed[0].fault, "silence");
  EXPECT_TRUE(got.story.failed[0].streamed);
}

TEST(hedge, a_first_token_that_is_late_is_asked_for_elsewhere) {
  pair m({.text = whole});
  teach(m);
  m.first.play({.text = whole, .first_token = 1h});
  const auto got = m.ask(hello);
  expect_whole(got, "late");
  EXPECT_LT(got.first_token, 2s);
  EXPECT_EQ(got.facts.node, "second");
}

// ---- this machine's own link

TEST(stranded, an_answer_whose_way_is_gone_is_gone_on_with_at_once) {
  for (const bool stream : {true, false}) {
    mesh m;
    auto& far = m.add("far");
    m.add("here", tier::local).play({.text = whole});
    m.routes = {{"both", {"far", "here"}}};
    m.limits.hedge_share = 0;  // this is no guess
    far.play({.text = whole, .gap = 50ms});
    outcome out;
    m.pretend.spawn(m.run(m.make_query(mesh::say(hello, stream, "both")), out));
    const auto begun = m.pretend.now();
    m.pretend.run([&] { return m.pretend.now() >= begun + 200ms; });
    ASSERT_FALSE(out.ended);
    m.pretend.link_down(m.us);
    m.pretend.run([&] { return out.ended.has_value(); });
    EXPECT_EQ(out.text, whole) << out.problem.message;
    EXPECT_EQ(out.facts.node, "here");
    EXPECT_LT(out.took, 1s);
    ASSERT_EQ(out.story.failed.size(), 1u);
    EXPECT_EQ(out.story.failed[0].fault, "silence");
    // Nor is it dialled while the link is down, and nothing is held against it.
    const auto again = m.ask(mesh::say(hello, stream, "both"));
    EXPECT_EQ(again.text, whole);
    EXPECT_EQ(again.facts.node, "here");
    EXPECT_EQ(again.facts.attempts, 1);
    EXPECT_LT(again.took, 100ms);
    m.pretend.link_up(m.us);
    EXPECT_EQ(m.ask(mesh::say(hello, stream, "both")).facts.node, "far");
  }
}

TEST(stranded, a_link_that_comes_back_costs_nothing_where_nobody_else_is_left) {
  mesh m;
  m.add("far").play({.text = whole, .gap = 50ms});
  outcome out;
  m.pretend.spawn(m.run(m.make_query(mesh::say(hello)), out));
  const auto begun = m.pretend.now();
  m.pretend.run([&] { return m.pretend.now() >= begun + 200ms; });
  m.pretend.link_down(m.us);
  m.pretend.run([&] { return m.pretend.now() >= begun + 2s; });
  m.pretend.link_up(m.us);
  m.pretend.run([&] { return out.ended.has_value(); });
  expect_whole(out, "link");
  EXPECT_EQ(out.facts.attempts, 1);
}

TEST(hedge, one_that_moves_again_stays) {
  pair m({.text = whole});
  teach(m);
  m.second.clear();
  m.second.play({.text = whole, .first_token = 1h});
  m.first.play({.text = whole, .gap = 400ms});
  const auto got = m.ask(hello);
  expect_whole(got, "slow");
  EXPECT_EQ(got.facts.node, "first");
}

TEST(hedge, is_bounded_in_its_share) {
  pair m({.text = whole});
  teach(m);
  m.first.play({.text = whole, .gap = 400ms});
  for (int i = 0; i < 60; ++i) m.ask(hello);
  EXPECT_GT(m.second.requests().size(), 0u);
  EXPECT_LE(m.second.requests().size(), 5u);  // 5 % of a hundred
}

}  // namespace
}  // namespace meshai::dispatch
