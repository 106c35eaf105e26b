// What providers answer, for callers of either dialect, whole and streamed: the text, why it ended, what it cost.
#include "chat/clients.hpp"

namespace meshai::chat {
namespace {

using testing::at;
using testing::claude;
using testing::gemini;
using testing::openai;
using testing::server;
using testing::spoken;

request ask(endpoint door, std::string_view members = "") {
  const bool anthropic = door == endpoint::messages;
  auto parsed = parse_request(
      door, R"({"model":"m","messages":[{"role":"user","content":"hi"}])" +
                std::string(anthropic ? R"(,"max_tokens":9)" : R"(,"stream_options":{"include_usage":true})") +
                std::string(members) + "}");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? std::move(*parsed) : request{};
}

// ---- one answer of each provider: its text, the reason of its end (with further members), and its counts

spoken from_openai(std::string_view text, std::string_view reason, std::string_view counts) {
  const std::string begin =
      R"({"id":"c","object":"chat.completion","created":1,"model":"x","choices":[{"index":0,)";
  const auto says = R"({"role":"assistant","content":)" + std::string(text) + "}";
  const auto end = R"(,"finish_reason":)" + std::string(reason) + "}]";
  return {begin + R"("message":)" + says + end + R"(,"usage":)" + std::string(counts) + "}",
          {begin + R"("delta":)" + says + R"(,"finish_reason":null}]})", begin + R"("delta":{})" + end + "}",
           R"({"id":"c","choices":[],"usage":)" + std::string(counts) + "}", "[DONE]"}};
}

spoken from_claude(std::string_view text, std::string_view reason, std::string_view counts) {
  const std::string head = R"({"id":"m","type":"message","role":"assistant","model":"x","content":[)";
  const auto usage = R"("usage":)" + std::string(counts);
  return {head + R"({"type":"text","text":)" + std::string(text) + R"(}],"stop_reason":)" + std::string(reason) +
              "," + usage + "}",
          {R"({"type":"message_start","message":)" + head + R"(],"stop_reason":null,"stop_sequence":null,)" +
               usage + "}}",
           R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})",
           R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":)" + std::string(text) +
               "}}",
           R"({"type":"content_block_stop","index":0})",
           R"({"type":"message_delta","delta":{"stop_reason":)" + std::string(reason) + "}," + usage + "}",
           R"({"type":"message_stop"})"}};
}

spoken from_gemini(std::string_view text, std::string_view reason, std::string_view counts) {
  const auto begin =
      R"({"candidates":[{"index":0,"content":{"role":"model","parts":[{"text":)" + std::string(text) + R"(}]})";
  const auto end =
      R"(,"finishReason":)" + std::string(reason) + R"(}],"usageMetadata":)" + std::string(counts) + "}";
  return {begin + end, {begin + "}]}", R"({"candidates":[{"index":0)" + end}};
}

struct answering {
  std::string_view name;
  const target* from;
  spoken what;
  // For OpenAI's callers the finish reason and for both what of the usage is told; for Anthropic's stop_reason and
  // stop_sequence.
  std::string_view finish, usage, stop, anthropic_usage;
};

constexpr std::string_view openai_counts = R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,
  "prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}})";
constexpr std::string_view openai_told = R"([10,5,4,3])", anthropic_told = R"([6,5,4,0])";
constexpr std::string_view claude_counts =
    R"({"input_tokens":6,"cache_read_input_tokens":4,"cache_creation_input_tokens":2,"output_tokens":5})";
constexpr std::string_view gemini_counts =
    R"({"promptTokenCount":10,"cachedContentTokenCount":4,"candidatesTokenCount":2,"thoughtsTokenCount":3})";

