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

}  // namespace
}  // namespace meshai::chat
