// The stream that a caller gets.
#include <array>

#include "chat/testing.hpp"

namespace meshai::chat {
namespace {

using testing::at;

const story told{.request_id = "r1", .node = "here", .model = "small", .where = tier::local, .attempts = 2};

struct caller {
  request of;
  std::unique_ptr<stream_writer> writer;
  std::string out;

  explicit caller(request asked = {}) : of(std::move(asked)) {
    writer = make_stream_writer(of, {.id = "chatcmpl-1", .created = 1700000000, .model = "m"});
  }
  void step(delta d) { writer->step(d, out); }
  std::vector<std::string> end(const usage& counts = {}) {
    writer->end(counts, told, out);
    return data();
  }
  std::vector<std::string> data() const {
    std::vector<std::string> all;
    for (auto& event : testing::events(out)) all.push_back(std::move(event.data));
    return all;
  }
};

request with_usage() {
  request of;
  of.include_usage = true;
  return of;
}

TEST(openai_events, one_role_one_finish_and_the_story_at_the_end) {
  caller c;
  c.step({.text = "4"});
  c.step({.finish = finish::stop});
  c.step({.finish = finish::stop});
  const auto got = c.end({.input = 1, .output = 1, .known = true});
  ASSERT_EQ(got.size(), 4u);
  EXPECT_EQ(got[0],
            R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[)"
            R"({"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]})");
  EXPECT_EQ(at(got[1], "/choices/0/delta"), R"({"content":"4"})");
  EXPECT_EQ(at(got[1], "/mesh"), "absent");
  EXPECT_EQ(at(got[2], "/choices/0/finish_reason"), "\"stop\"");
  EXPECT_EQ(at(got[2], "/mesh"),
            R"({"request_id":"r1","node":"here","model":"small","tier":"local","attempts":2})");
  EXPECT_EQ(got[3], "[DONE]");
  for (const auto& chunk : got) EXPECT_EQ(chunk.find("\"usage\""), std::string::npos);
}

TEST(openai_events, usage_only_for_those_who_ask) {
  caller c(with_usage());
  c.step({.text = "4"});
  c.step({.finish = finish::stop});
  const auto got = c.end({.input = 5, .output = 2, .cached = 3, .reasoning = 1, .known = true});
  ASSERT_EQ(got.size(), 5u);
  EXPECT_EQ(at(got[1], "/usage"), "null");
  EXPECT_EQ(at(got[2], "/mesh"), "absent");
  EXPECT_EQ(at(got[3], "/choices"), "[]");
  EXPECT_EQ(
      at(got[3], "/usage"),
      R"({"prompt_tokens":5,"completion_tokens":2,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":3},)"
      R"("completion_tokens_details":{"reasoning_tokens":1}})");
  EXPECT_EQ(at(got[3], "/mesh/request_id"), "\"r1\"");

  caller unknown(with_usage());
  unknown.step({.text = "4", .finish = finish::stop});
  EXPECT_EQ(at(unknown.end()[2], "/usage"), "null");  // no invented counts
}

TEST(openai_events, native_chunks_pass_with_what_they_hold) {
  caller c(with_usage());
  c.writer->model("gpt-x");
  c.step(
      {.text = "a",
       .native =
           R"({"id":"theirs","object":"o","created":1,"model":"p","service_tier":"default","mesh":{"node":"n"},)"
           R"("choices":[{"index":0,"delta":{"content":"a"},"odd":1}],"usage":null})"});
  const usage counts{.input = 3, .output = 1, .known = true};
  delta last{.finish = finish::stop};
  last.native = R"({"id":"theirs","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})";
  c.step(last);
  delta counted{.usage = counts};
  counted.native = R"({"id":"theirs","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,"cost":0.5}})";
  c.step(counted);
  const auto got = c.end(counts);
  ASSERT_EQ(got.size(), 5u);
  EXPECT_EQ(
      got[1],
      R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-x","usage":null,)"
      R"("service_tier":"default","choices":[{"index":0,"delta":{"content":"a"},"odd":1}]})");
  EXPECT_EQ(at(got[3], "/usage/cost"), "5E-1");  // the provider's own counts, with all it told
}

TEST(openai_events, native_usage_does_not_speak_for_another_delivery) {
  caller c(with_usage());
  delta counted{.text = "a", .finish = finish::stop, .usage = usage{.input = 3, .output = 1, .known = true}};
  counted.native =
      R"({"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"cost":1}})";
  c.step(counted);
  EXPECT_EQ(at(c.end({.input = 3, .output = 9, .known = true})[2], "/usage/completion_tokens"), "9");
}

TEST(openai_events, hides_usage_that_was_not_asked_for) {
  caller c;
  delta last{.text = "a", .finish = finish::stop, .usage = usage{.input = 3, .output = 1, .known = true}};
  last.native = R"({"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"x":1}})";
  c.step(last);
  delta counted{.usage = usage{.input = 3, .output = 1, .known = true}};
  counted.native = R"({"choices":[],"usage":{"x":1}})";
  c.step(counted);
  const auto got = c.end({.input = 3, .output = 1, .known = true});
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(c.out.find("usage"), std::string::npos);
}

