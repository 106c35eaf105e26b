#include "chat/anthropic.hpp"
#include "chat/testing.hpp"

namespace meshai::chat::anthropic {
namespace {

request ask(std::string_view body, endpoint door = endpoint::messages) {
  auto parsed = anthropic::parse_request(door, body);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? std::move(*parsed) : request{};
}

problem refuse(std::string_view body, endpoint door = endpoint::messages) {
  auto parsed = anthropic::parse_request(door, body);
  EXPECT_FALSE(parsed);
  return parsed ? problem{} : parsed.error();
}

// A request with one member more.
std::string with(std::string_view member) {
  return R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hi"}],)" + std::string(member) + "}";
}

TEST(anthropic_request, reads_a_plain_question) {
  const auto got = ask(R"({"model":"claude-opus-4-6","max_tokens":100,"stream":true,"temperature":0.5,"top_p":0.9,
    "top_k":40,"stop_sequences":["END","STOP"],"metadata":{"user_id":"u1"},
    "messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},
      {"role":"user","content":"Bye"}]})");
  EXPECT_EQ(got.dialect, dialect::anthropic);
  EXPECT_EQ(got.model, "claude-opus-4-6");
  EXPECT_TRUE(got.stream);
  EXPECT_EQ(got.max_tokens, 100);
  EXPECT_EQ(got.temperature, 0.5);
  EXPECT_EQ(got.top_p, 0.9);
  EXPECT_EQ(got.top_k, 40);
  EXPECT_EQ(got.stop, (std::vector<std::string>{"END", "STOP"}));
  EXPECT_EQ(got.user, "u1");
  ASSERT_EQ(got.messages.size(), 3u);
  EXPECT_EQ(got.messages[1].role, role::assistant);
  EXPECT_EQ(got.messages[1].parts.at(0).text, "Hello");
  EXPECT_EQ(got.text_size, 10u);
  EXPECT_TRUE(got.extra.empty());
}

TEST(anthropic_request, the_system_prompt_is_the_first_message_as_text_or_as_blocks) {
  for (const auto* system : {R"("system":"Be brief.")", R"("system":[{"type":"text","text":"Be brief."}])"}) {
    const auto got = ask(with(system));
    ASSERT_EQ(got.messages.size(), 2u);
    EXPECT_EQ(got.messages[0].role, role::system);
    EXPECT_EQ(got.messages[0].parts.at(0).text, "Be brief.");
  }
}

TEST(anthropic_request, a_system_message_may_stand_in_the_middle) {
  const auto got = ask(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},
    {"role":"system","content":"b"},{"role":"user","content":"c"}]})");
  ASSERT_EQ(got.messages.size(), 3u);
  EXPECT_EQ(got.messages[1].role, role::system);
}

TEST(anthropic_request, results_of_tools_become_messages_of_their_own) {
  const auto got = ask(R"({"model":"m","max_tokens":9,"messages":[
    {"role":"user","content":"weather?"},
    {"role":"assistant","content":[{"type":"text","text":"I look."},
      {"type":"tool_use","id":"a","name":"get","input":{"city":"Rome"}},
      {"type":"tool_use","id":"b","name":"get","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"sun"},
      {"type":"tool_result","tool_use_id":"b","is_error":true,
       "content":[{"type":"text","text":"no"},
        {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},
      {"type":"text","text":"and now?"}]}]})");
  ASSERT_EQ(got.messages.size(), 5u);
  EXPECT_EQ(got.messages[1].parts.at(1).call.name, "get");
  EXPECT_EQ(got.messages[1].parts.at(1).call.arguments, R"({"city":"Rome"})");
  EXPECT_EQ(got.messages[2].role, role::tool);
  EXPECT_EQ(got.messages[2].parts.at(0).text, "a");
  EXPECT_EQ(got.messages[2].parts.at(0).content.at(0).text, "sun");
  EXPECT_TRUE(got.messages[3].parts.at(0).is_error);
  EXPECT_EQ(got.messages[3].parts.at(0).content.at(1).media_type, "image/png");
  EXPECT_EQ(got.messages[4].role, role::user);
  EXPECT_TRUE(got.has_images);
}

TEST(anthropic_request, reads_images_and_documents) {
  const auto got = ask(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[
    {"type":"image","source":{"type":"url","url":"https://x/y.png"}},
    {"type":"document","title":"T","source":{"type":"base64","media_type":"application/pdf","data":"JV=="}},
    {"type":"document","source":{"type":"text","media_type":"text/plain","data":"words"}},
    {"type":"image","source":{"type":"file","file_id":"f"}},
    {"type":"search_result","source":"s","title":"t","content":[]}]}]})");
  const auto& parts = got.messages.at(0).parts;
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(parts[0].url, "https://x/y.png");
  EXPECT_EQ(parts[1].detail, "T");
  EXPECT_EQ(parts[1].media_type, "application/pdf");
  EXPECT_EQ(parts[2].text, "words");
  EXPECT_EQ(parts[3].kind, part_kind::other);
  EXPECT_EQ(parts[4].kind, part_kind::other);
}

