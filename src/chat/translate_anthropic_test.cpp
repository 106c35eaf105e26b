// An Anthropic caller before providers of every dialect: what it asks arrives, and what they answer comes back.
#include "chat/clients.hpp"

namespace meshai::chat {
namespace {

using testing::at;

const story told{.request_id = "req_1", .node = "node", .model = "m", .where = tier::cloud};

target to_openai(bool own = true) {
  return {.dialect = dialect::openai, .model = "gpt-5", .max_completion_tokens = own};
}
const target to_anthropic{.dialect = dialect::anthropic, .model = "claude-opus-4-6"};
const target to_gemini{.dialect = dialect::gemini, .model = "gemini-3-pro"};

request ask_body(std::string_view body) {
  auto parsed = parse_request(endpoint::messages, body);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? std::move(*parsed) : request{};
}

// A request with these messages and members.
request ask(std::string_view messages, std::string_view members = {}) {
  return ask_body(R"({"model":"m","max_tokens":100,"messages":)" + std::string(messages) + std::string(members) +
                  "}");
}

boost::json::value sent(const request& of, const target& to) {
  const auto call = write_request(of, to);
  EXPECT_TRUE(call) << call.error().message;
  return call ? testing::read(call->body) : boost::json::value();
}

std::vector<std::string> dropped(const request& of, const target& to) {
  const auto call = write_request(of, to);
  EXPECT_TRUE(call) << call.error().message;
  return call ? call->dropped : std::vector<std::string>();
}

std::string whole(const request& of, const target& from, std::string_view body) {
  const auto got = read_answer(of, from, body);
  EXPECT_TRUE(got);
  return got ? write_answer(of, *got, {.id = "msg_1", .model = got->model}, told) : "{}";
}

// The provider's events as the caller gets them.
std::string streamed(const request& of, const target& from, const std::vector<std::string>& events) {
  const auto reader = make_stream_reader(of, from);
  const auto writer = make_stream_writer(of, {.id = "msg_1"});
  std::string out;
  usage counted;
  writer->model(from.model);
  for (const auto& event : events) {
    std::vector<delta> steps;
    EXPECT_TRUE(reader->event({}, event, steps)) << event;
    for (const auto& step : steps) {
      writer->step(step, out);
      if (step.usage) counted = *step.usage;
    }
  }
  EXPECT_TRUE(reader->finished());
  writer->end(counted, told, out);
  return out;
}

// The next turn of a conversation: the answer as it came, and a result for each of its calls.
request next_turn(const boost::json::value& answer, std::string_view members = {}) {
  boost::json::array results;
  for (const auto& block : answer.at("content").as_array()) {
    if (at(block, "/type") != R"("tool_use")") continue;
    results.push_back({{"type", "tool_result"}, {"tool_use_id", block.at("id")}, {"content", "sun"}});
  }
  if (results.empty()) results.push_back({{"type", "text"}, {"text", "go on"}});
  const boost::json::array messages{{{"role", "user"}, {"content", "q"}},
                                    {{"role", "assistant"}, {"content", answer.at("content")}},
                                    {{"role", "user"}, {"content", results}}};
  return ask(boost::json::serialize(messages), members);
}

constexpr std::string_view hello = R"([{"role":"user","content":"Hi"}])";
constexpr std::string_view tools =
    R"(,"tools":[{"name":"get","description":"d","input_schema":{"type":"object","properties":{}}}])";
// ---- requests
// -----------------------------------------------------------------------------------------------------

TEST(translate_anthropic, dropping_lists_what_was_dropped) {
  const auto of = ask(hello, R"(,"container":"c","top_k":5,"mesh":{"drop":true})");
  EXPECT_EQ(dropped(of, to_openai()), (std::vector<std::string>{"top_k", "container"}));
  EXPECT_EQ(dropped(of, to_anthropic), std::vector<std::string>());
}

// ---- answers of OpenAI
// --------------------------------------------------------------------------------------------

constexpr std::string_view openai_calls =
    R"({"id":"c","object":"chat.completion","created":1,"model":"gpt-5","choices":[{"index":0,
  "message":{"role":"assistant","content":"I look.","reasoning_content":"hm","tool_calls":[
    {"id":"call_1","type":"function","function":{"name":"get","arguments":"{\"city\":\"Rome\"}"}},
    {"id":"call_2","type":"function","function":{"name":"get","arguments":"{}"}}]},"finish_reason":"tool_calls"}],
  "usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4}}})";

