#include "chat/anthropic.hpp"
#include "chat/anthropic_words.hpp"
#include "chat/testing.hpp"

namespace meshai::chat::anthropic {
namespace {

using testing::at;

const story told{.request_id = "req_1", .node = "here", .model = "m", .where = tier::local, .attempts = 1};
const target claude{.dialect = dialect::anthropic, .model = "claude"};

constexpr std::string_view whole =
    R"({"id":"msg_p","type":"message","role":"assistant","model":"claude-x","content":[
      {"type":"thinking","thinking":"hm","signature":"S"},{"type":"text","text":"Hi","citations":null},
      {"type":"tool_use","id":"a","name":"get","input":{"x":1.0}},
      {"type":"server_tool_use","id":"s","name":"w","input":{}}],
      "stop_reason":"tool_use","stop_sequence":null,
      "usage":{"input_tokens":5,"cache_read_input_tokens":2,"output_tokens":7},
      "container":{"id":"c"}})";

TEST(anthropic_answer, reads_a_whole_answer) {
  const auto got = anthropic::read_answer({}, claude, whole);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->model, "claude-x");
  ASSERT_EQ(got->choices.size(), 1u);
  const auto& parts = got->choices[0].parts;
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].thought.signature, "S");
  EXPECT_EQ(parts[1].text, "Hi");
  EXPECT_EQ(parts[2].call.arguments, R"({"x":1.0})");
  EXPECT_EQ(parts[3].kind, part_kind::other);
  EXPECT_EQ(got->choices[0].finish, finish::tool_calls);
  EXPECT_EQ(got->usage.input, 7);
  EXPECT_EQ(got->usage.output, 7);
  EXPECT_TRUE(got->native.empty());
}

TEST(anthropic_answer, passes_its_own_dialect_through_with_the_story) {
  const request of{.dialect = dialect::anthropic};
  const auto got = anthropic::read_answer(of, claude, whole);
  ASSERT_TRUE(got);
  const auto written = anthropic::write_answer(of, *got, {.id = "msg_ours", .model = "claude-x"}, told);
  EXPECT_EQ(at(written, "/id"), R"("msg_p")");
  EXPECT_EQ(at(written, "/container/id"), R"("c")");
  EXPECT_NE(written.find(R"("input":{"x":1.0})"), std::string::npos);
  EXPECT_EQ(at(written, "/mesh/tier"), R"("local")");
}

TEST(anthropic_answer, writes_the_answer_of_another_provider) {
  answer of{.model = "gpt",
            .choices = {{.parts = {{.kind = part_kind::reasoning, .thought = {.text = "hm"}},
                                   {.text = "Hi"},
                                   {.kind = part_kind::tool_call,
                                    .call = {.id = "a", .name = "get", .arguments = R"({"x":1})"}},
                                   {.kind = part_kind::tool_call,
                                    .call = {.id = "b", .name = "get", .arguments = "{oops"}}},
                         .finish = finish::tool_calls}},
            .usage = {.input = 3, .output = 4, .cached = 1, .known = true}};
  const auto written = anthropic::write_answer({}, of, {.id = "msg_1", .model = "gpt"}, told);
  testing::expect_json(written, R"({"id":"msg_1","type":"message","role":"assistant","model":"gpt","content":[
    {"type":"thinking","thinking":"hm","signature":"meshai:openai:"},{"type":"text","text":"Hi"},
    {"type":"tool_use","id":"a","name":"get","input":{"x":1}},
    {"type":"tool_use","id":"b","name":"get","input":{"arguments":"{oops"}}],
    "stop_reason":"tool_use","stop_sequence":null,
    "usage":{"input_tokens":2,"cache_creation_input_tokens":0,"cache_read_input_tokens":1,"output_tokens":4},
    "mesh":{"request_id":"req_1","node":"here","model":"m","tier":"local","attempts":1}})");
}

TEST(anthropic_answer, a_signed_call_lends_its_signature_to_the_thought_before_it) {
  const part call{.kind = part_kind::tool_call,
                  .call = {.id = "a", .name = "get", .arguments = "{}", .signature = "G"}};
  const part thought{.kind = part_kind::reasoning, .thought = {.text = "hm", .from = dialect::gemini}};
  const auto content = [](std::vector<part> parts) {
    const answer of{.choices = {{.parts = std::move(parts)}}};
    return at(anthropic::write_answer({}, of, {.id = "m"}, told), "/content");
  };
  const std::string use = R"({"type":"tool_use","id":"a","name":"get","input":{}})";
  EXPECT_EQ(content({thought, call}),
            R"([{"type":"thinking","thinking":"hm","signature":"meshai:call:G"},)" + use + "]");
  EXPECT_EQ(content({call}), R"([{"type":"thinking","thinking":"","signature":"meshai:call:G"},)" + use + "]");
}

TEST(anthropic_answer, an_error_body_with_200_is_what_the_provider_said) {
  const auto got =
      anthropic::read_answer({}, claude, R"({"type":"error","error":{"type":"api_error","message":"oh"}})");
  ASSERT_FALSE(got);
  EXPECT_FALSE(got.error().malformed);
  EXPECT_EQ(got.error().said.type, "api_error");
}

