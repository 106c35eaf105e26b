#include "wire/http1.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

#include "wire/http1_message.hpp"
#include "wire/http1_target.hpp"
#include "wire/http1_write.hpp"

// Boost.Beast does the scanning. What it is more lenient about than two readers of one connection can afford is
// refused in its callbacks, before any of it is believed.

namespace meshai::wire {
namespace beast = boost::beast;
using beast::http::field;
using boost::system::error_code;

namespace {

constexpr int max_interim_answers = 16;

// Beast's parser with the callbacks that both kinds of message share. Any code that is set stops the parser; the
// reason stands in the message.
template <bool IsRequest>
class reader : public beast::http::basic_parser<IsRequest> {
 public:
  explicit reader(message& into) : m_(into) {
    this->header_limit(into.limits().bytes);
    this->body_limit(boost::none);  // counted by the driver, which may learn the limit late
  }

 protected:
  static void stop_unless(bool good, error_code& ec) {
    if (!good) ec = beast::http::error::bad_field;
  }

  bool settle(message_head& head, bool http_1_1) {
    head.keep_alive = this->keep_alive();
    head.chunked = this->chunked();
    if (const auto known = this->content_length()) head.content_length = *known;
    return m_.settle(head, http_1_1);
  }

  message& m_;

 private:
  void on_request_impl(beast::http::verb, beast::string_view, beast::string_view, int, error_code&) override {}
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_field_impl(field, beast::string_view name, beast::string_view value, error_code& ec) override {
    stop_unless(m_.field(name, value), ec);
  }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view body, error_code&) override {
    m_.body = body;
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t size, beast::string_view extensions, error_code& ec) override {
    stop_unless(m_.chunk_header(size, extensions), ec);
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code&) override {
    m_.body = body;
    return body.size();
  }
  void on_finish_impl(error_code&) override {}
};

class request_reader final : public reader<true> {
 public:
  request_reader(message& into, request_head& head) : reader(into), head_(head) {}

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version,
                       error_code& ec) override {
    stop_unless(start_line(method, target, version), ec);
  }
  void on_header_impl(error_code& ec) override { stop_unless(head_end(), ec); }

  bool start_line(std::string_view method, std::string_view target, int version) {
    const auto parsed = wire::parse_target(method, target);
    if (!parsed) return m_.refuse(400, "the request target is neither a path nor an http URL");
    http_1_1_ = version == 11;
    method_size_ = method.size();
    m_.keep(method);
    m_.keep(parsed->authority);
    authority_size_ = parsed->authority.size();
    if (authority_size_ > 0 && !parsed->path.starts_with('/')) m_.keep("/");
    target_end_ = m_.keep(parsed->path) + parsed->path.size();
    m_.start_line_read = true;
    return true;
  }

  bool head_end() {
    if (m_.hosts() > 1) return m_.refuse(400, "two Host headers");
    if (m_.hosts() == 0 && http_1_1_) return m_.refuse(400, "no Host header");
    if (!settle(head_, http_1_1_)) return false;
    head_.method = m_.kept(0, method_size_);
    const auto target_at = method_size_ + authority_size_;
    head_.target = m_.kept(target_at, target_end_ - target_at);
    head_.authority = head_.headers.find("host").value_or("");
    if (authority_size_ > 0) {
      const auto asked_for = m_.kept(method_size_, authority_size_);
      if (m_.hosts() > 0 && !equals_ignoring_case(asked_for, head_.authority))
        return m_.refuse(400, "the request target and the Host header name different hosts");
      head_.authority = asked_for;
    }
    head_.expects_continue = http_1_1_ && m_.expects_continue() && head_.has_body();
    return true;
  }

  request_head& head_;
  bool http_1_1_ = false;
  std::size_t method_size_ = 0, authority_size_ = 0, target_end_ = 0;
};

class response_reader final : public reader<false> {
 public:
  response_reader(message& into, response_head& head) : reader(into), head_(head) {}

 private:
  void on_response_impl(int status, beast::string_view reason, int version, error_code& ec) override {
    stop_unless(start_line(status, reason, version), ec);
  }
  void on_header_impl(error_code& ec) override { stop_unless(head_end(), ec); }

  bool start_line(int status, std::string_view reason, int version) {
    if (status < 100) return m_.refuse(400, "a status below 100");
    if (status == 101) return m_.refuse(400, "a switch of protocols that nobody asked for");
    http_1_1_ = version == 11;
    head_.status = status;
    reason_size_ = reason.size();
    m_.keep(reason);
    m_.start_line_read = true;
    return true;
  }

  bool head_end() {
    if (!settle(head_, http_1_1_)) return false;
    head_.reason = m_.kept(0, reason_size_);
    head_.until_close = need_eof();
    return true;
  }

  response_head& head_;
  bool http_1_1_ = false;
  std::size_t reason_size_ = 0;
};