TEST(openai_events, each_choice_has_its_role_and_its_finish) {
  caller c;
  c.step({.choice = 0, .text = "a"});
  c.step({.choice = 1, .text = "b"});
  c.step({.choice = 1, .finish = finish::length});
  c.step({.choice = 0, .text = "c"});
  c.step({.choice = 0, .finish = finish::stop});
  const auto got = c.end();
  ASSERT_EQ(got.size(), 8u);
  EXPECT_EQ(at(got[2], "/choices/0/delta/role"), "\"assistant\"");
  EXPECT_EQ(at(got[2], "/choices/0/index"), "1");
  EXPECT_EQ(at(got[4], "/choices/0/delta/content"), "\"c\"");
  EXPECT_EQ(at(got[5], "/choices/0/finish_reason"), "\"length\"");
  EXPECT_EQ(at(got[5], "/mesh"), "absent");
  EXPECT_EQ(at(got[6], "/choices/0/finish_reason"), "\"stop\"");
  EXPECT_NE(at(got[6], "/mesh"), "absent");
}

TEST(openai_events, calls_reasoning_and_refusals) {
  caller c;
  c.step({.thought = {.text = "hm", .from = dialect::anthropic}});
  c.step({.thought = {.text = "so", .from = dialect::anthropic}});
  c.step({.thought = {.signature = "sig", .from = dialect::anthropic}});
  c.step({.thought = {.redacted = "dark", .from = dialect::anthropic}});
  c.step({.thought = {.text = "plain"}});
  c.step({.refusal = "no"});
  c.step({.calls = {{.index = 0, .id = "c1", .name = "f", .arguments = "", .signature = "g"}}});
  c.step({.calls = {{.index = 0, .arguments = "{}"}}});
  c.step({.finish = finish::tool_calls});
  const auto got = c.end();
  const auto change = [&](std::size_t i) { return at(got[i], "/choices/0/delta"); };
  EXPECT_EQ(change(1), R"({"reasoning_content":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm",)"
                       R"("format":"anthropic-claude-v1","index":0}]})");
  // The format once: clients that join what repeats would join it too.
  EXPECT_EQ(change(2),
            R"({"reasoning_content":"so","reasoning_details":[{"type":"reasoning.text","text":"so","index":0}]})");
  EXPECT_EQ(change(3), R"({"reasoning_details":[{"type":"reasoning.text","signature":"sig","index":0}]})");
  EXPECT_EQ(change(4), R"({"reasoning_details":[{"type":"reasoning.encrypted","data":"dark",)"
                       R"("format":"anthropic-claude-v1","index":1}]})");
  EXPECT_EQ(change(5), R"({"reasoning_content":"plain"})");
  EXPECT_EQ(change(6), R"({"refusal":"no"})");
  EXPECT_EQ(change(7), R"({"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f",)"
                       R"("arguments":""},"extra_content":{"google":{"thought_signature":"g"}}}]})");
  EXPECT_EQ(change(8), R"({"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]})");
  EXPECT_EQ(at(got[9], "/choices/0/finish_reason"), "\"tool_calls\"");
}

TEST(openai_events, the_older_functions_get_their_own_form) {
  request of;
  of.legacy_functions = true;
  caller c(of);
  c.step({.calls = {{.index = 0, .id = "c1", .name = "f", .arguments = "{}"}}});
  c.step({.finish = finish::tool_calls});
  const auto got = c.end();
  EXPECT_EQ(at(got[1], "/choices/0/delta"), R"({"function_call":{"name":"f","arguments":"{}"}})");
  EXPECT_EQ(at(got[2], "/choices/0/finish_reason"), "\"function_call\"");
}

TEST(openai_events, completions_have_their_own_shape) {
  request of;
  of.endpoint = endpoint::completions;
  caller c(of);
  c.step({.text = "once"});
  c.step({.finish = finish::length});
  const auto got = c.end();
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(at(got[0], "/object"), "\"text_completion\"");
  EXPECT_EQ(at(got[0], "/choices"), R"([{"index":0,"text":"once","logprobs":null,"finish_reason":null}])");
  EXPECT_EQ(at(got[1], "/choices/0/finish_reason"), "\"length\"");
}

TEST(openai_events, the_model_may_change_on_the_way) {
  caller c;
  c.writer->model("first");
  c.step({.text = "a"});
  c.writer->model("second");
  c.step({.text = "b", .finish = finish::stop});
  const auto got = c.end();
  EXPECT_EQ(at(got[1], "/model") + at(got[2], "/model"), "\"first\"\"second\"");
  EXPECT_EQ(at(got[1], "/id"), at(got[2], "/id"));
}

TEST(openai_events, a_failure_is_never_taken_for_a_whole_answer) {
  caller c;
  c.step({.text = "a"});
  c.step({.finish = finish::stop});
  c.writer->fail({.status = 502, .type = "api_error", .code = "upstream_lost", .message = "gone", .hint = "again"},
                 told, c.out);
  const auto got = c.data();
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(at(got[2], "/error"),
            R"({"message":"gone","type":"api_error","param":null,"code":"upstream_lost","hint":"again"})");
  EXPECT_EQ(at(got[2], "/mesh/attempts"), "2");
  EXPECT_EQ(c.out.find("[DONE]"), std::string::npos);
  EXPECT_EQ(c.out.find("\"stop\""), std::string::npos);
}

}  // namespace
}  // namespace meshai::chat
