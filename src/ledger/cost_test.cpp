#include "ledger/cost.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace meshai::ledger {
namespace {

chat::request parse(std::string_view body) {
  return *chat::parse_request(chat::endpoint::chat_completions, body);
}

const price cheap{.input = 2.5, .output = 10, .cached = 1.25, .cache_written = 3};

TEST(cost, the_worst_case_is_a_token_a_byte_and_the_longest_answer) {
  const std::string body =
      R"({"model":"auto","max_tokens":100,"n":3,"messages":[{"role":"user","content":"2+2?"}]})";
  const auto most = worst_case(parse(body), {});
  EXPECT_GE(most.input, static_cast<std::int64_t>(body.size()));
  EXPECT_LE(most.input, static_cast<std::int64_t>(body.size()) + 64);
  EXPECT_EQ(most.output, 300);
  EXPECT_LT(likely_case(parse(body), {}).input, 10);
  EXPECT_EQ(likely_case(parse(body), {}).output, 300);
}

TEST(cost, without_max_tokens_the_usual_answer_is_held_and_never_more_than_the_model_can_write) {
  const auto asked = parse(R"({"model":"auto","messages":[{"role":"user","content":"2+2?"}]})");
  EXPECT_EQ(worst_case(asked, {}).output, usual_answer);
  EXPECT_EQ(worst_case(asked, 2048).output, 2048);
  auto long_one = asked;
  long_one.body.assign(100'000, ' ');
  EXPECT_EQ(worst_case(long_one, 2048).input, 2048);
}

TEST(cost, an_image_is_guessed_and_not_counted_by_its_bytes) {
  const auto asked =
      parse(R"({"model":"auto","max_tokens":1,"messages":[{"role":"user","content":[{"type":"image_url",)"
            R"("image_url":{"url":"data:image/png;base64,)" +
            std::string(40'000, 'A') + R"("}}]}]})");
  const auto most = worst_case(asked, {});
  EXPECT_GT(most.input, 8'000);
  EXPECT_LT(most.input, 9'000);
}

TEST(cost, embeddings_answer_nothing) {
  const auto asked = *chat::parse_request(chat::endpoint::embeddings, R"({"model":"e","input":"some text"})");
  EXPECT_EQ(worst_case(asked, {}).output, 0);
  EXPECT_GT(worst_case(asked, {}).input, 9);
}

TEST(cost, is_by_the_million_and_rounded_up) {
  EXPECT_EQ(cost_of(bound{.input = 1'000'000, .output = 0}, price{.input = 2.5, .output = 0}),
            (amount{.tokens = 1'000'000, .money = 2'500'000'000}));
  EXPECT_EQ(cost_of(bound{.input = 10, .output = 20}, cheap),  // a cache that is written costs more: held
            (amount{.tokens = 30, .money = 10 * 3'000 + 20 * 10'000}));
  EXPECT_EQ(cost_of(bound{.input = 1, .output = 0}, price{.input = 0.0001, .output = 0}).money, 1);
  EXPECT_EQ(cost_of(bound{.input = 7, .output = 0}, std::nullopt), (amount{.tokens = 7, .money = 0}));
}

TEST(cost, what_was_used_is_priced_by_where_it_came_from) {
  const chat::usage used{
      .input = 1000, .output = 10, .cached = 600, .cache_written = 300, .reasoning = 5, .known = true};
  EXPECT_EQ(cost_of(used, cheap),
            (amount{.tokens = 1010, .money = 100 * 2'500 + 600 * 1'250 + 300 * 3'000 + 10 * 10'000}));
  const chat::usage odd{.input = -5, .output = 3, .cached = 100, .known = true};
  EXPECT_EQ(cost_of(odd, cheap), (amount{.tokens = 3, .money = 30'000}));
}

TEST(cost, money_is_written_without_noughts_at_its_end) {
  EXPECT_EQ(money_text(0), "0");
  EXPECT_EQ(money_text(5'000'000'000), "5");
  EXPECT_EQ(money_text(2'500'000'000), "2.5");
  EXPECT_EQ(money_text(1'499), "0.000001");
  EXPECT_EQ(money_text(1'500), "0.000002");
}

TEST(cost, sums_neither_overflow_nor_fall_below_nothing) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  amount one{.tokens = most - 1, .money = 5};
  one += {.tokens = 10, .money = 1};
  EXPECT_EQ(one, (amount{.tokens = most, .money = 6}));
  one -= {.tokens = 1, .money = 10};
  EXPECT_EQ(one, (amount{.tokens = most - 1, .money = 0}));
  EXPECT_EQ(to_money(1e300), most);
  EXPECT_EQ(to_money(0.1 + 0.2), 300'000'000);
}

}  // namespace
}  // namespace meshai::ledger
