// An OpenAI caller before providers of every dialect: what it asks arrives, and what they answer comes back.
#include "chat/testing.hpp"

namespace meshai::chat {
namespace {

using testing::at;

const story told{.request_id = "r1", .node = "node", .model = "m", .where = tier::cloud};
const target openai{.dialect = dialect::openai, .model = "gpt-5", .max_completion_tokens = true};
const target anthropic{.dialect = dialect::anthropic, .model = "claude-sonnet-4-5"};
const target gemini{.dialect = dialect::gemini, .model = "gemini-3-pro"};

request ask(std::string_view members, std::string_view messages = R"([{"role":"user","content":"hi"}])") {
  auto parsed = parse_request(endpoint::chat_completions,
                              R"({"model":"m","messages":)" + std::string(messages) + std::string(members) + "}");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? std::move(*parsed) : request{};
}

// What one feature becomes in each dialect: the value at a pointer of the request that is written, or, where the
// dialect cannot express it, "refused PARAM".
struct arrival {
  const target* to;
  std::string_view pointer, want;
};
struct feature {
  std::string_view name, members, messages;
  std::vector<arrival> arrivals;
};

constexpr std::string_view hi = R"([{"role":"user","content":"hi"}])";

const std::vector<feature> features{
    {"system",
     "",
     R"([{"role":"system","content":"S"},{"role":"developer","content":"D"},{"role":"user","content":"hi"}])",
     {{&openai, "/messages/1/role", "\"developer\""},
      {&anthropic, "/system", R"([{"type":"text","text":"S"},{"type":"text","text":"D"}])"},
      {&anthropic, "/messages", R"([{"role":"user","content":[{"type":"text","text":"hi"}]}])"},
      {&gemini, "/systemInstruction/parts", R"([{"text":"S"},{"text":"D"}])"}}},
    {"turns",
     "",
     R"([{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}])",
     {{&anthropic, "/messages/1", R"({"role":"assistant","content":[{"type":"text","text":"b"}]})"},
      {&anthropic, "/messages/2/role", "\"user\""},
      {&gemini, "/contents/1", R"({"role":"model","parts":[{"text":"b"}]})"}}},
    {"tools",
     R"(,"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],
        "tool_choice":"required")",
     hi,
     {{&openai, "/tools/0/function/name", "\"f\""},
      {&anthropic, "/tools/0", R"({"name":"f","description":"d","input_schema":{"type":"object"}})"},
      {&anthropic, "/tool_choice/type", "\"any\""},
      {&gemini, "/tools/0/functionDeclarations/0/parametersJsonSchema", R"({"type":"object"})"},
      {&gemini, "/toolConfig/functionCallingConfig/mode", "\"ANY\""}}},
    {"a_named_tool",
     R"(,"tools":[{"type":"function","function":{"name":"f"}}],
        "tool_choice":{"type":"function","function":{"name":"f"}})",
     hi,
     {{&anthropic, "/tool_choice", R"({"type":"tool","name":"f"})"},
      {&gemini, "/toolConfig/functionCallingConfig/allowedFunctionNames", R"(["f"])"}}},
    {"one_call_at_a_time",
     R"(,"tools":[{"type":"function","function":{"name":"f"}}],"parallel_tool_calls":false)",
     hi,
     {{&anthropic, "/tool_choice/disable_parallel_tool_use", "true"},
      {&gemini, "", "refused parallel_tool_calls"}}},
    {"parallel_calls_and_results",
     "",
     R"([{"role":"user","content":"q"},{"role":"assistant","tool_calls":[
       {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
       {"id":"c2","type":"function","function":{"name":"g","arguments":""}}]},
       {"role":"tool","tool_call_id":"c1","content":"one"},{"role":"tool","tool_call_id":"c2","content":"two"}])",
     {{&openai, "/messages/3/content", "\"two\""},
      {&anthropic, "/messages/1/content/0", R"({"type":"tool_use","id":"c1","name":"f","input":{"a":1}})"},
      {&anthropic, "/messages/1/content/1/input", "{}"},
      {&anthropic, "/messages/2/role", "\"user\""},
      {&anthropic, "/messages/2/content/1/tool_use_id", "\"c2\""},
      {&gemini, "/contents/1/parts/0/functionCall", R"({"id":"c1","name":"f","args":{"a":1}})"},
      {&gemini, "/contents/2/parts/1/functionResponse/name", "\"g\""},
      {&gemini, "/contents/2/parts/1/functionResponse/response", R"({"output":"two"})"}}},
    {"the_older_functions",
     R"(,"functions":[{"name":"f","parameters":{"type":"object"}}],"function_call":"auto")",
     R"([{"role":"user","content":"q"},{"role":"assistant","content":null,
       "function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"one"}])",
     {{&openai, "/functions/0/name", "\"f\""},
      {&anthropic, "/tools/0/name", "\"f\""},
      {&anthropic, "/messages/2/content/0/tool_use_id", "\"call_1\""},
      {&gemini, "/contents/2/parts/0/functionResponse/name", "\"f\""}}},
    {"an_image",
     "",
     R"([{"role":"user","content":[{"type":"text","text":"see"},
       {"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}}]}])",
     {{&openai, "/messages/0/content/1/image_url/url", "\"data:image/png;base64,QUJD\""},
      {&anthropic, "/messages/0/content/1/source", R"({"type":"base64","media_type":"image/png","data":"QUJD"})"},
      {&gemini, "/contents/0/parts/1/inlineData", R"({"mimeType":"image/png","data":"QUJD"})"}}},
    {"an_image_elsewhere",
     "",
     R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.org/a.png"}}]}])",
     {{&openai, "/messages/0/content/0/image_url/url", "\"https://example.org/a.png\""},
      {&anthropic, "/messages/0/content/0/source", R"({"type":"url","url":"https://example.org/a.png"})"},
      {&gemini, "", "refused image_url"}}},
    {"a_file",
     "",
     R"([{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf",
       "file_data":"data:application/pdf;base64,Qg=="}}]}])",
     {{&anthropic, "/messages/0/content/0/source/media_type", "\"application/pdf\""},
      {&gemini, "/contents/0/parts/0/inlineData/mimeType", "\"application/pdf\""}}},
    {"sound",
     "",
     R"([{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"QQ==","format":"wav"}}]}])",
     {{&openai, "/messages/0/content/0/input_audio/format", "\"wav\""},
      {&anthropic, "", "refused input_audio"},
      {&gemini, "/contents/0/parts/0/inlineData/mimeType", "\"audio/wav\""}}},
    {"a_schema",
     R"(,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}})",
     hi,
     {{&openai, "/response_format/json_schema/name", "\"n\""},
      {&anthropic, "/output_config/format", R"({"type":"json_schema","schema":{"type":"object"}})"},
      {&gemini, "/generationConfig/responseJsonSchema", R"({"type":"object"})"}}},
    {"any_json",
     R"(,"response_format":{"type":"json_object"})",
     hi,
     {{&openai, "/response_format/type", "\"json_object\""},
      {&anthropic, "", "refused response_format"},
      {&gemini, "/generationConfig/responseMimeType", "\"application/json\""}}},
    {"stop",
     R"(,"stop":"END")",
     hi,
     {{&openai, "/stop", "\"END\""},
      {&anthropic, "/stop_sequences", R"(["END"])"},
      {&gemini, "/generationConfig/stopSequences", R"(["END"])"}}},
    {"sampling",
     R"(,"temperature":0.5,"top_p":0.25,"max_completion_tokens":50)",
     hi,
     {{&openai, "/temperature", "5E-1"},
      {&openai, "/max_completion_tokens", "50"},
      {&anthropic, "/temperature", "5E-1"},
      {&anthropic, "/top_p", "2.5E-1"},
      {&anthropic, "/max_tokens", "50"},
      {&gemini, "/generationConfig/temperature", "5E-1"},
      {&gemini, "/generationConfig/maxOutputTokens", "50"}}},
    {"penalties",
     R"(,"frequency_penalty":0.5)",
     hi,
     {{&anthropic, "", "refused frequency_penalty"}, {&gemini, "/generationConfig/frequencyPenalty", "5E-1"}}},
    {"several_answers",
     R"(,"n":2)",
     hi,
     {{&openai, "/n", "2"}, {&anthropic, "", "refused n"}, {&gemini, "/generationConfig/candidateCount", "2"}}},
    {"logprobs",
     R"(,"logprobs":true,"top_logprobs":3)",
     hi,
     {{&openai, "/top_logprobs", "3"},
      {&anthropic, "", "refused logprobs"},
      {&gemini, "/generationConfig/logprobs", "3"}}},
    {"seed",
     R"(,"seed":7)",
     hi,
     {{&openai, "/seed", "7"}, {&anthropic, "", "refused seed"}, {&gemini, "/generationConfig/seed", "7"}}},
    {"effort",
     R"(,"reasoning_effort":"low","max_tokens":9000)",
     hi,
     {{&openai, "/reasoning_effort", "\"low\""},
      {&anthropic, "/thinking", R"({"type":"enabled","budget_tokens":2048})"},
      {&gemini, "/generationConfig/thinkingConfig/thinkingLevel", "\"LOW\""}}},
    {"what_only_openai_knows",
     R"(,"logit_bias":{"1":2})",
     hi,
     {{&openai, "/logit_bias", R"({"1":2})"},
      {&anthropic, "", "refused logit_bias"},
      {&gemini, "", "refused logit_bias"}}},
    {"what_asks_for_nothing",
     R"(,"n":1,"logprobs":false,"store":false,"presence_penalty":0,"service_tier":"auto","logit_bias":{})",
     hi,
     {{&anthropic, "/messages/0/role", "\"user\""}, {&gemini, "/contents/0/role", "\"user\""}}},
};

