#include "route/complexity.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "route/complexity_words.hpp"
#include "route/testing.hpp"

namespace meshai::route {
namespace {

using testing::say;

struct sample {
  const char* prompt;
  complexity how;
};
using enum complexity;

constexpr sample samples[] = {
    {"What is 2+2?", simple},
    {"Hi!", simple},
    {"Hello, how are you?", simple},
    {"What is the capital of France?", simple},
    {"Who wrote Hamlet?", simple},
    {"Translate 'good morning' to Spanish", simple},
    {"When did the Berlin Wall fall?", simple},
    {"12 * (3 + 4) =", simple},
    {"Is water wet?", simple},
    {"Name three colours.", simple},
    {"Thanks!", simple},
    {"", simple},
    {"Was ist die Hauptstadt von Italien?", simple},
    {"Wie spät ist es in Tokio?", simple},
    {"Quelle est la capitale de l'Espagne ?", simple},
    {"¿Cuál es la capital de Perú?", simple},
    {"Qual è la capitale della Francia?", simple},
    {"Кто написал «Войну и мир»?", simple},
    {"法国的首都是什么？", simple},
    {"日本の首都は何ですか？", simple},
    {"Explain how photosynthesis works", medium},
    {"Compare Python and Go for web servers", medium},
    {"Summarize the following paragraph for me", medium},
    {"Write an email to my landlord about the broken heater", medium},
    {"Write a short story about a fox", medium},
    {"Erkläre mir die Relativitätstheorie", medium},
    {"Vergleiche Äpfel mit Birnen", medium},
    {"Explique-moi la photosynthèse", medium},
    {"Explica la fotosíntesis a un niño", medium},
    {"Объясни теорию относительности", medium},
    {"解释一下光合作用", medium},
    {"光合成について説明してください", medium},
    {"Write a business plan", hard},
    {"Write a business plan for a bakery in Lisbon with a budget", hard},
    {"Prove that there are infinitely many primes", hard},
    {"Implement a red-black tree and explain its invariants", hard},
    {"Design the architecture of a chat service for a million users", hard},
    {"Refactor this function and optimise the algorithm", hard},
    {"Write an essay on the causes of the First World War", hard},
    {"Schreib einen Geschäftsplan für ein Café", hard},
    {"Beweise, dass die Wurzel aus 2 irrational ist", hard},
    {"Rédige une dissertation sur la liberté", hard},
    {"Escribe un plan de negocios para una panadería", hard},
    {"Scrivi un piano aziendale dettagliato", hard},
    {"Escreva um plano de negócios detalhado", hard},
    {"Напиши бизнес-план для пекарни", hard},
    {"写一份商业计划书", hard},
    {"証明してください：素数は無限に存在する", hard},
    {"パン屋の事業計画を書いてください", hard},
    {"Debug this:\n```python\ndef f(x):\n  return x/0\n```", hard},
};

TEST(complexity, judges_prompts_in_several_languages) {
  for (const auto& [prompt, how] : samples) {
    const auto got = judge(say(prompt));
    EXPECT_EQ(got.how, how) << prompt << ": " << got.score << " points, " << got.seen.words << " words";
  }
}

TEST(complexity, goes_by_the_gain_where_options_are_listed) {
  const auto exam =
      judge(say("Statement 1 | Every group of order 4 is abelian. Statement 2 | Every ring has an identity.\n"
                "A. True, True\nB. False, False\nC. True, False\nD. False, True"));
  EXPECT_TRUE(exam.seen.options);
  EXPECT_GE(exam.gain, 0.1);
  EXPECT_EQ(exam.how, hard) << exam.score;
  // Looked up and short, but no very small model knows which: never simple.
  const auto quiz = judge(say("Who wrote Hamlet?\nA. Shakespeare\nB. Goethe\nC. Dante\nD. Molière"));
  EXPECT_TRUE(quiz.seen.options);
  EXPECT_LT(quiz.gain, 0.1);
  EXPECT_EQ(quiz.how, medium) << quiz.score;
  EXPECT_LT(quiz.value, exam.value);
  // Elsewhere the points move the value, and the gain no class.
  EXPECT_FALSE(judge(say("Who wrote Hamlet?")).seen.options);
  EXPECT_EQ(judge(say("Who wrote Hamlet?")).how, simple);
  EXPECT_GT(judge(say("Write a business plan for a bakery")).value, judge(say("Who wrote Hamlet?")).value);
}

TEST(complexity, decides_the_same_without_what_is_only_told) {
  const auto same = [](const chat::request& of) {
    const auto all = judge(of), quick = judge(of, extent::decision);
    return all.how == quick.how && all.score == quick.score && all.seen.options == quick.seen.options;
  };
  for (const auto& [prompt, how] : samples) EXPECT_TRUE(same(say(prompt))) << prompt;
  // The words beside a question with options, in a part of their own, do not hide them.
  auto parts = say("Who wrote Hamlet?\nA. Shakespeare\nB. Goethe\nC. Dante\nD. Molière");
  parts.messages.front().parts.emplace_back().text = "If 3 pens cost $4.50 and 7 cost $10, how much do 12 cost?";
  EXPECT_TRUE(judge(parts).seen.options);
  EXPECT_TRUE(same(parts));
}

TEST(complexity, leaves_what_it_is_given_to_work_on_out_of_the_task) {
  EXPECT_EQ(judge(say("Make this shorter: we design, implement and prove the algorithm in detail.")).how, medium);
  EXPECT_EQ(judge(say("Draft a statement of claim for a tenant")).how, hard);
  EXPECT_EQ(judge(say("Draft a short e-mail to a tenant")).how, medium);
}

TEST(complexity, looks_around_the_message) {
  auto base = say("Name three colours.");
  ASSERT_EQ(judge(base).how, simple);
  auto with = base;
  with.tools.emplace_back();
  EXPECT_EQ(judge(with).how, medium);
  with = base;
  with.reasoning_effort = "high";
  EXPECT_EQ(judge(with).how, medium);
  with = base;
  with.has_images = true;
  EXPECT_EQ(judge(with).how, medium);
  with = base;
  with.text_size = 100'000;  // a long conversation before it
  EXPECT_EQ(judge(with).how, medium);
  EXPECT_EQ(judge(say(std::string(40'000, 'a') + " word")).how, hard);
}

TEST(complexity, has_a_value_that_tells_the_class) {
  double before = 0;
  for (const auto* prompt : {"Thanks!", "Explain how photosynthesis works", "Write a detailed business plan"}) {
    const auto got = judge(say(prompt));
    EXPECT_GT(got.value, before);
    EXPECT_EQ(got.how, got.value < 1. / 3 ? simple : got.value < 2. / 3 ? medium : hard) << got.value;
    before = got.value;
  }
  EXPECT_LT(before, 1);
}

TEST(complexity, takes_any_bytes) {
  std::string bytes;
  for (int i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 37 + i / 7);
  (void)judge(say(bytes));
  for (std::size_t cut = 0; cut < 8; ++cut) (void)judge(say(std::string("写一份商业计划书").substr(0, 24 - cut)));
  (void)judge(chat::request{});
}

TEST(complexity, stems_are_sorted_and_stand_once) {
  EXPECT_TRUE(std::ranges::is_sorted(stems(), {}, &weighted_stem::stem));
  const auto twice = std::ranges::adjacent_find(stems(), {}, &weighted_stem::stem);
  EXPECT_EQ(twice, stems().end()) << twice->stem;
}

TEST(complexity, easy_words_are_sorted) {
  EXPECT_TRUE(std::ranges::is_sorted(easy_words()));
}

TEST(complexity, estimates_tokens_with_images_apart) {
  auto asked = say(std::string(4000, 'x'));
  EXPECT_EQ(estimate_tokens(asked), 1000);
  asked.has_images = true;
  asked.messages[0].parts.emplace_back().kind = chat::part_kind::image;
  EXPECT_EQ(estimate_tokens(asked), 2000);
}

}  // namespace
}  // namespace meshai::route
