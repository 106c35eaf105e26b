// Each direction is a queue of segments with their times of arrival. One alarm per direction takes the first of
// them in; so segments keep their order also where a partition holds them up.
#include "sim/stream.hpp"

#include <fmt/format.h>

#include <deque>

#include "base/check.hpp"
#include "env/event.hpp"
#include "sim/host.hpp"

namespace meshai::sim {
namespace {

enum class cargo { bytes, end, reset };

struct segment {
  instant arrives;
  cargo what;
  std::string bytes;
};

// How much may be on its way or unread in one direction before a writer waits: about a socket's two buffers.
constexpr std::size_t window = 256 * 1024;

struct operation {
  explicit operation(const executor& loop) : woken(loop) {}
  env::event woken;
  instant deadline = never;
  std::optional<alarm> bell;
  bool pending = false;
};

struct end_state {
  end_state(const executor& loop, env::address of_peer) : peer(std::move(of_peer)), reading(loop), writing(loop) {}
  const env::address peer;
  operation reading, writing;
  std::string arrived;
  bool ended = false;  // the peer sends no more
  bool was_reset = false;
  bool closed = false;
  bool timed_out = false;
  // What is on its way here.
  std::deque<segment> coming;
  std::size_t coming_bytes = 0;
  bool awaited = false;  // an alarm is set for the first of them
  std::chrono::nanoseconds held_up{0};
};

}  // namespace

struct connection : std::enable_shared_from_this<connection> {
  connection(core& of, std::string from, std::string to, env::address dialled, env::address dialler)
      : in(of),
        ip{std::move(from), std::move(to)},
        end{{of.loop, std::move(dialled)}, {of.loop, std::move(dialler)}} {}

  link& way_to(int whom) { return in.between(ip[1 - whom], ip[whom]); }
  void send(int to, cargo what, std::string bytes);
  void await_next(int at);
  void take_in(int at);
  void close(int at) noexcept;
  std::optional<error> refusal(int at) const;
  void move(operation& what, instant when);
  // Waits for a wake-up or the deadline; whoever waited looks at everything again.
  task<void> wait(int at, operation& on);

