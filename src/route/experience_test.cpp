#include "route/experience.hpp"

#include <gtest/gtest.h>

#include "route/testing.hpp"

namespace meshai::route {
namespace {

using namespace std::chrono_literals;
using testing::start;

const target_id one{1}, other{2};
constexpr auto simple = complexity::simple, hard = complexity::hard;

struct learning : ::testing::Test {
  experience all;
  double off(target_id model = one, complexity how = simple, instant now = start) {
    return all.look(model, how, now).deduction();
  }
  void answer(int times, std::optional<std::chrono::nanoseconds> wait = 1s) {
    for (int i = 0; i < times; ++i) all.answered(one, simple, wait, start);
  }
  void fail(int times) {
    for (int i = 0; i < times; ++i) all.failed(one, simple, start);
  }
};

TEST_F(learning, a_single_failure_is_no_habit) {
  EXPECT_EQ(off(), 0);
  fail(1);
  EXPECT_EQ(off(), 0);
  answer(30);
  fail(2);
  EXPECT_EQ(off(), 0);
}

TEST_F(learning, failures_and_answers_that_did_not_please_take_off) {
  fail(10);
  EXPECT_DOUBLE_EQ(off(), 0.2);
  experience pleased;
  for (int i = 0; i < 20; ++i) pleased.answered(one, simple, {}, start);
  EXPECT_EQ(pleased.look(one, simple, start).deduction(), 0);
  for (int i = 0; i < 10; ++i) pleased.asked_again(one, simple, start);
  EXPECT_DOUBLE_EQ(pleased.look(one, simple, start).deduction(), 0.1);
}

TEST_F(learning, each_model_and_class_for_itself) {
  fail(20);
  EXPECT_GT(off(), 0);
  EXPECT_EQ(off(one, hard), 0);
  EXPECT_EQ(off(other), 0);
}

TEST_F(learning, it_is_bounded) {
  fail(1'000'000);
  EXPECT_LE(off(), most_deduction);
  EXPECT_GE(off(), 0.4);
  EXPECT_LE(all.look(one, simple, start).failed, 65);
}

TEST_F(learning, it_fades_to_half_in_three_days) {
  fail(20);
  EXPECT_NEAR(all.look(one, simple, start + 72h).failed, 10, 1e-6);
  EXPECT_EQ(off(one, simple, start + std::chrono::hours(24 * 30)), 0);
}

TEST_F(learning, newer_outcomes_outweigh_older_ones) {
  fail(64);
  answer(200);
  EXPECT_EQ(off(), 0);
}

TEST_F(learning, who_keeps_callers_waiting_comes_later) {
  answer(20, 2s);
  EXPECT_EQ(off(), 0);
  experience slow;
  for (int i = 0; i < 20; ++i) slow.answered(one, simple, 10s, start);
  EXPECT_DOUBLE_EQ(slow.look(one, simple, start).deduction(), 0.1);
  for (int i = 0; i < 200; ++i) slow.answered(one, simple, 60s, start);
  EXPECT_DOUBLE_EQ(slow.look(one, simple, start).deduction(), 0.2);
}

TEST_F(learning, names_that_callers_make_up_do_not_fill_the_memory) {
  for (std::uint64_t i = 0; i < 5000; ++i) all.failed({i + 10}, simple, start + std::chrono::milliseconds(i));
  EXPECT_EQ(all.take_changed().size(), 4096u);
  EXPECT_EQ(all.look({5009}, simple, start + 20s).failed > 0, true) << "the latest is there";
}

TEST_F(learning, what_changed_is_told_once_and_given_to_the_next) {
  fail(12);
  const auto changed = all.take_changed();
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_TRUE(all.take_changed().empty());
  experience next;
  next.failed(other, hard, start);
  next.restore(changed);
  EXPECT_EQ(next.look(one, simple, start).failed, 12);
  next.restore({{.model = other, .how = hard, .failed = 50, .at = start}});
  EXPECT_EQ(next.look(other, hard, start).failed, 1) << "what it knows itself stands";
  EXPECT_EQ(next.take_changed().size(), 1u) << "what was restored is on disk already";
}

// ---- what the ranking makes of it

struct learned_order : ::testing::Test {
  health known;
  experience all;
  std::string first(const char* text, std::optional<chat::preference> prefer = {}) {
    auto what = testing::say(text);
    what.mesh.prefer = prefer;
    const auto of = testing::make_directory({testing::make_node("here", tier::local, {"small"}),
                                             testing::make_node("desk", tier::neighbour, {"middle"})});
    const auto made = rank(what, {}, of, known, {}, start, 1, {.learned = &all});
    return made.node_of(made.candidates.front()).name;
  }
};

TEST_F(learned_order, who_fails_such_questions_comes_later_for_such_questions) {
  EXPECT_EQ(first("What is 2+2?"), "here");
  for (int i = 0; i < 40; ++i) all.failed(make_target_id("here", "small"), simple, start);
  EXPECT_EQ(first("What is 2+2?"), "desk");
  EXPECT_EQ(first("Write a business plan"), "desk");
  for (int i = 0; i < 40; ++i) all.failed(make_target_id("desk", "middle"), hard, start);
  EXPECT_EQ(first("Write a business plan"), "here");
}

TEST_F(learned_order, nearness_is_nobodys_merit) {
  for (int i = 0; i < 40; ++i) all.failed(make_target_id("here", "small"), simple, start);
  EXPECT_EQ(first("What is 2+2?", chat::preference::privacy), "here");
}

}  // namespace
}  // namespace meshai::route