class translate_feature : public ::testing::TestWithParam<feature> {};

TEST_P(translate_feature, arrives_or_is_refused) {
  const auto of = ask(GetParam().members, GetParam().messages);
  for (const auto& [to, pointer, want] : GetParam().arrivals) {
    const auto call = write_request(of, *to);
    const auto got = call ? at(call->body, pointer) : "refused " + call.error().param;
    EXPECT_EQ(got, want) << to->model;
    if (call) continue;
    EXPECT_EQ(call.error().code, "unsupported_parameter");
    auto lenient = of;
    lenient.mesh.drop = true;
    const auto dropped = write_request(lenient, *to);
    ASSERT_TRUE(dropped);
    EXPECT_EQ(dropped->dropped.front(), call.error().param);
  }
}

INSTANTIATE_TEST_SUITE_P(of_openai, translate_feature, ::testing::ValuesIn(features),
                         [](const auto& one) { return std::string(one.param.name); });

// ---- and back
// -----------------------------------------------------------------------------------------------------

std::string whole(const request& of, const target& from, std::string_view body) {
  const auto got = read_answer(of, from, body);
  EXPECT_TRUE(got) << from.model;
  return got ? write_answer(of, *got, {.id = "chatcmpl-1", .created = 5, .model = "m"}, told) : "{}";
}

