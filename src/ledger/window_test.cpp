#include "ledger/window.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace meshai::ledger {
namespace {

using namespace std::chrono_literals;

constexpr instant start{1000h + 250ms};

TEST(window, forgets_after_a_minute) {
  window at;
  at.add(5, start);
  EXPECT_EQ(at.used(start + 59s), 5);
  EXPECT_EQ(at.used(start + 60s), 5);
  EXPECT_EQ(at.used(start + 61s), 0);
}

TEST(window, says_how_long_to_wait) {
  window at;
  EXPECT_EQ(at.wait_for(3, 3, start), 0ms);
  EXPECT_EQ(at.wait_for(4, 3, start), std::nullopt);
  at.add(2, start);
  at.add(1, start + 10s);
  const auto wait = at.wait_for(1, 3, start + 20s);
  ASSERT_TRUE(wait);
  EXPECT_GT(*at.wait_for(3, 3, start + 20s), *wait);
  EXPECT_GT(at.wait_for(1, 3, start + 20s + *wait - 2ms)->count(), 0);
  EXPECT_EQ(at.wait_for(1, 3, start + 20s + *wait), 0ms);
}

TEST(window, says_when_all_of_it_is_forgotten) {
  window at;
  EXPECT_EQ(at.empties_in(start), 0ms);
  at.add(2, start);
  at.add(1, start + 10s);
  const auto wait = at.empties_in(start + 20s);
  EXPECT_EQ(at.used(start + 20s + wait - 2ms), 1);
  EXPECT_EQ(at.used(start + 20s + wait), 0);
  EXPECT_EQ(at.empties_in(start + 20s + wait), 0ms);
}

TEST(window, takes_back_what_was_less) {
  window at;
  at.add(100, start);
  at.give_back(90, start, start + 5s);
  EXPECT_EQ(at.used(start + 5s), 10);
  at.give_back(90, start, start + 5s);  // more than there is
  EXPECT_EQ(at.used(start + 5s), 0);
  at.add(7, start + 100s);
  at.give_back(7, start, start + 100s);  // long gone
  EXPECT_EQ(at.used(start + 100s), 7);
}

// Whatever is asked and when: no minute holds more than the limit.
TEST(window, no_minute_holds_more_than_the_limit) {
  std::mt19937 dice(7);
  window at;
  std::deque<std::pair<instant, std::int64_t>> taken;
  auto now = start;
  constexpr std::int64_t limit = 100;
  std::int64_t most = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::milliseconds(dice() % 1500);
    const auto n = static_cast<std::int64_t>(1 + dice() % 30);
    if (at.wait_for(n, limit, now) == 0ms) {
      at.add(n, now);
      taken.emplace_back(now, n);
    }
    while (!taken.empty() && taken.front().first <= now - 60s) taken.pop_front();
    std::int64_t sum = 0;
    for (const auto& one : taken) sum += one.second;
    ASSERT_LE(sum, limit);
    most = std::max(most, sum);
  }
  EXPECT_GT(most, limit - 30);
}

}  // namespace
}  // namespace meshai::ledger
