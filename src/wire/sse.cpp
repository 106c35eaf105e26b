#include "wire/sse.hpp"

#include <cstring>

#include "base/check.hpp"

namespace meshai::wire {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

const char* find(char what, const char* from, const char* to) {
  const auto* at =
      from < to ? static_cast<const char*>(std::memchr(from, what, static_cast<std::size_t>(to - from))) : nullptr;
  return at ? at : to;
}

}  // namespace

void sse_parser::reset() {
  *this = sse_parser(max_event_);
}

void sse_parser::feed(std::string_view bytes) {
  CHECK(at_ == end_);  // what was fed before has been read
  at_ = bytes.data();
  end_ = at_ + bytes.size();
  lf_ = cr_ = nullptr;
}

// Bytes of a mark that was cut off belong to the first line after all.
void sse_parser::skip_byte_order_mark() {
  while (mark_ < byte_order_mark.size() && at_ < end_) {
    if (*at_ == byte_order_mark[mark_]) {
      ++at_;
      ++mark_;
    } else {
      line_ = byte_order_mark.substr(0, mark_);
      mark_ = byte_order_mark.size();
    }
  }
}

// The next whole line without its end; what is left without an end is kept in line_.
bool sse_parser::take_line(std::string_view& line) {
  if (line_taken_) line_.clear();
  line_taken_ = false;
  if (skip_lf_ && at_ < end_) {
    if (*at_ == '\n') ++at_;
    skip_lf_ = false;
  }
  // Each kind of end is looked for once per stretch, not once per line.
  if (!lf_ || lf_ < at_) lf_ = find('\n', at_, end_);
  if (!cr_ || cr_ < at_) cr_ = find('\r', at_, end_);
  const char* stop = lf_ < cr_ ? lf_ : cr_;
  const std::string_view part(at_, static_cast<std::size_t>(stop - at_));
  if (line_.size() + part.size() > max_event_) broken_ = true;
  if (broken_) return false;
  if (stop == end_) {
    line_ += part;
    at_ = end_;
    return false;
  }
  line = part;
  if (!line_.empty()) {
    line_ += part;
    line = line_;
    line_taken_ = true;
  }
  at_ = stop + 1;
  if (*stop == '\r') {
    if (at_ == end_) {
      skip_lf_ = true;
    } else if (*at_ == '\n') {
      ++at_;
    }
  }
  return true;
}

void sse_parser::take_field(std::string_view line) {
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  auto value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "data") {
    if (!has_data_ && !line_taken_) {
      direct_ = value;  // most events are one line: no copy
    } else {
      keep_direct();
      if (has_data_) data_ += '\n';
      data_ += value;
    }
    has_data_ = true;
  } else if (name == "event") {
    name_ = value;
  }
  if (name_.size() + data_.size() + direct_.size() > max_event_) broken_ = true;
}

void sse_parser::keep_direct() {
  if (direct_.data()) data_ = direct_;
  direct_ = {};
}

result<bool> sse_parser::next(sse_event& event) {
  if (delivered_) {
    name_.clear();
    data_.clear();
    direct_ = {};
    has_data_ = delivered_ = false;
  }
  skip_byte_order_mark();
  std::string_view line;
  while (!broken_ && take_line(line)) {
    if (!line.empty()) {
      take_field(line);
    } else if (has_data_) {
      event = {name_, direct_.data() ? direct_ : std::string_view(data_)};
      delivered_ = true;
      return true;
    } else {
      name_.clear();
    }
  }
  if (broken_) return fail(error_kind::malformed, "an event of the stream is longer than allowed");
  keep_direct();
  return false;
}

void append_sse(std::string& out, std::string_view name, std::string_view data) {
  if (!name.empty()) {
    CHECK(name.find_first_of("\r\n") == name.npos);
    out += "event: ";
    out += name;
    out += '\n';
  }
  for (;;) {
    const auto stop = data.find_first_of("\r\n");
    out += "data: ";
    out += data.substr(0, stop);
    out += '\n';
    if (stop == data.npos) break;
    data.remove_prefix(stop + (data.substr(stop).starts_with("\r\n") ? 2 : 1));
  }
  out += '\n';
}

void append_sse_comment(std::string& out, std::string_view text) {
  CHECK(text.find_first_of("\r\n") == text.npos);
  out += ": ";
  out += text;
  out += "\n\n";
}

}  // namespace meshai::wire