// What openai-python makes of a stream: one message.
struct gathered {
  std::string content, reasoning, calls, finish, usage;
  int roles = 0, finishes = 0;
  bool done = false;
};
gathered streamed(const request& of, const target& from, const std::vector<std::string>& events) {
  const auto reader = make_stream_reader(of, from);
  const auto writer = make_stream_writer(of, {.id = "chatcmpl-1", .created = 5, .model = "m"});
  std::string out;
  usage counts;
  for (const auto& event : events) {
    std::vector<delta> steps;
    EXPECT_TRUE(reader->event({}, event, steps)) << event;
    for (const auto& step : steps) {
      writer->step(step, out);
      if (step.usage) counts = *step.usage;
    }
  }
  EXPECT_TRUE(reader->finished()) << from.model;
  writer->end(counts, told, out);

  gathered got;
  for (const auto& event : testing::events(out)) {
    EXPECT_FALSE(got.done);
    if (event.data == "[DONE]") {
      got.done = true;
      continue;
    }
    const auto chunk = testing::read(event.data);
    EXPECT_EQ(at(chunk, "/id"), "\"chatcmpl-1\"");
    if (at(chunk, "/usage") != "absent") got.usage = at(chunk, "/usage");
    if (chunk.at("choices").as_array().empty()) continue;
    const auto& choice = chunk.at("choices").at(0);
    if (const auto reason = at(choice, "/finish_reason"); reason != "null" && reason != "absent") {
      got.finish = reason;
      ++got.finishes;
    }
    const auto& change = choice.at("delta").as_object();
    if (change.contains("role")) ++got.roles;
    const auto text = [&](std::string_view name) {
      const auto* found = change.if_contains(name);
      return found && found->is_string() ? std::string(found->get_string()) : std::string();
    };
    got.content += text("content");
    got.reasoning += text("reasoning_content");
    const auto* calls = change.if_contains("tool_calls");
    for (const auto& call : calls ? calls->as_array() : boost::json::array()) {
      const auto& made = call.as_object();
      if (made.contains("id")) got.calls += "[" + at(call, "/id") + at(call, "/function/name") + "]";
      if (const auto* more = made.at("function").as_object().if_contains("arguments")) {
        got.calls += std::string(more->as_string());
      }
    }
  }
  return got;
}

