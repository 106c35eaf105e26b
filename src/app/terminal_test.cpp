#include "app/terminal.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

namespace meshai::app {
namespace {

TEST(terminal, an_answer_cannot_drive_it) {
  EXPECT_EQ(printable("a\033[31mb\a\tc\n"), "a[31mb\tc\n");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m\xc2\xa0\xc3\xa9"),
            "31m\xc2\xa0\xc3\xa9");
  EXPECT_EQ(printable("\r\x7f"), "");
}

TEST(terminal, a_pipe_takes_no_colour) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_EQ(paint("x", style::red, ends[1]), "x");
  ASSERT_TRUE(print("hello", ends[1]));
  char got[6] = {};
  EXPECT_EQ(::read(ends[0], got, 5), 5);
  EXPECT_STREQ(got, "hello");
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace meshai::app
