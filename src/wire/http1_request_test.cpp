#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "wire/wire.hpp"

namespace meshai::wire {
namespace {

using namespace std::string_view_literals;

// All that a parser tells about a stream of requests.
struct told {
  std::vector<std::string> messages;  // "METHOD target authority [headers] body"
  int refused = 0;
  std::string why;
  bool operator==(const told&) const = default;
};

std::string describe(const request_head& head) {
  std::string text(head.method);
  text += ' ';
  text += head.target;
  text += ' ';
  text += head.authority;
  text += head.keep_alive ? " keep" : " close";
  if (head.expects_continue) text += " expect";
  for (const auto& [name, value] : head.headers) text += " [" + std::string(name) + "=" + std::string(value) + "]";
  return text + " ";
}

// Feeds `bytes` in pieces of `size`, as a connection would: what was not consumed stays in front of what comes
// next.
told read(std::string_view bytes, std::size_t size, std::uint64_t body_limit = 1 << 20, head_limits limits = {}) {
  told out;
  request_parser parser(limits);
  parser.limit_body(body_limit);
  std::string buffer, current;
  while (!bytes.empty()) {
    buffer += bytes.substr(0, size);
    bytes.remove_prefix(std::min(size, bytes.size()));
    for (;;) {
      const auto got = parser.feed(buffer);
      if (!got) {
        out.refused = parser.refusal_status();
        out.why = got.error().detail;
        EXPECT_FALSE(parser.feed(buffer));  // final
        return out;
      }
      EXPECT_LE(got->consumed, buffer.size());
      if (got->what == progress::head) current = describe(parser.head());
      if (got->what == progress::body) current += got->body;
      buffer.erase(0, got->consumed);
      if (got->what == progress::end || parser.ended()) {
        out.messages.push_back(current);
        parser.reset();
        parser.limit_body(body_limit);
      } else if (got->what == progress::need_more) {
        break;
      }
      if (buffer.empty()) break;
    }
  }
  return out;
}

// Whole, byte by byte and in pieces must tell the same.
told read_always_the_same(std::string_view bytes, std::uint64_t body_limit = 1 << 20, head_limits limits = {}) {
  const auto whole = read(bytes, bytes.size(), body_limit, limits);
  for (const std::size_t size : {1, 2, 3, 7}) EXPECT_EQ(read(bytes, size, body_limit, limits), whole) << size;
  return whole;
}

int refusal(std::string_view bytes) {
  const auto got = read_always_the_same(bytes);
  EXPECT_TRUE(got.messages.empty()) << got.messages[0];
  return got.refused;
}

TEST(request_parser, reads_a_request_without_a_body) {
  const auto got =
      read_always_the_same("GET /v1/models?x=1 HTTP/1.1\r\nHost: localhost:9437\r\nAccept:\t*/* \r\n\r\n");
  EXPECT_EQ(got.refused, 0);
  ASSERT_EQ(got.messages.size(), 1u);
  EXPECT_EQ(got.messages[0], "GET /v1/models?x=1 localhost:9437 keep [Host=localhost:9437] [Accept=*/*] ");
}

TEST(request_parser, tells_path_and_query_apart) {
  request_parser parser;
  ASSERT_TRUE(parser.feed("GET /a/b?c=d?e HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_EQ(parser.head().path(), "/a/b");
  EXPECT_EQ(parser.head().query(), "c=d?e");
}

TEST(request_parser, reads_pipelined_requests_of_both_framings) {
  const auto got = read_always_the_same(
      "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
      "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3\r\nabc\r\n0A;ext=\"x y\"\r\n0123456789\r\n0\r\nChecksum: 1\r\n\r\n"
      "GET /c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(got.refused, 0) << got.why;
  ASSERT_EQ(got.messages.size(), 3u);
  EXPECT_EQ(got.messages[0], "POST /a h keep [Host=h] [Content-Length=5] hello");
  EXPECT_EQ(got.messages[1], "POST /b h keep [Host=h] [Transfer-Encoding=Chunked] abc0123456789");
  EXPECT_EQ(got.messages[2], "GET /c h close [Host=h] [Connection=close] ");
}

TEST(request_parser, forgives_one_empty_line_before_a_request) {
  EXPECT_EQ(read_always_the_same("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").messages.size(), 1u);
  EXPECT_EQ(refusal("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
}

TEST(request_parser, knows_when_the_connection_stays) {
  const auto keep = [](std::string_view head) { return read(head, head.size()).messages.at(0).contains(" keep"); };
  EXPECT_TRUE(keep("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_FALSE(keep("GET / HTTP/1.1\r\nHost: h\r\nConnection: foo, Close\r\n\r\n"));
  EXPECT_FALSE(keep("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keep("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(request_parser, takes_absolute_targets_apart) {
  EXPECT_EQ(read_always_the_same("GET HTTP://h:80/p?q HTTP/1.1\r\nHost: H:80\r\n\r\n").messages.at(0),
            "GET /p?q h:80 keep [Host=H:80] ");
  EXPECT_EQ(read_always_the_same("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n").messages.at(0),
            "GET / h keep [Host=h] ");
  EXPECT_EQ(read_always_the_same("GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n").messages.at(0),
            "GET /?q h keep [Host=h] ");
  EXPECT_EQ(refusal("GET http://h/ HTTP/1.1\r\nHost: other\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET http://user@h/ HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET http:///p HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
}

TEST(request_parser, refuses_other_targets) {
  EXPECT_EQ(refusal("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET * HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET index.html HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET /#f HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET /\xC3\xA4 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"sv), 400);
  EXPECT_EQ(read_always_the_same("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").messages.size(), 1u);
}

TEST(request_parser, refuses_other_methods_and_versions) {
  EXPECT_EQ(refusal("G(T / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal(" GET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("\x16\x03\x01\x02"), 400);  // TLS, known by its first byte
  EXPECT_EQ(refusal("GET /\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.2\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(refusal("GET / HTTP/0.9\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505);
  EXPECT_EQ(refusal("GET / http/1.1\r\nHost: h\r\n\r\n"), 400);
}

// ---- framing: one test for each thing that two readers could understand differently ----

TEST(request_framing, refuses_both_lengths_at_once) {
  EXPECT_EQ(
      refusal("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
      400);
  EXPECT_EQ(
      refusal("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
      400);
}

TEST(request_framing, refuses_a_bare_line_feed) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nA: b\nC: d\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\n\nA"), 400);
}

TEST(request_framing, refuses_a_bare_carriage_return) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nA: b\rC: d\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\n\rA: b\r\n\r\n"), 400);
}

TEST(request_framing, refuses_different_lengths) {
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"), 400);
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 4\r\n\r\nabc"), 400);
}

TEST(request_framing, refuses_equal_lengths_twice) {
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), 400);
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc"), 400);
}

TEST(request_framing, refuses_a_length_that_is_no_number) {
  for (const char* length : {"", "-1", "+3", "0x3", "3 3", "3;", "99999999999999999999"}) {
    EXPECT_EQ(refusal(std::string("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ") + length + "\r\n\r\nabc"), 400)
        << length;
  }
}

TEST(request_framing, refuses_folded_headers) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nA:\r\n c\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\t\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n Host: h\r\n\r\n"), 400);
}

TEST(request_framing, refuses_no_host_and_two) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: h\r\nhost: h\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(read_always_the_same("GET / HTTP/1.0\r\n\r\n").messages.size(), 1u);
}

TEST(request_framing, refuses_a_host_that_is_none) {
  for (const char* host : {"a b", "a,b", "a/b", "user@a", "a\\b", "\"a\""})
    EXPECT_EQ(refusal(std::string("GET / HTTP/1.1\r\nHost: ") + host + "\r\n\r\n"), 400) << host;
  EXPECT_EQ(read_always_the_same("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").refused, 0);
}

TEST(request_framing, refuses_chunked_in_http_1_0) {
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
}

TEST(request_framing, refuses_any_transfer_encoding_but_chunked) {
  for (const char* coding : {"gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "chunked;q=1",
                             "xchunked", "identity", ",chunked", "\"chunked\"", "chun ked", ""}) {
    const auto request =
        std::string("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ") + coding + "\r\n\r\n0\r\n\r\n";
    EXPECT_EQ(refusal(request), 501) << coding;
  }
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"), 501);
  EXPECT_EQ(
      refusal("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
      400);
}

TEST(request_framing, refuses_a_space_before_the_colon) {
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\nabc"), 400);
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: h\r\n: 3\r\n\r\nabc"), 400);
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: h\r\nName\r\n\r\nabc"), 400);
}

TEST(request_framing, refuses_control_characters_in_values) {
  for (const char c : {'\0', '\1', '\b', '\x1f', '\x7f'}) {
    std::string request = "GET / HTTP/1.1\r\nHost: h\r\nA: b";
    request.append(1, c).append("c\r\n\r\n");
    EXPECT_EQ(refusal(request), 400) << int(c);
  }
}

TEST(request_framing, refuses_broken_chunks) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* body :
       {"x\r\n", "-1\r\n", "0x3\r\nabc\r\n", "3\nabc\r\n", "3\r\nabcd\r\n", "3\r\nabc0\r\n", " 3\r\nabc\r\n",
        "\r\n", "11111111111111111\r\n", "3;\x01=a\r\nabc\r\n", "3;a=\"\n\"\r\nabc\r\n", "3 \r\nabc\r\n",
        "3\r\nabc\n0\r\n\r\n", "0\r\nA: b\r\n c\r\n\r\n", "0\r\nContent-Length: 3\r\n\r\n",
        "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nA : b\r\n\r\n", "0\r\nA: b\n\r\n"}) {
    EXPECT_EQ(refusal(head + body), 400) << body;
  }
}

// ---- bounds ----

TEST(request_limits, a_head_of_64_kb_and_no_more) {
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nA: ";
  const auto sized = [&](std::size_t size) {
    return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
  };
  EXPECT_EQ(read(sized(64 * 1024), 1000).refused, 0);
  EXPECT_EQ(read(sized(64 * 1024 + 1), 1000).refused, 431);
  EXPECT_EQ(read(sized(64 * 1024 + 1), 70000).refused, 431);
  EXPECT_EQ(read(std::string(70000, 'G'), 1000).refused, 431);
}

TEST(request_limits, a_long_line_that_comes_byte_by_byte_is_looked_at_once) {
  EXPECT_EQ(read(std::string(70000, 'G'), 1).refused, 431);  // minutes if each byte rescanned the line
}

TEST(request_limits, a_hundred_headers_and_no_more) {
  const auto with = [](int count) {
    std::string request = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 1; i < count; ++i) request += "A: b\r\n";
    return request + "\r\n";
  };
  EXPECT_EQ(read(with(100), 1000).refused, 0);
  EXPECT_EQ(read(with(101), 1000).refused, 431);
}

TEST(request_limits, trailers_count_as_headers) {
  std::string request = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  for (int i = 0; i < 99; ++i) request += "A: b\r\n";
  EXPECT_EQ(read(request + "\r\n", 1000).refused, 431);
  const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ";
  EXPECT_EQ(read(chunked + std::string(70000, 'x') + "\r\n\r\n", 1000).refused, 431);
}

TEST(request_limits, a_body_announced_or_sent_beyond_its_limit) {
  EXPECT_EQ(read_always_the_same("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n12345678", 8).refused, 0);
  EXPECT_EQ(read_always_the_same("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n1", 8).refused, 413);
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(read_always_the_same(head + "4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n", 8).refused, 0);
  EXPECT_EQ(read_always_the_same(head + "4\r\n1234\r\n5\r\n56789\r\n0\r\n\r\n", 8).refused, 413);
}

TEST(request_limits, chunk_extensions) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(read(head + "1;a=" + std::string(2000, 'x') + "\r\n1\r\n0\r\n\r\n", 100).refused, 400);
  EXPECT_EQ(read(head + std::string(2000, '0'), 100).refused, 400);
  std::string many = head;
  for (int i = 0; i < 100; ++i) many += "1;a=" + std::string(200, 'x') + "\r\n1\r\n";
  EXPECT_EQ(read(many, 100).refused, 400);
}

TEST(request_expect, is_surfaced_or_refused) {
  EXPECT_TRUE(
      read_always_the_same("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n1")
          .messages.at(0)
          .contains(" expect "));
  EXPECT_FALSE(read_always_the_same("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n")
                   .messages.at(0)
                   .contains(" expect "));
  EXPECT_EQ(refusal("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: wonders\r\n\r\n1"), 417);
}

TEST(request_parser, says_nothing_of_what_was_sent) {
  const auto got = read("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer sk-canary\x01\r\n\r\n", 1000);
  EXPECT_EQ(got.refused, 400);
  EXPECT_FALSE(got.why.contains("canary"));
}

TEST(header_list, finds_in_any_case) {
  request_parser parser;
  ASSERT_TRUE(parser.feed("GET / HTTP/1.1\r\nHost: h\r\nX-Api-Key: k\r\nx-api-key: l\r\n\r\n"));
  const auto& headers = parser.head().headers;
  EXPECT_EQ(headers.find("x-API-key"), "k");
  EXPECT_EQ(headers.count("X-API-KEY"), 2u);
  EXPECT_FALSE(headers.find("x-api-ke"));
}

TEST(request_parser, keeps_working_after_being_moved) {
  request_parser a;
  ASSERT_TRUE(a.feed("GET / HTTP/1.1\r\nHo"));
  request_parser b(std::move(a));
  ASSERT_TRUE(b.feed("Host: h\r\n\r\n"));
  EXPECT_TRUE(b.ended());
  EXPECT_EQ(b.head().authority, "h");
}

}  // namespace
}  // namespace meshai::wire
