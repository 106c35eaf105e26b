#include "route/asked.hpp"

#include <gtest/gtest.h>

#include "route/complexity.hpp"
#include "route/testing.hpp"

namespace meshai::route {
namespace {

using testing::lines;
using testing::talk;
constexpr auto user = chat::role::user, assistant = chat::role::assistant;

using texts = std::vector<std::string_view>;
constexpr const char* plan = "Write a business plan for a bakery";

TEST(asked, the_last_message_where_it_says_enough) {
  const auto of = talk({{user, plan}, {assistant, "..."}, {user, "What is the capital of France?"}});
  EXPECT_EQ(texts_asked(of), (texts{"What is the capital of France?"}));
}

TEST(asked, a_yes_asks_for_what_was_asked_before_and_for_what_was_offered) {
  const auto of = talk({{user, "hello there, I have got a bakery"},
                        {assistant, "Nice. It needs a plan. Shall I write a detailed business plan?"},
                        {user, "yes"}});
  EXPECT_EQ(texts_asked(of),
            (texts{"yes", " Shall I write a detailed business plan?", "hello there, I have got a bakery"}));
}

TEST(asked, the_class_is_that_of_the_conversation_not_of_its_last_yes) {
  EXPECT_EQ(judge(talk({{user, "yes"}})).how, complexity::simple);
  EXPECT_EQ(judge(talk({{user, plan}, {assistant, "For how many people?"}, {user, "about ten"}})).how,
            complexity::hard);
  EXPECT_EQ(judge(talk({{user, "I have got a bakery"},
                        {assistant, "Shall I write a business plan for it?"},
                        {user, "yes please"}}))
                .how,
            complexity::hard);
  EXPECT_EQ(judge(talk({{user, "What is 2+2?"}, {assistant, "4"}, {user, "thanks"}})).how, complexity::simple);
}

TEST(asked, no_farther_back_than_a_few_turns) {
  lines said{{user, plan}};
  for (int i = 0; i < 6; ++i) {
    said.emplace_back(assistant, "ok");
    said.emplace_back(user, "ok");
  }
  EXPECT_EQ(texts_asked(talk(said)), (texts{"ok", "ok", "ok", "ok", "ok"}));
}

TEST(asked, a_tools_result_is_no_question) {
  auto of = talk({{user, plan}, {assistant, ""}, {user, "sunny"}});
  of.messages.back().parts.front().kind = chat::part_kind::tool_result;
  EXPECT_EQ(texts_asked(of), (texts{plan}));
}

}  // namespace
}  // namespace meshai::route