refusal judge(error_code ec, std::string_view bytes) {
  using beast::http::error;
  if (ec == error::header_limit) return {431, error_kind::exhausted, "the head is too long"};
  if (ec == error::bad_version) {
    const auto line = bytes.substr(0, bytes.find_first_of("\r\n"));
    const auto at = line.rfind(" HTTP/");
    const auto version = at == line.npos ? std::string_view() : line.substr(at + 6);
    const bool known = version == "1.0" || version == "1.1";
    return version.size() == 3 && version[1] == '.' && !known
               ? refusal{505, error_kind::malformed, "an HTTP version other than 1.0 and 1.1"}
               : refusal{400, error_kind::malformed, "the first line does not end with an HTTP version"};
  }
  const auto malformed = [](const char* why) { return refusal{400, error_kind::malformed, why}; };
  if (ec == error::bad_line_ending) return malformed("a line does not end with CR LF");
  if (ec == error::bad_method) return malformed("the method is not a word");
  if (ec == error::bad_target) return malformed("the request target holds a character that it may not");
  if (ec == error::bad_status) return malformed("the status is not a number of three digits");
  if (ec == error::bad_field) return malformed("a header name holds a character that it may not");
  if (ec == error::bad_value) return malformed("a header value holds a character that it may not");
  if (ec == error::bad_content_length)
    return malformed("Content-Length is not a number, or stands beside chunked");
  if (ec == error::multiple_content_length) return malformed("two Content-Length headers");
  if (ec == error::bad_transfer_encoding)
    return malformed("Transfer-Encoding stands twice or beside Content-Length");
  if (ec == error::bad_chunk) return malformed("a chunk does not begin with its size");
  if (ec == error::bad_chunk_extension) return malformed("a chunk extension is malformed");
  return malformed("the message does not follow HTTP/1.1");
}

// Drives one reader: what requests and answers have in common.
template <class Reader, class Head>
class driver {
 public:
  explicit driver(head_limits limits) : m_(limits) {}
  driver(const driver&) = delete;
  driver& operator=(const driver&) = delete;

  void reset() {
    m_.clear();
    head_ = {};
    reader_.emplace(m_, head_);
    seen_ = lines_used_ = 0;
    delivered_ = 0;
    body_limit_ = std::numeric_limits<std::uint64_t>::max();
    got_some_ = head_told_ = ended_ = false;
  }

  // One step; empty when the bytes gave nothing to tell and more of them may.
  std::optional<step> once(std::string_view bytes) {
    if (ended_) return step{0, progress::end, {}};
    if (bytes.empty()) return step{};
    if (over_limit(head_.content_length.value_or(0))) return {};
    got_some_ = true;
    if (in_lines() && !line_complete(bytes)) return step{};
    const bool lines = in_lines();
    m_.input = bytes;
    m_.body = {};
    error_code ec;
    const auto used = reader_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
    if (lines) lines_used_ += used;
    if (ec == beast::http::error::need_more) return wait(bytes, used);
    if (ec) {
      if (m_.refused.status == 0) m_.refused = judge(ec, bytes);
      return {};
    }
    seen_ = 0;
    if (m_.head_complete && !head_told_) {
      head_told_ = true;
      ended_ = reader_->is_done();
      return step{used, progress::head, {}};
    }
    ended_ = reader_->is_done();
    if (m_.body.empty()) return step{used, ended_ ? progress::end : progress::need_more, {}};
    delivered_ += m_.body.size();
    if (over_limit(0)) return {};
    return step{used, progress::body, m_.body};
  }

  result<step> feed(std::string_view bytes) {
    step total;
    for (;;) {
      if (m_.refused.status != 0) return fail(m_.refused.kind, m_.refused.why);
      const auto now = once(bytes.substr(total.consumed));
      if (!now) continue;
      total.consumed += now->consumed;
      total.what = now->what;
      total.body = now->body;
      // A chunk's first line is consumed and tells nothing: go on behind it.
      if (now->what != progress::need_more || now->consumed == 0 || total.consumed == bytes.size()) return total;
    }
  }

  message m_;
  Head head_;
  std::optional<Reader> reader_;
  std::uint64_t body_limit_ = 0;
  bool got_some_ = false;
  bool head_told_ = false;
  bool ended_ = false;

 private:
  bool in_lines() const { return !m_.head_complete || m_.in_trailers; }

  // Beast looks at an unfinished line from its beginning each time. It is not asked before another line end has
  // come, or a head that comes byte by byte would cost the square of its length.
  bool line_complete(std::string_view bytes) {
    const bool complete = seen_ < bytes.size() && bytes.find('\n', seen_) != bytes.npos;
    if (!complete) {
      seen_ = bytes.size();
      // Longer than the rest of the head may be: Beast says so.
      if (lines_used_ + bytes.size() >= m_.limits().bytes) return true;
    }
    return complete;
  }

