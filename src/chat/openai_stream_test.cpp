// Chunks as real servers send them, and what is read out of them.
#include <format>

#include "chat/testing.hpp"

namespace meshai::chat {
namespace {

using testing::at;

// `foreign`: the caller speaks another dialect, so that nothing passes as it came.
struct stream {
  request of;
  std::unique_ptr<stream_reader> reader;
  std::vector<delta> steps;

  explicit stream(bool foreign = false, request asked = {}) : of(std::move(asked)) {
    of.dialect = foreign ? dialect::anthropic : dialect::openai;
    reader = make_stream_reader(of, {.dialect = dialect::openai, .model = "m"});
  }
  // "" where it was read, else what is wrong with it.
  std::string event(std::string_view data, std::string_view name = {}) {
    const auto read = reader->event(name, data, steps);
    if (read) return {};
    if (read.error().malformed) return "malformed";
    const auto& said = read.error().said;
    return std::format("{} {} {}", said.status, said.type.empty() ? said.code : said.type, said.message);
  }
  std::string choice(std::string_view members) {
    return event(R"({"id":"x","object":"chat.completion.chunk","model":"p","choices":[{)" + std::string(members) +
                 "}]}");
  }
  std::string text() const {
    std::string out;
    for (const auto& step : steps) out += step.text;
    return out;
  }
};

TEST(openai_stream, reads_a_plain_answer) {
  stream s;
  EXPECT_EQ(s.choice(R"("index":0,"delta":{"role":"assistant","content":""},"finish_reason":null)"), "");
  EXPECT_TRUE(s.steps.empty());  // a role is no token
  EXPECT_EQ(s.choice(R"("index":0,"delta":{"content":"4"},"finish_reason":null)"), "");
  EXPECT_TRUE(s.steps[0].is_token());
  EXPECT_FALSE(s.reader->finished());
  EXPECT_EQ(s.choice(R"("index":0,"delta":{},"finish_reason":"stop")"), "");
  EXPECT_TRUE(s.reader->finished());
  EXPECT_EQ(s.steps[1].finish, finish::stop);
  EXPECT_EQ(s.event(R"({"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":1,
      "prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":1}}})"),
            "");
  EXPECT_EQ(s.steps[2].usage, (usage{.input = 9, .output = 1, .cached = 4, .reasoning = 1, .known = true}));
  EXPECT_EQ(s.event("[DONE]"), "");
  EXPECT_TRUE(s.steps[3].end);
  EXPECT_EQ(s.event("rubbish after the end"), "");
  EXPECT_EQ(s.text(), "4");
}

TEST(openai_stream, is_tolerant_of_real_servers) {
  stream s;
  EXPECT_EQ(s.event(""), "");
  EXPECT_EQ(s.choice(R"("delta":{"role":"assistant","content":"a"},"finish_reason":"")"), "");    // no index
  EXPECT_EQ(s.choice(R"("delta":{"content":null,"tool_calls":null},"finish_reason":null)"), "");  // nothing in it
  EXPECT_EQ(s.event(R"({"choices":[{"delta":{"content":"b"},"finish_reason":"stop"}],
      "usage":{"prompt_tokens":1,"completion_tokens":2}})"),
            "");                                                                // usage with the last words
  EXPECT_EQ(s.choice(R"("delta":{"content":""},"finish_reason":"stop")"), "");  // the end again
  EXPECT_EQ(s.event(R"({"choices":null,"usage":{"prompt_tokens":1,"completion_tokens":2}})"), "");
  EXPECT_EQ(s.text(), "ab");
  EXPECT_EQ(s.steps[1].usage->output, 2);
  EXPECT_EQ(std::ranges::count_if(s.steps, [](const delta& d) { return d.finish != finish::none; }), 1);
  EXPECT_TRUE(s.reader->finished());  // [DONE] never came
}

TEST(openai_stream, reads_reasoning_in_all_its_names) {
  stream s(true);
  s.choice(R"("delta":{"reasoning_content":"a"})");
  s.choice(R"("delta":{"reasoning":"b"})");
  s.choice(
      R"("delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"c"}]},{"type":"text","text":"d"}]})");
  s.choice(R"("delta":{"reasoning_details":[{"type":"reasoning.text","text":"e","signature":"sig",
      "format":"anthropic-claude-v1","index":0}]})");
  s.choice(R"("delta":{"reasoning":"f","reasoning_details":[{"type":"reasoning.text","text":"f","index":1}]})");
  std::string thought;
  for (const auto& step : s.steps) thought += step.thought.text;
  EXPECT_EQ(thought, "abcef");
  EXPECT_EQ(s.text(), "d");
  EXPECT_EQ(s.steps[3].thought.signature, "sig");
  EXPECT_EQ(s.steps[3].thought.from, dialect::anthropic);
  EXPECT_TRUE(s.steps[0].is_token());
}

