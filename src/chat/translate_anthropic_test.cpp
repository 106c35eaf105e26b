// An Anthropic caller before providers of every dialect: what it asks arrives, and what they answer comes back.
#include <map>

#include "chat/testing.hpp"

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

std::string refused(const request& of, const target& to) {
  const auto call = write_request(of, to);
  return call ? "nothing" : call.error().code + " " + call.error().param;
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

// What an SDK makes of a stream: the message, and a failure where an event breaks the protocol.
boost::json::object gather(std::string_view stream) {
  boost::json::object message;
  boost::json::array content;
  std::map<std::int64_t, std::string> inputs;
  bool open = false;
  for (const auto& [name, data] : testing::events(stream)) {
    auto event = testing::read(data).as_object();
    EXPECT_EQ(event.at("type").as_string(), name);
    if (name == "message_start") {
      EXPECT_TRUE(message.empty());
      message = event.at("message").as_object();
    } else if (name == "content_block_start") {
      EXPECT_FALSE(open);
      open = true;
      EXPECT_EQ(event.at("index").as_int64(), static_cast<std::int64_t>(content.size()));
      content.push_back(event.at("content_block"));
    } else if (name == "content_block_delta") {
      EXPECT_TRUE(open);
      EXPECT_EQ(event.at("index").as_int64() + 1, static_cast<std::int64_t>(content.size()));
      auto& block = content.back().as_object();
      const auto& change = event.at("delta").as_object();
      const std::string_view type = change.at("type").as_string();
      if (type == "text_delta") block["text"].as_string() += change.at("text").as_string();
      if (type == "thinking_delta") block["thinking"].as_string() += change.at("thinking").as_string();
      if (type == "signature_delta") block["signature"] = change.at("signature");
      if (type == "input_json_delta")
        inputs[event.at("index").as_int64()] += change.at("partial_json").as_string();
    } else if (name == "content_block_stop") {
      EXPECT_TRUE(open);
      open = false;
      if (const auto input = inputs.find(event.at("index").as_int64()); input != inputs.end()) {
        content.back().as_object()["input"] = testing::read(input->second);
      }
    } else if (name == "message_delta") {
      EXPECT_FALSE(open);
      for (const auto& [member, value] : event.at("delta").as_object()) message[member] = value;
      for (const auto& [member, value] : event.at("usage").as_object())
        message["usage"].as_object()[member] = value;
      message["mesh"] = event.at("mesh");
    }
  }
  message["content"] = content;
  return message;
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
constexpr std::string_view tool_turn = R"([{"role":"user","content":"weather?"},
  {"role":"assistant","content":[{"type":"text","text":"I look."},
    {"type":"tool_use","id":"t1","name":"get","input":{"city":"Rome"}},
    {"type":"tool_use","id":"t2","name":"get","input":{"city":"Oslo"}}]},
  {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"sun"},
    {"type":"tool_result","tool_use_id":"t2","is_error":true,"content":[{"type":"text","text":"no such city"}]},
    {"type":"text","text":"and?"}]}])";

// ---- requests
// -----------------------------------------------------------------------------------------------------

TEST(translate_anthropic, the_system_prompt_and_the_turns) {
  const auto of =
      ask(R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}])",
          R"(,"system":[{"type":"text","text":"Be brief."}])");
  EXPECT_EQ(at(sent(of, to_openai()), "/messages"),
            R"([{"role":"system","content":"Be brief."},{"role":"user","content":"a"},)"
            R"({"role":"assistant","content":"b"},{"role":"user","content":"c"}])");
  const auto google = sent(of, to_gemini);
  EXPECT_EQ(at(google, "/systemInstruction/parts/0/text"), R"("Be brief.")");
  EXPECT_EQ(at(google, "/contents/1"), R"({"role":"model","parts":[{"text":"b"}]})");
  EXPECT_EQ(at(sent(of, to_anthropic), "/system/0/text"), R"("Be brief.")");
}