struct reply {
  const target* from;
  std::string_view body;
  std::vector<std::string> events;
};

// The same answer in three dialects: a thought, a text, two calls, 10 tokens in and 5 out.
const std::vector<reply> replies{
    {&openai,
     R"({"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"look","reasoning_content":"hm",
       "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
       {"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]},"finish_reason":"tool_calls"}],
       "usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}})",
     {R"({"choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"hm"}}]})",
      R"({"choices":[{"index":0,"delta":{"content":"look"}}]})",
      R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]}}]})",
      R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":"{}"}}]}}]})",
      R"({"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]})",
      R"({"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}})", "[DONE]"}},
    {&anthropic,
     R"({"id":"x","type":"message","role":"assistant","model":"c","content":[
       {"type":"thinking","thinking":"hm","signature":"S"},{"type":"text","text":"look"},
       {"type":"tool_use","id":"a","name":"f","input":{"x":1}},{"type":"tool_use","id":"b","name":"g","input":{}}],
       "stop_reason":"tool_use","usage":{"input_tokens":10,"output_tokens":5}})",
     {R"({"type":"message_start","message":{"id":"x","model":"c","usage":{"input_tokens":10,"output_tokens":1}}})",
      R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}})",
      R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}})",
      R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"S"}})",
      R"({"type":"content_block_stop","index":0})",
      R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}})",
      R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"look"}})",
      R"({"type":"content_block_stop","index":1})",
      R"({"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}})",
      R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"x\":1}"}})",
      R"({"type":"content_block_stop","index":2})",
      R"({"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"b","name":"g","input":{}}})",
      R"({"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{}"}})",
      R"({"type":"content_block_stop","index":3})",
      R"({"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":5}})",
      R"({"type":"message_stop"})"}},
    {&gemini,
     R"({"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true},{"text":"look"},
       {"functionCall":{"id":"a","name":"f","args":{"x":1}},"thoughtSignature":"G"},
       {"functionCall":{"id":"b","name":"g","args":{}}}]},"finishReason":"STOP"}],
       "usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5}})",
     {R"({"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true}]}}]})",
      R"({"candidates":[{"content":{"role":"model","parts":[{"text":"look"}]}}]})",
      R"({"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{"x":1}},"thoughtSignature":"G"},{"functionCall":{"id":"b","name":"g","args":{}}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5}})"}},
};

TEST(translate_openai, a_whole_answer_comes_back_the_same_from_everyone) {
  for (const auto& one : replies) {
    SCOPED_TRACE(one.from->model);
    const auto out = whole(ask(""), *one.from, one.body);
    const auto message = [&](std::string_view pointer) {
      return at(out, "/choices/0/message" + std::string(pointer));
    };
    EXPECT_EQ(message("/content") + message("/reasoning_content"), "\"look\"\"hm\"");
    EXPECT_EQ(message("/tool_calls/0/id") + message("/tool_calls/1/id"), "\"a\"\"b\"");
    EXPECT_EQ(message("/tool_calls/0/function"), R"({"name":"f","arguments":"{\"x\":1}"})");
    EXPECT_EQ(at(out, "/choices/0/finish_reason"), "\"tool_calls\"");
    EXPECT_EQ(at(out, "/usage/prompt_tokens") + at(out, "/usage/completion_tokens"), "105");
    EXPECT_EQ(at(out, "/mesh/node"), "\"node\"");
  }
}

TEST(translate_openai, a_stream_comes_back_the_same_from_everyone) {
  for (const auto& one : replies) {
    SCOPED_TRACE(one.from->model);
    const auto got =
        streamed(ask(R"(,"stream":true,"stream_options":{"include_usage":true})"), *one.from, one.events);
    EXPECT_EQ(got.content, "look");
    EXPECT_EQ(got.reasoning, "hm");
    EXPECT_EQ(got.calls, R"(["a""f"]{"x":1}["b""g"]{})");
    EXPECT_EQ(got.finish, "\"tool_calls\"");
    EXPECT_EQ(got.roles, 1);
    EXPECT_EQ(got.finishes, 1);
    EXPECT_TRUE(got.done);
    EXPECT_EQ(at(got.usage, "/prompt_tokens") + at(got.usage, "/completion_tokens"), "105");
  }
}

