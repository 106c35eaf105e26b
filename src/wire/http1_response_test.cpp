#include <gtest/gtest.h>

#include <string>

#include "wire/wire.hpp"

namespace meshai::wire {
namespace {

struct told {
  std::string text;  // "status [headers] body" and "|end" where it ended
  std::string why;   // of the refusal
  std::string left;  // bytes behind the answer
  bool operator==(const told&) const = default;
};

told read(std::string_view bytes, std::size_t size, asked what, bool closes, std::uint64_t limit) {
  told out;
  response_parser parser;
  parser.reset(what);
  parser.limit_body(limit);
  std::string buffer;
  while (!bytes.empty()) {
    buffer += bytes.substr(0, size);
    bytes.remove_prefix(std::min(size, bytes.size()));
    for (;;) {
      const auto got = parser.feed(buffer);
      if (!got) {
        EXPECT_FALSE(parser.feed(buffer));  // final
        out.why = got.error().detail;
        return out;
      }
      if (got->what == progress::head) {
        const auto& head = parser.head();
        out.text = std::to_string(head.status) + (head.keep_alive ? " keep" : " close");
        for (const auto& [name, value] : head.headers)
          out.text += " [" + std::string(name) + "=" + std::string(value) + "]";
        out.text += " ";
      }
      out.text += got->body;
      buffer.erase(0, got->consumed);
      if (got->what == progress::end) {
        out.text += "|end";
        out.left = buffer + std::string(bytes);
        return out;
      }
      if (got->what == progress::need_more) break;
    }
  }
  if (closes) {
    if (const auto end = parser.feed_end(); end) {
      out.text += "|end";
    } else {
      out.why = end.error().detail;
    }
  }
  return out;
}

told read_always_the_same(std::string_view bytes, asked what = asked::other, bool closes = false,
                          std::uint64_t limit = 1 << 20) {
  const auto whole = read(bytes, bytes.size(), what, closes, limit);
  for (const std::size_t size : {1, 2, 3, 7}) EXPECT_EQ(read(bytes, size, what, closes, limit), whole) << size;
  return whole;
}

std::string refusal(std::string_view bytes) {
  return read_always_the_same(bytes).why;
}

TEST(response_parser, reads_both_framings) {
  EXPECT_EQ(read_always_the_same("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP"),
            (told{"200 keep [Content-Length=5] hello|end", "", "HTTP"}));
  EXPECT_EQ(read_always_the_same(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n0\r\n\r\n"),
            (told{"200 keep [Transfer-Encoding=chunked] abc|end", "", ""}));
  EXPECT_EQ(read_always_the_same("HTTP/1.1 529 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n").text,
            "529 close [Content-Length=0] [Connection=close] |end");
}

TEST(response_parser, a_body_may_last_until_the_end_of_the_connection) {
  const std::string answer = "HTTP/1.0 200 OK\r\n\r\nhello";
  EXPECT_EQ(read_always_the_same(answer).text, "200 close hello");
  EXPECT_EQ(read_always_the_same(answer, asked::other, true).text, "200 close hello|end");
  response_parser parser;
  ASSERT_TRUE(parser.feed(answer));
  EXPECT_TRUE(parser.head().until_close);
}

TEST(response_parser, an_end_before_the_end_is_truncation) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n", "HTTP/1.1 200 OK\r\nContent-",
        "HTTP/1.1 100 Continue\r\n\r\n"}) {
    EXPECT_EQ(read_always_the_same(answer, asked::other, true).why, "the answer ends before its end") << answer;
  }
}

