#include "wire/http1_write.hpp"

#include <gtest/gtest.h>

#include "wire/http1.hpp"

namespace meshai::wire {
namespace {

TEST(http1_write, what_is_written_is_read_back) {
  std::string out;
  ASSERT_TRUE(append_request_line(out, "POST", "/v1/messages?a=b"));
  ASSERT_TRUE(append_field(out, "Host", "h"));
  ASSERT_TRUE(append_field(out, "X-Empty", ""));
  append_content_length(out, 2);
  append_head_end(out);
  EXPECT_EQ(out, "POST /v1/messages?a=b HTTP/1.1\r\nHost: h\r\nX-Empty: \r\nContent-Length: 2\r\n\r\n");
  request_parser parser;
  EXPECT_EQ(parser.feed(out)->what, progress::head);
  EXPECT_EQ(parser.head().content_length, 2u);
  EXPECT_EQ(parser.head().headers.find("x-empty"), "");
}

TEST(http1_write, nothing_breaks_the_framing) {
  std::string out;
  for (const char* value : {"a\r\nB: c", "a\nb", "a\rb", "a\x01", "\x7f", " a", "a "})
    EXPECT_FALSE(append_field(out, "A", value)) << value;
  EXPECT_FALSE(append_field(out, "A", std::string_view("a\0b", 3)));
  for (const char* name : {"", "A B", "A:", "A\r\n", "\xC3\xA4"})
    EXPECT_FALSE(append_field(out, name, "v")) << name;
  for (const char* target : {"", "/a b", "/a\r\n", "/\x7f", "/\xC3\xA4"})
    EXPECT_FALSE(append_request_line(out, "GET", target)) << target;
  EXPECT_FALSE(append_request_line(out, "GET /", "/"));
  EXPECT_EQ(out, "");
  EXPECT_TRUE(append_field(out, "A", "caf\xC3\xA9\tx"));
}

TEST(http1_write, status_lines_and_chunks) {
  std::string out;
  append_status_line(out, 200);
  append_status_line(out, 529);
  append_status_line(out, 299);
  append_chunk_size(out, 255);
  out += std::string(chunk_end);
  append_chunk_size(out, 1 << 20);
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nHTTP/1.1 529 Overloaded\r\nHTTP/1.1 299 Unknown\r\nff\r\n\r\n100000\r\n");
}

TEST(http1_write_death, a_chunk_of_nothing_would_end_the_body) {
  std::string out;
  EXPECT_DEATH(append_chunk_size(out, 0), "size > 0");
}

}  // namespace
}  // namespace meshai::wire
