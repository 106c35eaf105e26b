#include "node/probes.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "env/clock.hpp"
#include "env/random.hpp"

namespace meshai::node {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

namespace {

constexpr nanoseconds glance = 1s;                            // at what is known of a node; costs no traffic
constexpr nanoseconds first_pause = 1s, longest_pause = 10s;  // between probes of one that is lost
constexpr nanoseconds idle_pause = 60s;                       // of one that is well
constexpr nanoseconds needed_for = 10min;                     // after it was last asked
constexpr nanoseconds list_timeout = 5s;

}  // namespace

struct probes::watched {
  route::target_id id;
  std::shared_ptr<const upstream::endpoints> all;  // keeps `at`
  const upstream::endpoint* at = nullptr;
  nanoseconds connect_timeout{};
  std::uint64_t round = 0;
  nanoseconds pause = first_pause;
  instant due = instant::min();   // of the next probe
  std::uint64_t outcomes = 0;     // of attempts, at the last glance
  instant used = instant::min();  // when they last changed
  bool lost = false;
};

probes::probes(env::world& world, upstream::client& by, route::health& known)
    : world_(world), by_(by), known_(known), watching_(world.loop) {}

void probes::watch(const std::vector<route::node>& nodes, std::shared_ptr<const upstream::endpoints> reached,
                   meshai::reach bound, const route::limits& limits) {
  ++round_;
  for (const auto& node : nodes) {
    if (!node.off.empty() || !allows(bound, node.where)) continue;
    const auto* at = reached->find(node.name);
    CHECK(at != nullptr);
    watching_.spawn(look_after({.id = route::make_target_id(node.name),
                                .all = reached,
                                .at = at,
                                .connect_timeout = limits.connect_timeout_of(node.where),
                                .round = round_}));
  }
}

task<void> probes::stop() {
  ++round_;
  co_await watching_.close();
}

task<void> probes::look_after(watched one) {
  for (;;) {
    co_await world_.clock.sleep_until(world_.clock.now() + jittered(glance));
    if (one.round != round_) co_return;
    co_await look_once(one);
    if (one.round != round_) co_return;
  }
}

task<void> probes::look_once(watched& one) {
  const auto now = world_.clock.now();
  const auto seen = known_.look(one.id, now);
  if (const auto outcomes = seen.answers + seen.faults; std::exchange(one.outcomes, outcomes) != outcomes) {
    one.used = now;
    if (!one.lost) one.due = now + jittered(idle_pause);  // whoever asked it has seen more than a probe could
  }
  const bool lost = seen.breaker != route::breaker::closed && route::is_unreachable(seen.last_fault);
  if (lost != std::exchange(one.lost, lost)) {
    one.pause = first_pause;
    one.due = now + (lost ? nanoseconds(0) : jittered(idle_pause));
  }
  if (now < one.due) co_return;
  if (lost) co_return co_await look_for_lost(one);
  // To call on somebody whom nobody needs would only tell that we are here.
  if (one.used != instant::min() && now < one.used + needed_for) co_await look_at_idle(one);
}

task<void> probes::look_for_lost(watched& one) {
  const auto listed = co_await by_.models(*one.at, world_.clock.now() + list_timeout);
  const auto now = world_.clock.now();
  // An answer that refuses the list is one all the same.
  if (listed || listed.error().kind == error_kind::refused) {
    known_.probed(one.id, true, now);
    one.pause = first_pause;
  } else {
    known_.probed(one.id, false, now);
    one.pause = std::min(one.pause * 2, longest_pause);
  }
  one.due = now + jittered(one.pause);
}

task<void> probes::look_at_idle(watched& one) {
  const auto reached = co_await by_.reach(*one.at, one.connect_timeout);
  const auto now = world_.clock.now();
  const bool lost = !reached && reached.error().kind != error_kind::unavailable;  // not: our own link is down
  if (lost) known_.probed(one.id, false, now);
  one.outcomes += lost;  // our own is no use of it
  one.due = now + jittered(reached ? idle_pause : first_pause);
}

// Half to one and a half of it: nodes that fell together are not called on together.
nanoseconds probes::jittered(nanoseconds span) const {
  return nanoseconds(static_cast<std::int64_t>(static_cast<double>(span.count()) * (0.5 + world_.random.unit())));
}

}  // namespace meshai::node
