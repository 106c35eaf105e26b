#include "upstream/collect.hpp"

#include <gtest/gtest.h>

namespace meshai::upstream {
namespace {

chat::delta text(std::string what, int choice = 0) {
  chat::delta made;
  made.choice = choice;
  made.text = std::move(what);
  return made;
}

TEST(collector, puts_text_reasoning_and_calls_together_in_order) {
  std::vector<chat::delta> steps(9);
  steps[0].thought = {.text = "Let me ", .signature = {}, .redacted = {}};
  steps[1].thought = {.text = "think.", .signature = {}, .redacted = {}};
  steps[2].thought = {.text = {}, .signature = "sig", .redacted = {}};
  steps[3].text = "I will ";
  steps[4].text = "look.";
  steps[5].calls = {{.index = 0, .id = "c1", .name = "look", .arguments = "{\"a\"", .signature = {}}};
  steps[6].calls = {{.index = 1, .id = "c2", .name = "hear", .arguments = "{}", .signature = {}},
                    {.index = 0, .id = {}, .name = {}, .arguments = ":1}", .signature = {}}};
  steps[7].finish = chat::finish::tool_calls;
  steps[8].usage = chat::usage{.input = 3, .output = 4, .known = true};
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
  EXPECT_EQ(got.choices[0].finish, chat::finish::tool_calls);
  EXPECT_EQ(got.usage.output, 4);
}

TEST(collector, keeps_choices_apart) {
  std::vector<chat::delta> steps{text("b", 1), text("a", 0), text("B", 1), text("A", 0)};
  collector all(1000);
  ASSERT_TRUE(all.add(steps));
  const auto got = all.take();
  ASSERT_EQ(got.choices.size(), 2u);
  EXPECT_EQ(got.choices[0].parts[0].text, "aA");
  EXPECT_EQ(got.choices[1].parts[0].text, "bB");
}

TEST(collector, has_a_bound) {
  std::vector<chat::delta> steps{text("12345"), text("67890")};
  EXPECT_TRUE(collector(10).add(steps));
  steps = {text("12345"), text("678901")};
  EXPECT_FALSE(collector(10).add(steps));
}

}  // namespace
}  // namespace meshai::upstream