// "index id name arguments;" for each piece of a call.
std::string calls_of(const stream& s) {
  std::string out;
  for (const auto& step : s.steps) {
    for (const auto& call : step.calls)
      out += std::format("{} {} {} {};", call.index, call.id, call.name, call.arguments);
  }
  return out;
}

TEST(openai_stream, reads_parallel_calls) {
  stream s;
  s.choice(
      R"("index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]})");
  s.choice(R"("index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]})");
  s.choice(
      R"("index":0,"delta":{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}]})");
  s.choice(
      R"("index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}},{"index":1,"function":{"arguments":"{}"}}]})");
  s.choice(R"("index":0,"delta":{},"finish_reason":"tool_calls")");
  EXPECT_EQ(calls_of(s), R"(0 a f ;0   {"x";1 b g ;0   :1};1   {};)");
  EXPECT_EQ(s.steps.back().finish, finish::tool_calls);
  EXPECT_FALSE(s.steps[0].native.empty());
}

TEST(openai_stream, makes_sense_of_calls_without_number_or_name) {
  stream no_index(true);
  no_index.choice(R"("delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{"}}]})");
  no_index.choice(R"("delta":{"tool_calls":[{"function":{"arguments":"}"}}]})");
  no_index.choice(R"("delta":{"tool_calls":[{"id":"b","function":{"name":"g","arguments":{"y":2}}}]})");
  EXPECT_EQ(calls_of(no_index), R"(0 a f {;0   };1 b g {"y":2};)");

  stream all_zero(true);  // every call is number 0, told apart by its id
  all_zero.choice(R"("delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]})");
  all_zero.choice(R"("delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":"{"}}]})");
  all_zero.choice(R"("delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]})");
  all_zero.choice(R"("delta":{},"finish_reason":"stop")");
  EXPECT_EQ(calls_of(all_zero), "0 a f {};1 b f {;1   };");
  EXPECT_EQ(all_zero.steps.back().finish, finish::tool_calls);

  request later;
  later.messages.resize(3);
  stream no_id(false, later);
  no_id.choice(R"("delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{}"}}]})");
  EXPECT_EQ(calls_of(no_id), "0 call_3_0_0 f {};");
  EXPECT_TRUE(no_id.steps[0].native.empty());  // the caller needs the id that the provider left out

  stream legacy(true);
  legacy.choice(R"("delta":{"function_call":{"name":"f","arguments":"{"}})");
  legacy.choice(R"("delta":{"function_call":{"arguments":"}"}},"finish_reason":"function_call")");
  EXPECT_TRUE(calls_of(legacy).ends_with(" f {;0   };"));
  EXPECT_EQ(legacy.steps.back().finish, finish::tool_calls);
}

TEST(openai_stream, keeps_signatures) {
  stream s(true);
  s.choice(R"("delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"},
      "extra_content":{"google":{"thought_signature":"sig"}}}]})");
  EXPECT_EQ(s.steps[0].calls[0].signature, "sig");
  s.choice(R"("delta":{"reasoning_details":[{"type":"reasoning.text","signature":"alone","index":0}]})");
  ASSERT_EQ(s.steps.size(), 2u);
  EXPECT_EQ(s.steps[1].thought.signature, "alone");
}

TEST(openai_stream, what_the_provider_wrote_passes_to_its_own_dialect_only) {
  stream own, foreign(true);
  constexpr std::string_view chunk = R"({"id":"x","system_fingerprint":"fp",
      "choices":[{"index":0,"delta":{"role":"assistant","content":"a"},"odd":1}]})";
  own.event(chunk);
  foreign.event(chunk);
  EXPECT_TRUE(foreign.steps[0].native.empty());
  EXPECT_EQ(at(own.steps[0].native, "/system_fingerprint"), "\"fp\"");
  EXPECT_EQ(at(own.steps[0].native, "/choices/0/odd"), "1");
  EXPECT_EQ(at(own.steps[0].native, "/choices/0/delta"), R"({"content":"a"})");  // the role has a chunk of its own
  EXPECT_EQ(own.steps[0].native.find('\n'), std::string::npos);                  // it must fit a line of an event

  // Words that only the caller knows pass too, in and out of choices.
  own.choice(R"("index":0,"delta":{"audio":{"data":"QQ=="}})");
  own.event(R"({"choices":[],"prompt_filter_results":[{"x":1}]})");
  ASSERT_EQ(own.steps.size(), 3u);
  EXPECT_EQ(at(own.steps[2].native, "/prompt_filter_results/0/x"), "1");
}

TEST(openai_stream, what_had_to_be_mended_is_written_anew) {
  stream s;
  s.choice(R"("delta":{"content":"a"})");  // callers look for an index
  s.choice(R"("index":0,"delta":{},"finish_reason":"eos")");
  ASSERT_EQ(s.steps.size(), 2u);
  EXPECT_EQ(s.steps[0].native + s.steps[1].native, "");
  EXPECT_EQ(s.steps[1].finish, finish::stop);
  stream twice;  // of two members with one name the parser takes the last, and so must everyone
  twice.event(R"({"choices":[],"ch\u006fices":[{"index":0,"delta":{"role":"assistant","content":"a"}}]})");
  twice.event(R"({"choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}],"choices":[]})");
  ASSERT_EQ(twice.steps.size(), 1u);
  EXPECT_EQ(twice.text(), "a");
}

