#include "http/client_pool.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace meshai::http {
namespace {

// Larger reads than this gain nothing.
constexpr std::size_t read_bound = 64 * 1024;

// `Keep-Alive: timeout=5`: the server says when it will close; a second earlier is safe.
std::optional<std::chrono::seconds> promised_idle_time(const wire::response_head& head) {
  const auto field = head.headers.find("keep-alive");
  if (!field) return {};
  constexpr std::string_view name = "timeout=";
  const auto at = field->find(name);
  if (at == field->npos) return {};
  int seconds = 0;
  const auto* from = field->data() + at + name.size();
  if (std::from_chars(from, field->data() + field->size(), seconds).ec != std::errc()) return {};
  return std::chrono::seconds(std::max(0, seconds - 1));
}

task<void> sweep(std::weak_ptr<client::state> pool, env::clock& clock) {
  for (;;) {
    instant next = never;
    if (const auto alive = pool.lock()) {
      next = alive->close_expired();
      alive->sweeper_runs = next != never;
    }
    if (next == never) co_return;
    co_await clock.sleep_until(next);
  }
}

}  // namespace

// A head's longest line must fit into the buffer.
answer::parts::parts(std::unique_ptr<env::stream> to, const origin& asked)
    : stream(std::move(to)), key(asked.key), name(asked.text()), in(read_bound + buffer::smallest) {}

task<result<std::size_t>> answer::parts::fill() {
  auto size = co_await stream->read_some(in.room());
  if (size) in.filled(*size);
  co_return size;
}

bool answer::parts::reusable() {
  while (!parser.ended()) {
    const auto got = parser.feed(in.data());
    if (!got || got->what == wire::progress::need_more) return false;
    in.consume(got->consumed);
  }
  // Bytes behind the answer belong to nothing that was asked: whoever sends them is not to be trusted with more.
  return parser.head().keep_alive && in.empty() && !half_sent;
}

client::state::connection client::state::take(const origin& to) {
  const auto found = idle.find(to.key);
  if (found == idle.end() || found->second.empty()) return nullptr;
  if (found->second.back()->expires <= world.clock.now()) {
    close_expired();
    return take(to);
  }
  auto taken = std::move(found->second.back());
  found->second.pop_back();
  --idle_count;
  if (taken->stream->stranded()) return take(to);
  taken->pooled = true;
  return taken;
}

void client::state::put(connection back) {
  if (closed) return;
  auto& waiting = idle[back->key];
  if (waiting.size() >= options.idle_per_origin) return;
  std::chrono::nanoseconds time = options.idle_timeout;
  if (const auto promised = promised_idle_time(back->parser.head()))
    time = std::min<std::chrono::nanoseconds>(time, *promised);
  back->expires = world.clock.now() + time;
  back->in.shrink();
  back->stream->read_by(never);
  waiting.push_back(std::move(back));
  ++idle_count;
  if (!std::exchange(sweeper_runs, true)) sweeping.spawn(sweep(weak_from_this(), world.clock));
}

instant client::state::close_expired() {
  const auto now = world.clock.now();
  instant next = never;
  std::erase_if(idle, [&](auto& entry) {
    std::erase_if(entry.second, [&](const connection& each) {
      const bool over = each->expires <= now;
      if (!over) next = std::min(next, each->expires);
      idle_count -= over;
      return over;
    });
    return entry.second.empty();
  });
  return next;
}

}  // namespace meshai::http