TEST(translate_anthropic, a_whole_answer_of_openai) {
  const auto of = ask(hello, tools);
  const auto got = whole(of, to_openai(), openai_calls);
  testing::expect_json(at(got, "/content"), R"([{"type":"thinking","thinking":"hm","signature":"meshai:openai:"},
    {"type":"text","text":"I look."},{"type":"tool_use","id":"call_1","name":"get","input":{"city":"Rome"}},
    {"type":"tool_use","id":"call_2","name":"get","input":{}}])");
  EXPECT_EQ(at(got, "/stop_reason"), R"("tool_use")");
  EXPECT_EQ(at(got, "/usage/input_tokens"), "6");
  EXPECT_EQ(at(got, "/usage/cache_read_input_tokens"), "4");
  EXPECT_EQ(at(got, "/model"), R"("gpt-5")");
}

std::string openai_chunk(std::string_view delta, std::string_view reason = "null") {
  return R"({"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-5","choices":[{"index":0,"delta":)" +
         std::string(delta) + R"(,"finish_reason":)" + std::string(reason) + "}]}";
}

TEST(translate_anthropic, a_streamed_answer_of_openai_with_interleaved_calls) {
  const auto of = ask(hello, tools);
  const auto got = testing::anthropic_message(streamed(
      of, to_openai(false),
      {openai_chunk(R"({"role":"assistant","content":""})"), openai_chunk(R"({"reasoning_content":"hm"})"),
       openai_chunk(R"({"content":"I look."})"),
       openai_chunk(
           R"({"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get","arguments":"{\"a\":"}},
                                      {"index":1,"id":"call_2","type":"function",
                                       "function":{"name":"get","arguments":"{\"b\":"}}]})"),
       openai_chunk(R"({"tool_calls":[{"index":1,"function":{"arguments":"2}"}}]})"),
       openai_chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]})"),
       openai_chunk("{}", R"("tool_calls")"),
       R"({"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-5","choices":[],
           "usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}})",
       "[DONE]"}));
  testing::expect_json(boost::json::serialize(got.at("content")), R"([
    {"type":"thinking","thinking":"hm","signature":"meshai:openai:"},{"type":"text","text":"I look."},
    {"type":"tool_use","id":"call_1","name":"get","input":{"a":1}},
    {"type":"tool_use","id":"call_2","name":"get","input":{"b":2}}])");
  EXPECT_EQ(got.at("stop_reason").as_string(), "tool_use");
  EXPECT_EQ(at(got, "/usage/output_tokens"), "5");
  EXPECT_EQ(at(got, "/mesh/node"), R"("node")");
}

TEST(translate_anthropic, reasoning_of_an_openai_server_goes_back_to_it_as_its_own) {
  const auto again = next_turn(testing::read(whole(ask(hello, tools), to_openai(false), openai_calls)), tools);
  EXPECT_EQ(at(sent(again, to_openai(false)), "/messages/1/reasoning_content"), R"("hm")");
  EXPECT_EQ(at(sent(again, to_anthropic), "/messages/1/content/0/type"), R"("text")") << "and not to Anthropic";
  EXPECT_EQ(dropped(again, to_gemini), std::vector<std::string>{"reasoning"});
}

// ---- answers of Gemini
// --------------------------------------------------------------------------------------------

constexpr std::string_view gemini_calls =
    R"({"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true},
  {"text":"I look."},
  {"functionCall":{"name":"get","args":{"city":"Rome"}},"thoughtSignature":"SIG+/="},
  {"functionCall":{"name":"get","args":{"city":"Oslo"}}}]},"finishReason":"STOP","index":0}],
  "usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"thoughtsTokenCount":7,"cachedContentTokenCount":4},
  "modelVersion":"gemini-3-pro","responseId":"R1"})";

void expect_gemini_signatures(const request& again) {
  const auto parts = sent(again, to_gemini).at("contents").at(1).at("parts");
  testing::expect_json(boost::json::serialize(parts), R"([{"text":"hm","thought":true},{"text":"I look."},
    {"functionCall":{"id":"call_R1_0_0","name":"get","args":{"city":"Rome"}},"thoughtSignature":"SIG+/="},
    {"functionCall":{"id":"call_R1_0_1","name":"get","args":{"city":"Oslo"}}}])");
  const auto results = sent(again, to_gemini).at("contents").at(2).at("parts");
  EXPECT_EQ(at(results, "/0/functionResponse/name"), R"("get")");
  EXPECT_EQ(at(results, "/1/functionResponse/id"), R"("call_R1_0_1")");
}

TEST(translate_anthropic, a_whole_answer_of_gemini_and_its_signatures_back) {
  const auto got = whole(ask(hello, tools), to_gemini, gemini_calls);
  EXPECT_EQ(at(got, "/stop_reason"), R"("tool_use")");
  EXPECT_EQ(at(got, "/usage/input_tokens"), "6");
  EXPECT_EQ(at(got, "/usage/output_tokens"), "12");
  EXPECT_EQ(at(got, "/usage/output_tokens_details/thinking_tokens"), "7");
  expect_gemini_signatures(next_turn(testing::read(got), tools));
}