TEST(response_parser, interim_answers_are_skipped) {
  EXPECT_EQ(read_always_the_same("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                                 "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
                .text,
            "200 keep [Content-Length=1] a|end");
  EXPECT_EQ(refusal("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
            "a switch of protocols that nobody asked for");
  std::string many;
  for (int i = 0; i < 17; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(refusal(many), "too many interim answers");
}

TEST(response_parser, some_answers_have_no_body) {
  EXPECT_EQ(read_always_the_same("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", asked::head).text,
            "200 keep [Content-Length=5] |end");
  EXPECT_EQ(read_always_the_same("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", asked::head).text,
            "200 keep [Transfer-Encoding=chunked] |end");
  EXPECT_EQ(read_always_the_same("HTTP/1.1 204 No Content\r\n\r\n").text, "204 keep |end");
  EXPECT_EQ(read_always_the_same("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n").text,
            "304 keep [Content-Length=9] |end");
  EXPECT_EQ(read_always_the_same("HTTP/1.1 200 Established\r\n\r\nrest", asked::connect),
            (told{"200 keep |end", "", "rest"}));
}

TEST(response_parser, garbage_is_known_by_its_first_bytes) {
  for (const char* answer : {"<html>", "SSH-2.0-", "HTTP/2", "\x15\x03", "http/1.1", " HTTP/1.1"})
    EXPECT_EQ(refusal(answer), "this is not an HTTP/1.1 answer") << answer;
}

// ---- framing: as in requests, one test for each thing that two readers could understand differently ----

std::string refusal_of(std::string_view fields) {
  return refusal("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\nabc");
}

TEST(response_framing, refuses_both_lengths_at_once) {
  EXPECT_NE(refusal_of("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), "");
  EXPECT_NE(refusal_of("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), "");
}

TEST(response_framing, refuses_a_bare_line_feed) {
  EXPECT_NE(refusal_of("A: b\n"), "");
  EXPECT_NE(refusal("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"), "");
}

TEST(response_framing, refuses_a_bare_carriage_return) {
  EXPECT_NE(refusal_of("A: b\rc\r\n"), "");
}

TEST(response_framing, refuses_different_lengths) {
  EXPECT_NE(refusal_of("Content-Length: 3\r\nContent-Length: 4\r\n"), "");
  EXPECT_NE(refusal_of("Content-Length: 3, 4\r\n"), "");
}

TEST(response_framing, refuses_equal_lengths_twice) {
  EXPECT_NE(refusal_of("Content-Length: 3\r\nContent-Length: 3\r\n"), "");
  EXPECT_NE(refusal_of("Content-Length: 3, 3\r\n"), "");
}

TEST(response_framing, refuses_a_length_that_is_no_number) {
  for (const char* length : {"", "-3", "+3", "0x3", "3;"})
    EXPECT_NE(refusal_of(std::string("Content-Length: ") + length + "\r\n"), "") << length;
}

TEST(response_framing, refuses_folded_headers) {
  EXPECT_EQ(refusal_of("A: b\r\n c\r\n"), "a header is folded over two lines");
  EXPECT_EQ(refusal_of("A:\r\n c\r\n"), "a header is folded over two lines");
}

TEST(response_framing, refuses_chunked_in_http_1_0) {
  EXPECT_EQ(refusal("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "chunked in HTTP/1.0");
}

TEST(response_framing, refuses_any_transfer_encoding_but_chunked) {
  for (const char* coding : {"gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked", ""})
    EXPECT_NE(refusal_of(std::string("Transfer-Encoding: ") + coding + "\r\n"), "") << coding;
  EXPECT_NE(refusal_of("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), "");
}

TEST(response_framing, refuses_header_names_that_are_none) {
  for (const char* line : {"A : b", ": b", "A", "A: \x01"})
    EXPECT_NE(refusal_of(std::string(line) + "\r\n"), "") << line;
}

TEST(response_framing, refuses_broken_status_lines) {
  for (const char* line : {"HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 No", "HTTP/1.1  200 OK",
                           "HTTP/1.1 abc OK", "HTTP/1.2 200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 200 O\x01K"}) {
    EXPECT_NE(refusal(std::string(line) + "\r\nContent-Length: 0\r\n\r\n"), "") << line;
  }
}

TEST(response_limits, bodies_are_bounded_in_every_framing) {
  EXPECT_EQ(
      read_always_the_same("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", asked::other, false, 8).why,
      "the body is too long");
  for (const std::size_t size : {1, 4, 100})
    EXPECT_EQ(read("HTTP/1.1 200 OK\r\n\r\n123456789", size, asked::other, true, 8).why, "the body is too long");
  EXPECT_EQ(read_always_the_same("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", asked::head, false, 8).why, "");
}

TEST(response_parser, is_used_again_after_reset) {
  response_parser parser;
  for (int i = 0; i < 3; ++i) {
    const auto got = parser.feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
    ASSERT_TRUE(got);
    EXPECT_EQ(got->what, progress::head);
    EXPECT_TRUE(parser.got_some());
    EXPECT_EQ(parser.feed("a")->body, "a");
    EXPECT_TRUE(parser.ended());
    parser.reset();
    EXPECT_FALSE(parser.got_some());
  }
}

}  // namespace
}  // namespace meshai::wire
