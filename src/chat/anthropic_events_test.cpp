#include "chat/anthropic.hpp"
#include "chat/testing.hpp"

namespace meshai::chat::anthropic {
namespace {

using testing::at;

const story told{.request_id = "req_1",
                 .node = "cloud",
                 .model = "gpt",
                 .where = tier::cloud,
                 .attempts = 2,
                 .dropped = {"seed"}};

// The shape of a stream in one line: block indexes with what they hold.
std::string outline(std::string_view stream) {
  std::string out;
  for (const auto& event : testing::events(stream)) {
    EXPECT_EQ(at(event.data, "/type"), '"' + event.name + '"');
    const auto index = at(event.data, "/index");
    if (event.name == "content_block_start") out += " " + index + at(event.data, "/content_block/type") + "[";
    if (event.name == "content_block_delta") {
      const auto data = testing::read(event.data);
      for (const auto* member : {"text", "thinking", "partial_json", "signature"}) {
        const auto* value = data.at("delta").as_object().if_contains(member);
        if (value) out += (std::string_view(member) == "signature" ? "#" : "") + std::string(value->as_string());
      }
    }
    if (event.name == "content_block_stop") out += "]" + index;
    if (!event.name.starts_with("content_block")) out += " " + event.name;
  }
  return out;
}

class anthropic_events : public ::testing::Test {
 protected:
  void step(delta d) { writer->step(d, out); }
  void finish_with(finish why) {
    step({.finish = why});
    writer->end({.input = 10, .output = 5, .cached = 3, .cache_written = 2, .reasoning = 1, .known = true}, told,
                out);
  }
  void attempt(std::string_view model) { writer->model(model); }
  void native(std::string_view event, std::string_view data, delta d = {}) {
    d.native = data;
    d.native_event = event;
    step(std::move(d));
  }