  std::optional<step> wait(std::string_view bytes, std::size_t used) {
    const auto rest = bytes.substr(used);
    if (in_lines()) {
      // A whole line is left when its fate hangs on the byte behind it: a space would fold the next line into it.
      const auto line_end = rest.find('\n');
      seen_ = std::min(line_end, rest.size());
      if (line_end != rest.npos && line_end + 1 < rest.size() &&
          (rest[line_end + 1] == ' ' || rest[line_end + 1] == '\t'))
        m_.refuse(400, folded_header);
    } else if (rest.size() > max_chunk_line) {
      m_.refuse(400, "the line before a chunk is too long", error_kind::exhausted);
    }
    if (m_.refused.status != 0) return {};
    return step{used, progress::need_more, {}};
  }

  bool over_limit(std::uint64_t announced) {
    if (!head_told_ || std::max(delivered_, announced) <= body_limit_) return false;
    m_.refuse(413, "the body is too long", error_kind::exhausted);
    return true;
  }

  std::size_t seen_ = 0;        // bytes at the front of the next feed that were looked at and not consumed
  std::size_t lines_used_ = 0;  // of limits.bytes
  std::uint64_t delivered_ = 0;
};

// Garbage is known by its first bytes, long before a line end comes.
bool may_begin_response(std::string_view bytes) {
  constexpr std::string_view start = "HTTP/1.";
  const auto size = std::min(bytes.size(), start.size());
  return bytes.substr(0, size) == start.substr(0, size);
}

}  // namespace

struct request_parser::parts : driver<request_reader, request_head> {
  using driver::driver;
  bool may_skip_line = true;
};

request_parser::request_parser(head_limits limits) : parts_(std::make_unique<parts>(limits)) {
  reset();
}
request_parser::~request_parser() = default;
request_parser::request_parser(request_parser&&) noexcept = default;
request_parser& request_parser::operator=(request_parser&&) noexcept = default;

void request_parser::reset() {
  parts_->reset();
  parts_->may_skip_line = true;
}

void request_parser::limit_body(std::uint64_t bytes) {
  parts_->body_limit_ = bytes;
}

result<step> request_parser::feed(std::string_view bytes) {
  auto& p = *parts_;
  std::size_t skipped = 0;
  if (!p.got_some_ && !bytes.empty() && p.m_.refused.status == 0) {
    // RFC 9112 2.2: one empty line before a request is forgiven.
    if (p.may_skip_line && bytes.front() == '\r') {
      if (bytes.size() == 1) return step{};
      if (bytes[1] == '\n') skipped = 2;
      p.may_skip_line = false;
    }
    if (bytes.size() == skipped) return step{skipped, progress::need_more, {}};
    if (!is_token(bytes.substr(skipped, 1)))
      p.m_.refused = {400, error_kind::malformed, "this is not an HTTP request"};
  }
  auto fed = p.feed(bytes.substr(skipped));
  if (fed) fed->consumed += skipped;
  return fed;
}

bool request_parser::got_some() const {
  return parts_->got_some_;
}
bool request_parser::ended() const {
  return parts_->ended_;
}
const request_head& request_parser::head() const {
  return parts_->head_;
}
int request_parser::refusal_status() const {
  return parts_->m_.refused.status;
}

struct response_parser::parts : driver<response_reader, response_head> {
  using driver::driver;
  asked what = asked::other;
  int interim = 0;

  void begin() {
    reset();
    if (what != asked::other) reader_->skip(true);
  }
};

response_parser::response_parser(head_limits limits) : parts_(std::make_unique<parts>(limits)) {
  reset();
}
response_parser::~response_parser() = default;
response_parser::response_parser(response_parser&&) noexcept = default;
response_parser& response_parser::operator=(response_parser&&) noexcept = default;

void response_parser::reset(asked what) {
  parts_->what = what;
  parts_->interim = 0;
  parts_->begin();
}

void response_parser::limit_body(std::uint64_t bytes) {
  parts_->body_limit_ = bytes;
}

result<step> response_parser::feed(std::string_view bytes) {
  auto& p = *parts_;
  std::size_t before = 0;  // bytes of interim answers
  for (;;) {
    const auto rest = bytes.substr(before);
    if (!rest.empty() && !p.m_.start_line_read && !may_begin_response(rest))
      p.m_.refused = {400, error_kind::malformed, "this is not an HTTP/1.1 answer"};
    auto fed = p.feed(rest);
    if (!fed) return fed;
    fed->consumed += before;
    if (fed->what != progress::head || p.head_.status >= 200) return fed;
    if (++p.interim > max_interim_answers) {
      p.m_.refused = {400, error_kind::malformed, "too many interim answers"};
      continue;
    }
    before = fed->consumed;
    const auto limit = p.body_limit_;
    p.begin();
    p.body_limit_ = limit;
    p.got_some_ = true;
  }
}

result<void> response_parser::feed_end() {
  auto& p = *parts_;
  if (p.ended_) return {};
  if (!p.head_told_ || !p.head_.until_close) return fail(error_kind::malformed, "the answer ends before its end");
  p.ended_ = true;
  return {};
}

bool response_parser::got_some() const {
  return parts_->got_some_;
}
bool response_parser::ended() const {
  return parts_->ended_;
}
const response_head& response_parser::head() const {
  return parts_->head_;
}

}  // namespace meshai::wire
