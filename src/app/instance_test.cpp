#include "app/instance.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>

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

}  // namespace
}  // namespace meshai::app
