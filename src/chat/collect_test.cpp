#include "chat/collect.hpp"

#include <gtest/gtest.h>

#include "chat/testing.hpp"

namespace meshai::chat {
namespace {

delta text(std::string what, int choice = 0) {
  delta made;
  made.choice = choice;
  made.text = std::move(what);
  return made;
}

TEST(collector, puts_text_reasoning_and_calls_together_in_order) {
  std::vector<delta> steps(9);
  steps[0].thought = {.text = "Let me ", .signature = {}, .redacted = {}};
  steps[1].thought = {.text = "think.", .signature = {}, .redacted = {}};
  steps[2].thought = {.text = {}, .signature = "sig", .redacted = {}};
  steps[3].text = "I will ";
  steps[4].text = "look.";
  steps[5].calls = {{.index = 0, .id = "c1", .name = "look", .arguments = "{\"a\"", .signature = {}}};
  steps[6].calls = {{.index = 1, .id = "c2", .name = "hear", .arguments = "{}", .signature = {}},
                    {.index = 0, .id = {}, .name = {}, .arguments = ":1}", .signature = {}}};
  steps[7].finish = finish::tool_calls;
  steps[8].usage = usage{.input = 3, .output = 4, .known = true};
  collector all(1000);
  ASSERT_TRUE(all.add(steps));
  const auto got = all.take();
  ASSERT_EQ(got.choices.size(), 1u);
  const auto& parts = got.choices[0].parts;
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].thought.text, "Let me think.");
  EXPECT_EQ(parts[0].thought.signature, "sig");
  EXPECT_EQ(parts[1].text, "I will look.");
  EXPECT_EQ(parts[2].call.arguments, "{\"a\":1}");
  EXPECT_EQ(parts[2].call.id, "c1");
  EXPECT_EQ(parts[3].call.name, "hear");
  EXPECT_EQ(got.choices[0].finish, finish::tool_calls);
  EXPECT_EQ(got.usage.output, 4);
}

TEST(collector, keeps_choices_apart) {
  std::vector<delta> steps{text("b", 1), text("a", 0), text("B", 1), text("A", 0)};
  collector all(1000);
  ASSERT_TRUE(all.add(steps));
  const auto got = all.take();
  ASSERT_EQ(got.choices.size(), 2u);
  EXPECT_EQ(got.choices[0].parts[0].text, "aA");
  EXPECT_EQ(got.choices[1].parts[0].text, "bB");
}

TEST(collector, has_a_bound) {
  std::vector<delta> steps{text("12345"), text("67890")};
  EXPECT_TRUE(collector(10).add(steps));
  steps = {text("12345"), text("678901")};
  EXPECT_FALSE(collector(10).add(steps));
}

TEST(collector, keeps_what_is_signed_and_what_is_redacted_apart) {
  std::vector<delta> steps(6);
  steps[0].thought = {.text = "One", .from = dialect::anthropic};
  steps[1].thought = {.signature = "s1", .from = dialect::anthropic};
  steps[2].thought = {.redacted = "r", .from = dialect::anthropic};
  steps[3].thought = {.text = "Two", .from = dialect::anthropic};
  steps[4].text = "So.";
  steps[4].thought = {.signature = "of the text", .from = dialect::gemini};
  steps[5].finish = finish::stop;
  collector all(1000);
  ASSERT_TRUE(all.add(steps));
  const auto parts = all.take().choices.at(0).parts;
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(parts[0].thought.signature, "s1");
  EXPECT_EQ(parts[1].thought.redacted, "r");
  EXPECT_EQ(parts[2].thought.text, "Two");
  EXPECT_EQ(parts[3].text, "So.");
  EXPECT_EQ(parts[4].thought.signature, "of the text");
}

// The steps of a stream in the caller's own dialect.
std::vector<delta> steps_of(const request& of, std::initializer_list<std::pair<const char*, const char*>> events) {
  const auto reader = make_stream_reader(of, {.dialect = of.dialect, .model = "m", .stream = true});
  std::vector<delta> out;
  for (const auto& [name, data] : events) EXPECT_TRUE(reader->event(name, data, out)) << data;
  EXPECT_TRUE(reader->finished());
  return out;
}

const story told{.request_id = "req_1", .node = "n", .model = "m"};