TEST(openai_stream, choices_in_one_chunk_go_apart) {
  stream s;
  s.of.n = 2;
  s.reader = make_stream_reader(s.of, {});
  s.event(R"({"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"b"}}],"k":1})");
  ASSERT_EQ(s.steps.size(), 2u);
  EXPECT_EQ(at(s.steps[1].native, "/choices"), R"([{"index":1,"delta":{"content":"b"}}])");
  EXPECT_EQ(at(s.steps[1].native, "/k"), "1");
  s.choice(R"("index":0,"delta":{},"finish_reason":"stop")");
  EXPECT_FALSE(s.reader->finished());
  s.choice(R"("index":1,"delta":{},"finish_reason":"length")");
  EXPECT_TRUE(s.reader->finished());
}

TEST(openai_stream, is_not_finished_before_every_choice_is) {
  request two;
  two.n = 2;
  stream s(false, two);
  EXPECT_FALSE(s.reader->finished());
  s.choice(R"("index":0,"delta":{"content":"a"},"finish_reason":"stop")");
  EXPECT_FALSE(s.reader->finished());
  s.event("[DONE]");
  EXPECT_TRUE(s.reader->finished());  // a server that makes one choice whatever is asked

  stream cut;
  cut.choice(R"("index":0,"delta":{"content":"a"})");
  cut.event("[DONE]");
  EXPECT_FALSE(cut.reader->finished());

  const auto batch = parse_request(endpoint::completions, R"({"model":"m","prompt":["a","b"],"stream":true})");
  ASSERT_TRUE(batch);
  stream several(false, *batch);
  several.choice(R"("index":0,"text":"x","finish_reason":"stop")");
  EXPECT_FALSE(several.reader->finished());  // nobody has begun the second prompt yet
  several.event("[DONE]");
  EXPECT_TRUE(several.reader->finished());
}

TEST(openai_stream, reads_completions) {
  const auto of = parse_request(endpoint::completions, R"({"model":"m","prompt":"a","stream":true})");
  ASSERT_TRUE(of);
  stream s(false, *of);
  s.choice(R"("index":0,"text":"bc","logprobs":{"tokens":["bc"]},"finish_reason":null)");
  s.choice(R"("index":0,"text":"","finish_reason":"length")");
  EXPECT_EQ(s.text(), "bc");
  EXPECT_EQ(at(s.steps[0].raw_logprobs, "/tokens/0"), "\"bc\"");
  EXPECT_EQ(s.steps[1].finish, finish::length);
}

TEST(openai_stream, reads_errors_in_all_their_shapes) {
  struct shape {
    std::string_view data, name, want;
  };
  const std::array shapes{
      shape{R"({"error":{"message":"m","type":"server_error","code":null}})", "", "0 server_error m"},
      shape{R"({"error":{"message":"m","code":429}})", "", "429 429 m"},
      shape{R"({"error":"m"})", "", "0  m"},
      shape{R"({"object":"error","message":"m","type":"BadRequestError","code":400})", "",
            "400 BadRequestError m"},
      shape{R"({"message":"m"})", "error", "0 api_error m"},
      shape{
          R"({"id":"x","choices":[{"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"m"}})",
          "", "502 502 m"},
      shape{R"({"choices":[{"delta":{},"finish_reason":"insufficient_system_resource"}]})", "",
            "503 overloaded_error the provider ran out of resources"},
  };
  for (const auto& [data, name, want] : shapes) {
    stream s;
    EXPECT_EQ(s.event(data, name), want) << data;
    EXPECT_FALSE(s.reader->finished());
  }
  stream s;
  const auto long_one = s.event(R"({"error":{"message":")" + std::string(5000, 'x') + R"("}})");
  EXPECT_LT(long_one.size(), 2100u);
}

TEST(openai_stream, takes_no_garbage) {
  for (const std::string_view data : {"<html>", "{", "[]", "7", "{}", R"({"hello":"world"})", R"({"choices":[7]})",
                                      R"({"choices":[{"index":-1}]})", R"({"choices":[{"index":128}]})",
                                      R"({"choices":[{"delta":{"tool_calls":[7]}}]})"}) {
    stream s;
    EXPECT_EQ(s.event(data), "malformed") << data;
  }
  stream s;
  EXPECT_EQ(s.event("{\"choices\":[],\"x\":\"" + std::string(9 << 20, 'x') + "\"}"), "malformed");
  stream nameless(true);
  EXPECT_EQ(nameless.choice(R"("delta":{"tool_calls":[{"index":0,"id":"a"}]})"), "malformed");
}

}  // namespace
}  // namespace meshai::chat
