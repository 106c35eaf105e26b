// The writing half of a server's connection.
#include <utility>

#include "base/check.hpp"
#include "http/fields.hpp"
#include "http/server_connection.hpp"

namespace meshai::http {
namespace {

constexpr std::string_view chunk_end_and_last = "\r\n0\r\n\r\n";
constexpr std::size_t write_step = 64 * 1024;
static_assert(chunk_end_and_last.starts_with(wire::chunk_end) && chunk_end_and_last.ends_with(wire::last_chunk));

}  // namespace

// Whether another request may follow this one: what is left of its body must be worth reading.
bool connection::may_keep() const {
  if (turn_.body_failed || home_->draining || !head().keep_alive) return false;
  if (parser_.ended()) return true;
  const bool coming = !head().expects_continue || turn_.continued;
  return coming && head().content_length && *head().content_length <= home_->options.drain_limit;
}

// `length` is empty where the end is not known yet.
result<void> connection::compose(int status, std::span<const wire::header> headers,
                                 std::optional<std::size_t> length) {
  const bool http_1_1 = head().http_1_1;
  turn_.without_body = turn_.head_request || status == 204 || status == 304;
  turn_.chunked = !length && http_1_1;
  turn_.keep = may_keep() && (length || http_1_1);
  out_.clear();
  wire::append_status_line(out_, status);
  bool good = wire::append_field(out_, "Date", home_->date());
  for (const auto& [name, value] : headers)
    good = good && !is_framing_field(name) && wire::append_field(out_, name, value);
  if (!good) {
    out_.clear();
    return fail(error_kind::malformed, "a header of the answer would break its framing");
  }
  const bool silent = status == 204 || status == 304;
  if (length && !silent) wire::append_content_length(out_, *length);
  if (turn_.chunked && !silent) out_ += "Transfer-Encoding: chunked\r\n";
  if (!turn_.keep) {
    out_ += "Connection: close\r\n";
  } else if (!http_1_1) {
    out_ += "Connection: keep-alive\r\n";
  }
  wire::append_head_end(out_);
  return {};
}

// A large answer goes out in steps: its caller has time by its size, and none to stand still.
task<result<void>> connection::put(std::span<const std::string_view> pieces) {
  std::size_t size = 0;
  for (const auto piece : pieces) size += piece.size();
  result<void> written;
  if (size <= write_step) {
    stream_->write_by(in(home_->options.write_timeout));
    written = co_await stream_->write_all(pieces);
  } else {
    for (auto piece : pieces) {
      while (written && !piece.empty()) {
        const std::string_view step[] = {piece.substr(0, write_step)};
        stream_->write_by(in(home_->options.write_timeout));
        written = co_await stream_->write_all(step);
        piece.remove_prefix(step[0].size());
      }
    }
  }
  if (!written) turn_.answer = progress::broken;
  co_return written;
}

task<result<void>> connection::send(int status, std::span<const wire::header> headers, std::string_view body) {
  CHECK(turn_.answer == progress::none);
  if (auto composed = compose(status, headers, body.size()); !composed) co_return composed;
  turn_.answer = progress::complete;
  const std::string_view pieces[] = {out_, turn_.without_body ? std::string_view() : body};
  co_return co_await put(pieces);
}

result<void> connection::start(int status, std::span<const wire::header> headers) {
  CHECK(turn_.answer == progress::none);
  if (auto composed = compose(status, headers, {}); !composed) return composed;
  turn_.answer = progress::streaming;
  return {};
}

task<result<void>> connection::write(std::string_view bytes) {
  if (turn_.answer == progress::broken) co_return fail(error_kind::unreachable, "the caller cannot be reached");
  CHECK(turn_.answer == progress::streaming);
  if (bytes.empty() || turn_.without_body) co_return result<void>{};
  if (turn_.chunked) wire::append_chunk_size(out_, bytes.size());
  const std::string_view pieces[] = {out_, bytes, turn_.chunked ? wire::chunk_end : std::string_view()};
  auto written = co_await put(pieces);
  out_.clear();
  co_return written;
}

task<result<void>> connection::finish(std::string_view last) {
  if (turn_.answer == progress::broken) co_return fail(error_kind::unreachable, "the caller cannot be reached");
  CHECK(turn_.answer == progress::streaming);
  turn_.answer = progress::complete;
  std::string_view end;
  if (turn_.without_body) {
    last = {};
  } else if (turn_.chunked) {
    end = last.empty() ? wire::last_chunk : chunk_end_and_last;
    if (!last.empty()) wire::append_chunk_size(out_, last.size());
  }
  const std::string_view pieces[] = {out_, last, end};
  co_return co_await put(pieces);
}

}  // namespace meshai::http
