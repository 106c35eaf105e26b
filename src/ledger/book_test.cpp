#include "ledger/book.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

namespace meshai::ledger {
namespace {

using namespace std::chrono_literals;

constexpr wall_time noon{std::chrono::sys_days(std::chrono::year(2026) / 11 / 26) + 12h};
constexpr moment now{.now = instant(1000h), .wall = noon};

moment later(std::chrono::milliseconds by) {
  return {.now = now.now + by, .wall = noon + by};
}

std::map<std::string, limits, std::less<>> only(limits of) {
  return {{"me", of}};
}

TEST(book, who_has_no_limits_has_no_account) {
  book all;
  const auto held = all.reserve("me", {.most = {.tokens = 1'000'000'000}}, now);
  ASSERT_TRUE(held);
  EXPECT_EQ(held->number, 0u);
  EXPECT_FALSE(all.admit("me", now));
  EXPECT_FALSE(all.look("me", now));
}

TEST(book, what_is_held_counts_until_it_is_settled) {
  book all;
  all.set_limits(only({.money = {}, .tokens = 100}));
  const auto first = all.reserve("me", {.most = {.tokens = 60}}, now);
  ASSERT_TRUE(first);
  const auto second = all.reserve("me", {.most = {.tokens = 60}}, now);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().of, shortage::kind::tokens);
  EXPECT_TRUE(second.error().held);
  EXPECT_EQ(second.error().again, 1000ms);  // what is held comes back
  all.settle(*first, {.tokens = 10}, now.now);
  EXPECT_TRUE(all.reserve("me", {.most = {.tokens = 90}}, now));
  EXPECT_EQ(all.look("me", now)->spent.tokens, 10);
  EXPECT_EQ(all.look("me", now)->held.tokens, 90);
}

TEST(book, a_spent_budget_comes_back_at_midnight_utc) {
  book all;
  all.set_limits(only({.money = 1'000, .tokens = {}}));
  const auto held = all.reserve("me", {.most = {.tokens = 1, .money = 900}}, now);
  ASSERT_TRUE(held);
  all.settle(*held, {.tokens = 1, .money = 900}, now.now);
  const auto refused = all.reserve("me", {.most = {.tokens = 1, .money = 200}}, now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().of, shortage::kind::money);
  EXPECT_EQ(refused.error().again, 12h);
  EXPECT_EQ(refused.error().left, 100);
  EXPECT_TRUE(all.reserve("me", {.most = {.tokens = 1, .money = 100}}, now));
  EXPECT_TRUE(all.reserve("me", {.most = {.tokens = 1, .money = 1'000}}, later(12h)));
  // What costs nothing is never in the way.
  EXPECT_TRUE(all.reserve("me", {.most = {.tokens = 1, .money = 0}}, later(12h)));
}

TEST(book, what_never_fits_says_so) {
  book all;
  all.set_limits(only({.money = {}, .tokens = 100}));
  const auto refused = all.reserve("me", {.most = {.tokens = 101}}, now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().again, std::nullopt);
}

TEST(book, yesterdays_attempt_is_not_todays_cost) {
  book all;
  all.set_limits(only({.money = {}, .tokens = 100}));
  const auto held = all.reserve("me", {.most = {.tokens = 100}}, later(11h + 59min));
  ASSERT_TRUE(held);
  ASSERT_TRUE(all.reserve("me", {.most = {.tokens = 100}}, later(12h + 1min)));
  all.settle(*held, {.tokens = 100}, later(12h + 2min).now);
  EXPECT_EQ(all.look("me", later(12h + 3min))->spent.tokens, 0);
  EXPECT_EQ(all.look("me", later(12h + 3min))->held.tokens, 100);
}

TEST(book, what_was_spent_elsewhere_counts) {
  book all;
  all.set_limits(only({.money = {}, .tokens = 100}));
  all.set_elsewhere("me", now.day(), {.tokens = 70});
  EXPECT_FALSE(all.reserve("me", {.most = {.tokens = 31}}, now));
  EXPECT_TRUE(all.reserve("me", {.most = {.tokens = 30}}, now));
  all.set_elsewhere("me", now.day() - 1, {.tokens = 100});  // of another day
  EXPECT_EQ(all.look("me", now)->spent.tokens, 70);
}

TEST(book, new_limits_forget_nothing_that_was_spent) {
  book all;
  all.set_limits(only({.money = {}, .tokens = 100}));
  all.settle(*all.reserve("me", {.most = {.tokens = 60}}, now), {.tokens = 60}, now.now);
  all.set_limits({});
  EXPECT_TRUE(all.reserve("me", {.most = {.tokens = 1000}}, now));
  all.set_limits(only({.money = {}, .tokens = 90}));
  EXPECT_FALSE(all.reserve("me", {.most = {.tokens = 31}}, now));
}

TEST(book, rates_are_by_the_minute) {
  book all;
  all.set_limits(only({.requests_a_minute = 2, .tokens_a_minute = 100}));
  EXPECT_FALSE(all.admit("me", now));
  EXPECT_FALSE(all.admit("me", now));
  const auto third = all.admit("me", now);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->of, shortage::kind::requests_a_minute);
  EXPECT_FALSE(all.admit("me", later(*third->again)));

  const auto held = all.reserve("me", {.most = {.tokens = 500}, .likely = 90}, now);
  ASSERT_TRUE(held);
  EXPECT_FALSE(held->budget);
  const auto refused = all.reserve("me", {.most = {.tokens = 500}, .likely = 20}, now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().of, shortage::kind::tokens_a_minute);
  all.settle(*held, {.tokens = 15}, now.now + 1s);  // it was less
  EXPECT_EQ(all.look("me", later(1s))->tokens, 15);
  EXPECT_TRUE(all.reserve("me", {.most = {}, .likely = 85}, later(1s)));
}

// 64 callers on 8 threads, each asking as long as it may: at no instant more than the budget.
TEST(book, the_sum_never_passes_the_budget) {
  book all;
  constexpr std::int64_t budget = 1'000'000;
  all.set_limits(only({.money = budget, .tokens = {}}));
  std::atomic<std::int64_t> really{0};
  std::atomic<int> over{0}, denied{0};
  std::vector<std::jthread> threads;
  threads.reserve(8);
  for (unsigned seed = 0; seed < 8; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 dice(seed);
      std::vector<hold> open;
      for (int i = 0; i < 4'000; ++i) {
        const auto most = static_cast<std::int64_t>(1 + dice() % 2'000);
        if (open.size() < 8) {
          if (auto held = all.reserve("me", {.most = {.tokens = 1, .money = most}}, now)) {
            open.push_back(*held);
          } else {
            ++denied;
          }
        }
        if (!open.empty() && dice() % 2 == 0) {
          const auto one = open.back();
          open.pop_back();
          const std::int64_t spent = static_cast<std::int64_t>(dice() % (one.most.money + 1));
          really += spent;
          all.settle(one, {.tokens = 1, .money = spent}, now.now);
        }
        const auto seen = *all.look("me", now);
        if (seen.spent.money + seen.held.money > budget) ++over;
      }
      for (const auto& one : open) {
        really += one.most.money;
        all.settle(one, one.most, now.now);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(over, 0);
  EXPECT_GT(denied, 0);
  EXPECT_LE(really, budget);
  EXPECT_GT(really, budget - 2'000);
  EXPECT_EQ(all.look("me", now)->spent.money, really);
  EXPECT_EQ(all.look("me", now)->held, amount());
}

}  // namespace
}  // namespace meshai::ledger
