#include "base/secret.hpp"

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

namespace meshai {
namespace {

TEST(secret, keeps_its_text_and_compares_whole) {
  const secret key("sk-abc");
  EXPECT_EQ(key.reveal(), "sk-abc");
  EXPECT_TRUE(key.equals("sk-abc"));
  EXPECT_FALSE(key.equals("sk-abd"));
  EXPECT_FALSE(key.equals("xk-abc"));
  EXPECT_FALSE(key.equals("sk-ab"));
  EXPECT_FALSE(key.equals("sk-abcd"));
}

TEST(secret, empty_is_empty) {
  EXPECT_TRUE(secret().empty());
  EXPECT_TRUE(secret("").equals(""));
}

TEST(secret, cannot_be_copied_by_accident) {
  static_assert(!std::is_copy_constructible_v<secret>);
  static_assert(std::is_nothrow_move_constructible_v<secret>);
  secret a("one");
  const secret b = std::move(a);
  EXPECT_EQ(b.reveal(), "one");
}

TEST(secret, wipe_memory_wipes) {
  char bytes[8] = "secret!";
  wipe_memory(bytes, sizeof bytes);
  for (const char c : bytes) EXPECT_EQ(c, 0);
}

}  // namespace
}  // namespace meshai
