// wire: reading HTTP/1.0 and 1.1 messages (RFC 9110, RFC 9112), incrementally and strictly.
//
// A parser owns no socket: it is fed bytes and says what they were. Everything that two readers of one connection
// could understand differently is refused, in requests and in answers alike: both lengths at once, doubled
// lengths, bare LF, folded lines, none or two Hosts, any Transfer-Encoding but `chunked`. Such a message ends its
// connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.hpp"

namespace meshai::wire {

struct header {
  std::string_view name, value;
};

// ASCII only, as header names compare.
bool equals_ignoring_case(std::string_view a, std::string_view b);

// The fields of one head, in order. The views belong to the parser.
class header_list {
 public:
  header_list() = default;
  explicit header_list(std::span<const header> fields) : fields_(fields) {}

  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

  // The first field of that name in any case.
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(std::string_view name) const;

 private:
  std::span<const header> fields_;
};

// What both kinds of message tell about themselves before their body.
struct message_head {
  header_list headers;
  bool http_1_1 = true;     // false: HTTP/1.0
  bool keep_alive = false;  // the connection may carry another message after this one
  bool chunked = false;
  std::optional<std::uint64_t> content_length;
};

struct request_head : message_head {
  std::string_view method;
  std::string_view target;        // origin-form ("/path?query") or "*"; an absolute-form target was taken apart
  std::string_view authority;     // of the target, else Host; empty only in HTTP/1.0 or where Host is empty
  bool expects_continue = false;  // the sender waits for 100 (Continue)

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  std::string_view path() const { return target.substr(0, target.find('?')); }
  std::string_view query() const;  // without the question mark
};

struct response_head : message_head {
  int status = 0;  // 200 to 999
  std::string_view reason;
  bool until_close = false;  // the body ends with the connection: truncation cannot be told from the end
};

// What a message may cost. Beyond them the message is refused.
struct head_limits {
  std::uint32_t bytes = 64 * 1024;  // start line, fields and trailers together
  std::size_t fields = 100;         // trailers included
};

enum class progress {
  need_more,  // feed again with what was not consumed and more behind it
  head,       // head() is complete and stays valid until reset()
  body,       // `body` is the next piece of the body, decoded
  end,        // the message is complete; the bytes behind it belong to the next one
};

struct step {
  std::size_t consumed = 0;
  progress what = progress::need_more;
  std::string_view body;  // points into the bytes fed
};

// Both parsers take one step per feed(): call it until it says need_more or end. An error (error_kind::malformed,
// or exhausted for a bound) is final. No error text repeats what was sent.
class request_parser {
 public:
  explicit request_parser(head_limits limits = {});
  ~request_parser();
  request_parser(request_parser&&) noexcept;
  request_parser& operator=(request_parser&&) noexcept;

  // For the next message; memory is kept.
  void reset();
  // Beyond `bytes` of decoded body feed() fails with error_kind::exhausted. May be set after the head, before the
  // body.
  void limit_body(std::uint64_t bytes);

  result<step> feed(std::string_view bytes);

  bool got_some() const;  // true after the first byte of a message
  bool ended() const;
  const request_head& head() const;  // valid from progress::head on
  // After an error: the status that tells the sender (RFC 9110 15.5, 15.6): 400, 413, 417, 431, 501 or 505.
  int refusal_status() const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

// What the question was decides where the answer ends (RFC 9112 6.3).
enum class asked { other, head, connect };

class response_parser {
 public:
  explicit response_parser(head_limits limits = {});
  ~response_parser();
  response_parser(response_parser&&) noexcept;
  response_parser& operator=(response_parser&&) noexcept;

  void reset(asked what = asked::other);
  void limit_body(std::uint64_t bytes);

  // Interim answers (1xx) are skipped; 101 is malformed, since nobody here asks for it.
  result<step> feed(std::string_view bytes);
  // The connection has ended: fine when the body lasts until then, else malformed (truncated).
  result<void> feed_end();

  bool got_some() const;  // true after the first byte, an interim answer included
  bool ended() const;
  const response_head& head() const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace meshai::wire
