#include "app/inheritance.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <cstdlib>

namespace meshai::app {
namespace {

os::descriptor nothing() {
  return os::descriptor(::open("/dev/null", O_RDONLY));
}

inheritance some() {
  inheritance out{.lock = nothing(), .ready = nothing(), .owner = nothing(), .doors = {}};
  for (int worker = 0; worker < 2; ++worker) {
    out.doors.emplace_back();
    for (int door = 0; door < 3; ++door) out.doors.back().push_back(nothing());
  }
  return out;
}

TEST(inheritance, is_read_as_it_was_written_and_goes_no_further) {
  auto left = some();
  ::setenv(inheritance::variable, left.text().c_str(), 1);
  auto taken = take_inheritance();
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->text(), left.text());
  EXPECT_EQ(::getenv(inheritance::variable), nullptr);
  for (const auto* one : {&taken->lock, &taken->owner, &taken->doors[1][2]}) {
    EXPECT_EQ(::fcntl(one->get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  }
  EXPECT_FALSE(take_inheritance()) << "taken once";
  for (auto* one : {&left.lock, &left.ready, &left.owner}) one->release();  // they are the taker's now
  for (auto& worker : left.doors) {
    for (auto& one : worker) one.release();
  }
}

TEST(inheritance, anything_else_is_none) {
  for (const auto* text : {"", "lock=3", "lock=3 ready=4 owner=5",
                           "lock=3 ready=4 owner=5 doors=", "lock=3 ready=4 owner=5 doors=6,;7",
                           "lock=3 lock=4 ready=5 owner=6 doors=7", "lock=2 ready=4 owner=5 doors=6",
                           "lock=x ready=4 owner=5 doors=6", "lock=3 ready=4 owner=5 doors=6 more=7",
                           "lock=3 ready=4 owner=5 doors=99999999999999999999"}) {
    EXPECT_FALSE(parse_inheritance(text)) << text;
  }
}

}  // namespace
}  // namespace meshai::app