  core& in;
  const std::string ip[2];
  end_state end[2];  // 0: who dialled, 1: who listened
};

namespace {

struct pending_mark {
  explicit pending_mark(operation& on) : of(on) { of.pending = true; }
  ~pending_mark() {
    of.pending = false;
    of.bell.reset();
  }
  operation& of;
};

}  // namespace

void connection::send(int to, cargo what, std::string bytes) {
  if (in.ending) return;
  auto& there = end[to];
  const auto& way = way_to(to);
  if (what == cargo::bytes && in.chance.happens(way.reset)) what = cargo::reset;
  auto arrives =
      in.now + std::chrono::nanoseconds(in.chance.between(static_cast<std::uint64_t>(way.latency_min.count()),
                                                          static_cast<std::uint64_t>(way.latency_max.count())));
  if (in.chance.happens(way.stall)) arrives += way.stall_time;
  if (!there.coming.empty()) arrives = std::max(arrives, there.coming.back().arrives);
  if (way.bytes_per_second > 0)
    arrives += std::chrono::nanoseconds(bytes.size() * 1'000'000'000 / way.bytes_per_second);
  there.coming_bytes += bytes.size();
  there.coming.push_back({arrives, what, std::move(bytes)});
  await_next(to);
}

void connection::await_next(int at) {
  auto& here = end[at];
  if (here.awaited || here.coming.empty()) return;
  here.awaited = true;
  in.at(here.coming.front().arrives + here.held_up, [self = shared_from_this(), at] {
    self->end[at].awaited = false;
    self->take_in(at);
  });
}

void connection::take_in(int at) {
  using namespace std::chrono_literals;
  auto& here = end[at];
  if (way_to(at).cut) {
    // TCP sends again, ever more slowly.
    here.held_up =
        std::min(std::max(here.held_up * 2, std::chrono::nanoseconds(200ms)), std::chrono::nanoseconds(10s));
    here.coming.front().arrives = in.now;
    return await_next(at);
  }
  here.held_up = {};
  auto first = std::move(here.coming.front());
  here.coming.pop_front();
  here.coming_bytes -= first.bytes.size();
  in.note("arrived", {static_cast<std::uint64_t>(at), static_cast<std::uint64_t>(first.what)}, first.bytes);
  if (here.closed || here.was_reset) {
    // Nobody is here any more; bytes are answered by a reset.
    if (first.what == cargo::bytes) send(1 - at, cargo::reset, {});
  } else if (first.what == cargo::bytes) {
    here.arrived += first.bytes;
  } else if (first.what == cargo::end) {
    here.ended = true;
  } else {
    here.was_reset = true;
    // Some systems still hand out what came before a reset, others do not.
    if (in.chance.happens(0.5)) here.arrived.clear();
  }
  here.reading.woken.set();
  here.writing.woken.set();
  await_next(at);
}

void connection::close(int at) noexcept {
  auto& here = end[at];
  if (std::exchange(here.closed, true)) return;
  here.reading.woken.set();
  here.writing.woken.set();
  if (in.ending) return;
  in.note("closed", {static_cast<std::uint64_t>(at)});
  // As TCP does it: an end that leaves bytes unread resets instead of ending.
  if (!here.was_reset) send(1 - at, here.arrived.empty() ? cargo::end : cargo::reset, {});
}

std::optional<error> connection::refusal(int at) const {
  const auto& here = end[at];
  if (here.closed) return error{error_kind::unavailable, "the connection was closed on this side"};
  if (here.timed_out) return error{error_kind::timeout, here.peer.text() + " did not answer in time"};
  return std::nullopt;
}

void connection::move(operation& what, instant when) {
  what.deadline = when;
  if (what.pending) what.bell.emplace(in, when, [&what] { what.woken.set(); });
}

task<void> connection::wait(int at, operation& on) {
  if (on.deadline <= in.now) {
    in.note("timed out", {static_cast<std::uint64_t>(at)});
    end[at].timed_out = true;
    co_return;
  }
  const pending_mark mark(on);
  on.bell.emplace(in, on.deadline, [&on] { on.woken.set(); });
  co_await on.woken.wait();
}

task<result<std::size_t>> stream::read_some(std::span<char> into) {
  CHECK(!into.empty());
  const auto self = connection_;
  auto& here = self->end[end_];
  for (const int at = end_;;) {
    if (auto refused = self->refusal(at)) co_return std::unexpected(std::move(*refused));
    if (!here.arrived.empty()) {
      auto size = std::min(into.size(), here.arrived.size());
      if (self->way_to(at).fragment_reads) size = self->in.chance.between(1, size);
      here.arrived.copy(into.data(), size);
      here.arrived.erase(0, size);
      self->end[1 - at].writing.woken.set();  // there is room again
      co_return size;
    }
    if (here.was_reset)
      co_return fail(error_kind::unreachable, "reading from " + here.peer.text() + ": reset by peer");
    if (here.ended) co_return 0;
    co_await self->wait(at, here.reading);
  }
}

task<result<void>> stream::write_all(std::span<const std::string_view> pieces) {
  const auto self = connection_;
  const int at = end_;
  auto& here = self->end[at];
  auto& there = self->end[1 - at];
  std::string bytes;
  for (const auto piece : pieces) bytes += piece;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    if (auto refused = self->refusal(at)) co_return std::unexpected(std::move(*refused));
    if (here.was_reset)
      co_return fail(error_kind::unreachable, "writing to " + here.peer.text() + ": reset by peer");
    const auto taken = there.coming_bytes + there.arrived.size();
    if (taken >= window) {
      co_await self->wait(at, here.writing);
      continue;
    }
    const auto& way = self->way_to(1 - at);
    auto size = std::min(rest.size(), window - taken);
    if (way.segment_max > 0) size = std::min<std::size_t>(size, self->in.chance.between(1, way.segment_max));
    self->send(1 - at, cargo::bytes, std::string(rest.substr(0, size)));
    rest.remove_prefix(size);
  }
  co_return result<void>{};
}

void stream::read_by(instant when) {
  connection_->move(connection_->end[end_].reading, when);
}
void stream::write_by(instant when) {
  connection_->move(connection_->end[end_].writing, when);
}
void stream::close() noexcept {
  connection_->close(end_);
}
bool stream::stranded() const {
  const auto& of = *connection_;
  const auto host = of.in.hosts.find(of.ip[end_]);
  return of.ip[0] != of.ip[1] && host != of.in.hosts.end() && host->second->network.stranded();
}

const env::address& stream::peer() const {
  return connection_->end[end_].peer;
}

ends connect(core& in, const std::string& from_ip, const std::string& to_ip, env::address dialled,
             env::address dialler) {
  const auto made = std::make_shared<connection>(in, from_ip, to_ip, std::move(dialled), std::move(dialler));
  return {std::make_unique<stream>(made, 0), std::make_unique<stream>(made, 1), made};
}

void break_off(connection& which, int end) {
  auto& here = which.end[end];
  if (std::exchange(here.closed, true)) return;
  here.reading.woken.set();
  here.writing.woken.set();
  which.send(1 - end, cargo::reset, {});
}

}  // namespace meshai::sim
