#include "route/health.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "route/learned.hpp"
#include "route/testing.hpp"

namespace meshai::route {
namespace {

using namespace std::chrono_literals;
using testing::fault_of;
using testing::start;

struct health_of_one : ::testing::Test {
  health known;
  target_id node = make_target_id("n"), model = make_target_id("n", "m"), other = make_target_id("n", "o");
  instant now = start;

  bool fails(fault_kind kind) { return fails(fault_of(kind)); }
  bool fails(const fault& why) {
    EXPECT_TRUE(known.begin(node, model, now));
    return known.failed(node, model, why, now);
  }
  bool answers() {
    if (!known.begin(node, model, now)) return false;
    known.succeeded(node, model, {}, now);
    return true;
  }
  standing look() const { return known.look(node, model, now); }
};

TEST_F(health_of_one, is_available_at_first) {
  EXPECT_TRUE(look().available());
  EXPECT_EQ(look().error_rate, 0);
  EXPECT_TRUE(answers());
}

TEST_F(health_of_one, opens_after_three_faults_in_a_row_and_probes_one_at_a_time) {
  EXPECT_FALSE(fails(fault_kind::server_error));
  EXPECT_FALSE(fails(fault_kind::server_error));
  EXPECT_TRUE(fails(fault_kind::server_error));
  EXPECT_EQ(look().breaker, breaker::open);
  EXPECT_FALSE(known.begin(node, model, now));
  EXPECT_TRUE(known.begin(node, other, now));  // another model of the same node is not to blame
  known.abandoned(node, other);

  now += 1s;
  EXPECT_EQ(look().breaker, breaker::half_open);
  EXPECT_TRUE(known.begin(node, model, now));
  EXPECT_FALSE(look().available());  // somebody probes
  EXPECT_FALSE(known.begin(node, model, now));
  known.succeeded(node, model, {}, now);
  EXPECT_EQ(look().breaker, breaker::closed);
  EXPECT_TRUE(answers());
}

TEST_F(health_of_one, stays_closed_while_faults_are_rare) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(fails(fault_kind::timeout));
    EXPECT_FALSE(fails(fault_kind::timeout));
    for (int k = 0; k < 3; ++k) EXPECT_TRUE(answers());
  }
}

TEST_F(health_of_one, opens_when_half_of_the_last_fail_though_never_three_in_a_row) {
  int opened = 0;
  for (int i = 0; i < 16 && opened == 0; ++i) {
    if (i % 3 == 2) {
      EXPECT_TRUE(answers());
    } else {
      opened += fails(fault_kind::server_error);
    }
  }
  EXPECT_EQ(opened, 1);
}

TEST_F(health_of_one, waits_longer_after_each_failed_probe_and_forgets_on_success) {
  for (int i = 0; i < 3; ++i) fails(fault_kind::unreachable);
  for (const auto wait : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
    EXPECT_EQ(look().until - now, wait);
    now += wait;
    fails(fault_kind::unreachable);
  }
  now += 30s;
  EXPECT_TRUE(answers());
  for (int i = 0; i < 3; ++i) fails(fault_kind::unreachable);
  EXPECT_EQ(look().until - now, 1s);
}

TEST_F(health_of_one, attempts_that_fail_together_open_it_once) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(known.begin(node, model, now));
  int opened = 0;
  for (int i = 0; i < 20; ++i) opened += known.failed(node, model, fault_of(fault_kind::unreachable), now);
  EXPECT_EQ(opened, 1);
  EXPECT_EQ(look().until - now, 1s);  // a recovered node is used again within one probe interval
}

TEST_F(health_of_one, twenty_requests_in_an_outage_make_few_attempts) {
  int attempts = 0;
  for (int i = 0; i < 20; ++i, now += 50ms) {
    if (!known.begin(node, model, now)) continue;
    ++attempts;
    known.failed(node, model, fault_of(fault_kind::unreachable), now);
  }
  EXPECT_LE(attempts, 4);
  EXPECT_GE(attempts, 3);
}

