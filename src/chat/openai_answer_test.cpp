// Whole answers and errors, as providers send them and as callers get them.
#include <array>

#include "chat/testing.hpp"

namespace meshai::chat {
namespace {

using testing::at;

const target from{.dialect = dialect::openai, .model = "m"};
const story told{.request_id = "r1", .node = "here", .model = "m", .dropped = {"seed"}};

request asked(bool foreign = false, endpoint door = endpoint::chat_completions) {
  request of;
  of.dialect = foreign ? dialect::anthropic : dialect::openai;
  of.endpoint = door;
  return of;
}

constexpr std::string_view body =
    R"({"id":"theirs","object":"chat.completion","created":1,"model":"p","odd":{"x":1},
    "choices":[{"index":0,"message":{"role":"assistant","content":"4","reasoning_content":"2+2","odd":2},
    "logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}})";

TEST(openai_answer, passes_to_its_own_dialect_with_all_it_holds) {
  const auto got = read_answer(asked(), from, body);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->model, "p");
  EXPECT_EQ(got->usage.input, 3);
  const auto out = write_answer(asked(), *got, {.id = "chatcmpl-1", .created = 5, .model = "m"}, told);
  EXPECT_EQ(at(out, "/id") + at(out, "/created") + at(out, "/model"), "\"chatcmpl-1\"5\"m\"");
  EXPECT_EQ(at(out, "/odd/x") + at(out, "/choices/0/message/odd"), "12");
  EXPECT_EQ(at(out, "/mesh/dropped"), R"(["seed"])");
}

TEST(openai_answer, is_written_anew_from_its_parts) {
  answer whole{.usage = {.input = 2, .output = 3, .known = true}};
  choice one{.finish = finish::tool_calls};
  one.parts.push_back(
      {.kind = part_kind::reasoning, .thought = {.text = "hm", .signature = "sig", .from = dialect::anthropic}});
  one.parts.push_back({.kind = part_kind::tool_call, .call = {.id = "c", .name = "f", .signature = "g"}});
  whole.choices.push_back(one);
  const auto out = write_answer(asked(), whole, {.id = "chatcmpl-1", .created = 5, .model = "m"}, told);
  EXPECT_EQ(at(out, "/choices/0/message"),
            R"({"role":"assistant","content":null,"refusal":null,"reasoning_content":"hm","reasoning_details":[)"
            R"({"type":"reasoning.text","text":"hm","signature":"sig","format":"anthropic-claude-v1","index":0}],)"
            R"("tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"},)"
            R"("extra_content":{"google":{"thought_signature":"g"}}}]})");
  EXPECT_EQ(at(out, "/choices/0/finish_reason"), "\"tool_calls\"");
  EXPECT_EQ(at(out, "/usage/total_tokens"), "5");

  auto legacy = asked();
  legacy.legacy_functions = true;
  const auto older = write_answer(legacy, whole, {}, told);
  EXPECT_EQ(at(older, "/choices/0/message/function_call/name"), "\"f\"");
  EXPECT_EQ(at(older, "/choices/0/finish_reason"), "\"function_call\"");

  answer refused;
  refused.choices.push_back({.refusal = "no", .finish = finish::refusal});
  const auto no = write_answer(asked(), refused, {}, told);
  EXPECT_EQ(at(no, "/choices/0/message/refusal") + at(no, "/choices/0/message/content"), "\"no\"null");
  EXPECT_EQ(at(no, "/choices/0/finish_reason"), "\"content_filter\"");
  EXPECT_EQ(at(no, "/usage"), "null");
}

TEST(openai_answer, mends_what_servers_leave_out) {
  const auto got = read_answer(asked(), from, R"({"choices":[{"message":{"content":null,"tool_calls":[
      {"function":{"name":"f","arguments":{"a":1}}}]},"finish_reason":"stop"}]})");
  ASSERT_TRUE(got);
  const auto& one = got->choices[0];
  EXPECT_EQ(one.finish, finish::tool_calls);
  EXPECT_EQ(one.parts[0].call.arguments, R"({"a":1})");
  EXPECT_FALSE(one.parts[0].call.id.empty());
  EXPECT_TRUE(got->native.empty());  // its own words would leave the caller without them
  EXPECT_FALSE(got->usage.known);
}