TEST(anthropic_request, reads_tools_and_the_choice_of_them) {
  const auto got = ask(with(R"("tools":[
    {"name":"get","description":"d","input_schema":{"type":"object"},"strict":true,
     "cache_control":{"type":"ephemeral"}},
    {"type":"web_search_20250305","name":"web_search"}],
    "tool_choice":{"type":"tool","name":"get","disable_parallel_tool_use":true})"));
  ASSERT_EQ(got.tools.size(), 2u);
  EXPECT_EQ(got.tools[0].raw_schema, R"({"type":"object"})");
  EXPECT_EQ(got.tools[0].strict, true);
  EXPECT_EQ(got.tools[0].extra.at(0).name, "cache_control");
  EXPECT_FALSE(got.tools[1].raw.empty());
  EXPECT_EQ(got.tool_choice.kind, tool_choice_kind::named);
  EXPECT_EQ(got.tool_choice.name, "get");
  EXPECT_EQ(got.parallel_tool_calls, false);
  EXPECT_EQ(ask(with(R"("tool_choice":{"type":"any"})")).tool_choice.kind, tool_choice_kind::required);
  EXPECT_EQ(ask(with(R"("tool_choice":{"type":"auto"})")).tool_choice.kind, tool_choice_kind::automatic);
  EXPECT_EQ(ask(with(R"("tool_choice":{"type":"none"})")).tool_choice.kind, tool_choice_kind::none);
}

TEST(anthropic_request, reads_thinking_and_output) {
  EXPECT_EQ(ask(with(R"("thinking":{"type":"enabled","budget_tokens":2048})")).reasoning_budget, 2048);
  EXPECT_EQ(ask(with(R"("thinking":{"type":"disabled"})")).reasoning_budget, 0);
  EXPECT_EQ(ask(with(R"("thinking":{"type":"adaptive"})")).reasoning_budget, -1);
  const auto got =
      ask(with(R"("output_config":{"effort":"high","format":{"type":"json_schema","schema":{"type":"object"}}})"));
  EXPECT_EQ(got.reasoning_effort, "high");
  EXPECT_EQ(got.response_format.kind, format_kind::json_schema);
  EXPECT_EQ(got.response_format.raw_schema, R"({"type":"object"})");
}

TEST(anthropic_request, reads_thoughts_and_whose_they_are) {
  const auto got = ask(R"({"model":"m","max_tokens":9,"messages":[{"role":"assistant","content":[
    {"type":"thinking","thinking":"mine","signature":"SIG"},
    {"type":"redacted_thinking","data":"RED"},
    {"type":"thinking","thinking":"other","signature":"meshai:gemini:G1"},
    {"type":"thinking","thinking":"cut off","signature":"meshai:unsigned:"},
    {"type":"thinking","thinking":"","signature":"meshai:call:G2"},
    {"type":"tool_use","id":"a","name":"get","input":{}}]}]})");
  const auto& parts = got.messages.at(0).parts;
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(parts[0].thought.from, dialect::anthropic);
  EXPECT_EQ(parts[0].thought.signature, "SIG");
  EXPECT_EQ(parts[1].thought.redacted, "RED");
  EXPECT_EQ(parts[2].thought.from, dialect::gemini);
  EXPECT_EQ(parts[2].thought.signature, "G1");
  EXPECT_EQ(parts[3].thought.signature, "");
  EXPECT_EQ(parts[4].call.signature, "G2");
}

