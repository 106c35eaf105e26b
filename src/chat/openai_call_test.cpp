// What a caller of the same dialect sent, as the provider gets it.
#include "chat/testing.hpp"

namespace meshai::chat {
namespace {

using testing::at;

upstream_call call(std::string_view body, target to, endpoint door = endpoint::chat_completions) {
  to.dialect = dialect::openai;
  const auto of = parse_request(door, body);
  EXPECT_TRUE(of) << of.error().message;
  auto out = of ? write_request(*of, to) : upstream_call{};
  EXPECT_TRUE(out) << out.error().message;
  return out ? std::move(*out) : upstream_call{};
}

TEST(openai_call, passes_every_other_byte_on) {
  const auto got = call(R"({"model":"auto", "messages":[{"role":"user","content":"h\u0069"}],
"temperature":1.0,"odd":{"x":[1,  2]},"mesh":{"drop":true}})",
                        {.model = "gpt \"4\""});
  EXPECT_EQ(got.path, "/chat/completions");
  EXPECT_EQ(got.body, R"({"messages":[{"role":"user","content":"h\u0069"}],"temperature":1.0,"odd":{"x":[1,  2]},)"
                      R"("model":"gpt \"4\""})");
  EXPECT_TRUE(got.dropped.empty());
}

TEST(openai_call, always_asks_for_usage_of_a_stream) {
  constexpr std::string_view body = R"({"model":"m","messages":[{"role":"user","content":"x"}],"stream":false,
      "stream_options":{"include_usage":false,"include_obfuscation":false}})";
  const auto streamed = call(body, {.model = "m", .stream = true}).body;
  EXPECT_EQ(at(streamed, "/stream"), "true");
  EXPECT_EQ(at(streamed, "/stream_options"), R"({"include_obfuscation":false,"include_usage":true})");
  const auto whole = call(body, {.model = "m"}).body;
  EXPECT_EQ(at(whole, "/stream") + at(whole, "/stream_options"), "absentabsent");
}

TEST(openai_call, names_the_limit_as_the_provider_does) {
  for (const std::string_view name : {"max_tokens", "max_completion_tokens"}) {
    const auto body =
        R"({"model":"m","messages":[{"role":"user","content":"x"}],")" + std::string(name) + R"(":7})";
    const auto own = call(body, {.model = "m", .max_completion_tokens = true}).body;
    EXPECT_EQ(at(own, "/max_completion_tokens") + at(own, "/max_tokens"), "7absent");
    const auto other = call(body, {.model = "m"}).body;
    EXPECT_EQ(at(other, "/max_completion_tokens") + at(other, "/max_tokens"), "absent7");
  }
}

TEST(openai_call, only_openai_knows_developers) {
  constexpr std::string_view body =
      R"({"model":"m","messages":[{"role":"developer","content":"d"},{"role":"user","content":"x","odd":1}]})";
  EXPECT_EQ(at(call(body, {.model = "m", .max_completion_tokens = true}).body, "/messages/0/role"),
            "\"developer\"");
  const auto other = call(body, {.model = "m"}).body;
  EXPECT_EQ(at(other, "/messages/0/role"), "\"system\"");
  EXPECT_EQ(at(other, "/messages/1"), R"({"role":"user","content":"x","odd":1})");
}

TEST(openai_call, openai_gets_no_reasoning_of_others_back) {
  constexpr std::string_view body = R"({"model":"m","messages":[{"role":"user","content":"x"},
      {"role":"assistant","content":null,"reasoning_content":"r","reasoning_details":[{"type":"reasoning.text",
      "text":"r","signature":"s","format":"anthropic-claude-v1"}],"tool_calls":[{"id":"c","type":"function",
      "function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"g"}}}]},
      {"role":"tool","tool_call_id":"c","content":"1"}]})";
  const auto own = call(body, {.model = "m", .max_completion_tokens = true});
  EXPECT_EQ(at(own.body, "/messages/1"),
            R"({"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",)"
            R"("function":{"name":"f","arguments":"{}"}}]})");
  EXPECT_EQ(own.dropped, std::vector<std::string>{"reasoning"});
  const auto other = call(body, {.model = "m"});
  EXPECT_EQ(at(other.body, "/messages/1/reasoning_content"), "\"r\"");
  EXPECT_EQ(at(other.body, "/messages/1/tool_calls/0/extra_content/google/thought_signature"), "\"g\"");
  EXPECT_TRUE(other.dropped.empty());
}

TEST(openai_call, of_members_that_stand_twice_the_last_goes_on) {
  const auto got = call(R"({"model":"m","messages":[{"role":"user","content":"q"},
    {"role":"assistant","reasoning_content":"r",
     "tool_calls":[{"id":"a","type":"function","function":{"name":"a","arguments":"{}"},"extra_content":{"x":1}}],
     "tool_calls":[{"id":"b","type":"function","function":{"name":"b","arguments":"{}"},"extra_content":{"x":1}}]},
    {"role":"tool","tool_call_id":"b","content":"1"}]})",
                        {.model = "gpt", .max_completion_tokens = true});
  testing::expect_json(at(got.body, "/messages/1"), R"({"role":"assistant",
    "tool_calls":[{"id":"b","type":"function","function":{"name":"b","arguments":"{}"}}]})");
}

TEST(openai_call, refuses_a_url_that_the_provider_would_not_fetch) {
  const auto of = parse_request(endpoint::chat_completions, R"({"model":"m","messages":[{"role":"user","content":[
      {"type":"image_url","image_url":{"url":"http://169.254.169.254/"}}]}]})");
  ASSERT_TRUE(of);
  const auto refused = write_request(*of, {.dialect = dialect::openai, .model = "m", .urls = false});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code + " " + refused.error().param, "unsupported_parameter image_url");
  EXPECT_TRUE(write_request(*of, {.dialect = dialect::openai, .model = "m"}));
}

TEST(openai_call, other_doors_keep_their_paths) {
  const auto text = call(R"({"model":"m","prompt":[1,2],"max_tokens":3,"suffix":"s"})",
                         {.model = "n", .stream = true, .max_completion_tokens = true}, endpoint::completions);
  EXPECT_EQ(text.path, "/completions");
  EXPECT_EQ(at(text.body, "/max_tokens") + at(text.body, "/prompt") + at(text.body, "/suffix"), "3[1,2]\"s\"");
  const auto vectors = call(R"({"model":"m","input":"x","dimensions":3})", {.model = "e"}, endpoint::embeddings);
  EXPECT_EQ(vectors.path, "/embeddings");
  EXPECT_EQ(vectors.body, R"({"input":"x","dimensions":3,"model":"e"})");
}

TEST(openai_call, what_another_dialect_has_no_door_for_is_refused) {
  const auto vectors = parse_request(endpoint::embeddings, R"({"model":"m","input":"x","mesh":{"drop":true}})");
  const auto tokens = parse_request(endpoint::completions, R"({"model":"m","prompt":[1],"mesh":{"drop":true}})");
  ASSERT_TRUE(vectors && tokens);
  for (const auto to : {dialect::anthropic, dialect::gemini}) {
    EXPECT_EQ(write_request(*vectors, {.dialect = to, .model = "m"}).error().code, "unsupported_parameter");
    EXPECT_EQ(write_request(*tokens, {.dialect = to, .model = "m"}).error().param, "prompt");
  }
}

}  // namespace
}  // namespace meshai::chat
