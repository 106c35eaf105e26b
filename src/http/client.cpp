#include "http/client.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "http/client_pool.hpp"
#include "http/fields.hpp"

namespace meshai::http {
namespace {

using connection = std::unique_ptr<answer::parts>;

wire::asked kind_of(std::string_view method) {
  return method == "HEAD" ? wire::asked::head : wire::asked::other;
}

bool wants_length(const call& what) {
  return !what.body.empty() || what.method == "POST" || what.method == "PUT" || what.method == "PATCH";
}

result<void> compose(std::string& out, const origin& to, const call& what, const std::string& user_agent) {
  const bool through_proxy = to.via && !to.tls;
  out.clear();
  bool good = through_proxy ? wire::append_request_line(out, what.method, to.text() + std::string(what.target))
                            : wire::append_request_line(out, what.method, what.target);
  good = good && wire::append_field(out, "Host", to.authority());
  if (through_proxy && !to.via->authorization.empty())
    good = good && wire::append_field(out, "Proxy-Authorization", to.via->authorization.reveal());
  bool named = false;
  for (const auto& [name, value] : what.headers) {
    good = good && !is_framing_field(name) && wire::append_field(out, name, value);
    named = named || wire::equals_ignoring_case(name, "user-agent");
  }
  if (!named) good = good && wire::append_field(out, "User-Agent", user_agent);
  if (!good)
    return fail(error_kind::malformed, to.text() + ": a header or the path of the request may not be sent");
  if (wants_length(what)) wire::append_content_length(out, what.body.size());
  wire::append_head_end(out);
  return {};
}

// Reads until the head of the answer is complete.
task<result<void>> read_head(answer::parts& on) {
  for (;;) {
    const auto got = on.parser.feed(on.in.data());
    if (!got) co_return std::unexpected(got.error());
    on.in.consume(got->consumed);
    if (got->what == wire::progress::head) co_return result<void>{};
    const auto size = co_await on.fill();
    if (!size) co_return std::unexpected(size.error());
    if (*size > 0) continue;
    if (!on.parser.got_some() && on.in.empty())
      co_return fail(error_kind::unreachable, "the connection was closed before an answer came");
    co_return fail(error_kind::malformed, "the answer ends in its head");
  }
}

task<result<void>> ask(answer::parts& on, const call& what, instant by) {
  on.parser.reset(kind_of(what.method));
  on.stream->write_by(by);
  on.stream->read_by(by);
  const std::string_view pieces[] = {on.out, what.body};
  auto written = co_await on.stream->write_all(pieces);
  if (!written && written.error().kind == error_kind::timeout) co_return written;
  // A server may refuse a body before it has read all of it, and close: the answer is there all the same.
  on.half_sent = !written;
  auto read = co_await read_head(on);
  co_return !read && !written ? written : read;
}

// While it lives, the call's whereabouts are known.
struct known_place {
  known_place(const call& of, const env::stream& over) : where(of.where) {
    if (where != nullptr) where->over = &over;
  }
  ~known_place() {
    if (where != nullptr) where->over = nullptr;
  }
  known_place(const known_place&) = delete;
  known_place& operator=(const known_place&) = delete;
  whereabouts* where;
};

task<result<void>> ask_there(answer::parts& on, const call& what, instant by) {
  const known_place while_it_lasts(what, *on.stream);
  co_return co_await ask(on, what, by);
}

// Nothing of an answer came and it was no question of time: the other side had closed while the connection waited.
bool was_dead(const answer::parts& on, const error& why) {
  return on.pooled && !on.parser.got_some() && on.in.empty() && why.kind != error_kind::timeout;
}

}  // namespace

client::client(const env::world& world, client_options options)
    : state_(std::make_shared<state>(world, std::move(options))) {}

client::~client() {
  state_->closed = true;
  state_->sweeping.cancel();
  state_->idle.clear();
}

task<result<answer>> client::send(const origin& to, const call& what, const call_deadlines& by) {
  const auto home = state_;
  auto on = home->take(to);
  for (;;) {
    if (!on) {
      const auto deadline = std::min(by.headers_by, home->world.clock.now() + by.connect_timeout);
      auto stream = co_await connect(home->world, to, deadline);
      if (!stream) co_return std::unexpected(std::move(stream.error()));
      on = std::make_unique<answer::parts>(std::move(*stream), to);
    }
    if (auto composed = compose(on->out, to, what, home->options.user_agent); !composed)
      co_return std::unexpected(std::move(composed.error()));
    auto asked = co_await ask_there(*on, what, by.headers_by);
    wipe_memory(on->out.data(), on->out.size());  // keys stand in it
    if (asked) {
      on->stream->read_by(never);
      on->home = home;
      co_return answer(std::move(on));
    }
    if (!was_dead(*on, asked.error())) co_return fail(asked.error().kind, to.text() + ": " + asked.error().detail);
    on.reset();
  }
}

task<result<void>> client::warm(const origin& to, std::chrono::nanoseconds connect_timeout) {
  const auto home = state_;
  if (idle(to) > 0) co_return result<void>{};
  auto stream = co_await connect(home->world, to, home->world.clock.now() + connect_timeout);
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  home->put(std::make_unique<answer::parts>(std::move(*stream), to));
  co_return result<void>{};
}

std::size_t client::idle() const {
  return state_->idle_count;
}

std::size_t client::idle(const origin& to) const {
  const auto found = state_->idle.find(to.key);
  return found == state_->idle.end() ? 0 : found->second.size();
}

void client::forget(const origin& to) {
  const auto found = state_->idle.find(to.key);
  if (found == state_->idle.end()) return;
  state_->idle_count -= found->second.size();
  state_->idle.erase(found);
}

answer::answer(std::unique_ptr<parts> p) : parts_(std::move(p)) {}

answer::~answer() {
  if (!parts_ || !parts_->reusable()) return;
  const auto home = std::exchange(parts_->home, nullptr);
  home->put(std::move(parts_));
}

answer::answer(answer&&) noexcept = default;

answer& answer::operator=(answer&& other) noexcept {
  std::swap(parts_, other.parts_);
  return *this;
}

int answer::status() const {
  return parts_->parser.head().status;
}
wire::header_list answer::headers() const {
  return parts_->parser.head().headers;
}
bool answer::until_close() const {
  return parts_->parser.head().until_close;
}
bool answer::stranded() const {
  return parts_->stream->stranded();
}
bool answer::reused() const {
  return parts_->pooled;
}
void answer::read_by(instant when) {
  parts_->stream->read_by(when);
}

result<std::optional<std::string_view>> answer::read_ready() {
  auto& on = *parts_;
  const auto got = on.parser.feed(on.in.data());
  if (!got) return fail(got.error().kind, on.name + ": " + got.error().detail);
  on.in.consume(got->consumed);
  if (got->what == wire::progress::body) return got->body;
  if (got->what == wire::progress::end) return std::string_view();
  return std::nullopt;
}

task<result<std::string_view>> answer::read_some() {
  auto& on = *parts_;
  for (;;) {
    const auto ready = read_ready();
    if (!ready) co_return std::unexpected(ready.error());
    if (*ready) co_return **ready;
    const auto size = co_await on.fill();
    if (!size) co_return fail(size.error().kind, on.name + ": " + size.error().detail);
    if (*size > 0) continue;
    if (const auto end = on.parser.feed_end(); !end)
      co_return fail(end.error().kind, on.name + ": " + end.error().detail);
    co_return std::string_view();
  }
}

task<result<std::string>> answer::read_all(std::size_t limit) {
  std::string whole;
  if (const auto length = parts_->parser.head().content_length)
    whole.reserve(std::min<std::uint64_t>(*length, limit));
  for (;;) {
    const auto piece = co_await read_some();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return whole;
    if (piece->size() > limit - whole.size())
      co_return fail(error_kind::exhausted,
                     parts_->name + ": the answer is longer than " + std::to_string(limit) + " bytes");
    whole += *piece;
  }
}

}  // namespace meshai::http
