#include "os/line.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "os/testing.hpp"

namespace meshai::os {
namespace {

std::optional<parcel> next(line& from) {
  from.wait(10'000);
  return from.receive();
}

TEST(line, messages_arrive_whole_in_order_and_with_their_descriptor) {
  auto [near, far] = *line::make();
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const descriptor reads(pipe[0]);
  descriptor writes(pipe[1]);
  EXPECT_FALSE(far.receive());
  EXPECT_FALSE(far.gone());
  ASSERT_TRUE(near.send("one"));
  ASSERT_TRUE(near.send("two", writes.get()));
  writes = {};
  const auto one = next(far);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->text, "one");
  EXPECT_FALSE(one->with);
  const auto two = next(far);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->text, "two");
  ASSERT_TRUE(two->with);
  EXPECT_NE(::fcntl(two->with.get(), F_GETFD) & FD_CLOEXEC, 0);
  ASSERT_EQ(::write(two->with.get(), "x", 1), 1);
  char got = 0;
  EXPECT_EQ(::read(reads.get(), &got, 1), 1);
  EXPECT_EQ(got, 'x');
}

TEST(line, the_end_of_the_far_end_is_seen_after_what_it_said) {
  auto [near, far] = *line::make();
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
  const auto heard = next(*called);
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->text, "hello");
  // What a dead process left is replaced.
  EXPECT_TRUE(line::open(path));
}

TEST(line, a_full_one_refuses_and_does_not_block) {
  auto [near, far] = *line::make();
  int sent = 0;
  while (sent < 100'000 && near.send("message")) ++sent;
  EXPECT_GT(sent, 200);  // far more than a node has doors
  EXPECT_LT(sent, 100'000);
  EXPECT_TRUE(next(far));
}

}  // namespace
}  // namespace meshai::os