  std::unique_ptr<stream_writer> writer =
      anthropic::make_stream_writer({.dialect = dialect::anthropic}, {.id = "msg_1", .model = "m"});
  std::string out;
};

TEST_F(anthropic_events, a_plain_answer_has_every_event_of_the_protocol) {
  attempt("gpt");
  step({});
  EXPECT_TRUE(out.empty()) << "a role chunk writes nothing";
  step({.text = "Hel"});
  step({.text = "lo"});
  finish_with(finish::stop);
  EXPECT_EQ(outline(out), R"( message_start 0"text"[Hello]0 message_delta message_stop)");
  const auto all = testing::events(out);
  EXPECT_EQ(at(all[0].data, "/message/id"), R"("msg_1")");
  EXPECT_EQ(at(all[0].data, "/message/model"), R"("gpt")");
  EXPECT_EQ(at(all[0].data, "/message/content"), "[]");
  EXPECT_EQ(at(all[0].data, "/message/stop_reason"), "null");
  const auto& change = all[all.size() - 2].data;
  EXPECT_EQ(at(change, "/delta"), R"({"stop_reason":"end_turn","stop_sequence":null})");
  EXPECT_EQ(at(change, "/usage/input_tokens"), "5") << "without what the caches took and gave";
  EXPECT_EQ(at(change, "/usage/cache_read_input_tokens"), "3");
  EXPECT_EQ(at(change, "/usage/cache_creation_input_tokens"), "2");
  EXPECT_EQ(at(change, "/usage/output_tokens"), "5");
  EXPECT_EQ(at(change, "/usage/output_tokens_details/thinking_tokens"), "1");
  EXPECT_EQ(
      at(change, "/mesh"),
      R"({"request_id":"req_1","node":"cloud","model":"gpt","tier":"cloud","attempts":2,"dropped":["seed"]})");
}

TEST_F(anthropic_events, an_empty_answer_is_an_answer) {
  attempt("m");
  finish_with(finish::stop);
  EXPECT_EQ(outline(out), " message_start message_delta message_stop");
}

TEST_F(anthropic_events, blocks_open_and_close_in_order) {
  attempt("m");
  step({.thought = {.text = "hm"}});
  step({.thought = {.text = " so"}});
  step({.text = "I look."});
  step({.calls = {{.index = 0, .id = "a", .name = "get"}}});
  step({.calls = {{.index = 0, .arguments = "{\"x\":"}}});
  step({.calls = {{.index = 0, .arguments = "1}"}}});
  finish_with(finish::tool_calls);
  EXPECT_EQ(outline(out),
            R"( message_start 0"thinking"[hm so#meshai:openai:]0 1"text"[I look.]1 2"tool_use"[{"x":1}]2)"
            R"( message_delta message_stop)");
  EXPECT_EQ(at(testing::events(out).end()[-2].data, "/delta/stop_reason"), R"("tool_use")");
}

TEST_F(anthropic_events, interleaved_calls_wait_for_the_first) {
  attempt("m");
  step({.calls = {{.index = 0, .id = "a", .name = "get", .arguments = "{\"x\":"},
                  {.index = 1, .id = "b", .name = "put"}}});
  step({.calls = {{.index = 1, .arguments = "{\"y\":"}}});
  step({.calls = {{.index = 0, .arguments = "1}"}}});
  step({.calls = {{.index = 1, .arguments = "2}"}, {.index = 2, .id = "", .name = "now"}}});
  step({.text = "Done."});
  finish_with(finish::tool_calls);
  EXPECT_EQ(outline(out),
            R"( message_start 0"tool_use"[{"x":1}]0 1"tool_use"[{"y":2}]1 2"tool_use"[]2 3"text"[Done.]3)"
            R"( message_delta message_stop)");
  std::vector<std::string> ids;
  for (const auto& event : testing::events(out)) {
    if (event.name == "content_block_start") ids.push_back(at(event.data, "/content_block/id"));
  }
  EXPECT_EQ(ids, (std::vector<std::string>{R"("a")", R"("b")", R"("toolu_msg_1_2")", "absent"}));
}

TEST_F(anthropic_events, the_first_call_streams_while_others_wait) {
  attempt("m");
  step({.calls = {{.index = 0, .id = "a", .name = "get"}}});
  const auto before = out.size();
  step({.calls = {{.index = 0, .arguments = "{}"}}});
  EXPECT_GT(out.size(), before);
}

TEST_F(anthropic_events, signatures_of_anthropic_are_bare_and_those_of_others_are_seals) {
  attempt("m");
  step({.thought = {.text = "a", .from = dialect::anthropic}});
  step({.thought = {.signature = "SIG", .from = dialect::anthropic}});
  step({.thought = {.redacted = "RED", .from = dialect::anthropic}});
  step({.thought = {.text = "g", .from = dialect::gemini}});
  step({.text = "x", .thought = {.signature = "G1", .from = dialect::gemini}});
  step({.thought = {.text = "h", .from = dialect::gemini}});
  step({.calls = {{.index = 0, .id = "c", .name = "get", .arguments = "{}", .signature = "G2"}}});
  finish_with(finish::tool_calls);
  EXPECT_EQ(
      outline(out),
      R"( message_start 0"thinking"[a#SIG]0 1"redacted_thinking"[]1 2"thinking"[g#meshai:gemini:]2 3"text"[x]3)"
      R"( 4"thinking"[#meshai:gemini:G1]4 5"thinking"[h#meshai:call:G2]5 6"tool_use"[{}]6 message_delta message_stop)");
}

TEST_F(anthropic_events, a_signed_call_without_a_thought_gets_an_empty_one) {
  attempt("m");
  step({.calls = {{.index = 0, .id = "c", .name = "get", .arguments = "{}", .signature = "G"}}});
  step({.calls = {{.index = 1, .id = "d", .name = "get", .arguments = "{}"}}});
  finish_with(finish::tool_calls);
  EXPECT_EQ(outline(out), R"( message_start 0"thinking"[#meshai:call:G]0 1"tool_use"[{}]1 2"tool_use"[{}]2)"
                          R"( message_delta message_stop)");
}

TEST_F(anthropic_events, says_why_it_ended) {
  for (const auto& [why, word] : {std::pair{finish::length, "max_tokens"},
                                  {finish::content_filter, "refusal"},
                                  {finish::refusal, "refusal"},
                                  {finish::pause, "pause_turn"},
                                  {finish::other, "end_turn"}}) {
    writer = anthropic::make_stream_writer({}, {.id = "msg"});
    out.clear();
    finish_with(why);
    EXPECT_EQ(at(testing::events(out).end()[-2].data, "/delta/stop_reason"), '"' + std::string(word) + '"');
  }
  writer = anthropic::make_stream_writer({}, {.id = "msg"});
  out.clear();
  step({.finish = finish::stop_sequence, .stop_sequence = "END"});
  writer->end({}, told, out);
  EXPECT_EQ(at(testing::events(out).end()[-2].data, "/delta"),
            R"({"stop_reason":"stop_sequence","stop_sequence":"END"})");
}

TEST_F(anthropic_events, a_refusal_is_text_here) {
  attempt("m");
  step({.refusal = "I will not."});
  finish_with(finish::refusal);
  EXPECT_EQ(outline(out), R"( message_start 0"text"[I will not.]0 message_delta message_stop)");
}

// ---- the provider's own events

TEST_F(anthropic_events, native_events_pass_with_their_unknown_members) {
  attempt("claude");
  native("message_start", R"({"type":"message_start","message":{"id":"msg_p","x":1}})");
  native("content_block_start",
         R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""},"y":2})");
  native("content_block_delta",
         "{\"type\":\"content_block_delta\",\n\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}",
         {.text = "Hi"});
  native("content_block_stop", R"({"type":"content_block_stop","index":0})");
  native("event_of_tomorrow", R"({"type":"event_of_tomorrow"})");
  native("message_delta",
         R"({"type":"message_delta","delta":{"stop_reason":"end_turn","z":3},"usage":{"output_tokens":9,"w":4}})",
         {.finish = finish::stop});
  native("message_stop", R"({"type":"message_stop"})", {.end = true});
  writer->end({}, told, out);
  EXPECT_EQ(outline(out), R"( message_start 0"text"[Hi]0 event_of_tomorrow message_delta message_stop)");
  const auto all = testing::events(out);
  EXPECT_EQ(at(all[0].data, "/message/id"), R"("msg_p")");
  EXPECT_EQ(at(all[1].data, "/y"), "2");
  EXPECT_EQ(at(all[5].data, "/delta/z"), "3");
  EXPECT_EQ(at(all[5].data, "/usage/w"), "4");
  EXPECT_EQ(at(all[5].data, "/mesh/node"), R"("cloud")");
}

