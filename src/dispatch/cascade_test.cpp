// An answer of this device that is unsure of itself gives way to one from farther up.
#include <gtest/gtest.h>

#include <cmath>

#include "dispatch/testing.hpp"
#include "env/scope.hpp"

namespace meshai::dispatch {
namespace {

using namespace std::chrono_literals;
using testing::mesh;
using testing::outcome;

const std::string near = "It is four, I think, or it may as well be five, who could ever tell.";
const std::string far = "Two and two are four.";
constexpr std::string_view easy = "What is 2+2?";
constexpr double sure = -0.05, unsure = -1.5;

// A model here, of which each token is as sure as the test says, and one in the cloud.
struct two : mesh {
  explicit two(double logprob, fake::script above = {.text = far}, std::string text = near)
      : here(add("here", tier::local)), cloud(add("cloud")) {
    here.play({.text = std::move(text), .gap = 5ms, .logprob = logprob});
    cloud.play(std::move(above));
    limits.first_token_timeout = 1s;
  }
  bool asked_how_sure() const { return here.requests().at(0).body.contains("logprobs"); }

  fake::provider& here;
  fake::provider& cloud;
};

void expect_answer(const outcome& got, const std::string& text, const std::string& by, const std::string& what) {
  EXPECT_TRUE(got.ended == progress::end || got.ended == progress::answer) << what << got.problem.message;
  EXPECT_EQ(got.text, text) << what;
  EXPECT_EQ(got.finish, chat::finish::stop) << what;
  EXPECT_EQ(got.facts.node, by) << what;
  EXPECT_EQ(got.story.node, by) << what;
}

TEST(cascade, a_sure_answer_stays) {
  for (const bool stream : {true, false}) {
    two m(sure);
    const auto got = m.ask(easy, stream);
    expect_answer(got, near, "here", stream ? "stream" : "whole");
    EXPECT_TRUE(m.asked_how_sure());
    EXPECT_TRUE(m.cloud.requests().empty());
    EXPECT_TRUE(got.story.doubted.empty());
    EXPECT_EQ(got.facts.attempts, 1);
    if (!stream) continue;
    EXPECT_GE(got.first_token, 7 * 5ms);  // eight tokens were held
    EXPECT_LT(got.first_token, 100ms);
  }
}

TEST(cascade, an_unsure_one_gives_way_to_somebody_farther_up) {
  for (const bool stream : {true, false}) {
    two m(unsure);
    const auto got = m.ask(easy, stream);
    expect_answer(got, far, "cloud", stream ? "stream" : "whole");
    EXPECT_EQ(got.facts.attempts, 2);
    EXPECT_EQ(got.facts.answers, 1);
    ASSERT_EQ(got.story.doubted.size(), 1u);
    EXPECT_EQ(got.story.doubted[0].node, "here");
    EXPECT_NEAR(got.story.doubted[0].confidence, std::exp(unsure), 1e-9);
    EXPECT_FALSE(got.story.doubted[0].unknowing);
    EXPECT_TRUE(got.story.failed.empty());
  }
}

TEST(cascade, who_says_that_it_does_not_know_is_believed) {
  for (const bool stream : {true, false}) {
    two m(sure, {.text = far}, "I don't know.");
    const auto got = m.ask(easy, stream);
    expect_answer(got, far, "cloud", stream ? "stream" : "whole");
    ASSERT_EQ(got.story.doubted.size(), 1u);
    EXPECT_TRUE(got.story.doubted[0].unknowing);
  }
}

TEST(cascade, an_unsure_answer_is_better_than_none) {
  using fake::fault;
  for (const bool stream : {true, false}) {
    for (const auto& broken : std::vector<fake::script>{{.text = far, .status = 500},
                                                        {.text = far, .status = 429},
                                                        {.text = far, .status = 400, .type = "invalid_request_error"},
                                                        {.text = far, .fault = fault::reset},
                                                        {.text = far, .fault = fault::html},
                                                        {.text = far, .first_token = 3600s}}) {
      if (!stream && broken.first_token > 0s) continue;  // a whole answer has no first token to wait for
      two m(unsure, broken);
      const auto what = std::to_string(broken.status) + " " + std::to_string(static_cast<int>(broken.fault)) +
                        (stream ? " stream" : " whole");
      const auto got = m.ask(easy, stream);
      expect_answer(got, near, "here", what);
      EXPECT_EQ(got.story.doubted.size(), 1u) << what;
      EXPECT_EQ(got.story.failed.size(), 1u) << what;
      EXPECT_LT(got.took, 2s) << what;
    }
  }
}

TEST(cascade, an_answer_from_above_that_breaks_off_is_gone_on_with) {
  two m(unsure, {.text = far, .fault = fake::fault::reset, .at = 2, .times = 1});
  m.cloud.play({.text = far});
  const auto got = m.ask(easy);
  EXPECT_EQ(got.ended, progress::end) << got.problem.message;
  EXPECT_EQ(got.finishes, 1);
  EXPECT_TRUE(got.text.starts_with("Two and"));
}

TEST(cascade, nothing_is_held_where_nobody_farther_up_may_answer) {
  const auto expect_at_once = [](two& m, const chat::request& what, const std::string& why) {
    const auto got = m.ask(what);
    expect_answer(got, near, "here", why);
    EXPECT_FALSE(m.asked_how_sure()) << why;
    EXPECT_LT(got.first_token, 20ms) << why;
    EXPECT_TRUE(m.cloud.requests().empty()) << why;
  };
  auto within = mesh::say(easy);
  within.mesh.reach = reach::device;
  auto alone = mesh::say(easy);
  alone.mesh.fallback = false;
  for (const auto& [what, why] : {std::pair(within, "reach"), std::pair(alone, "fallback")}) {
    two m(unsure);
    expect_at_once(m, what, why);
  }
  for (const auto wish : {chat::preference::privacy, chat::preference::price}) {
    two m(unsure);
    for (auto& each : m.nodes) each.price = price{.input = each.name == "here" ? 0.0 : 1.0, .output = 1};
    auto wishing = mesh::say(easy);
    wishing.mesh.prefer = wish;
    expect_at_once(m, wishing, "prefer");
  }
  {
    two m(unsure);
    expect_at_once(m, mesh::say(easy, true, "here/fake-model"), "named");
  }
  {
    two m(unsure);
    m.limits.escalate_below = 0;
    expect_at_once(m, mesh::say(easy), "off");
  }
}

TEST(cascade, nothing_is_held_longer_than_a_tenth_of_a_second) {
  std::chrono::nanoseconds first[2];
  for (const bool held : {false, true}) {
    two m(sure);
    if (!held) m.limits.escalate_below = 0;
    m.here.clear();
    m.here.play({.text = near, .gap = 60ms, .logprob = sure});
    const auto got = m.ask(easy);
    expect_answer(got, near, "here", held ? "held" : "at once");
    first[held] = got.first_token;
  }
  EXPECT_EQ(first[1] - first[0], 100ms);
}

TEST(cascade, one_who_will_not_say_how_sure_it_is_is_asked_without_and_remembered) {
  two m(unsure);
  m.here.clear();
  m.here.play({.text = "", .status = 400, .type = "invalid_request_error", .code = "unsupported_parameter",
               .message = "logprobs is not supported", .times = 1});
  m.here.play({.text = near, .logprob = unsure});
  expect_answer(m.ask(easy), near, "here", "first");
  ASSERT_EQ(m.here.requests().size(), 2u);
  EXPECT_TRUE(m.here.requests()[0].body.contains("logprobs"));
  EXPECT_FALSE(m.here.requests()[1].body.contains("logprobs"));
  expect_answer(m.ask("What is 3+3?"), near, "here", "second");
  ASSERT_EQ(m.here.requests().size(), 3u);
  EXPECT_FALSE(m.here.requests()[2].body.contains("logprobs"));
}

TEST(cascade, a_call_of_a_tool_stays) {
  two m(unsure);
  m.here.clear();
  m.here.play({.calls = {{.name = "add", .arguments = R"({"a":2,"b":2})"}}, .logprob = unsure});
  const auto asked = *chat::parse_request(
      chat::endpoint::chat_completions,
      R"({"model":"auto","stream":true,"messages":[{"role":"user","content":"What is 2+2?"}],
          "tools":[{"type":"function","function":{"name":"add","parameters":{"type":"object"}}}]})");
  const auto got = m.ask(asked);
  EXPECT_EQ(got.facts.node, "here");
  EXPECT_TRUE(got.story.doubted.empty());
}

TEST(cascade, the_callers_own_log_probabilities_are_judged_and_stay) {
  two m(unsure);
  auto asked = *chat::parse_request(
      chat::endpoint::chat_completions,
      R"({"model":"auto","stream":true,"logprobs":true,"messages":[{"role":"user","content":"What is 2+2?"}]})");
  expect_answer(m.ask(asked), far, "cloud", "asked for");
}

TEST(cascade, who_leaves_stops_everybody) {
  two m(unsure, {.text = far, .fault = fake::fault::stall, .at = -1});
  m.here.clear();
  m.here.play({.text = near, .fault = fake::fault::endless, .gap = 5ms, .logprob = unsure});
  outcome out;
  {
    env::scope caller(m.world.loop);
    caller.spawn(m.run(m.make_query(mesh::say(easy)), out));
    m.pretend.run([&] { return !m.cloud.requests().empty(); });
    EXPECT_EQ(m.here.broken_off(), 0);
  }
  m.pretend.run([&] { return m.cloud.broken_off() + m.here.broken_off() == 2; });
  EXPECT_EQ(m.cloud.broken_off(), 1);
  EXPECT_EQ(m.here.broken_off(), 1);
}

}  // namespace
}  // namespace meshai::dispatch