TEST(translate_openai, finish_reasons) {
  struct entry {
    const target* from;
    std::string_view reason, want;
  };
  for (const auto& [from, reason, want] :
       std::initializer_list<entry>{{&openai, "length", "\"length\""},
                                    {&openai, "content_filter", "\"content_filter\""},
                                    {&openai, "eos", "\"stop\""},
                                    {&anthropic, "end_turn", "\"stop\""},
                                    {&anthropic, "stop_sequence", "\"stop\""},
                                    {&anthropic, "max_tokens", "\"length\""},
                                    {&anthropic, "refusal", "\"content_filter\""},
                                    {&gemini, "STOP", "\"stop\""},
                                    {&gemini, "MAX_TOKENS", "\"length\""},
                                    {&gemini, "SAFETY", "\"content_filter\""}}) {
    std::string body;
    const std::string word(reason);
    if (from == &openai) body = R"({"choices":[{"message":{"content":"a"},"finish_reason":")" + word + R"("}]})";
    if (from == &anthropic) {
      body =
          R"({"id":"x","type":"message","role":"assistant","content":[{"type":"text","text":"a"}],"stop_reason":")" +
          word + R"(","usage":{"input_tokens":1,"output_tokens":1}})";
    }
    if (from == &gemini) {
      body = R"({"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":")" + word + R"("}]})";
    }
    EXPECT_EQ(at(whole(ask(""), *from, body), "/choices/0/finish_reason"), want) << reason;
  }
}

// The caller sends the streamed message back as a client that merges by index has it.
TEST(translate_openai, seals_of_a_stream_come_home) {
  const auto next_turn = [](std::string_view reasoning, std::string_view call_extra) {
    return ask("", R"([{"role":"user","content":"q"},{"role":"assistant","content":"look")" +
                       std::string(reasoning) +
                       R"(,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"})" +
                       std::string(call_extra) + R"(}]},{"role":"tool","tool_call_id":"a","content":"1"}])");
  };
  const auto sealed =
      next_turn(R"(,"reasoning_content":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm",
      "format":"anthropic-claude-v1","signature":"S","index":0}])",
                "");
  const auto claude = write_request(sealed, anthropic);
  ASSERT_TRUE(claude);
  EXPECT_EQ(at(claude->body, "/messages/1/content/0"), R"({"type":"thinking","thinking":"hm","signature":"S"})");
  const auto signed_call = next_turn("", R"(,"extra_content":{"google":{"thought_signature":"G"}})");
  const auto google = write_request(signed_call, gemini);
  ASSERT_TRUE(google);
  EXPECT_EQ(at(google->body, "/contents/1/parts/1/thoughtSignature"), "\"G\"");
  for (const auto* of : {&sealed, &signed_call}) {
    const auto own = write_request(*of, openai);
    ASSERT_TRUE(own);
    EXPECT_EQ(own->body.find("\"S\""), std::string::npos);
    EXPECT_EQ(own->body.find("\"G\""), std::string::npos);
  }
}

TEST(translate_openai, a_completion_becomes_a_question_elsewhere) {
  const auto of = parse_request(endpoint::completions, R"({"model":"m","prompt":"Once","max_tokens":9})");
  ASSERT_TRUE(of);
  EXPECT_EQ(at(write_request(*of, anthropic)->body, "/messages/0/content/0/text"), "\"Once\"");
  EXPECT_EQ(at(write_request(*of, gemini)->body, "/contents/0/parts/0/text"), "\"Once\"");
  EXPECT_EQ(at(write_request(*of, openai)->body, "/prompt"), "\"Once\"");
  const auto out = whole(*of, anthropic, R"({"id":"x","type":"message","role":"assistant",
      "content":[{"type":"text","text":"upon"}],"stop_reason":"end_turn",
      "usage":{"input_tokens":1,"output_tokens":1}})");
  EXPECT_EQ(at(out, "/choices/0/text") + at(out, "/object"), "\"upon\"\"text_completion\"");
}

TEST(translate_openai, errors_of_everyone_are_understood) {
  for (const auto& [from, body] : std::initializer_list<std::pair<dialect, std::string_view>>{
           {dialect::openai, R"({"error":{"message":"busy","type":"x","code":"y"}})"},
           {dialect::anthropic, R"({"type":"error","error":{"type":"overloaded_error","message":"busy"}})"},
           {dialect::gemini, R"({"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}})"}}) {
    const auto got = read_error(from, 503, body);
    EXPECT_EQ(got.message, "busy");
    EXPECT_EQ(got.status, 503);
  }
}

}  // namespace
}  // namespace meshai::chat
