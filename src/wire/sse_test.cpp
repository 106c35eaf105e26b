#include "wire/sse.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace meshai::wire {
namespace {

using events = std::vector<std::pair<std::string, std::string>>;

struct told {
  events got;
  bool broken = false;
  bool boundary = false;
  bool operator==(const told&) const = default;
};

told read(std::string_view bytes, std::size_t size, std::size_t limit) {
  told out;
  sse_parser parser(limit);
  while (!bytes.empty()) {
    const std::string piece(
        bytes.substr(0, size));  // its own memory, so that a stale view is seen by the sanitizer
    bytes.remove_prefix(piece.size());
    parser.feed(piece);
    sse_event event;
    for (;;) {
      const auto more = parser.next(event);
      if (!more) {
        EXPECT_EQ(more.error().kind, error_kind::malformed);
        EXPECT_FALSE(parser.next(event));
        out.broken = true;
        return out;
      }
      if (!*more) break;
      out.got.emplace_back(event.name, event.data);
    }
  }
  out.boundary = parser.at_boundary();
  return out;
}

told read_always_the_same(std::string_view bytes, std::size_t limit = 1024) {
  const auto whole = read(bytes, bytes.size(), limit);
  for (const std::size_t size : {1, 2, 3, 5, 11}) EXPECT_EQ(read(bytes, size, limit), whole) << size;
  return whole;
}

TEST(sse, reads_events_with_every_line_end) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const auto got = read_always_the_same(
        fmt::format("data: a{0}{0}event: delta{0}data: b{0}data:c{0}{0}data: [DONE]{0}{0}", end));
    EXPECT_EQ(got.got, (events{{"", "a"}, {"delta", "b\nc"}, {"", "[DONE]"}}));
    EXPECT_TRUE(got.boundary);
  }
}

TEST(sse, mixed_line_ends) {
  EXPECT_EQ(read_always_the_same("data: a\r\ndata: b\rdata: c\n\r\n").got, (events{{"", "a\nb\nc"}}));
  EXPECT_EQ(read_always_the_same("data: a\r\r\ndata: b\n\r").got, (events{{"", "a"}, {"", "b"}}));
}

TEST(sse, a_byte_order_mark_is_skipped_once) {
  EXPECT_EQ(read_always_the_same("\xEF\xBB\xBF"
                                 "data: a\n\n")
                .got,
            (events{{"", "a"}}));
  EXPECT_EQ(read_always_the_same("\xEF\xBB\xBF\xEF\xBB\xBF"
                                 "data: a\n\n")
                .got,
            (events{}));
  EXPECT_EQ(read_always_the_same("\xEF\xBB"
                                 "data: a\n\ndata: b\n\n")
                .got,
            (events{{"", "b"}}));
}

TEST(sse, comments_and_other_fields_are_skipped) {
  EXPECT_EQ(read_always_the_same(": ping\n\n:\nid: 1\nretry: 10\nfoo: bar\nbaz\ndata: a\n\n").got,
            (events{{"", "a"}}));
}

TEST(sse, an_event_without_data_is_none_and_forgets_its_name) {
  EXPECT_EQ(read_always_the_same("event: ping\n\ndata: a\n\n").got, (events{{"", "a"}}));
}

TEST(sse, empty_data_is_data) {
  EXPECT_EQ(read_always_the_same("data\n\ndata:\n\ndata\ndata\n\n").got, (events{{"", ""}, {"", ""}, {"", "\n"}}));
}

TEST(sse, one_space_after_the_colon_is_no_data) {
  EXPECT_EQ(read_always_the_same("data:  a \n\ndata:b\n\n").got, (events{{"", " a "}, {"", "b"}}));
}

TEST(sse, field_names_are_exact) {
  EXPECT_EQ(read_always_the_same("Data: a\ndata : b\n data: c\nevent: x\nevent: y\ndata: d\n\n").got,
            (events{{"y", "d"}}));
}

TEST(sse, what_is_not_ended_is_not_an_event) {
  for (const char* open : {"data: a", "data: a\n", "event: x\n", ":", "d"}) {
    const auto got = read_always_the_same(std::string("data: z\n\n") + open);
    EXPECT_EQ(got.got.size(), 1u);
    EXPECT_FALSE(got.boundary) << open;
  }
}

TEST(sse, events_are_bounded) {
  const auto line = [](std::size_t n) { return "data: " + std::string(n, 'x') + "\n"; };
  EXPECT_FALSE(read(line(50) + "\n", 7, 64).broken);
  EXPECT_TRUE(read(line(70) + "\n", 7, 64).broken);
  EXPECT_TRUE(read(line(70) + "\n", 1000, 64).broken);
  EXPECT_TRUE(read(line(30) + line(30) + line(30), 7, 64).broken);
  EXPECT_TRUE(read(line(30) + line(30) + line(30), 1000, 64).broken);
  EXPECT_TRUE(read(std::string(100, ':'), 7, 64).broken);
  EXPECT_TRUE(read("event: " + std::string(40, 'x') + "\n" + line(40), 7, 64).broken);
  // The bound is on one event, not on the stream.
  std::string many;
  for (int i = 0; i < 100; ++i) many += line(30) + "\n";
  EXPECT_EQ(read(many, 13, 64).got.size(), 100u);
}

TEST(sse, reset_begins_a_new_stream) {
  sse_parser parser;
  sse_event event;
  parser.feed("event: x\ndata: a");
  EXPECT_EQ(parser.next(event), false);
  parser.reset();
  parser.feed(
      "\xEF\xBB\xBF"
      "data: b\n\n");
  EXPECT_EQ(parser.next(event), true);
  EXPECT_EQ(event.name, "");
  EXPECT_EQ(event.data, "b");
}

TEST(sse, what_is_written_is_read_back) {
  std::string out;
  append_sse(out, "", "a");
  append_sse_comment(out, "waiting");
  append_sse(out, "message_stop", "one\ntwo\r\nthree\rfour\n");
  append_sse(out, "", "");
  EXPECT_EQ(read_always_the_same(out).got,
            (events{{"", "a"}, {"message_stop", "one\ntwo\nthree\nfour\n"}, {"", ""}}));
}

TEST(sse_death, a_name_with_a_line_break_is_our_bug) {
  std::string out;
  EXPECT_DEATH(append_sse(out, "a\ndata: b", "c"), "npos");
  EXPECT_DEATH(append_sse_comment(out, "a\n\ndata: b"), "npos");
}

}  // namespace
}  // namespace meshai::wire