TEST(anthropic_request, keeps_what_it_does_not_know_and_takes_mesh_out) {
  const auto got = ask(with(R"("mesh":{"reach":"site","drop":true,"fallback":false},"container":"c",
    "thinking":{"type":"adaptive","display":"omitted"},"betas_of_tomorrow":[1.0])"));
  EXPECT_EQ(got.mesh.reach, reach::site);
  EXPECT_EQ(got.mesh.drop, true);
  EXPECT_EQ(got.mesh.fallback, false);
  std::vector<std::string> names;
  for (const auto& member : got.extra) names.push_back(member.name);
  EXPECT_EQ(names, (std::vector<std::string>{"container", "betas_of_tomorrow", "thinking.display"}));
  EXPECT_EQ(got.body.find("mesh"), std::string::npos);
  EXPECT_NE(got.body.find(R"("betas_of_tomorrow":[1.0])"), std::string::npos) << "bytes stay as they came";
}

TEST(anthropic_request, count_tokens_needs_no_max_tokens) {
  const auto got = ask(R"({"model":"m","messages":[{"role":"user","content":"Hi"}]})", endpoint::count_tokens);
  EXPECT_EQ(got.endpoint, endpoint::count_tokens);
  EXPECT_FALSE(got.max_tokens);
}

TEST(anthropic_request, names_what_is_wrong) {
  EXPECT_EQ(refuse(R"({"max_tokens":1,"messages":[{"role":"user","content":"x"}]})").param, "model");
  EXPECT_EQ(refuse(R"({"model":"m","messages":[{"role":"user","content":"x"}]})").param, "max_tokens");
  EXPECT_EQ(refuse(R"({"model":"m","max_tokens":1})").param, "messages");
  EXPECT_EQ(refuse(R"({"model":"m","max_tokens":1,"messages":[]})").param, "messages");
  EXPECT_EQ(refuse(R"({"model":"m","max_tokens":1,"messages":[{"role":"tool","content":"x"}]})").param,
            "messages[0].role");
  EXPECT_EQ(refuse(R"({"model":"m","max_tokens":1,"messages":[{"role":"user"}]})").param, "messages[0].content");
  EXPECT_EQ(
      refuse(R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":[{"type":"text"}]}]})").param,
      "messages[0].content[0].text");
  EXPECT_EQ(refuse(R"({"model":"m","max_tokens":1,"messages":[{"role":"user","content":[
              {"type":"tool_use","id":"a","name":"b","input":"c"}]}]})")
                .param,
            "messages[0].content[0].input");
  EXPECT_EQ(refuse(with(R"("temperature":"warm")")).param, "temperature");
  EXPECT_EQ(refuse(with(R"("tool_choice":{"type":"maybe"})")).param, "tool_choice.type");
  EXPECT_EQ(refuse(with(R"("thinking":{"type":"enabled"})")).param, "thinking.budget_tokens");
  EXPECT_EQ(refuse(with(R"("top_k":1,"top_k":2)")).param, "top_k");
}

TEST(anthropic_request, refuses_members_of_mesh_that_it_cannot_do) {
  const auto why = refuse(with(R"("mesh":{"private":true})"));
  EXPECT_EQ(why.status, 400);
  EXPECT_EQ(why.code, "unsupported_parameter");
  EXPECT_EQ(why.param, "mesh.private");
  EXPECT_FALSE(why.hint.empty());
  EXPECT_EQ(refuse(with(R"("mesh":{"reach":"moon"})")).param, "mesh.reach");
}

TEST(anthropic_request, refuses_what_is_no_object_and_what_is_too_deep) {
  EXPECT_EQ(refuse("").status, 400);
  EXPECT_EQ(refuse("[1]").status, 400);
  EXPECT_EQ(refuse("{\"model\":").status, 400);
  EXPECT_EQ(refuse(with("\"a\":" + std::string(100, '[') + std::string(100, ']'))).status, 400);
}

}  // namespace
}  // namespace meshai::chat::anthropic
