// Our dialects before the fakes: what is written is taken as the protocols demand, what they say is understood,
// and an answer that breaks off anywhere is continued to the same text.
#include <gtest/gtest.h>

#include "chat/chat.hpp"
#include "fake_show.hpp"
#include "wire/wire.hpp"

namespace meshai::fake {
namespace {

namespace json = boost::json;
using chat::endpoint;

struct side {
  protocol speaks;
  chat::target to;
};
const std::vector<side> providers{
    {protocol::openai, {.dialect = chat::dialect::openai, .model = "fake-model", .max_completion_tokens = true}},
    {protocol::anthropic, {.dialect = chat::dialect::anthropic, .model = "fake-model"}},
    {protocol::gemini, {.dialect = chat::dialect::gemini, .model = "fake-model"}}};

struct caller {
  std::string_view name;
  endpoint door;
  std::string_view begin;  // of the body
};
const std::vector<caller> callers{{"openai", endpoint::chat_completions, R"({"model":"m",)"},
                                  {"anthropic", endpoint::messages, R"({"model":"m","max_tokens":4000,)"}};

chat::request parse(const caller& who, std::string_view members) {
  auto parsed = chat::parse_request(who.door, std::string(who.begin) + std::string(members) + "}");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? std::move(*parsed) : chat::request{};
}

show perform(const side& at, const chat::request& of, const script& how, bool stream, options with = {}) {
  auto to = at.to;
  to.stream = stream;
  const auto call = chat::write_request(of, to);
  EXPECT_TRUE(call) << call.error().message;
  if (!call) return {};
  const auto body = json::parse(call->body).as_object();
  const auto path = std::string_view(call->path).substr(0, call->path.find('?'));
  with.speaks = at.speaks;
  if (at.speaks == protocol::openai) return perform_openai(path, body, how, with);
  if (at.speaks == protocol::anthropic) return perform_anthropic(path, body, how, with);
  return perform_gemini(path, body, how, with);
}

struct heard {
  std::string text, thought, calls;
  chat::finish finish = chat::finish::none;
  bool counted = false;
};

heard understand(const side& at, const chat::request& of, const show& shown) {
  heard out;
  if (!shown.stream) {
    const auto got = chat::read_answer(of, at.to, shown.pieces.front().bytes);
    EXPECT_TRUE(got) << shown.pieces.front().bytes;
    if (!got || got->choices.empty()) return out;
    for (const auto& piece : got->choices[0].parts) {
      out.text += piece.text;
      out.thought += piece.thought.text;
      if (piece.kind == chat::part_kind::tool_call) out.calls += piece.call.name + piece.call.arguments;
    }
    out.finish = got->choices[0].finish;
    out.counted = got->usage.known;
    return out;
  }
  const auto reader = chat::make_stream_reader(of, at.to);
  std::string bytes;
  for (const auto& one : shown.pieces) bytes += one.bytes;
  wire::sse_parser lines;
  lines.feed(bytes);
  wire::sse_event event;
  while (*lines.next(event)) {
    std::vector<chat::delta> steps;
    EXPECT_TRUE(reader->event(event.name, event.data, steps)) << event.data;
    for (const auto& step : steps) {
      out.text += step.text;
      out.thought += step.thought.text;
      for (const auto& call : step.calls) out.calls += call.name + call.arguments;
      if (step.finish != chat::finish::none) out.finish = step.finish;
      out.counted |= step.usage.has_value();
    }
  }
  EXPECT_TRUE(reader->finished());
  return out;
}

void for_each_pair(auto check) {
  for (const auto& who : callers) {
    for (const auto& at : providers) {
      for (const bool stream : {false, true}) {
        SCOPED_TRACE(std::string(who.name) + " to protocol " + std::to_string(static_cast<int>(at.speaks)) +
                     (stream ? ", streamed" : ", whole"));
        check(who, at, stream);
      }
    }
  }
}

TEST(fake_chat, a_question_a_thought_and_an_answer) {
  for_each_pair([](const caller& who, const side& at, bool stream) {
    const auto of = parse(who, R"("messages":[{"role":"user","content":"q"}])");
    const auto got = understand(at, of, perform(at, of, {.text = "One two", .thinking = "hm"}, stream));
    EXPECT_EQ(got.text, "One two");
    EXPECT_EQ(got.thought, "hm");
    EXPECT_EQ(got.finish, chat::finish::stop);
    EXPECT_TRUE(got.counted);
  });
}

TEST(fake_chat, a_call_and_its_result) {
  for_each_pair([](const caller& who, const side& at, bool stream) {
    const bool anthropic = who.door == endpoint::messages;
    const std::string tools = anthropic
                                  ? R"(,"tools":[{"name":"get","input_schema":{"type":"object"}}])"
                                  : R"(,"tools":[{"type":"function","function":{"name":"get","parameters":{}}}])";
    const auto of = parse(who, R"("messages":[{"role":"user","content":"q"}])" + tools);
    const auto got = understand(at, of, perform(at, of, {}, stream));
    EXPECT_EQ(got.calls, "get{}");
    EXPECT_EQ(got.finish, chat::finish::tool_calls);
    const auto again = parse(
        who,
        (anthropic ? std::string(R"("messages":[{"role":"user","content":"q"},{"role":"assistant","content":[
               {"type":"tool_use","id":"c","name":"get","input":{}}]},{"role":"user","content":[
               {"type":"tool_result","tool_use_id":"c","content":"sun"}]}])")
                   : std::string(R"("messages":[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[
               {"id":"c","type":"function","function":{"name":"get","arguments":"{}"}}]},
               {"role":"tool","tool_call_id":"c","content":"sun"}])")) +
            tools);
    EXPECT_EQ(understand(at, again, perform(at, again, {.text = "Fine."}, stream)).text, "Fine.");
  });
}