const std::vector<answering> answers{
    {"openai_stop", &openai, from_openai(R"("Hi")", R"("stop")", openai_counts), R"("stop")", openai_told,
     R"(["end_turn",null])", anthropic_told},
    {"openai_length", &openai, from_openai(R"("Hi")", R"("length")", openai_counts), R"("length")", openai_told,
     R"(["max_tokens",null])", anthropic_told},
    {"openai_filter", &openai, from_openai(R"("Hi")", R"("content_filter")", openai_counts), R"("content_filter")",
     openai_told, R"(["refusal",null])", anthropic_told},
    {"openai_refusal", &openai, from_openai(R"(null,"refusal":"Hi")", R"("stop")", openai_counts), R"("stop")",
     openai_told, R"(["refusal",null])", anthropic_told},
    {"a_word_of_another_server", &server, from_openai(R"("Hi")", R"("eos")", openai_counts), R"("stop")",
     openai_told, R"(["end_turn",null])", anthropic_told},
    {"a_stop_that_vllm_names", &server, from_openai(R"("Hi")", R"("stop","stop_reason":"END")", openai_counts),
     R"("stop")", openai_told, R"(["stop_sequence","END"])", anthropic_told},
    {"claude_end", &claude, from_claude(R"("Hi")", R"("end_turn","stop_sequence":null)", claude_counts),
     R"("stop")", R"([12,5,4,null])", R"(["end_turn",null])", R"([6,5,4,2])"},
    {"claude_stop", &claude, from_claude(R"("Hi")", R"("stop_sequence","stop_sequence":"END")", claude_counts),
     R"("stop")", R"([12,5,4,null])", R"(["stop_sequence","END"])", R"([6,5,4,2])"},
    {"claude_length", &claude, from_claude(R"("Hi")", R"("max_tokens","stop_sequence":null)", claude_counts),
     R"("length")", R"([12,5,4,null])", R"(["max_tokens",null])", R"([6,5,4,2])"},
    {"claude_window", &claude,
     from_claude(R"("Hi")", R"("model_context_window_exceeded","stop_sequence":null)", claude_counts),
     R"("length")", R"([12,5,4,null])", R"(["model_context_window_exceeded",null])", R"([6,5,4,2])"},
    {"claude_refusal", &claude, from_claude(R"("Hi")", R"("refusal","stop_sequence":null)", claude_counts),
     R"("content_filter")", R"([12,5,4,null])", R"(["refusal",null])", R"([6,5,4,2])"},
    {"gemini_stop", &gemini, from_gemini(R"("Hi")", R"("STOP")", gemini_counts), R"("stop")", R"([10,5,4,3])",
     R"(["end_turn",null])", R"([6,5,4,0])"},
    {"gemini_length", &gemini, from_gemini(R"("Hi")", R"("MAX_TOKENS")", gemini_counts), R"("length")",
     R"([10,5,4,3])", R"(["max_tokens",null])", R"([6,5,4,0])"},
    {"gemini_safety", &gemini, from_gemini(R"("Hi")", R"("SAFETY")", gemini_counts), R"("content_filter")",
     R"([10,5,4,3])", R"(["refusal",null])", R"([6,5,4,0])"},
    {"gemini_language", &gemini, from_gemini(R"("Hi")", R"("LANGUAGE")", gemini_counts), R"("content_filter")",
     R"([10,5,4,3])", R"(["refusal",null])", R"([6,5,4,0])"},
};

std::string list(const boost::json::value& in, const std::vector<std::string_view>& pointers) {
  boost::json::array out;
  for (const auto pointer : pointers) {
    const auto found = at(in, pointer);
    out.push_back(found == "absent" ? boost::json::value() : testing::read(found));
  }
  return boost::json::serialize(out);
}

class answers_to : public ::testing::TestWithParam<std::tuple<answering, bool>> {};

TEST_P(answers_to, openai) {
  const auto& [one, stream] = GetParam();
  const auto got = testing::heard(ask(endpoint::chat_completions), *one.from, one.what, stream);
  const auto text = at(got, "/choices/0/message/content");
  EXPECT_EQ(text == "null" || text == R"("")" ? at(got, "/choices/0/message/refusal") : text, R"("Hi")");
  EXPECT_EQ(at(got, "/choices/0/finish_reason"), one.finish);
  EXPECT_EQ(list(got.at("usage"), {"/prompt_tokens", "/completion_tokens", "/prompt_tokens_details/cached_tokens",
                                   "/completion_tokens_details/reasoning_tokens"}),
            one.usage);
}