TEST_F(anthropic_events, one_reason_to_stop_is_told_where_the_provider_gives_two) {
  attempt("claude");
  native("message_start", R"({"type":"message_start","message":{"id":"msg_p"}})");
  for (int i = 0; i < 2; ++i) {
    native("message_delta",
           R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}})",
           {.finish = finish::stop});
  }
  writer->end({}, told, out);
  EXPECT_EQ(outline(out), " message_start message_delta message_stop");
}

TEST_F(anthropic_events, a_second_native_attempt_goes_on_in_new_blocks) {
  attempt("one");
  native("message_start", R"({"type":"message_start","message":{"id":"msg_p"}})");
  native("content_block_start",
         R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})");
  native("content_block_delta",
         R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}})",
         {.text = "Hel"});
  attempt("two");
  native("message_start", R"({"type":"message_start","message":{"id":"msg_q"}})");
  native("content_block_start",
         R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})");
  native("content_block_delta",
         R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"lo"}})", {.text = "lo"});
  native("content_block_stop", R"({"type":"content_block_stop","index":0})");
  native("message_delta",
         R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":99}})",
         {.finish = finish::stop});
  writer->end({.input = 1, .output = 2, .known = true}, told, out);
  EXPECT_EQ(outline(out), R"( message_start 0"text"[Hel]0 1"text"[lo]1 message_delta message_stop)");
  EXPECT_EQ(at(testing::events(out).end()[-2].data, "/usage/output_tokens"), "2")
      << "what was delivered, by all attempts";
}

