// From a name to a connection: which of its addresses may be dialled, and which of them is first to answer.
#include <algorithm>
#include <utility>

#include "env/event.hpp"
#include "http/client_pool.hpp"

namespace meshai::http {
namespace {

using namespace std::chrono_literals;
using opened = result<std::unique_ptr<env::stream>>;

constexpr std::chrono::nanoseconds attempt_delay = 250ms;  // RFC 8305 8

bool is_near_enough(const env::address& to, reach bound) {
  if (bound == reach::device) return to.is_loopback();
  return bound != reach::site || to.is_private();
}

error too_far(const std::string& ip, reach bound) {
  return {error_kind::denied, "its name leads to " + ip + ", which is not " +
                                  (bound == reach::device ? "on this device" : "a private address") +
                                  " and so beyond its tier"};
}

// RFC 8305 4: the families take turns, each in the resolver's order.
std::vector<std::string> take_turns(const std::vector<std::string>& found) {
  const auto is_v6 = [](const std::string& ip) { return ip.contains(':'); };
  std::vector<std::string> first, second, out;
  for (const auto& ip : found) (is_v6(ip) == is_v6(found.front()) ? first : second).push_back(ip);
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) out.push_back(std::move(first[i]));
    if (i < second.size()) out.push_back(std::move(second[i]));
  }
  return out;
}

// Shared by the dials and whoever waits for them: a dial that has lost may end a turn of the loop later.
struct race {
  explicit race(const executor& loop) : moved(loop) {}
  env::event moved;
  opened best = fail(error_kind::timeout, "no time was left to dial");
  std::size_t running = 0;
};

task<void> enter(std::shared_ptr<race> in, env::network& network, env::address to, instant deadline) {
  auto got = co_await network.dial(std::move(to), deadline);
  --in->running;
  if (!in->best) in->best = std::move(got);
  in->moved.set();
}

task<void> call_at(std::shared_ptr<race> in, env::clock& clock, instant when) {
  co_await clock.sleep_until(when);
  in->moved.set();
}

task<opened> run_race(const env::world& world, std::vector<env::address> to, instant deadline) {
  auto& clock = world.clock;
  const auto in = std::make_shared<race>(world.loop);
  // Each gets its share of a time that is too short for the full delay.
  const auto delay =
      deadline == never ? attempt_delay
                        : std::min(attempt_delay, (deadline - clock.now()) / static_cast<std::int64_t>(to.size()));
  env::scope dials(world.loop);  // ends those that lost
  std::size_t next = 0;
  for (instant starts = clock.now();;) {
    const auto now = clock.now();
    if (in->best || (in->running == 0 && (next == to.size() || now >= deadline))) break;
    if (next < to.size() && (in->running == 0 || now >= starts)) {
      ++in->running;
      dials.spawn(enter(in, world.network, std::move(to[next++]), deadline));
      starts = now + delay;
      if (next < to.size()) dials.spawn(call_at(in, clock, starts));
    }
    co_await in->moved.wait();
  }
  co_return std::move(in->best);
}

}  // namespace

task<opened> dial_first(const env::world& world, std::string host, std::uint16_t port, reach bound,
                        instant deadline) {
  auto found = co_await world.network.resolve(host, deadline);
  if (!found) co_return std::unexpected(std::move(found.error()));
  std::vector<env::address> near;
  for (auto& ip : take_turns(*found)) {
    env::address to{.ip = std::move(ip), .port = port, .path = {}};
    if (is_near_enough(to, bound)) near.push_back(std::move(to));
  }
  if (found->empty()) co_return fail(error_kind::unreachable, "the name has no address");
  if (near.empty()) co_return std::unexpected(too_far(found->front(), bound));
  if (near.size() == 1) co_return co_await world.network.dial(std::move(near.front()), deadline);
  co_return co_await run_race(world, std::move(near), deadline);
}

}  // namespace meshai::http