TEST(fake_chat, settings_that_everyone_has) {
  for_each_pair([](const caller& who, const side& at, bool stream) {
    const auto of = parse(who, R"("messages":[{"role":"user","content":"q"}],"temperature":0.5,"top_p":0.5,)" +
                                   std::string(who.door == endpoint::messages ? R"("stop_sequences":["END"])"
                                                                              : R"("stop":["END"],"user":"u")"));
    EXPECT_EQ(perform(at, of, {}, stream).status, 200);
  });
}

// Where does the text break off? Anywhere.
TEST(fake_chat, an_answer_goes_on_from_wherever_it_broke_off) {
  const std::string text = "The sky is blue,  because\n the air scatters \"it\".";
  for_each_pair([&](const caller& who, const side& at, bool stream) {
    const auto of = parse(who, R"("messages":[{"role":"user","content":"why?"}])");
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      const auto so_far = std::string_view(text).substr(0, cut);
      const auto filled = chat::continue_by_prefill(of, so_far);
      const auto shown = perform(at, filled, {.text = text}, stream);
      ASSERT_EQ(shown.status, 200) << so_far;
      const bool repeats = at.speaks == protocol::openai && !stream;
      const std::string before(repeats ? std::string_view() : chat::prefill_of(so_far));
      EXPECT_EQ(before + understand(at, filled, shown).text, text);
      const auto asked = chat::continue_by_asking(of, so_far);
      EXPECT_EQ(std::string(so_far) + understand(at, asked, perform(at, asked, {.text = text}, stream)).text,
                text);
    }
  });
}

TEST(fake_chat, a_prefill_that_is_refused_says_so) {
  for_each_pair([](const caller& who, const side& at, bool stream) {
    const auto of = chat::continue_by_prefill(parse(who, R"("messages":[{"role":"user","content":"q"}])"), "So");
    const auto shown = perform(at, of, {}, stream, {.prefill = going_on::refused});
    EXPECT_EQ(shown.status, 400);
    EXPECT_FALSE(chat::read_error(at.to.dialect, 400, shown.pieces.front().bytes).message.empty());
  });
}

TEST(fake_chat, tokens_are_counted) {
  const auto of = chat::parse_request(endpoint::count_tokens,
                                      R"({"model":"m","system":"s","messages":[{"role":"user","content":"q"}]})");
  ASSERT_TRUE(of);
  for (const auto& at : {providers[1], providers[2]}) {
    const auto shown = perform(at, *of, {}, false);
    EXPECT_EQ(shown.status, 200);
    EXPECT_EQ(chat::read_answer(*of, at.to, shown.pieces.front().bytes)->usage.input, 14);
  }
}

}  // namespace
}  // namespace meshai::fake
