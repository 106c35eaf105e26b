// wire: server-sent events (WHATWG HTML 9.2), the stream format of AI answers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace meshai::wire {

// Views into the bytes fed or into the parser: valid until the next call on it.
struct sse_event {
  std::string_view name;  // empty where the stream did not name it ("message")
  std::string_view data;  // lines joined with LF
};

// Lines end with LF, CRLF or CR; comments, `id` and `retry` are skipped; an event without data is none.
class sse_parser {
 public:
  // An event (name and data together) or a line longer than this is error_kind::malformed, which is final.
  explicit sse_parser(std::size_t max_event = 1024 * 1024) : max_event_(max_event) {}

  void reset();

  // Takes the next bytes of the stream. They must stay where they are until next() has returned false.
  void feed(std::string_view bytes);
  // True with the next complete event; false when the bytes fed are used up.
  result<bool> next(sse_event& event);

  // After next() returned false: true when the stream may end here, since no event is half read.
  bool at_boundary() const { return line_.empty() && name_.empty() && !has_data_; }

 private:
  void skip_byte_order_mark();
  bool take_line(std::string_view& line);
  void take_field(std::string_view line);
  void keep_direct();

  std::size_t max_event_;
  const char* at_ = nullptr;  // the bytes fed and not yet read
  const char* end_ = nullptr;
  const char* lf_ = nullptr;  // the next LF and CR among them, end_ where there is none; null: not looked for
  const char* cr_ = nullptr;
  std::string line_;         // the beginning of a line whose end has not come yet
  std::string name_, data_;  // of the event being read
  std::string_view direct_;  // instead of data_ while the data is one line among the bytes fed
  std::size_t mark_ = 0;     // bytes of a byte order mark read at the beginning; its length when that is settled
  bool has_data_ = false;
  bool line_taken_ = false;  // line_ is the line that is being looked at
  bool skip_lf_ = false;     // the last line ended with CR: an LF now belongs to it
  bool delivered_ = false;   // name_ and data_ are the caller's until the next call
  bool broken_ = false;
};

// Appends one event: `event: <name>` where there is a name, `data: ` before each line of `data`, and the empty
// line. `name` holds no line break.
void append_sse(std::string& out, std::string_view name, std::string_view data);
// Appends a comment, which readers skip: it keeps the connection alive.
void append_sse_comment(std::string& out, std::string_view text);

}  // namespace meshai::wire
