#include "wire/http1_message.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "wire/http1_target.hpp"

namespace meshai::wire {
namespace {

constexpr std::size_t max_chunk_extensions = 16 * 1024;  // of one message together

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

}  // namespace

void message::clear() {
  message fresh(limits_);
  fresh.text_ = std::move(text_);
  fresh.places_ = std::move(places_);
  fresh.fields_ = std::move(fields_);
  fresh.text_.clear();
  fresh.places_.clear();
  fresh.fields_.clear();
  *this = std::move(fresh);
}

bool message::refuse(int status, const char* why, error_kind kind) {
  refused = {status, kind, why};
  return false;
}

std::size_t message::keep(std::string_view piece) {
  const auto at = text_.size();
  text_ += piece;
  return at;
}

// obs-fold (RFC 9112 5.2): the scanner unfolds into a buffer of its own, or skips a first line that is empty.
bool message::folded(std::string_view name, std::string_view value) const {
  const auto* first = input.data();
  const auto* last = first + input.size();
  const std::less<const char*> before;
  if (before(value.data(), first) || before(last, value.data())) return true;
  const auto* gap = name.data() + name.size();
  return std::string_view(gap, static_cast<std::size_t>(value.data() - gap)).contains('\n');
}

bool message::field(std::string_view name, std::string_view value) {
  if (folded(name, value)) return refuse(400, folded_header);
  if (++field_count_ > limits_.fields) return refuse(431, "too many headers", error_kind::exhausted);
  if (in_trailers) return true;  // checked and dropped
  if (equals_ignoring_case(name, "host")) {
    ++hosts_;
    if (!is_authority(value)) return refuse(400, "the Host header is not a host name");
  } else if (equals_ignoring_case(name, "content-length")) {
    if (++lengths_ > 1) return refuse(400, "two Content-Length headers");
    if (!std::ranges::all_of(value, is_digit)) return refuse(400, "Content-Length is not a number");
  } else if (equals_ignoring_case(name, "transfer-encoding")) {
    if (++codings_ > 1) return refuse(400, "two Transfer-Encoding headers");
    if (!equals_ignoring_case(value, "chunked"))
      return refuse(501, "a Transfer-Encoding other than chunked is not understood");
  } else if (equals_ignoring_case(name, "expect")) {
    ++expectations_;
    if (!equals_ignoring_case(value, "100-continue"))
      return refuse(417, "an expectation other than 100-continue cannot be met");
  }
  const auto name_at = keep(name);
  places_.push_back({name_at, name.size(), keep(value), value.size()});
  return true;
}

bool message::chunk_header(std::uint64_t size, std::string_view extensions) {
  if (std::ranges::any_of(extensions, is_control)) return refuse(400, "a control character in a chunk extension");
  chunk_extensions_ += extensions.size();
  if (extensions.size() > max_chunk_line || chunk_extensions_ > max_chunk_extensions)
    return refuse(400, "chunk extensions are too long", error_kind::exhausted);
  in_trailers = size == 0;
  return true;
}

bool message::settle(message_head& head, bool http_1_1) {
  if (codings_ > 0 && !http_1_1) return refuse(400, "chunked in HTTP/1.0");
  fields_.reserve(places_.size());
  for (const auto& p : places_) fields_.push_back({kept(p.name_at, p.name_size), kept(p.value_at, p.value_size)});
  head.headers = header_list(fields_);
  head.http_1_1 = http_1_1;
  head_complete = true;
  return true;
}

}  // namespace meshai::wire
