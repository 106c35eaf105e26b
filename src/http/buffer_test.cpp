#include "http/buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace meshai::http {
namespace {

void put(buffer& into, std::string_view text) {
  const auto room = into.room();
  ASSERT_GE(room.size(), text.size());
  std::ranges::copy(text, room.begin());
  into.filled(text.size());
}

TEST(buffer, keeps_what_is_not_consumed_in_order) {
  buffer b(64 * 1024);
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    const auto text = std::to_string(i) + ",";
    put(b, text);
    expected += text;
    if (i % 3 == 2) {
      b.consume(6);
      expected.erase(0, 6);
    }
  }
  EXPECT_EQ(b.data(), expected);
}

TEST(buffer, grows_only_while_reads_fill_it) {
  buffer b(64 * 1024);
  EXPECT_EQ(b.room().size(), buffer::smallest);
  b.filled(100);
  b.consume(100);
  EXPECT_LE(b.room().size(), buffer::smallest);
  b.filled(b.room().size());
  b.consume(b.data().size());
  EXPECT_GT(b.room().size(), buffer::smallest);
}

TEST(buffer, stops_at_its_bound) {
  buffer b(10'000);
  std::size_t total = 0;
  for (auto room = b.room(); !room.empty(); room = b.room()) {
    b.filled(room.size());
    total += room.size();
  }
  EXPECT_EQ(total, 10'000u);
  b.consume(1);
  EXPECT_TRUE(b.room().size() <= 1);
  b.consume(9'999);
  EXPECT_EQ(b.room().size(), 10'000u);
}

TEST(buffer, shrinks_to_nothing_when_it_had_grown) {
  buffer b(64 * 1024);
  for (int i = 0; i < 4; ++i) {
    b.filled(b.room().size());
    b.consume(b.data().size());
  }
  b.shrink();
  EXPECT_EQ(b.room().size(), buffer::smallest);
}

}  // namespace
}  // namespace meshai::http