TEST(anthropic_answer, garbage_is_malformed) {
  for (const auto* body :
       {"", "<html>502</html>", "[]", "{}", R"({"content":[],"stop_reason":null})",
        R"({"content":"x","stop_reason":"end_turn"})", R"({"content":[1],"stop_reason":"end_turn"})",
        R"({"content":[{"type":"text"}],"stop_reason":"end_turn"})"}) {
    const auto got = anthropic::read_answer({}, claude, body);
    ASSERT_FALSE(got) << body;
    EXPECT_TRUE(got.error().malformed) << body;
  }
}

TEST(anthropic_answer, reads_errors_of_every_form) {
  const auto plain = read_error(
      429,
      R"({"type":"error","error":{"type":"rate_limit_error","message":"slow","details":{"error_code":"c"}}})");
  EXPECT_EQ(plain.status, 429);
  EXPECT_EQ(plain.type, "rate_limit_error");
  EXPECT_EQ(plain.message, "slow");
  EXPECT_EQ(plain.code, "c");
  EXPECT_EQ(read_error(502, "<html>Bad gateway</html>").message, "");
  EXPECT_EQ(read_error(502, " upstream gone\n").message, "upstream gone");
  EXPECT_EQ(read_error(500, "").message, "");
  EXPECT_EQ(read_error(500, R"({"error":{"message":")" + std::string(5000, 'x') + R"("}})").message.size(), 2048u);
}

TEST(anthropic_answer, problems_have_the_types_of_the_protocol) {
  const auto type = [](int status, std::string words = {}) {
    return at(anthropic::write_problem({.status = status, .type = std::move(words), .message = "m"}, "r"),
              "/error/type");
  };
  EXPECT_EQ(type(400), R"("invalid_request_error")");
  EXPECT_EQ(type(422), R"("invalid_request_error")");
  EXPECT_EQ(type(401), R"("authentication_error")");
  EXPECT_EQ(type(403), R"("permission_error")");
  EXPECT_EQ(type(404), R"("not_found_error")");
  EXPECT_EQ(type(413), R"("request_too_large")");
  EXPECT_EQ(type(429), R"("rate_limit_error")");
  EXPECT_EQ(type(500), R"("api_error")");
  EXPECT_EQ(type(503), R"("api_error")");
  EXPECT_EQ(type(503, "overloaded_error"), R"("overloaded_error")");
  EXPECT_EQ(type(504), R"("timeout_error")");
  EXPECT_EQ(type(529), R"("overloaded_error")");
  testing::expect_json(
      anthropic::write_problem(
          {.status = 400, .code = "unsupported_parameter", .param = "n", .message = "m", .hint = "h"}, "req"),
      R"({"type":"error","error":{"type":"invalid_request_error","message":"m","code":"unsupported_parameter","param":"n",
          "hint":"h"},"request_id":"req"})");
}

TEST(anthropic_answer, reads_a_count) {
  const request of{.dialect = dialect::anthropic, .endpoint = endpoint::count_tokens};
  const auto got = anthropic::read_answer(of, claude, R"({"input_tokens":14})");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->usage.input, 14);
  EXPECT_FALSE(anthropic::read_answer(of, claude, R"({"input_tokens":"many"})"));
  EXPECT_FALSE(anthropic::read_answer(of, claude, "{}"));
}

TEST(anthropic_answer, writes_a_count) {
  EXPECT_EQ(write_token_count(42), R"({"input_tokens":42})");
}

TEST(anthropic_words, seals_come_back_as_they_went) {
  for (const auto from : {dialect::openai, dialect::gemini, dialect::anthropic}) {
    const auto text = seal({.signature = "a:b=", .from = from});
    const auto back = unseal(text);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->from, from);
    EXPECT_EQ(back->signature, "a:b=");
    EXPECT_FALSE(back->on_call);
  }
  const auto call = seal_of_call("s");
  EXPECT_TRUE(unseal(call)->on_call);
  EXPECT_FALSE(unseal("meshai:nobody:x"));
  EXPECT_FALSE(unseal("meshai:"));
}

TEST(anthropic_words, knows_the_generation_of_a_model) {
  EXPECT_EQ(generation_of("claude-opus-4-6"), (generation{4, 6}));
  EXPECT_EQ(generation_of("claude-3-7-sonnet-20250219"), (generation{3, 7}));
  EXPECT_EQ(generation_of("claude-sonnet-4-20250514"), (generation{4, 0}));
  EXPECT_EQ(generation_of("us.anthropic.claude-haiku-4-5-20251001-v1:0"), (generation{4, 5}));
  EXPECT_EQ(generation_of("claude-fable-5"), (generation{5, 0}));
  EXPECT_FALSE(generation_of("kimi-k2"));
  EXPECT_FALSE(generation_of("claude-latest"));
}

}  // namespace
}  // namespace meshai::chat::anthropic
