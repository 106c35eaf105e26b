#include "chat/anthropic.hpp"
#include "chat/testing.hpp"

namespace meshai::chat::anthropic {
namespace {

// What one stream said, put together, and the fault that ended it.
struct reading {
  std::string text, thought, signature, redacted, arguments;
  std::vector<std::string> calls;
  finish why = finish::none;
  std::string stop_sequence;
  usage counted;
  bool end = false, finished = false;
  std::optional<bad_answer> fault;
  std::vector<delta> steps;
};

reading read_all(std::initializer_list<std::string_view> stream, dialect caller = dialect::openai) {
  request of{.dialect = caller};
  const auto reader = anthropic::make_stream_reader(of, {.dialect = dialect::anthropic});
  reading out;
  for (const auto data : stream) {
    if (auto read = reader->event({}, data, out.steps); !read) {
      out.fault = read.error();
      break;
    }
  }
  for (const auto& d : out.steps) {
    out.text += d.text;
    out.thought += d.thought.text;
    out.signature += d.thought.signature;
    out.redacted += d.thought.redacted;
    for (const auto& call : d.calls) {
      if (!call.name.empty()) out.calls.push_back(std::to_string(call.index) + " " + call.id + " " + call.name);
      out.arguments += call.arguments;
    }
    if (d.finish != finish::none) out.why = d.finish, out.stop_sequence = d.stop_sequence;
    if (d.usage) out.counted = *d.usage;
    out.end |= d.end;
  }
  out.finished = reader->finished();
  return out;
}

constexpr std::string_view start =
    R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],)"
    R"("stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"cache_read_input_tokens":4,)"
    R"("cache_creation_input_tokens":2,"output_tokens":1}}})";
constexpr std::string_view text_block =
    R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})";
constexpr std::string_view block_stop = R"({"type":"content_block_stop","index":0})";

TEST(anthropic_stream, reads_text_usage_and_the_end) {
  const auto got = read_all(
      {start, R"({"type":"ping"})", text_block,
       R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo"}})", block_stop,
       R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},
           "usage":{"output_tokens":12,"output_tokens_details":{"thinking_tokens":5}}})",
       R"({"type":"message_stop"})"});
  EXPECT_FALSE(got.fault);
  EXPECT_EQ(got.text, "Hello");
  EXPECT_EQ(got.why, finish::stop);
  EXPECT_EQ(got.counted.input, 16) << "with what came from the cache and what went into it";
  EXPECT_EQ(got.counted.cached, 4);
  EXPECT_EQ(got.counted.cache_written, 2);
  EXPECT_EQ(got.counted.output, 12);
  EXPECT_EQ(got.counted.reasoning, 5);
  EXPECT_TRUE(got.end);
  EXPECT_TRUE(got.finished);
  EXPECT_EQ(got.steps.size(), 7u) << "a ping says nothing";
  for (const auto& d : got.steps) EXPECT_TRUE(d.native.empty());
}

TEST(anthropic_stream, reads_thoughts_and_their_signatures) {
  const auto got = read_all(
      {start,
       R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"SIG"}})",
       block_stop,
       R"({"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"RED"}})"});
  EXPECT_FALSE(got.fault);
  EXPECT_EQ(got.thought, "hm");
  EXPECT_EQ(got.signature, "SIG");
  EXPECT_EQ(got.redacted, "RED");
  EXPECT_FALSE(got.finished);
  for (const auto& d : got.steps) {
    if (!d.thought.text.empty()) {
      EXPECT_EQ(d.thought.from, dialect::anthropic);
    }
  }
}

TEST(anthropic_stream, numbers_calls_and_fills_in_missing_arguments) {
  const auto got = read_all(
      {start, text_block, block_stop,
       R"({"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"a","name":"get","input":{}}})",
       R"({"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}})",
       R"({"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"x\":"}})",
       R"({"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"1}"}})",
       R"({"type":"content_block_stop","index":1})",
       R"({"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"b","name":"now","input":{}}})",
       R"({"type":"content_block_stop","index":2})",
       R"({"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"c","name":"at","input":{"y":2}}})",
       R"({"type":"content_block_stop","index":3})",
       R"({"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":3}})"});
  EXPECT_FALSE(got.fault);
  EXPECT_EQ(got.calls, (std::vector<std::string>{"0 a get", "1 b now", "2 c at"}));
  EXPECT_EQ(got.arguments, R"({"x":1}{}{"y":2})");
  EXPECT_EQ(got.why, finish::tool_calls);
  EXPECT_TRUE(got.finished) << "a missing message_stop is no fault";
}