TEST_F(health_of_one, an_unreachable_node_takes_all_its_models_with_it) {
  for (int i = 0; i < 3; ++i) fails(fault_kind::unreachable);
  EXPECT_FALSE(known.look(node, other, now).available());
  EXPECT_FALSE(known.begin(node, other, now));
}

TEST_F(health_of_one, a_429_rests_as_told_and_then_is_used_again_without_a_probe) {
  auto busy = fault_of(fault_kind::rate_limited);
  busy.rest = 7s;
  fails(busy);
  EXPECT_TRUE(look().resting);
  EXPECT_EQ(look().until - now, 7s);
  EXPECT_EQ(look().breaker, breaker::closed);
  now += 7s;
  EXPECT_TRUE(look().available());
  EXPECT_TRUE(known.begin(node, model, now));
  EXPECT_TRUE(known.begin(node, model, now));
}

TEST_F(health_of_one, a_429_without_a_time_rests_ever_longer) {
  for (const auto wait : {2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    fails(fault_kind::rate_limited);
    EXPECT_EQ(look().until - now, wait);
    now += wait;
  }
}

TEST_F(health_of_one, a_503_with_retry_after_rests_too) {
  auto down = fault_of(fault_kind::server_error);
  down.rest = 60s;
  fails(down);
  EXPECT_TRUE(look().resting);
  EXPECT_EQ(look().until - now, 60s);
}

TEST_F(health_of_one, keys_credit_and_missing_models_open_for_minutes_at_once) {
  for (const auto kind :
       {fault_kind::key_refused, fault_kind::quota, fault_kind::forbidden, fault_kind::model_missing}) {
    health fresh;
    ASSERT_TRUE(fresh.begin(node, model, now));
    EXPECT_TRUE(fresh.failed(node, model, fault_of(kind), now)) << to_string(kind);
    const auto seen = fresh.look(node, model, now);
    EXPECT_EQ(seen.breaker, breaker::open);
    EXPECT_EQ(seen.until - now, 5min);
    EXPECT_EQ(seen.last_fault, kind);
    const bool whole_node = kind == fault_kind::key_refused || kind == fault_kind::quota;
    EXPECT_EQ(fresh.look(node, other, now).available(), !whole_node) << to_string(kind);
  }
}

TEST_F(health_of_one, a_key_to_blame_leaves_the_node_alone) {
  auto refused = fault_of(fault_kind::key_refused);
  refused.another_key = true;
  EXPECT_FALSE(fails(refused));
  EXPECT_TRUE(look().available());
}

TEST_F(health_of_one, what_is_the_callers_own_says_that_the_node_is_alive) {
  for (int i = 0; i < 3; ++i) fails(fault_kind::unreachable);
  now += 1s;
  fails(fault_kind::bad_request);
  EXPECT_EQ(look().breaker, breaker::closed);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(fails(fault_kind::content_policy));
  EXPECT_TRUE(look().available());
}

TEST_F(health_of_one, what_was_not_asked_says_nothing) {
  for (int i = 0; i < 3; ++i) fails(fault_kind::unreachable);
  now += 1s;
  auto never = fault_of(fault_kind::unsupported);
  never.asked = false;
  fails(never);
  EXPECT_EQ(look().breaker, breaker::half_open);
  EXPECT_TRUE(look().available());  // the probe was given back
}

TEST_F(health_of_one, an_abandoned_probe_is_given_back) {
  for (int i = 0; i < 3; ++i) fails(fault_kind::server_error);
  now += 1s;
  ASSERT_TRUE(known.begin(node, model, now));
  known.abandoned(node, model);
  EXPECT_TRUE(known.begin(node, model, now));
}

TEST_F(health_of_one, a_node_that_is_gone_is_not_asked_and_one_that_comes_is_whatever_it_did) {
  for (int i = 0; i < 3; ++i) fails(fault_kind::unreachable);
  ASSERT_FALSE(look().available());
  known.set_presence(node, presence::coming);
  EXPECT_TRUE(look().available());
  EXPECT_TRUE(known.begin(node, model, now));
  known.abandoned(node, model);
  known.set_presence(node, presence::gone);
  EXPECT_FALSE(look().available());
  EXPECT_FALSE(known.begin(node, model, now + 1h));
}

TEST_F(health_of_one, a_node_that_is_here_again_is_asked_at_once) {
  for (int i = 0; i < 3; ++i) fails(fault_kind::unreachable);
  known.set_presence(node, presence::coming);
  known.set_presence(node, presence::here);
  EXPECT_EQ(look().breaker, breaker::closed);
  EXPECT_TRUE(known.begin(node, model, now));
}

TEST_F(health_of_one, learns_how_long_a_prompt_takes) {
  EXPECT_EQ(known.patience(model, tier::cloud, 0, 10s), 10s);
  EXPECT_GE(known.patience(model, tier::local, 6000, 10s), 60s);  // before anything is known: 100 tokens a second
  for (int i = 0; i < 50; ++i) {
    observation seen;
    const std::int64_t tokens = 100 * (i % 10 + 1);
    seen.first_token(std::chrono::milliseconds(50 + 20 * tokens), tokens);
    ASSERT_TRUE(known.begin(node, model, now));
    known.succeeded(node, model, seen, now);
  }
  EXPECT_NEAR(static_cast<double>(known.patience(model, tier::cloud, 6000, 10s).count()), 3 * (50 + 20 * 6000),
              5000);
  EXPECT_EQ(known.patience(model, tier::cloud, 0, 10s), 10s);  // a floor
}

TEST_F(health_of_one, learns_gaps) {
  EXPECT_EQ(known.gap_p999(model), std::nullopt);
  observation seen;
  for (int i = 0; i < 5000; ++i) seen.gap(10ms);
  for (int i = 0; i < 3; ++i) seen.gap(3s);
  ASSERT_TRUE(known.begin(node, model, now));
  known.succeeded(node, model, seen, now);
  EXPECT_GE(*known.gap_p999(model), 10ms);
  EXPECT_LE(*known.gap_p999(model), 16ms);
}

TEST(gap_histogram, buckets_hold_what_they_say) {
  EXPECT_EQ(gap_histogram::bucket_of(0ns), 0u);
  EXPECT_EQ(gap_histogram::bucket_of(1ms), 0u);
  EXPECT_EQ(gap_histogram::bucket_of(2ms), 2u);
  EXPECT_EQ(gap_histogram::bucket_of(1h), gap_histogram::buckets - 1);
}

TEST(health, names_that_callers_make_up_do_not_fill_the_memory) {
  health known;
  const auto node = make_target_id("n");
  for (int i = 0; i < 200'000; ++i) {
    const auto model = make_target_id("n", std::to_string(i));
    ASSERT_TRUE(known.begin(node, model, start));
    known.succeeded(node, model, {}, start);
  }
  EXPECT_TRUE(known.look(node, make_target_id("n", "1"), start).available());
}

TEST(health, is_thread_safe) {
  health known;
  std::vector<std::thread> all;
  all.reserve(4);
  for (int t = 0; t < 4; ++t) {
    all.emplace_back([&known, t] {
      for (int i = 0; i < 5000; ++i) {
        const auto node = make_target_id("n" + std::to_string(i % 3));
        const auto model = make_target_id("n" + std::to_string(i % 3), "m");
        const auto now = start + std::chrono::milliseconds(i);
        if (!known.begin(node, model, now)) continue;
        if ((i + t) % 2 == 0) {
          known.succeeded(node, model, {}, now);
        } else {
          known.failed(node, model, testing::fault_of(fault_kind::server_error), now);
        }
        (void)known.look(node, model, now);
      }
    });
  }
  for (auto& each : all) each.join();
}

}  // namespace
}  // namespace meshai::route