TEST(translate_anthropic, sampling_and_stops) {
  const auto of =
      ask(hello, R"(,"temperature":0.5,"top_p":0.25,"stop_sequences":["END"],"metadata":{"user_id":"u"})");
  const auto openai = sent(of, to_openai());
  EXPECT_EQ(at(openai, "/max_completion_tokens"), "100");
  EXPECT_EQ(openai.at("temperature").as_double(), 0.5);
  EXPECT_EQ(at(openai, "/stop"), R"(["END"])");
  EXPECT_EQ(at(openai, "/user"), R"("u")");
  EXPECT_EQ(at(sent(of, to_openai(false)), "/max_tokens"), "100");
  const auto google = sent(of, to_gemini);
  EXPECT_EQ(at(google, "/generationConfig/maxOutputTokens"), "100");
  EXPECT_EQ(at(google, "/generationConfig/stopSequences"), R"(["END"])");
  EXPECT_EQ(dropped(of, to_gemini), std::vector<std::string>{"metadata.user_id"});
}

TEST(translate_anthropic, what_a_target_has_no_word_for_is_named_as_the_caller_named_it) {
  EXPECT_EQ(refused(ask(hello, R"(,"top_k":5)"), to_openai()), "unsupported_parameter top_k");
  EXPECT_EQ(refused(ask(hello, R"(,"container":"c")"), to_openai()), "unsupported_parameter container");
  EXPECT_EQ(refused(ask(hello, R"(,"container":"c")"), to_gemini), "unsupported_parameter container");
  EXPECT_EQ(refused(ask(hello, R"(,"container":"c")"), to_anthropic), "nothing");
  const auto alone =
      ask(hello, std::string(tools) + R"(,"tool_choice":{"type":"auto","disable_parallel_tool_use":true})");
  EXPECT_EQ(refused(alone, to_gemini), "unsupported_parameter tool_choice.disable_parallel_tool_use");
  EXPECT_EQ(at(sent(alone, to_openai()), "/parallel_tool_calls"), "false");
  const auto search = ask(hello, R"(,"tools":[{"type":"web_search_20250305","name":"web_search"}])");
  EXPECT_EQ(refused(search, to_openai()), "unsupported_parameter tools.web_search");
  EXPECT_EQ(refused(search, to_gemini), "unsupported_parameter tools.web_search");
  EXPECT_EQ(refused(search, to_anthropic), "nothing");
}

TEST(translate_anthropic, dropping_lists_what_was_dropped) {
  const auto of = ask(hello, R"(,"container":"c","top_k":5,"mesh":{"drop":true})");
  EXPECT_EQ(dropped(of, to_openai()), (std::vector<std::string>{"top_k", "container"}));
  EXPECT_EQ(dropped(of, to_anthropic), std::vector<std::string>());
}

TEST(translate_anthropic, marks_for_caches_do_not_stand_in_the_way) {
  const auto of =
      ask(R"([{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}])");
  EXPECT_EQ(dropped(of, to_openai()), std::vector<std::string>{"cache_control"});
  EXPECT_EQ(dropped(of, to_gemini), std::vector<std::string>{"cache_control"});
  EXPECT_EQ(at(sent(of, to_anthropic), "/messages/0/content/0/cache_control/type"), R"("ephemeral")");
}

TEST(translate_anthropic, tools_and_the_choice_of_them) {
  const auto of = ask(hello, std::string(tools) + R"(,"tool_choice":{"type":"tool","name":"get"})");
  const auto openai = sent(of, to_openai());
  EXPECT_EQ(at(openai, "/tools/0/function/name"), R"("get")");
  EXPECT_EQ(at(openai, "/tools/0/function/parameters/type"), R"("object")");
  EXPECT_EQ(at(openai, "/tool_choice/function/name"), R"("get")");
  const auto google = sent(of, to_gemini);
  EXPECT_EQ(at(google, "/tools/0/functionDeclarations/0/parametersJsonSchema/type"), R"("object")");
  EXPECT_EQ(at(google, "/toolConfig/functionCallingConfig/allowedFunctionNames"), R"(["get"])");
}