TEST_P(answers_to, anthropic) {
  const auto& [one, stream] = GetParam();
  const auto got = testing::heard(ask(endpoint::messages), *one.from, one.what, stream);
  EXPECT_EQ(at(got, "/content/0/text"), R"("Hi")");
  EXPECT_EQ(list(got, {"/stop_reason", "/stop_sequence"}), one.stop);
  EXPECT_EQ(list(got.at("usage"),
                 {"/input_tokens", "/output_tokens", "/cache_read_input_tokens", "/cache_creation_input_tokens"}),
            one.anthropic_usage);
}

std::string name_of(const ::testing::TestParamInfo<answers_to::ParamType>& what) {
  const auto& [one, stream] = what.param;
  return std::string(one.name) + (stream ? "_streamed" : "_whole");
}
INSTANTIATE_TEST_SUITE_P(all, answers_to, ::testing::Combine(::testing::ValuesIn(answers), ::testing::Bool()),
                         name_of);

// ---- what only OpenAI's callers can ask for

TEST(translate_answer, several_answers_keep_apart) {
  const spoken two_of_openai{
      R"({"id":"c","object":"chat.completion","created":1,"model":"x","choices":[
        {"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"},
        {"index":1,"message":{"role":"assistant","content":"b"},"finish_reason":"length"}]})",
      {R"({"choices":[{"index":1,"delta":{"content":"b"}}]})",
       R"({"choices":[{"index":0,"delta":{"content":"a"}}]})",
       R"({"choices":[{"index":1,"delta":{},"finish_reason":"length"}]})",
       R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})", "[DONE]"}};
  const spoken two_of_gemini{
      R"({"candidates":[{"index":0,"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"},
        {"index":1,"content":{"parts":[{"text":"b"}]},"finishReason":"MAX_TOKENS"}]})",
      {R"({"candidates":[{"index":1,"content":{"parts":[{"text":"b"}]}}]})",
       R"({"candidates":[{"index":0,"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"},
         {"index":1,"finishReason":"MAX_TOKENS"}]})"}};
  const auto of = ask(endpoint::chat_completions, R"(,"n":2)");
  for (const bool stream : {false, true}) {
    for (const auto& [from, what] : {std::pair(&server, two_of_openai), std::pair(&gemini, two_of_gemini)}) {
      SCOPED_TRACE(from->model + (stream ? " streamed" : " whole"));
      const auto got = testing::heard(of, *from, what, stream);
      EXPECT_EQ(list(got.at("choices"),
                     {"/0/message/content", "/0/finish_reason", "/1/message/content", "/1/finish_reason"}),
                R"(["a","stop","b","length"])");
    }
  }
}

TEST(translate_answer, logprobs) {
  const auto of = ask(endpoint::chat_completions, R"(,"logprobs":true,"top_logprobs":1)");
  const spoken openai_says{
      R"({"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop",
        "logprobs":{"content":[{"token":"Hi","logprob":-0.5,"bytes":null,"top_logprobs":[]}]}}]})",
      {R"({"choices":[{"index":0,"delta":{"content":"Hi"},
        "logprobs":{"content":[{"token":"Hi","logprob":-0.5,"bytes":null,"top_logprobs":[]}]}}]})",
       R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})", "[DONE]"}};
  const std::string result = R"("logprobsResult":{"chosenCandidates":[{"token":"Hi","logProbability":-0.5}]})";
  const spoken gemini_says{
      R"({"candidates":[{"index":0,"content":{"parts":[{"text":"Hi"}]},"finishReason":"STOP",)" + result + "}]}",
      {R"({"candidates":[{"index":0,"content":{"parts":[{"text":"Hi"}]},)" + result + "}]}",
       R"({"candidates":[{"index":0,"finishReason":"STOP"}]})"}};
  for (const auto& [from, what] : {std::pair(&server, openai_says), std::pair(&gemini, gemini_says)}) {
    SCOPED_TRACE(from->model);
    EXPECT_EQ(at(testing::heard(of, *from, what, false), "/choices/0/logprobs/content/0/token"), R"("Hi")");
    EXPECT_EQ(at(testing::heard(of, *from, what, true), "/choices/0/tokens"), R"(["Hi"])");
  }
}

