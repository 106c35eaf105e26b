#include "chat/anthropic.hpp"
#include "chat/testing.hpp"

namespace meshai::chat::anthropic {
namespace {

using testing::at;

target claude(std::string model = "claude-opus-4-6") {
  return {.dialect = dialect::anthropic, .model = std::move(model)};
}

message said(role who, std::string text) {
  return {.role = who, .parts = {{.text = std::move(text)}}};
}

request question() {
  request out;
  out.messages = {said(role::user, "Hi")};
  return out;
}

boost::json::value written(const request& of, const target& to = claude()) {
  const auto call = anthropic::write_request(of, to);
  EXPECT_TRUE(call) << call.error().message;
  return call ? testing::read(call->body) : boost::json::value();
}

void expect_refused(const request& of, std::string_view param, const target& to = claude()) {
  const auto call = anthropic::write_request(of, to);
  ASSERT_FALSE(call) << param;
  EXPECT_EQ(call.error().status, 400);
  EXPECT_EQ(call.error().code, "unsupported_parameter");
  EXPECT_EQ(call.error().param, param);

  auto yielding = of;
  yielding.mesh.drop = true;
  const auto dropped = anthropic::write_request(yielding, to);
  ASSERT_TRUE(dropped) << param;
  EXPECT_EQ(dropped->dropped, std::vector<std::string>{std::string(param)});
}

TEST(anthropic_call, writes_what_the_protocol_demands) {
  const auto call = anthropic::write_request(question(), claude());
  ASSERT_TRUE(call);
  EXPECT_EQ(call->path, "/messages");
  ASSERT_EQ(call->headers.size(), 1u);
  EXPECT_EQ(call->headers[0], (std::pair<std::string, std::string>("anthropic-version", "2023-06-01")));
  testing::expect_json(call->body, R"({"model":"claude-opus-4-6","max_tokens":4096,
    "messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]})");
}

TEST(anthropic_call, carries_the_settings_it_has_words_for) {
  auto of = question();
  of.max_tokens = 7;
  of.temperature = 0.5;
  of.top_p = 0.9;
  of.top_k = 3;
  of.stop = {"A", "B"};
  of.user = "u";
  auto to = claude("claude-3-7-sonnet-20250219");
  to.stream = true;
  const auto body = written(of, to);
  EXPECT_EQ(at(body, "/max_tokens"), "7");
  EXPECT_EQ(at(body, "/stream"), "true");
  EXPECT_EQ(body.at("temperature").as_double(), 0.5);
  EXPECT_EQ(body.at("top_p").as_double(), 0.9);
  EXPECT_EQ(at(body, "/top_k"), "3");
  EXPECT_EQ(at(body, "/stop_sequences"), R"(["A","B"])");
  EXPECT_EQ(at(body, "/metadata/user_id"), R"("u")");
}

TEST(anthropic_call, names_what_it_cannot_express_or_lists_it) {
  const auto with = [](auto change) {
    auto of = question();
    change(of);
    return of;
  };
  expect_refused(with([](auto& of) { of.n = 2; }), "n");
  expect_refused(with([](auto& of) { of.logprobs = true; }), "logprobs");
  expect_refused(with([](auto& of) { of.top_logprobs = 3; }), "top_logprobs");
  expect_refused(with([](auto& of) { of.seed = 0; }), "seed");
  expect_refused(with([](auto& of) { of.frequency_penalty = 0.1; }), "frequency_penalty");
  expect_refused(with([](auto& of) { of.presence_penalty = -1; }), "presence_penalty");
  expect_refused(with([](auto& of) { of.response_format.kind = format_kind::json_object; }), "response_format");
  expect_refused(with([](auto& of) { of.extra = {{"logit_bias", "{}"}}; }), "logit_bias");
  expect_refused(with([](auto& of) { of.messages[0].parts.push_back({.kind = part_kind::audio, .data = "AA"}); }),
                 "input_audio");
  expect_refused(with([](auto& of) { of.tools = {{.name = "x", .raw = "{}"}}; }), "tools.x");
}

TEST(anthropic_call, settings_that_ask_for_nothing_are_nothing) {
  auto of = question();
  of.n = 1;
  of.logprobs = false;
  of.top_logprobs = 0;
  of.frequency_penalty = 0;
  of.presence_penalty = 0;
  of.response_format.kind = format_kind::text;
  of.extra = {{"logit_bias", "null"}};
  const auto call = anthropic::write_request(of, claude());
  ASSERT_TRUE(call);
  EXPECT_TRUE(call->dropped.empty());
}

TEST(anthropic_call, hints_that_change_no_answer_are_listed_and_not_refused) {
  auto of = question();
  of.extra = {{"store", "true"}};
  const auto call = anthropic::write_request(of, claude());
  ASSERT_TRUE(call);
  EXPECT_EQ(call->dropped, std::vector<std::string>{"store"});
}

TEST(anthropic_call, instructions_go_into_system_wherever_they_stand) {
  request of;
  of.messages = {said(role::system, "one"), said(role::user, "a"), said(role::developer, "two"),
                 said(role::user, "b")};
  const auto body = written(of);
  EXPECT_EQ(at(body, "/system"), R"([{"type":"text","text":"one"},{"type":"text","text":"two"}])");
  EXPECT_EQ(at(body, "/messages"),
            R"([{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}])");
}

TEST(anthropic_call, nothing_but_instructions_is_a_question) {
  request of;
  of.messages = {said(role::system, "Say hello.")};
  const auto body = written(of);
  EXPECT_EQ(at(body, "/system"), "absent");
  EXPECT_EQ(at(body, "/messages/0/content/0/text"), R"("Say hello.")");
}

TEST(anthropic_call, messages_of_one_role_become_one_and_empty_ones_none) {
  request of;
  of.messages = {said(role::user, "a"), said(role::assistant, " \n"), said(role::user, "b"),
                 said(role::assistant, "c"), said(role::assistant, "d")};
  const auto body = written(of);
  EXPECT_EQ(body.at("messages").as_array().size(), 2u);
  EXPECT_EQ(body.at("messages").at(0).at("content").as_array().size(), 2u);
  EXPECT_EQ(at(body, "/messages/1/content/1/text"), R"("d")");
}

TEST(anthropic_call, writes_calls_and_results) {
  request of;
  of.tools = {{.name = "get", .description = "d", .raw_schema = R"({"type":"object"})", .strict = true},
              {.name = "bare"}};
  of.messages = {
      said(role::user, "q"),
      {.role = role::assistant,
       .parts = {{.kind = part_kind::tool_call,
                  .call = {.id = "functions.get:0", .name = "get", .arguments = R"({"a":1})"}},
                 {.kind = part_kind::tool_call, .call = {.id = "b", .name = "bare", .arguments = ""}},
                 {.kind = part_kind::tool_call, .call = {.id = "c", .name = "bare", .arguments = "{broken"}}}},
      {.role = role::tool,
       .parts = {{.kind = part_kind::tool_result, .text = "functions.get:0", .content = {{.text = "sun"}}}}},
      {.role = role::tool,
       .parts = {{.kind = part_kind::tool_result,
                  .text = "b",
                  .content = {{.kind = part_kind::image, .media_type = "image/png", .data = "AA=="}},
                  .is_error = true}}}};
  const auto body = written(of);
  EXPECT_EQ(at(body, "/tools/0"),
            R"({"name":"get","description":"d","input_schema":{"type":"object"},"strict":true})");
  EXPECT_EQ(at(body, "/tools/1/input_schema/type"), R"("object")");
  EXPECT_EQ(at(body, "/messages/1/content/0"),
            R"({"type":"tool_use","id":"functions_get_0","name":"get","input":{"a":1}})");
  EXPECT_EQ(at(body, "/messages/1/content/1/input"), "{}");
  EXPECT_EQ(at(body, "/messages/1/content/2/input"), R"({"arguments":"{broken"})");
  EXPECT_EQ(at(body, "/messages/2/content/0"),
            R"({"type":"tool_result","tool_use_id":"functions_get_0","content":[{"type":"text","text":"sun"}]})");
  EXPECT_EQ(at(body, "/messages/2/content/1/is_error"), "true");
  EXPECT_EQ(at(body, "/messages/2/content/1/content/0/source/media_type"), R"("image/png")");
  EXPECT_EQ(body.at("messages").as_array().size(), 3u) << "results of one turn stand in one message";
}

TEST(anthropic_call, writes_the_choice_of_tools) {
  auto of = question();
  of.tools = {{.name = "get"}};
  const auto choice = [&](tool_choice_kind kind, std::optional<bool> parallel = {}) {
    of.tool_choice = {.kind = kind, .name = "get"};
    of.parallel_tool_calls = parallel;
    return at(written(of), "/tool_choice");
  };
  EXPECT_EQ(choice(tool_choice_kind::unset), "absent");
  EXPECT_EQ(choice(tool_choice_kind::automatic), R"({"type":"auto"})");
  EXPECT_EQ(choice(tool_choice_kind::required), R"({"type":"any"})");
  EXPECT_EQ(choice(tool_choice_kind::none, false), R"({"type":"none"})");
  EXPECT_EQ(choice(tool_choice_kind::named, false),
            R"({"type":"tool","name":"get","disable_parallel_tool_use":true})");
  EXPECT_EQ(choice(tool_choice_kind::unset, false), R"({"type":"auto","disable_parallel_tool_use":true})");
}

TEST(anthropic_call, writes_media) {
  auto of = question();
  of.messages[0].parts = {
      {.kind = part_kind::image, .media_type = "image/png", .data = "AA=="},
      {.kind = part_kind::image, .url = "https://x/y.png"},
      {.kind = part_kind::document, .media_type = "application/pdf", .data = "JV==", .detail = "a.pdf"}};
  const auto body = written(of);
  EXPECT_EQ(at(body, "/messages/0/content/0/source"),
            R"({"type":"base64","media_type":"image/png","data":"AA=="})");
  EXPECT_EQ(at(body, "/messages/0/content/1/source"), R"({"type":"url","url":"https://x/y.png"})");
  EXPECT_EQ(at(body, "/messages/0/content/2/title"), R"("a.pdf")");

  auto to = claude();
  to.urls = false;
  of.messages[0].parts = {{.text = "what is this?"}, {.kind = part_kind::image, .url = "https://x/y.png"}};
  expect_refused(of, "image_url", to);
}

TEST(anthropic_call, asks_for_thought_in_the_words_of_the_generation) {
  auto of = question();
  of.reasoning_effort = "high";
  EXPECT_EQ(at(written(of), "/thinking"), R"({"type":"adaptive"})");
  EXPECT_EQ(at(written(of), "/output_config/effort"), R"("high")");
  for (const auto* older : {"claude-haiku-4-5-20251001", "claude-3-7-sonnet-20250219", "claude-opus-4-20250514"}) {
    const auto body = written(of, claude(older));
    EXPECT_EQ(at(body, "/thinking"), R"({"type":"enabled","budget_tokens":16384})") << older;
    EXPECT_EQ(at(body, "/max_tokens"), "20480") << older;
    EXPECT_EQ(at(body, "/output_config"), "absent") << older;
  }
  of.max_tokens = 5000;
  EXPECT_EQ(at(written(of, claude("claude-sonnet-4-5")), "/thinking/budget_tokens"), "4999");
  of.max_tokens = 1000;
  expect_refused(of, "reasoning_effort", claude("claude-sonnet-4-5"));
  of.reasoning_effort = "none";
  EXPECT_EQ(at(written(of), "/thinking"), R"({"type":"disabled"})");
}

TEST(anthropic_call, a_turn_begun_by_another_model_cannot_think_within_a_budget) {
  request of;
  of.reasoning_effort = "low";
  of.messages = {
      said(role::user, "q"),
      {.role = role::assistant, .parts = {{.kind = part_kind::tool_call, .call = {.id = "a", .name = "get"}}}},
      {.role = role::tool, .parts = {{.kind = part_kind::tool_result, .text = "a"}}}};
  expect_refused(of, "reasoning_effort", claude("claude-sonnet-4-5"));
  EXPECT_EQ(at(written(of), "/thinking/type"), R"("adaptive")");
  of.messages[1].parts.insert(
      of.messages[1].parts.begin(),
      {.kind = part_kind::reasoning, .thought = {.text = "t", .signature = "S", .from = dialect::anthropic}});
  EXPECT_EQ(at(written(of, claude("claude-sonnet-4-5")), "/thinking/type"), R"("enabled")");
}

TEST(anthropic_call, sends_back_only_what_anthropic_signed) {
  auto of = question();
  of.messages.push_back(
      {.role = role::assistant,
       .parts = {
           {.kind = part_kind::reasoning, .thought = {.text = "t", .signature = "S", .from = dialect::anthropic}},
           {.kind = part_kind::reasoning, .thought = {.redacted = "R", .from = dialect::anthropic}},
           {.kind = part_kind::reasoning, .thought = {.text = "g", .signature = "G", .from = dialect::gemini}},
           {.kind = part_kind::reasoning, .thought = {.text = "cut", .from = dialect::anthropic}},
           {.text = "answer"}}});
  const auto call = anthropic::write_request(of, claude());
  ASSERT_TRUE(call);
  EXPECT_EQ(at(call->body, "/messages/1/content"),
            R"([{"type":"thinking","thinking":"t","signature":"S"},{"type":"redacted_thinking","data":"R"},)"
            R"({"type":"text","text":"answer"}])");
  EXPECT_EQ(call->dropped, std::vector<std::string>{"reasoning"});
}

TEST(anthropic_call, a_schema_becomes_the_format_of_the_output) {
  auto of = question();
  of.response_format = {.kind = format_kind::json_schema, .name = "x", .raw_schema = R"({"type":"object"})"};
  EXPECT_EQ(at(written(of), "/output_config"), R"({"format":{"type":"json_schema","schema":{"type":"object"}}})");
}

// ---- the same dialect on both sides

constexpr std::string_view own = R"({"model":"gpt-4","max_tokens":5, "stream":false,"unknown":{"a":[1.0,1e2]},
  "system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],
  "messages":[{"role":"user","content":"Hi","x":1}]})";

TEST(anthropic_call, passes_its_own_dialect_through_but_for_model_and_stream) {
  const auto of = anthropic::parse_request(endpoint::messages, own);
  ASSERT_TRUE(of);
  auto to = claude();
  to.stream = true;
  const auto call = anthropic::write_request(*of, to);
  ASSERT_TRUE(call);
  EXPECT_EQ(at(call->body, "/model"), R"("claude-opus-4-6")");
  EXPECT_EQ(at(call->body, "/stream"), "true");
  EXPECT_NE(call->body.find(R"("unknown":{"a":[1.0,1e2]})"), std::string::npos);
  EXPECT_EQ(at(call->body, "/system/0/cache_control/type"), R"("ephemeral")");
  EXPECT_EQ(at(call->body, "/messages/0/x"), "1");
  EXPECT_TRUE(call->dropped.empty());
}

TEST(anthropic_call, counts_tokens_at_their_own_path) {
  const auto of = anthropic::parse_request(endpoint::count_tokens,
                                           R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})");
  ASSERT_TRUE(of);
  const auto call = anthropic::write_request(*of, claude());
  ASSERT_TRUE(call);
  EXPECT_EQ(call->path, "/messages/count_tokens");
  EXPECT_EQ(at(call->body, "/stream"), "absent");
  EXPECT_EQ(at(call->body, "/max_tokens"), "absent");
}

TEST(anthropic_call, thoughts_of_other_providers_do_not_reach_anthropic) {
  const auto of = anthropic::parse_request(endpoint::messages, R"({"model":"m","max_tokens":5,"messages":[
    {"role":"user","content":"q"},
    {"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"meshai:call:G"},
      {"type":"tool_use","id":"a","name":"get","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"say \"meshai:\" 1.0"}]},
    {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"meshai:openai:"}]},
    {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"OWN"}]},
    {"role":"user","content":"go on"}]})");
  ASSERT_TRUE(of);
  const auto call = anthropic::write_request(*of, claude());
  ASSERT_TRUE(call);
  testing::expect_json(at(call->body, "/messages"), R"([
    {"role":"user","content":"q"},
    {"role":"assistant","content":[{"type":"tool_use","id":"a","name":"get","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"say \"meshai:\" 1.0"}]},
    {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"OWN"}]},
    {"role":"user","content":"go on"}])");
}

}  // namespace
}  // namespace meshai::chat::anthropic
