#include "app/instance.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <thread>

namespace meshai::app {
namespace {

class instance : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "meshai-instance-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    where_.runtime = std::filesystem::path(pattern) / "run";
  }
  void TearDown() override { std::filesystem::remove_all(where_.runtime.parent_path()); }

  paths where_;
};

TEST_F(instance, only_one_holds_the_lock_and_it_is_known_who) {
  EXPECT_FALSE(running_node(where_));
  auto first = instance_lock::take(where_);
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_EQ(running_node(where_), ::getpid());
  const auto second = instance_lock::take(where_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, error_kind::unavailable);
  EXPECT_NE(second.error().detail.find(std::to_string(::getpid())), std::string::npos);
  EXPECT_FALSE(wait_until_gone(where_, std::chrono::milliseconds(30)));
}

TEST_F(instance, the_lock_ends_with_its_holder) {
  {
    auto first = instance_lock::take(where_);
  }
  EXPECT_FALSE(running_node(where_));
  EXPECT_TRUE(wait_until_gone(where_, std::chrono::milliseconds(0)));
  EXPECT_TRUE(instance_lock::take(where_));
}

// Looks at the lock until it is told to stop, as commands do that run meanwhile; counts those that found nobody.
struct onlooker {
  explicit onlooker(const paths& where)
      : thread([this, where](const std::stop_token& until) {
          while (!until.stop_requested()) {
            if (!running_node(where)) ++nobody;
            ++looks;
          }
        }) {}
  std::atomic<int> looks = 0, nobody = 0;
  std::jthread thread;
};

TEST_F(instance, who_looks_does_not_get_in_the_way) {
  ASSERT_TRUE(make_private(where_.runtime));
  {
    auto made = instance_lock::take(where_);
  }
  const onlooker one(where_), other(where_);
  for (int i = 0; i < 200; ++i) {
    const auto taken = instance_lock::take(where_);
    ASSERT_TRUE(taken) << i << ": " << taken.error().detail;
  }
}

TEST_F(instance, who_looks_while_the_node_changes_finds_it) {
  const auto held = instance_lock::take(where_, "/etc/meshai.toml");
  ASSERT_TRUE(held);
  const onlooker one(where_);
  for (int i = 0; i < 20'000 || one.looks < 1'000; ++i) ASSERT_TRUE(held->tell_node(i % 2 ? 7 : 1'234'567));
  EXPECT_EQ(one.nobody, 0);
}

}  // namespace
}  // namespace meshai::app
