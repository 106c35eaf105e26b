#include "route/confidence.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace meshai::route {
namespace {

chat::delta step(std::string text, double probability) {
  chat::delta made;
  made.text = std::move(text);
  made.certainty = {.tokens = 1, .squares = std::log(probability) * std::log(probability)};
  return made;
}

TEST(confidence, is_the_quadratic_mean_of_what_each_token_was_worth) {
  confidence of;
  const std::vector<chat::delta> steps{step("Paris", 0.5), step(" it", 1), step(" is", 1), step(".", 1)};
  of.add(steps);
  EXPECT_EQ(of.tokens(), 4);
  EXPECT_NEAR(of.value(), std::exp(std::log(0.5) / 2), 1e-12);  // of squares a quarter is left, of which half
  EXPECT_TRUE(of.doubtful(0.71));
  EXPECT_FALSE(of.doubtful(0.7));
}

TEST(confidence, a_model_that_tells_nothing_is_doubted_for_its_words_only) {
  confidence of;
  chat::delta plain;
  plain.text = "It is Paris.";
  of.add(std::vector{plain});
  EXPECT_EQ(of.tokens(), 1);
  EXPECT_EQ(of.value(), 1);
  EXPECT_FALSE(of.doubtful(0.99));

  confidence other;
  plain.text = "I don't know.";
  other.add(std::vector{plain});
  EXPECT_TRUE(other.doubtful(0.01));
}

TEST(confidence, a_whole_answer_is_judged_whole) {
  chat::answer whole;
  auto& choice = whole.choices.emplace_back();
  choice.parts.push_back({.text = "It is Paris, or Rome."});
  choice.certainty = {.tokens = 10, .squares = 10 * std::log(0.5) * std::log(0.5)};
  confidence of;
  of.add(whole);
  EXPECT_EQ(of.tokens(), 10);
  EXPECT_NEAR(of.value(), 0.5, 1e-12);
}

TEST(confidence, an_act_is_nobodys_to_doubt) {
  auto acting = step("", 0.01);
  acting.calls.push_back({.index = 0, .id = "1", .name = "search", .arguments = {}, .signature = {}});
  confidence of;
  of.add(std::vector{acting});
  EXPECT_FALSE(of.doubtful(0.9));
}

TEST(unknowing, is_known_in_many_languages) {
  for (const std::string_view said : {
           "I don't know.",
           "I don\u2019t know who that is.",
           "I'm sorry, but I do not know the answer to that.",
           "  I  do not\nknow.",
           "As an AI language model, I don't have access to your calendar.",
           "I'm not sure what you mean.",
           "Das weiß ich nicht.",
           "Es tut mir leid, ich weiß es nicht.",
           "Je ne sais pas qui c'est.",
           "Désolé, je ne suis pas sûre.",
           "Lo siento, no lo sé.",
           "No estoy seguro.",
           "Mi dispiace, non lo so.",
           "Desculpe, não sei.",
           "Dat weet ik niet.",
           "Jag vet inte.",
           "Nie wiem, kto to jest.",
           "Извините, я не знаю.",
           "Üzgünüm, bunu bilmiyorum.",
           "لا أعرف من هو.",
           "मुझे नहीं पता।",
           "对不起，我不知道。",
           "申し訳ありませんが、わかりません。",
       }) {
    EXPECT_TRUE(says_it_does_not_know(said)) << said;
  }
}

TEST(unknowing, what_is_said_of_others_or_much_later_is_none) {
  for (const std::string_view said : {
           "",
           "The capital of France is Paris.",
           "Nobody knows what lies beyond it.",
           "Non solo Roma: anche Milano.",
           "\"I don't know\" is \"je ne sais pas\" in French.",
           "You could say “I don't know” and ask.",
           "He asked her for the way to the station, which is near the river. She said that i don't know is no answer.",
           "Unknown variables are written x and y.",
           "\xff\xfe\xf0\x9f",
       }) {
    EXPECT_FALSE(says_it_does_not_know(said)) << said;
  }
}

TEST(unknowing, looks_at_the_beginning_of_a_long_answer_only) {
  const std::string filler(200, 'a');
  EXPECT_FALSE(says_it_does_not_know(filler + " I don't know"));
  confidence of;
  for (int i = 0; i < 100'000; ++i) {
    chat::delta one;
    one.text = filler;
    of.add(std::vector{one});
  }
  EXPECT_FALSE(of.unknowing());
}

}  // namespace
}  // namespace meshai::route