TEST(translate_anthropic, calls_and_results_with_errors) {
  const auto of = ask(tool_turn, tools);
  const auto openai = sent(of, to_openai());
  EXPECT_EQ(at(openai, "/messages/1/tool_calls/1/id"), R"("t2")");
  EXPECT_EQ(at(openai, "/messages/1/tool_calls/0/function/arguments"), R"("{\"city\":\"Rome\"}")");
  EXPECT_EQ(at(openai, "/messages/2"), R"({"role":"tool","tool_call_id":"t1","content":"sun"})");
  EXPECT_EQ(at(openai, "/messages/3/content"), R"("Error: no such city")");
  EXPECT_EQ(at(openai, "/messages/4"), R"({"role":"user","content":"and?"})");
  const auto google = sent(of, to_gemini);
  EXPECT_EQ(at(google, "/contents/1/parts/1/functionCall/args/city"), R"("Rome")");
  EXPECT_EQ(at(google, "/contents/2/parts/0/functionResponse/response"), R"({"output":"sun"})");
  EXPECT_EQ(at(google, "/contents/2/parts/1/functionResponse/response"), R"({"error":"no such city"})");
  EXPECT_EQ(at(google, "/contents/2/parts/2/text"), R"("and?")");
}

TEST(translate_anthropic, images) {
  const auto data = ask(R"([{"role":"user","content":[{"type":"text","text":"what?"},
    {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]}])");
  EXPECT_EQ(at(sent(data, to_openai()), "/messages/0/content/1/image_url/url"), R"("data:image/png;base64,AA==")");
  EXPECT_EQ(at(sent(data, to_gemini), "/contents/0/parts/1/inlineData/mimeType"), R"("image/png")");
  const auto url =
      ask(R"([{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://x/y.png"}}]}])");
  EXPECT_EQ(at(sent(url, to_openai()), "/messages/0/content/0/image_url/url"), R"("https://x/y.png")");
  EXPECT_EQ(refused(url, to_gemini), "unsupported_parameter image.source");
}

