// sim: what its tests share: a service that echoes, those who ask it, and two hosts.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "env/network.hpp"
#include "env/scope.hpp"
#include "sim/sim.hpp"

namespace meshai::sim {

inline task<result<void>> write(env::stream& to, std::string_view text) {
  const std::string_view pieces[] = {text};
  co_return co_await to.write_all(pieces);
}

// Up to `size` bytes, fewer where the stream ends.
inline task<result<std::string>> read(env::stream& from, std::size_t size) {
  std::string out;
  while (out.size() < size) {
    char buffer[256];
    const auto n = co_await from.read_some(std::span(buffer).first(std::min(sizeof buffer, size - out.size())));
    if (!n) co_return std::unexpected(n.error());
    if (*n == 0) break;
    out.append(buffer, *n);
  }
  co_return out;
}

inline constexpr link ten_ms{.latency_min = std::chrono::milliseconds(10),
                             .latency_max = std::chrono::milliseconds(10)};

// What a test saw; an error stands as its kind.
using notes = std::vector<std::string>;

template <class T>
std::string name_of(const result<T>& got) {
  return got ? "ok" : std::string(to_string(got.error().kind));
}

// Answers every eight bytes with the same eight bytes.
inline task<void> echo_one(std::unique_ptr<env::stream> with) {
  for (;;) {
    const auto got = co_await read(*with, 8);
    if (!got || got->size() < 8) co_return;
    if (!co_await write(*with, *got)) co_return;
  }
}

inline task<void> echo(env::world world, std::uint16_t port) {
  env::scope sessions(world.loop);
  auto door = world.network.listen({.ip = "0.0.0.0", .port = port}, false);
  while (auto next = co_await (*door)->accept()) sessions.spawn(echo_one(std::move(*next)));
}

inline task<void> ask(env::world world, std::string ip, int times, std::chrono::nanoseconds patience, notes& out) {
  for (int i = 0; i < times; ++i) {
    const auto deadline = world.clock.now() + patience;
    auto to = co_await world.network.dial({.ip = ip, .port = 7}, deadline);
    if (!to) {
      out.push_back("dial " + name_of(to));
      continue;
    }
    (*to)->read_by(deadline);
    (*to)->write_by(deadline);
    if (const auto sent = co_await write(**to, "12345678"); !sent) {
      out.push_back("write " + name_of(sent));
      continue;
    }
    const auto got = co_await read(**to, 8);
    out.push_back("read " + (got ? *got : name_of(got)));
  }
}

inline task<void> cut_for(env::world world, simulation& sim, host& one, host& other, std::chrono::nanoseconds from,
                          std::chrono::nanoseconds span) {
  co_await world.clock.sleep_until(world.clock.now() + from);
  sim.cut(one, other);
  co_await world.clock.sleep_until(world.clock.now() + span);
  sim.heal(one, other);
}

struct pair_of_hosts {
  explicit pair_of_hosts(options how = {.between = ten_ms, .keep_log = true}) : world(how) {}
  simulation world;
  host& a = world.add_host("a", "10.0.0.1");
  host& b = world.add_host("b", "10.0.0.2");
};

}  // namespace meshai::sim