TEST(anthropic_stream, knows_the_reasons_of_an_end) {
  const auto why = [](std::string_view reason) {
    const auto change = R"({"type":"message_delta","delta":{"stop_reason":")" + std::string(reason) +
                        R"(","stop_sequence":"END"},"usage":{"output_tokens":1}})";
    return read_all({start, change});
  };
  EXPECT_EQ(why("end_turn").why, finish::stop);
  EXPECT_EQ(why("max_tokens").why, finish::length);
  EXPECT_EQ(why("model_context_window_exceeded").why, finish::length);
  EXPECT_EQ(why("stop_sequence").why, finish::stop_sequence);
  EXPECT_EQ(why("stop_sequence").stop_sequence, "END");
  EXPECT_EQ(why("pause_turn").why, finish::pause);
  EXPECT_EQ(why("refusal").why, finish::refusal);
  EXPECT_EQ(why("of_tomorrow").why, finish::other);
}

TEST(anthropic_stream, keeps_the_native_events_for_a_caller_of_the_same_dialect) {
  const auto got = read_all({start, text_block, R"({"type":"event_of_tomorrow","x":1})"}, dialect::anthropic);
  ASSERT_EQ(got.steps.size(), 3u);
  EXPECT_EQ(got.steps[0].native, start);
  EXPECT_EQ(got.steps[0].native_event, "message_start");
  EXPECT_EQ(got.steps[2].native_event, "event_of_tomorrow");
  EXPECT_FALSE(got.steps[0].is_token());
  EXPECT_FALSE(got.steps[1].is_token());
}

TEST(anthropic_stream, takes_the_name_of_the_event_where_the_data_has_no_type) {
  const auto reader = anthropic::make_stream_reader({}, {.dialect = dialect::anthropic});
  std::vector<delta> steps;
  EXPECT_TRUE(reader->event("message_start", R"({"message":{}})", steps));
  EXPECT_FALSE(reader->event("", R"({"message":{}})", steps));
}

TEST(anthropic_stream, an_error_event_is_what_the_provider_said) {
  const auto got =
      read_all({start, R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})"});
  ASSERT_TRUE(got.fault);
  EXPECT_FALSE(got.fault->malformed);
  EXPECT_EQ(got.fault->said.type, "overloaded_error");
  EXPECT_EQ(got.fault->said.message, "Overloaded");
  EXPECT_EQ(got.fault->said.status, 0);
}

TEST(anthropic_stream, garbage_is_malformed) {
  const auto broken = [](std::initializer_list<std::string_view> stream) {
    const auto got = read_all(stream);
    return got.fault && got.fault->malformed;
  };
  EXPECT_TRUE(broken({"<html>"}));
  EXPECT_TRUE(broken({""}));
  EXPECT_TRUE(broken({"[DONE]"}));
  EXPECT_TRUE(broken({"{}"}));
  EXPECT_TRUE(broken({text_block})) << "before the message";
  EXPECT_TRUE(broken({start, start}));
  EXPECT_TRUE(broken({start, text_block, text_block})) << "the same block twice";
  EXPECT_TRUE(broken({start, block_stop})) << "a block that is not open";
  EXPECT_TRUE(
      broken({start, R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}})"}));
  EXPECT_TRUE(broken({start, R"({"type":"content_block_start","index":99999,"content_block":{"type":"text"}})"}));
  EXPECT_TRUE(
      broken({start, R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a"}})"}));
}

TEST(anthropic_stream, counts_that_are_nonsense_are_not_counted) {
  const auto got =
      read_all({R"({"type":"message_start","message":{"usage":{"input_tokens":-5,"output_tokens":1e300,
    "cache_read_input_tokens":9223372036854775807,"cache_creation_input_tokens":"many"}}})"});
  EXPECT_EQ(got.counted.input, 0);
  EXPECT_EQ(got.counted.output, 0);
}

}  // namespace
}  // namespace meshai::chat::anthropic
