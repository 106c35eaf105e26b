// What a provider gets that is to go on with an answer, from every caller in every dialect.
#include "chat/continuation.hpp"

#include "chat/testing.hpp"

namespace meshai::chat {
namespace {

using testing::at;

const target local{.dialect = dialect::openai, .model = "llama"};
const target openai{.dialect = dialect::openai, .model = "gpt-5", .max_completion_tokens = true};
const target claude{.dialect = dialect::anthropic, .model = "claude-sonnet-4-5"};
const target gemini{.dialect = dialect::gemini, .model = "gemini-3-pro"};

request parse(endpoint door, std::string_view members) {
  auto parsed = parse_request(door, R"({"model":"m",)" + std::string(members) + "}");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? std::move(*parsed) : request{};
}
request from_openai(std::string_view members = R"("messages":[{"role":"user","content":"q"}])") {
  return parse(endpoint::chat_completions, members);
}
request from_anthropic(std::string_view members = R"("messages":[{"role":"user","content":"q"}])") {
  return parse(endpoint::messages, R"("max_tokens":100,)" + std::string(members));
}

std::string sent(const request& of, const target& to, std::string_view pointer) {
  const auto call = write_request(of, to);
  EXPECT_TRUE(call) << call.error().message;
  return call ? at(call->body, pointer) : "refused";
}

constexpr std::string_view cut = "The sky is \n";

TEST(continuation, a_prefill_is_the_last_message_without_the_white_space_at_its_end) {
  for (const auto& of : {from_openai(), from_anthropic()}) {
    const auto more = continue_by_prefill(of, cut);
    EXPECT_EQ(sent(more, local, "/messages/1/content").substr(0, 12), R"("The sky is")");
    EXPECT_EQ(sent(more, local, "/messages/1/role") + sent(more, local, "/messages/2"), "\"assistant\"absent");
    EXPECT_NE(sent(more, claude, "/messages/1").find(R"("The sky is")"), std::string::npos);
    EXPECT_EQ(sent(more, claude, "/messages/1/role") + sent(more, claude, "/messages/2"), "\"assistant\"absent");
    EXPECT_EQ(sent(more, gemini, "/contents/1"), R"({"role":"model","parts":[{"text":"The sky is"}]})");
    EXPECT_EQ(sent(more, gemini, "/contents/2"), "absent");
    EXPECT_EQ(more.text_size, std::string_view("qThe sky is").size());
  }
  EXPECT_EQ(prefill_of(cut), "The sky is");
  EXPECT_EQ(prefill_of(" \n"), "");
}

TEST(continuation, asking_says_what_was_said_and_asks_for_the_rest) {
  for (const auto& of : {from_openai(), from_anthropic()}) {
    const auto more = continue_by_asking(of, cut);
    for (const auto* to : {&local, &openai, &claude}) {
      SCOPED_TRACE(to->model);
      EXPECT_EQ(sent(more, *to, "/messages/1/role"), "\"assistant\"");
      EXPECT_NE(sent(more, *to, "/messages/1").find(R"("The sky is \n")"), std::string::npos) << "all of it";
      EXPECT_EQ(sent(more, *to, "/messages/2/role") + sent(more, *to, "/messages/3"), "\"user\"absent");
      EXPECT_NE(sent(more, *to, "/messages/2").find("very next character"), std::string::npos);
    }
    EXPECT_EQ(sent(more, gemini, "/contents/1"), R"({"role":"model","parts":[{"text":"The sky is \n"}]})");
    EXPECT_EQ(sent(more, gemini, "/contents/2/role"), "\"user\"");
  }
}

TEST(continuation, a_prefill_of_the_callers_own_gets_longer) {
  const auto text = R"("messages":[{"role":"user","content":"q"},{"role":"assistant","content":"A: \""}])";
  const auto parts =
      R"("messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"text","text":"A: "}]}])";
  const auto of_text = continue_by_prefill(from_openai(text), "blue");
  EXPECT_EQ(sent(of_text, local, "/messages/1"), R"({"role":"assistant","content":"A: \"blue"})");
  EXPECT_EQ(sent(of_text, gemini, "/contents/1/parts"), R"([{"text":"A: \"blue"}])");
  const auto of_parts = continue_by_prefill(from_anthropic(parts), "blue");
  EXPECT_EQ(sent(of_parts, claude, "/messages/1/content"),
            R"([{"type":"text","text":"A: "},{"type":"text","text":"blue"}])");
  EXPECT_EQ(sent(of_parts, local, "/messages/1/content"), "\"A: blue\"");
  for (const auto* more : {&of_text, &of_parts}) EXPECT_EQ(sent(*more, local, "/messages/2"), "absent");
}

TEST(continuation, a_message_with_calls_is_no_prefill) {
  const auto of = from_openai(R"("messages":[{"role":"user","content":"q"},{"role":"assistant","tool_calls":[
    {"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}])");
  EXPECT_EQ(sent(continue_by_prefill(of, "x"), local, "/messages/2/content"), "\"x\"");
}

TEST(continuation, asks_for_one_choice_and_for_no_format) {
  const auto of = from_openai(R"("messages":[{"role":"user","content":"q"}],"n":3,
    "response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type":"object"}}})");
  const auto anthropic = from_anthropic(R"("messages":[{"role":"user","content":"q"}],
    "output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"object"}}})");
  for (const auto& more : {continue_by_prefill(of, "{"), continue_by_asking(of, "{")}) {
    EXPECT_EQ(sent(more, local, "/n") + sent(more, local, "/response_format"), "absentabsent");
    EXPECT_EQ(sent(more, gemini, "/generationConfig"), "{}");
    EXPECT_EQ(sent(more, claude, "/output_config"), "absent");
  }
  EXPECT_EQ(sent(continue_by_asking(anthropic, "{"), claude, "/output_config"), R"({"effort":"low"})");
}