TEST(collector, carries_what_an_openai_provider_says_beyond_the_answer) {
  const request of{.dialect = dialect::openai, .endpoint = endpoint::chat_completions};
  auto steps = steps_of(
      of,
      {{"", R"({"id":"x","object":"chat.completion.chunk","created":1,"model":"m-1","system_fingerprint":"fp_1",)"
            R"("service_tier":"default","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},)"
            R"("finish_reason":null}],"usage":null})"},
       {"", R"({"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null})"},
       {"", R"({"id":"x","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6,)"
            R"("completion_tokens_details":{"accepted_prediction_tokens":3}}})"},
       {"", "[DONE]"}});
  collector all(1000);
  ASSERT_TRUE(all.add(steps));
  const auto text = write_answer(of, all.take(), {.id = "chatcmpl-1", .created = 2, .model = "m"}, told);
  EXPECT_EQ(testing::at(text, "/id"), R"("chatcmpl-1")");
  EXPECT_EQ(testing::at(text, "/system_fingerprint"), R"("fp_1")");
  EXPECT_EQ(testing::at(text, "/service_tier"), R"("default")");
  EXPECT_EQ(testing::at(text, "/usage/completion_tokens_details/accepted_prediction_tokens"), "3");
  EXPECT_EQ(testing::at(text, "/choices/0/message/content"), R"("Hi")");
}

TEST(collector, carries_what_anthropic_says_beyond_the_answer) {
  const request of{.dialect = dialect::anthropic, .endpoint = endpoint::messages};
  const auto begin = [&] {
    return steps_of(
        of,
        {{"message_start",
          R"({"type":"message_start","message":{"id":"msg_p","type":"message","role":"assistant","model":"c",)"
          R"("content":[],"stop_reason":null,"usage":{"input_tokens":5,"output_tokens":1,"service_tier":"standard"}}})"},
         {"content_block_start",
          R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"},
         {"content_block_delta",
          R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}})"},
         {"content_block_stop", R"({"type":"content_block_stop","index":0})"},
         {"message_delta",
          R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null,"container":{"id":"c"}},)"
          R"("usage":{"output_tokens":2}})"},
         {"message_stop", R"({"type":"message_stop"})"}});
  };
  collector all(1000);
  auto steps = begin();
  ASSERT_TRUE(all.add(steps));
  const auto text = write_answer(of, all.take(), {.id = "msg_1", .created = 2, .model = "m"}, told);
  EXPECT_EQ(testing::at(text, "/usage/output_tokens"), "2");
  EXPECT_EQ(testing::at(text, "/usage/service_tier"), R"("standard")");
  EXPECT_EQ(testing::at(text, "/container/id"), R"("c")");
  EXPECT_EQ(testing::at(text, "/content/0/text"), R"("Hi")");
  EXPECT_EQ(testing::at(text, "/stop_reason"), R"("end_turn")");
  // Where another one went on, what the first said of itself no longer holds.
  steps = begin();
  ASSERT_TRUE(all.add(steps));
  all.go_on();
  EXPECT_FALSE(write_answer(of, all.take(), {.id = "msg_1", .model = "m"}, told).contains("service_tier"));
}

TEST(collector, begins_anew) {
  std::vector<delta> steps{text("half of i")};
  collector all(20);
  ASSERT_TRUE(all.add(steps));
  all.begin_anew();
  steps = {text("the whole of it")};
  ASSERT_TRUE(all.add(steps)) << "what was thrown away does not count";
  EXPECT_EQ(all.take().choices.at(0).parts.at(0).text, "the whole of it");
}

TEST(can_collect, says_no_where_a_stream_would_tell_less) {
  const auto asked = [](const std::string& more) {
    return *parse_request(endpoint::chat_completions,
                          R"({"model":"m","messages":[{"role":"user","content":"x"}])" + more + "}");
  };
  EXPECT_TRUE(can_collect(asked("")));
  EXPECT_TRUE(can_collect(asked(R"(,"metadata":{"a":"b"},"store":true,"seed":1,"tools":[])")));
  EXPECT_FALSE(can_collect(asked(R"(,"logprobs":true)")));
  EXPECT_FALSE(can_collect(asked(R"(,"n":2)")));
  EXPECT_FALSE(can_collect(asked(R"(,"modalities":["text","audio"],"audio":{"voice":"x","format":"wav"})")));
  EXPECT_FALSE(can_collect(asked(R"(,"web_search_options":{"search_context_size":"low"})")));
  const auto message = [](const std::string& more) {
    return *parse_request(endpoint::messages, R"({"model":"m","max_tokens":5)" + more + "}");
  };
  EXPECT_TRUE(can_collect(message(R"(,"messages":[{"role":"user","content":"x"}],"metadata":{"user_id":"u"})")));
  EXPECT_FALSE(can_collect(message(
      R"(,"messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search_20250305","name":"web_search"}])")));
  EXPECT_FALSE(can_collect(message(
      R"(,"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain",)"
      R"("data":"d"},"citations":{"enabled":true}}]}])")));
  EXPECT_FALSE(can_collect(*parse_request(endpoint::embeddings, R"({"model":"m","input":"x"})")));
}

}  // namespace
}  // namespace meshai::chat