TEST(translate_anthropic, a_streamed_answer_of_gemini_and_its_signatures_back) {
  const auto chunk = [](std::string_view parts, std::string_view rest = "") {
    return R"({"candidates":[{"content":{"role":"model","parts":)" + std::string(parts) + R"(},"index":0)" +
           std::string(rest) + R"(}],"responseId":"R1"})";
  };
  const auto got = testing::anthropic_message(streamed(
      ask(hello, tools), to_gemini,
      {chunk(R"([{"text":"hm","thought":true}])"), chunk(R"([{"text":"I "}])"), chunk(R"([{"text":"look."}])"),
       chunk(R"([{"functionCall":{"name":"get","args":{"city":"Rome"}},"thoughtSignature":"SIG+/="},
                 {"functionCall":{"name":"get","args":{"city":"Oslo"}}}])"),
       chunk("[]", R"(,"finishReason":"STOP")")}));
  EXPECT_EQ(got.at("stop_reason").as_string(), "tool_use");
  expect_gemini_signatures(next_turn(got, tools));
}

TEST(translate_anthropic, calls_of_gemini_go_on_at_anthropic_without_its_signatures) {
  const auto again = next_turn(testing::read(whole(ask(hello, tools), to_gemini, gemini_calls)), tools);
  const auto call = write_request(again, to_anthropic);
  ASSERT_TRUE(call);
  EXPECT_EQ(call->body.find("SIG"), std::string::npos);
  EXPECT_EQ(at(call->body, "/messages/1/content/0/type"), R"("text")");
  EXPECT_EQ(at(call->body, "/messages/1/content/1/type"), R"("tool_use")");
}

// ---- answers of Anthropic
// -----------------------------------------------------------------------------------------

const std::vector<std::string> anthropic_stream{
    R"({"type":"message_start","message":{"id":"msg_p","type":"message","role":"assistant","model":"claude","content":[],
        "stop_reason":null,"stop_sequence":null,
        "usage":{"input_tokens":10,"output_tokens":1,"service_tier":"standard"}}})",
    R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}})",
    R"({"type":"ping"})",
    R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}})",
    R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"SIG"}})",
    R"({"type":"content_block_stop","index":0})",
    R"({"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"RED"}})",
    R"({"type":"content_block_stop","index":1})",
    R"({"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"get","input":{}}})",
    R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}})",
    R"({"type":"content_block_stop","index":2})",
    R"({"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null,"stop_details":null},
        "usage":{"output_tokens":20,"server_tool_use":{"web_search_requests":0}}})",
    R"({"type":"message_stop"})"};

TEST(translate_anthropic, an_answer_of_anthropic_passes_with_all_it_holds) {
  const auto got = testing::anthropic_message(streamed(ask(hello, tools), to_anthropic, anthropic_stream));
  EXPECT_EQ(at(got, "/id"), R"("msg_p")");
  EXPECT_EQ(at(got, "/usage/service_tier"), R"("standard")");
  EXPECT_EQ(at(got, "/usage/server_tool_use/web_search_requests"), "0");
  EXPECT_EQ(at(got, "/mesh/request_id"), R"("req_1")");
  testing::expect_json(boost::json::serialize(got.at("content")), R"([
    {"type":"thinking","thinking":"hm","signature":"SIG"},{"type":"redacted_thinking","data":"RED"},
    {"type":"tool_use","id":"toolu_1","name":"get","input":{"a":1}}])");
}

TEST(translate_anthropic, thoughts_of_anthropic_go_back_to_it_unchanged_and_to_no_other_signed) {
  const auto again =
      next_turn(testing::anthropic_message(streamed(ask(hello, tools), to_anthropic, anthropic_stream)), tools);
  EXPECT_EQ(at(sent(again, to_anthropic), "/messages/1/content/0"),
            R"({"type":"thinking","thinking":"hm","signature":"SIG"})");
  EXPECT_EQ(at(sent(again, to_anthropic), "/messages/1/content/1/data"), R"("RED")");
  for (const auto& other : {to_openai(), to_gemini}) {
    const auto call = write_request(again, other);
    ASSERT_TRUE(call);
    EXPECT_EQ(call->body.find("SIG"), std::string::npos);
    EXPECT_EQ(call->dropped, std::vector<std::string>{"reasoning"});
  }
  EXPECT_EQ(at(sent(again, to_gemini), "/contents/1/parts/0/thoughtSignature"),
            R"("skip_thought_signature_validator")");
}

}  // namespace
}  // namespace meshai::chat
