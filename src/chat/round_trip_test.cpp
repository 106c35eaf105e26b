// Reasoning and its signatures: from a provider to a caller of either dialect, whole and streamed, and back with
// the next turn, to the same provider as it came and to no other.
#include "chat/clients.hpp"

namespace meshai::chat {
namespace {

using testing::at;
using testing::claude;
using testing::gemini;
using testing::server;

struct signed_answer {
  std::string_view name;
  const target* from;
  std::string whole;
  std::vector<std::string> events;
  std::string_view back, openai,
      anthropic;  // where the next turn holds it, and what; for a caller of either dialect
};

std::string openai_events(std::string_view deltas) {
  return R"({"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":)" +
         std::string(deltas) + R"(,"finish_reason":null}]})";
}
std::string gemini_event(std::string_view parts, std::string_view more = "") {
  return R"({"candidates":[{"content":{"role":"model","parts":[)" + std::string(parts) + R"(]},"index":0)" +
         std::string(more) + R"(}],"responseId":"R"})";
}

constexpr std::string_view claude_content = R"([{"type":"thinking","thinking":"hm","signature":"SIG"},
  {"type":"redacted_thinking","data":"RED"},{"type":"text","text":"I look."},
  {"type":"tool_use","id":"t1","name":"get","input":{"a":1}}])";
constexpr std::string_view gemini_parts = R"([{"text":"hm","thought":true},{"text":"I look."},
  {"functionCall":{"id":"t1","name":"get","args":{"a":1}},"thoughtSignature":"SIG"},
  {"functionCall":{"id":"t2","name":"get","args":{}}}])";
constexpr std::string_view server_details = R"([{"type":"reasoning.text","text":"hm","signature":"SIG",
  "format":"anthropic-claude-v1","index":0},
  {"type":"reasoning.encrypted","data":"RED","format":"anthropic-claude-v1","index":1}])";

const std::vector<signed_answer> answers{
    {"claude_calls",
     &claude,
     R"({"id":"m","type":"message","role":"assistant","model":"claude","content":)" + std::string(claude_content) +
         R"(,"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":2}})",
     {R"({"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"claude","content":[],
        "stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}})",
      R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}})",
      R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"h"}})",
      R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"m"}})",
      R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"SIG"}})",
      R"({"type":"content_block_stop","index":0})",
      R"({"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"RED"}})",
      R"({"type":"content_block_stop","index":1})",
      R"({"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}})",
      R"({"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"I look."}})",
      R"({"type":"content_block_stop","index":2})",
      R"({"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"t1","name":"get","input":{}}})",
      R"({"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}})",
      R"({"type":"content_block_stop","index":3})",
      R"({"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":2}})",
      R"({"type":"message_stop"})"},
     "/messages/1/content",
     claude_content,
     claude_content},
    {"gemini_calls",
     &gemini,
     R"({"candidates":[{"content":{"role":"model","parts":)" + std::string(gemini_parts) +
         R"(},"finishReason":"STOP"}],"responseId":"R"})",
     {gemini_event(R"({"text":"h","thought":true})"), gemini_event(R"({"text":"m","thought":true})"),
      gemini_event(R"({"text":"I look."})"),
      gemini_event(R"({"functionCall":{"id":"t1","name":"get","args":{"a":1}},"thoughtSignature":"SIG"},
                      {"functionCall":{"id":"t2","name":"get","args":{}}})"),
      gemini_event("", R"(,"finishReason":"STOP")")},
     "/contents/1/parts",
     gemini_parts,
     gemini_parts},
    {"gemini_text",
     &gemini,
     R"({"candidates":[{"content":{"parts":[{"text":"Hi","thoughtSignature":"SIG"}]},"finishReason":"STOP"}]})",
     {gemini_event(R"({"text":"Hi"})"),
      gemini_event(R"({"text":"","thoughtSignature":"SIG"})", R"(,"finishReason":"STOP")")},
     "/contents/1/parts",
     R"([{"text":"Hi","thoughtSignature":"SIG"}])",
     R"([{"text":"Hi"},{"text":"","thoughtSignature":"SIG"}])"},
    {"server_calls",
     &server,
     R"({"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{
        "role":"assistant","content":"I look.","reasoning_content":"hm","reasoning_details":)" +
         std::string(server_details) + R"(,"tool_calls":[
        {"id":"t1","type":"function","function":{"name":"get","arguments":"{\"a\":1}"}}]},
        "finish_reason":"tool_calls"}]})",
     {openai_events(R"({"role":"assistant","reasoning_content":"hm","reasoning_details":[
        {"type":"reasoning.text","text":"hm","format":"anthropic-claude-v1","index":0}]})"),
      openai_events(R"({"reasoning_details":[{"type":"reasoning.text","signature":"SIG","index":0}]})"),
      openai_events(R"({"reasoning_details":[{"type":"reasoning.encrypted","data":"RED",
        "format":"anthropic-claude-v1","index":1}]})"),
      openai_events(R"({"content":"I look."})"),
      openai_events(R"({"tool_calls":[{"index":0,"id":"t1","type":"function",
        "function":{"name":"get","arguments":"{\"a\":1}"}}]})"),
      R"({"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]})", "[DONE]"},
     "/messages/1/reasoning_details",
     server_details,
     server_details},
};