TEST_F(anthropic_events, another_provider_goes_on_in_the_open_block) {
  attempt("one");
  native("message_start", R"({"type":"message_start","message":{"id":"msg_p"}})");
  native("content_block_start",
         R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})");
  native("content_block_delta",
         R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hel"}})",
         {.text = "Hel"});
  attempt("two");
  step({.text = "lo"});
  finish_with(finish::stop);
  EXPECT_EQ(outline(out), R"( message_start 0"text"[Hello]0 message_delta message_stop)");
}

TEST_F(anthropic_events, a_block_that_was_opened_and_never_filled_is_not_there_when_another_goes_on) {
  for (const auto* kind :
       {R"({"type":"text","text":""})", R"({"type":"thinking","thinking":"","signature":""})"}) {
    out.clear();
    writer = anthropic::make_stream_writer({.dialect = dialect::anthropic}, {.id = "msg_1", .model = "m"});
    attempt("one");
    native("message_start", R"({"type":"message_start","message":{"id":"msg_p"}})");
    step({.calls = {{.index = 0, .id = "a", .name = "get", .arguments = "{}"}}});
    native("content_block_start",
           std::string(R"({"type":"content_block_start","index":0,"content_block":)") + kind + "}");
    attempt("two");
    step({.text = "Hello"});
    finish_with(finish::stop);
    EXPECT_EQ(outline(out), R"( message_start 0"tool_use"[{}]0 1"text"[Hello]1 message_delta message_stop)");
  }
}

TEST_F(anthropic_events, a_providers_own_empty_block_passes_where_nobody_had_to_go_on) {
  attempt("one");
  native("message_start", R"({"type":"message_start","message":{"id":"msg_p"}})");
  native("content_block_start",
         R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})");
  EXPECT_FALSE(out.contains("content_block_start")) << "not before something stands in it";
  native("content_block_stop", R"({"type":"content_block_stop","index":0})");
  finish_with(finish::stop);
  EXPECT_EQ(outline(out), R"( message_start 0"text"[]0 message_delta message_stop)");
}

TEST_F(anthropic_events, a_thought_that_was_cut_off_is_marked_as_unsigned) {
  attempt("one");
  native("message_start", R"({"type":"message_start","message":{"id":"msg_p"}})");
  native("content_block_start",
         R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}})");
  native("content_block_delta",
         R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}})",
         {.thought = {.text = "hm", .from = dialect::anthropic}});
  attempt("two");
  step({.text = "x"});
  finish_with(finish::stop);
  EXPECT_EQ(outline(out),
            R"( message_start 0"thinking"[hm#meshai:unsigned:]0 1"text"[x]1 message_delta message_stop)");
}

TEST_F(anthropic_events, a_call_that_is_begun_anew_is_a_new_block) {
  attempt("one");
  step({.calls = {{.index = 0, .id = "a", .name = "get", .arguments = "{\"x\""}}});
  attempt("two");
  step({.calls = {{.index = 0, .id = "b", .name = "get", .arguments = "{}"}}});
  finish_with(finish::tool_calls);
  EXPECT_EQ(outline(out), R"( message_start 0"tool_use"[{"x"]0 1"tool_use"[{}]1 message_delta message_stop)");
}

TEST_F(anthropic_events, a_failure_is_an_error_event) {
  attempt("m");
  step({.text = "Hel"});
  writer->fail({.status = 529, .code = "overloaded", .message = "too busy", .hint = "wait"}, told, out);
  const auto last = testing::events(out).back();
  EXPECT_EQ(last.name, "error");
  EXPECT_EQ(at(last.data, "/error"),
            R"({"type":"overloaded_error","message":"too busy","code":"overloaded","hint":"wait"})");
  EXPECT_EQ(at(last.data, "/request_id"), R"("req_1")");
  EXPECT_EQ(at(last.data, "/mesh/attempts"), "2");
}

}  // namespace
}  // namespace meshai::chat::anthropic