TEST(continuation, what_was_delivered_counts_against_the_tokens) {
  const auto of = from_openai(R"("messages":[{"role":"user","content":"q"}],"max_completion_tokens":50)");
  EXPECT_EQ(sent(continue_by_prefill(of, "x", 20), local, "/max_tokens"), "30");
  EXPECT_EQ(sent(continue_by_prefill(of, "x", 20), openai, "/max_completion_tokens"), "30");
  EXPECT_EQ(sent(continue_by_prefill(of, "x", 50), gemini, "/generationConfig/maxOutputTokens"), "1");
  EXPECT_EQ(sent(continue_by_prefill(of, "x"), local, "/max_tokens"), "50");
  EXPECT_EQ(sent(continue_by_asking(from_anthropic(), "x", 20), claude, "/max_tokens"), "80");
}

// Anthropic and llama-server refuse a prefill with thinking on; a budget must leave room below max_tokens.
TEST(continuation, a_prefill_asks_for_no_thoughts) {
  const auto of = from_openai(R"("messages":[{"role":"user","content":"q"}],"reasoning_effort":"high")");
  EXPECT_EQ(sent(continue_by_prefill(of, "x"), openai, "/reasoning_effort"), "absent");
  EXPECT_EQ(sent(continue_by_prefill(of, "x"), claude, "/thinking"), "absent");
  EXPECT_EQ(sent(continue_by_asking(of, "x"), openai, "/reasoning_effort"), "\"high\"");
  const auto thinking = parse(endpoint::messages, R"("max_tokens":2000,"messages":[{"role":"user","content":"q"}],
    "thinking":{"type":"enabled","budget_tokens":1024})");
  EXPECT_EQ(sent(continue_by_prefill(thinking, "x"), claude, "/thinking"), "absent");
  EXPECT_EQ(sent(continue_by_asking(thinking, "x", 100), claude, "/thinking/budget_tokens"), "1024");
  EXPECT_EQ(sent(continue_by_asking(thinking, "x", 1000), claude, "/thinking"), "absent");
}

TEST(continuation, a_completion_has_a_longer_prompt) {
  const auto of = parse(endpoint::completions, R"("prompt":["Once"],"best_of":2,"n":2)");
  for (const auto& more : {continue_by_prefill(of, " upon"), continue_by_asking(of, " upon")}) {
    EXPECT_EQ(sent(more, local, ""), R"({"prompt":"Once upon","model":"llama"})");
    EXPECT_EQ(sent(more, claude, "/messages/0/content/0/text"), "\"Once\"");
    EXPECT_EQ(sent(more, claude, "/messages/1/role"), "\"assistant\"");
  }
}

TEST(continuation, where_nothing_was_said_it_is_the_same_request) {
  const auto of = from_openai(R"("messages":[{"role":"user","content":"q"}],"n":2)");
  EXPECT_EQ(continue_by_prefill(of, " \n").body, of.body);
  EXPECT_EQ(continue_by_asking(of, "").body, of.body);
}

TEST(continuation, not_everything_can_be_continued) {
  EXPECT_TRUE(can_continue(from_openai()) && can_continue(from_anthropic()));
  EXPECT_TRUE(can_continue(parse(endpoint::completions, R"("prompt":"a")")));
  EXPECT_FALSE(can_continue(parse(endpoint::completions, R"("prompt":["a","b"])")));
  EXPECT_FALSE(can_continue(parse(endpoint::completions, R"("prompt":"a","echo":true)")));
  EXPECT_FALSE(can_continue(parse(endpoint::embeddings, R"("input":"a")")));
  EXPECT_FALSE(can_continue(from_openai(
      R"("messages":[{"role":"user","content":"q"}],"modalities":["text","audio"],"audio":{"voice":"v"})")));
}

TEST(continuation, names_tell_who_takes_a_prefill) {
  EXPECT_EQ(takes_prefill(claude), true);
  EXPECT_EQ(takes_prefill({.dialect = dialect::anthropic, .model = "claude-opus-4-6"}), false);
  EXPECT_EQ(takes_prefill({.dialect = dialect::anthropic, .model = "other"}), std::nullopt);
  EXPECT_EQ(takes_prefill(openai), false);
  EXPECT_EQ(takes_prefill(local), std::nullopt);
  EXPECT_EQ(takes_prefill(gemini), std::nullopt);
}

// A caller's own prefill reaches every provider as its last message; Anthropic refuses one that ends in a space.
TEST(continuation, every_dialect_takes_a_conversation_that_ends_with_the_assistant) {
  const auto of =
      from_openai(R"("messages":[{"role":"user","content":"q"},{"role":"assistant","content":"So: "}])");
  EXPECT_EQ(sent(of, local, "/messages/1/content"), "\"So: \"");
  EXPECT_EQ(sent(of, claude, "/messages/1"), R"({"role":"assistant","content":[{"type":"text","text":"So:"}]})");
  EXPECT_EQ(sent(of, gemini, "/contents/1"), R"({"role":"model","parts":[{"text":"So: "}]})");
}

}  // namespace
}  // namespace meshai::chat