request ask(endpoint door, const boost::json::array& messages, bool stream) {
  const boost::json::object body{{"model", "m"}, {"max_tokens", 99}, {"messages", messages}, {"stream", stream}};
  auto parsed = parse_request(door, boost::json::serialize(body));
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? std::move(*parsed) : request{};
}

// The answer as a caller's client has it: the message that it will send back.
boost::json::object heard(endpoint door, const signed_answer& one, bool stream) {
  const auto of = ask(door, {{{"role", "user"}, {"content", "q"}}}, stream);
  const auto got = testing::heard(of, *one.from, {one.whole, one.events}, stream);
  return (door == endpoint::messages ? got : got.at("choices").at(0).at("message")).as_object();
}

// The next turn: the message as it came, and a result for each of its calls.
request next_turn(endpoint door, const boost::json::object& message) {
  boost::json::array messages{{{"role", "user"}, {"content", "q"}}};
  if (door == endpoint::messages) {
    boost::json::array results;
    for (const auto& block : message.at("content").as_array()) {
      if (at(block, "/type") == R"("tool_use")")
        results.push_back({{"type", "tool_result"}, {"tool_use_id", block.at("id")}, {"content", "sun"}});
    }
    if (results.empty()) results.push_back({{"type", "text"}, {"text", "go on"}});
    messages.push_back({{"role", "assistant"}, {"content", message.at("content")}});
    messages.push_back({{"role", "user"}, {"content", results}});
  } else {
    messages.push_back(message);
    const auto* calls = message.if_contains("tool_calls");
    for (const auto& call : calls ? calls->as_array() : boost::json::array()) {
      messages.push_back({{"role", "tool"}, {"tool_call_id", call.at("id")}, {"content", "sun"}});
    }
    if (calls == nullptr) messages.push_back({{"role", "user"}, {"content", "go on"}});
  }
  return ask(door, messages, false);
}

class round_trip : public ::testing::TestWithParam<std::tuple<signed_answer, endpoint, bool>> {};

TEST_P(round_trip, comes_back_to_its_provider_as_it_went_and_to_no_other) {
  const auto& [one, door, stream] = GetParam();
  const auto again = next_turn(door, heard(door, one, stream));
  const auto call = write_request(again, *one.from);
  ASSERT_TRUE(call) << call.error().message;
  const auto got = at(call->body, one.back);
  const auto want = door == endpoint::messages ? one.anthropic : one.openai;
  EXPECT_TRUE(testing::read(got) == testing::read(want)) << got << "\n" << want;
  for (const auto* other : {&testing::openai, &claude, &gemini}) {
    if (other == one.from || (one.from == &server && other == &claude)) continue;  // there Anthropic signed it
    const auto elsewhere = write_request(again, *other);
    ASSERT_TRUE(elsewhere) << elsewhere.error().message;
    EXPECT_EQ(elsewhere->body.find("\"SIG\""), std::string::npos) << other->model;
    EXPECT_EQ(elsewhere->body.find("RED"), std::string::npos) << other->model;
  }
}

std::string name_of(const ::testing::TestParamInfo<round_trip::ParamType>& what) {
  const auto& [one, door, stream] = what.param;
  return std::string(one.name) + (door == endpoint::messages ? "_to_anthropic" : "_to_openai") +
         (stream ? "_streamed" : "_whole");
}
INSTANTIATE_TEST_SUITE_P(all, round_trip,
                         ::testing::Combine(::testing::ValuesIn(answers),
                                            ::testing::Values(endpoint::chat_completions, endpoint::messages),
                                            ::testing::Bool()),
                         name_of);

// A client that knows nothing of signatures loses them; Gemini 3 then gets the stand-in that it takes.
TEST(signatures, a_client_that_loses_signatures_is_answered_all_the_same) {
  auto message = heard(endpoint::chat_completions, answers[1], false);
  message.erase("reasoning_details");
  for (auto& one : message.at("tool_calls").as_array()) one.as_object().erase("extra_content");
  const auto again = write_request(next_turn(endpoint::chat_completions, message), gemini);
  ASSERT_TRUE(again);
  EXPECT_EQ(at(again->body, "/contents/1/parts/1/thoughtSignature"), R"("skip_thought_signature_validator")");
}

}  // namespace
}  // namespace meshai::chat
