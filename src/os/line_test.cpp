#include "os/line.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "os/testing.hpp"

namespace meshai::os {
namespace {

std::optional<std::string> next(line& from) {
  from.wait(10'000);
  return from.receive();
}

struct both_ends {
  line near, far;
  explicit both_ends(const temp_folder& in) {
    const auto path = in.file("ends");
    const auto open = *line::open(path);
    near = *line::call(path);
    far = *line::answer(open.get());
  }
};

TEST(line, messages_arrive_whole_and_in_order) {
  const temp_folder folder;
  auto [near, far] = both_ends(folder);
  EXPECT_FALSE(far.receive());
  EXPECT_FALSE(far.gone());
  ASSERT_TRUE(near.send("one"));
  ASSERT_TRUE(near.send("two"));
  EXPECT_EQ(next(far), "one");
  EXPECT_EQ(next(far), "two");
  EXPECT_FALSE(far.receive());
  EXPECT_FALSE(far.gone());
}

TEST(line, the_end_of_the_far_end_is_seen_after_what_it_said) {
  const temp_folder folder;
  auto [near, far] = both_ends(folder);
  ASSERT_TRUE(near.send("last"));
  near = {};
  EXPECT_TRUE(next(far));
  EXPECT_FALSE(next(far));
  EXPECT_TRUE(far.gone());
  EXPECT_FALSE(far.send("nobody"));
}

TEST(line, who_listens_is_called_by_its_owner_alone) {
  const temp_folder folder;
  const auto path = folder.file("line");
  EXPECT_FALSE(line::call(path));
  const auto open = line::open(path);
  ASSERT_TRUE(open) << open.error().detail;
  struct stat is{};
  ASSERT_EQ(::stat(path.c_str(), &is), 0);
  EXPECT_EQ(is.st_mode & 0777U, 0600U);
  EXPECT_FALSE(line::answer(open->get()));
  auto caller = line::call(path);
  ASSERT_TRUE(caller) << caller.error().detail;
  auto called = line::answer(open->get());
  ASSERT_TRUE(called);
  ASSERT_TRUE(caller->send("hello"));
  EXPECT_EQ(next(*called), "hello");
  // What a dead process left is replaced.
  EXPECT_TRUE(line::open(path));
}

TEST(line, a_full_one_refuses_and_does_not_block) {
  const temp_folder folder;
  auto [near, far] = both_ends(folder);
  int sent = 0;
  while (sent < 100'000 && near.send("message")) ++sent;
  EXPECT_GT(sent, 8);
  EXPECT_LT(sent, 100'000);
  EXPECT_TRUE(next(far));
}

}  // namespace
}  // namespace meshai::os