TEST(translate_answer, completions) {
  const auto of = parse_request(endpoint::completions, R"({"model":"m","prompt":"Once"})");
  ASSERT_TRUE(of);
  const spoken server_says{
      R"({"id":"c","object":"text_completion","choices":[{"index":0,"text":"Hi","finish_reason":"stop"}]})",
      {R"({"choices":[{"index":0,"text":"H","finish_reason":null}]})",
       R"({"choices":[{"index":0,"text":"i","finish_reason":"stop"}]})", "[DONE]"}};
  for (const auto& [from, what] : {std::pair(&server, server_says),
                                   std::pair(&claude, from_claude(R"("Hi")", R"("end_turn")", claude_counts)),
                                   std::pair(&gemini, from_gemini(R"("Hi")", R"("STOP")", gemini_counts))}) {
    for (const bool stream : {false, true}) {
      SCOPED_TRACE(from->model + (stream ? " streamed" : " whole"));
      const auto got = testing::heard(*of, *from, what, stream);
      EXPECT_EQ(list(got, {"/choices/0/text", "/choices/0/finish_reason"}), R"(["Hi","stop"])");
    }
  }
}

// ---- errors

TEST(translate_answer, errors_with_a_status_and_in_a_stream) {
  struct entry {
    const target* from;
    std::string_view body, event;
  };
  for (const auto& [from, body, event] : std::initializer_list<entry>{
           {&openai, R"({"error":{"message":"busy","type":"server_error","code":"y"}})",
            R"({"error":{"message":"busy","type":"server_error"}})"},
           {&claude, R"({"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":"r"})",
            R"({"type":"error","error":{"type":"overloaded_error","message":"busy"}})"},
           {&gemini, R"([{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}])",
            R"({"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}})"}}) {
    SCOPED_TRACE(from->model);
    const auto got = read_error(from->dialect, 503, body);
    EXPECT_EQ(got.message, "busy");
    EXPECT_EQ(got.status, 503);
    EXPECT_FALSE(got.type.empty());
    for (const auto door : {endpoint::chat_completions, endpoint::messages}) {
      std::vector<delta> none;
      const auto read = make_stream_reader(ask(door), *from)->event({}, event, none);
      ASSERT_FALSE(read);
      EXPECT_EQ(read.error().said.message, "busy");
      const auto whole = read_answer(ask(door), *from, event);
      ASSERT_FALSE(whole);
      EXPECT_FALSE(whole.error().malformed);
    }
  }
}

TEST(translate_answer, problems_in_both_dialects) {
  const problem slow{
      .status = 429, .type = "rate_limit_error", .code = "c", .param = "p", .message = "slow", .hint = "wait"};
  testing::expect_json(write_problem(endpoint::chat_completions, slow, "r"), R"({"error":{"message":"slow",
    "type":"rate_limit_error","param":"p","code":"c","hint":"wait"},"mesh":{"request_id":"r"}})");
  testing::expect_json(write_problem(endpoint::messages, slow, "r"), R"({"type":"error","error":{
    "type":"rate_limit_error","message":"slow","code":"c","param":"p","hint":"wait"},"request_id":"r"})");
  for (const auto door : {endpoint::chat_completions, endpoint::messages}) {
    const auto writer = make_stream_writer(ask(door), {.id = "id"});
    std::string out;
    writer->step({.text = "Hi"}, out);
    writer->fail(slow, {.request_id = "r", .node = "n"}, out);
    const auto last = testing::read(testing::events(out).back().data);
    EXPECT_EQ(at(last, "/error/message"), R"("slow")");
    EXPECT_EQ(at(last, "/error/hint"), R"("wait")");
    EXPECT_EQ(at(last, "/mesh/node"), R"("n")");
    EXPECT_EQ(out.find("[DONE]"), std::string::npos);
    EXPECT_EQ(out.find("message_stop"), std::string::npos);
  }
}

}  // namespace
}  // namespace meshai::chat