TEST(openai_answer, completions_and_embeddings) {
  const auto text = read_answer(asked(true, endpoint::completions), from,
                                R"({"choices":[{"text":"bc","finish_reason":"length"}]})");
  ASSERT_TRUE(text);
  EXPECT_EQ(text->choices[0].parts[0].text, "bc");
  const auto out = write_answer(asked(false, endpoint::completions), *text, {.id = "cmpl-1"}, told);
  EXPECT_EQ(at(out, "/object") + at(out, "/choices/0/text"), "\"text_completion\"\"bc\"");

  const auto vectors =
      read_answer(asked(false, endpoint::embeddings), from,
                  R"({"object":"list","data":[{"embedding":[0.5]}],"usage":{"prompt_tokens":2}})");
  ASSERT_TRUE(vectors);
  EXPECT_EQ(vectors->usage.input, 2);
  const auto listed = write_answer(asked(false, endpoint::embeddings), *vectors, {.id = "x", .model = "e"}, told);
  EXPECT_EQ(at(listed, "/data/0/embedding") + at(listed, "/model") + at(listed, "/id"), "[5E-1]\"e\"absent");
}

TEST(openai_answer, an_error_with_status_200_is_an_error) {
  for (const auto text : {R"({"error":{"message":"busy","type":"overloaded_error"}})",
                          R"({"object":"error","message":"busy","type":"overloaded_error"})"}) {
    const auto got = read_answer(asked(), from, text);
    ASSERT_FALSE(got);
    EXPECT_FALSE(got.error().malformed);
    EXPECT_EQ(got.error().said.type + got.error().said.message, "overloaded_errorbusy");
  }
}

TEST(openai_answer, takes_no_garbage) {
  for (const auto text : {"", "<html>", "{}", "[]", R"({"choices":[]})", R"({"choices":[7]})",
                          R"({"choices":[{}]})", R"({"choices":[{"message":{"content":"cut)"}) {
    const auto got = read_answer(asked(), from, text);
    ASSERT_FALSE(got) << text;
    EXPECT_TRUE(got.error().malformed) << text;
  }
  EXPECT_FALSE(read_answer(asked(false, endpoint::embeddings), from, R"({"choices":[]})"));
}

TEST(openai_answer, reads_errors_whatever_is_in_the_body) {
  struct shape {
    std::string_view body, type, code, message;
  };
  const std::array shapes{
      shape{R"({"error":{"message":"m","type":"t","code":"c","param":"p"}})", "t", "c", "m"},
      shape{R"({"error":{"message":"m","code":429}})", "", "429", "m"},
      shape{R"({"error":"m"})", "", "", "m"},
      shape{R"({"object":"error","message":"m","type":"t","code":404})", "t", "404", "m"},
      shape{R"({"detail":"m"})", "", "", "m"},
      shape{R"({"message":"m","type":"t"})", "t", "", "m"},
      shape{"upstream is down\n", "", "", "upstream is down"},
      shape{"<html><body>502</body></html>", "", "", ""},
      shape{"", "", "", ""},
      shape{"{\"error\":", "", "", ""},
  };
  for (const auto& [text, type, code, message] : shapes) {
    const auto got = read_error(dialect::openai, 502, text);
    EXPECT_EQ(got.status, 502) << text;
    EXPECT_EQ(got.type, type) << text;
    EXPECT_EQ(got.code, code) << text;
    EXPECT_EQ(got.message, message) << text;
  }
  const auto big =
      read_error(dialect::openai, 500, R"({"error":{"message":")" + std::string(9000, 'x') + R"("}})");
  EXPECT_EQ(big.message.size(), 2048u);
}

TEST(openai_answer, problems_have_all_their_members) {
  const auto out = write_problem(endpoint::chat_completions,
                                 {.status = 404,
                                  .type = "not_found_error",
                                  .code = "model_not_found",
                                  .param = "model",
                                  .message = "no \"x\"",
                                  .hint = "ask for y"},
                                 "r1");
  testing::expect_json(out, R"({"error":{"message":"no \"x\"","type":"not_found_error","param":"model",
      "code":"model_not_found","hint":"ask for y"},"mesh":{"request_id":"r1"}})");
}

}  // namespace
}  // namespace meshai::chat