TEST(translate_anthropic, thinking_and_structured_output) {
  const auto of = ask(hello, R"(,"thinking":{"type":"enabled","budget_tokens":4096},
    "output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}})");
  EXPECT_EQ(at(sent(of, to_openai()), "/reasoning_effort"), R"("medium")");
  EXPECT_EQ(at(sent(of, to_openai()), "/response_format/json_schema/schema/type"), R"("object")");
  EXPECT_EQ(at(sent(of, to_gemini), "/generationConfig/thinkingConfig"),
            R"({"includeThoughts":true,"thinkingBudget":4096})");
  EXPECT_EQ(at(sent(of, to_gemini), "/generationConfig/responseJsonSchema/type"), R"("object")");
  EXPECT_EQ(at(sent(of, to_anthropic), "/thinking/budget_tokens"), "4096");
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
  const auto got = gather(streamed(
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

TEST(translate_anthropic, finish_reasons_of_openai) {
  const auto reason = [](std::string_view word) {
    return std::string(
        gather(streamed(ask(hello), to_openai(),
                        {openai_chunk(R"({"content":"x"})"), openai_chunk("{}", '"' + std::string(word) + '"')}))
            .at("stop_reason")
            .as_string());
  };
  EXPECT_EQ(reason("stop"), "end_turn");
  EXPECT_EQ(reason("length"), "max_tokens");
  EXPECT_EQ(reason("content_filter"), "refusal");
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
  const auto got = gather(streamed(
      ask(hello, tools), to_gemini,
      {chunk(R"([{"text":"hm","thought":true}])"), chunk(R"([{"text":"I "}])"), chunk(R"([{"text":"look."}])"),
       chunk(R"([{"functionCall":{"name":"get","args":{"city":"Rome"}},"thoughtSignature":"SIG+/="},
                 {"functionCall":{"name":"get","args":{"city":"Oslo"}}}])"),
       chunk("[]", R"(,"finishReason":"STOP")")}));
  EXPECT_EQ(got.at("stop_reason").as_string(), "tool_use");
  expect_gemini_signatures(next_turn(got, tools));
}

TEST(translate_anthropic, the_signature_of_a_text_of_gemini_comes_back) {
  const auto body =
      R"({"candidates":[{"content":{"parts":[{"text":"Hi","thoughtSignature":"TS"}]},"finishReason":"STOP"}]})";
  const auto again = next_turn(testing::read(whole(ask(hello), to_gemini, body)));
  EXPECT_EQ(at(sent(again, to_gemini), "/contents/1/parts"),
            R"([{"text":"Hi"},{"text":"","thoughtSignature":"TS"}])");
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
  const auto got = gather(streamed(ask(hello, tools), to_anthropic, anthropic_stream));
  EXPECT_EQ(at(got, "/id"), R"("msg_p")");
  EXPECT_EQ(at(got, "/usage/service_tier"), R"("standard")");
  EXPECT_EQ(at(got, "/usage/server_tool_use/web_search_requests"), "0");
  EXPECT_EQ(at(got, "/mesh/request_id"), R"("req_1")");
  testing::expect_json(boost::json::serialize(got.at("content")), R"([
    {"type":"thinking","thinking":"hm","signature":"SIG"},{"type":"redacted_thinking","data":"RED"},
    {"type":"tool_use","id":"toolu_1","name":"get","input":{"a":1}}])");
}

TEST(translate_anthropic, thoughts_of_anthropic_go_back_to_it_unchanged_and_to_no_other_signed) {
  const auto again = next_turn(gather(streamed(ask(hello, tools), to_anthropic, anthropic_stream)), tools);
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

TEST(translate_anthropic, problems_speak_its_dialect) {
  const auto text =
      write_problem(endpoint::messages, {.status = 429, .message = "slow down", .hint = "wait 3 s"}, "req_1");
  testing::expect_json(
      text, R"({"type":"error","error":{"type":"rate_limit_error","message":"slow down","hint":"wait 3 s"},
    "request_id":"req_1"})");
}

// ---- an OpenAI caller before Anthropic and Gemini: signatures there and back
// -------------------------------------

request openai_next_turn(const boost::json::value& message) {
  boost::json::array messages{{{"role", "user"}, {"content", "q"}}, message};
  for (const auto& call : message.at("tool_calls").as_array()) {
    messages.push_back({{"role", "tool"}, {"tool_call_id", call.at("id")}, {"content", "sun"}});
  }
  auto parsed = parse_request(endpoint::chat_completions,
                              boost::json::serialize(boost::json::object{{"model", "m"}, {"messages", messages}}));
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? std::move(*parsed) : request{};
}

request openai_question() {
  return *parse_request(endpoint::chat_completions, R"({"model":"m","messages":[{"role":"user","content":"q"}]})");
}

TEST(translate_openai, signatures_of_gemini_go_there_and_back) {
  const auto answer = testing::read(whole(openai_question(), to_gemini, gemini_calls));
  const auto parts =
      sent(openai_next_turn(answer.at("choices").at(0).at("message")), to_gemini).at("contents").at(1).at("parts");
  testing::expect_json(boost::json::serialize(parts), R"([{"text":"hm","thought":true},{"text":"I look."},
    {"functionCall":{"id":"call_R1_0_0","name":"get","args":{"city":"Rome"}},"thoughtSignature":"SIG+/="},
    {"functionCall":{"id":"call_R1_0_1","name":"get","args":{"city":"Oslo"}}}])");
}

TEST(translate_openai, signatures_of_anthropic_go_there_and_back) {
  const auto answer =
      testing::read(whole(openai_question(), to_anthropic, R"({"id":"m","type":"message","role":"assistant",
    "model":"claude","content":[{"type":"thinking","thinking":"hm","signature":"SIG"},
      {"type":"redacted_thinking","data":"RED"},
      {"type":"tool_use","id":"toolu_1","name":"get","input":{"a":1}}],"stop_reason":"tool_use",
    "usage":{"input_tokens":1,"output_tokens":2}})"));
  const auto again = openai_next_turn(answer.at("choices").at(0).at("message"));
  testing::expect_json(at(sent(again, to_anthropic), "/messages/1/content"), R"([
    {"type":"thinking","thinking":"hm","signature":"SIG"},{"type":"redacted_thinking","data":"RED"},
    {"type":"tool_use","id":"toolu_1","name":"get","input":{"a":1}}])");
  EXPECT_EQ(write_request(again, to_gemini)->body.find("SIG"), std::string::npos);
}

}  // namespace
}  // namespace meshai::chat
