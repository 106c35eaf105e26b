#include "sim/sim.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "env/event.hpp"
#include "env/log.hpp"
#include "env/network.hpp"
#include "env/pool.hpp"
#include "env/random.hpp"
#include "env/scope.hpp"

namespace meshai::sim {
namespace {
using namespace std::chrono_literals;

task<result<void>> write(env::stream& to, std::string_view text) {
  const std::string_view pieces[] = {text};
  co_return co_await to.write_all(pieces);
}

// Up to `size` bytes, fewer where the stream ends.
task<result<std::string>> read(env::stream& from, std::size_t size) {
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

constexpr link perfect{};
constexpr link ten_ms{.latency_min = 10ms, .latency_max = 10ms};

// What a test saw; an error stands as its kind.
using notes = std::vector<std::string>;

template <class T>
std::string name_of(const result<T>& got) {
  return got ? "ok" : std::string(to_string(got.error().kind));
}

// Answers every eight bytes with the same eight bytes.
task<void> echo_one(std::unique_ptr<env::stream> with) {
  for (;;) {
    const auto got = co_await read(*with, 8);
    if (!got || got->size() < 8) co_return;
    if (!co_await write(*with, *got)) co_return;
  }
}

task<void> echo(env::world world, std::uint16_t port) {
  env::scope sessions(world.loop);
  auto door = world.network.listen({.ip = "0.0.0.0", .port = port}, false);
  while (auto next = co_await (*door)->accept()) sessions.spawn(echo_one(std::move(*next)));
}

task<void> ask(env::world world, std::string ip, int times, std::chrono::nanoseconds patience, notes& out) {
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

struct pair_of_hosts : testing::Test {
  explicit pair_of_hosts(options how = {.between = ten_ms, .keep_log = true}) : world(std::move(how)) {}
  simulation world;
  host& a = world.add_host("a", "10.0.0.1");
  host& b = world.add_host("b", "10.0.0.2");
};

using sim_network = pair_of_hosts;
using sim_time = pair_of_hosts;
using sim_process = pair_of_hosts;

// --- time ---

task<void> tick(env::world world, std::chrono::nanoseconds step, int times, std::string name, notes& out) {
  for (int i = 0; i < times; ++i) {
    co_await world.clock.sleep_until(world.clock.now() + step);
    out.push_back(name);
  }
}

TEST_F(sim_time, advances_to_the_next_timer) {
  notes out;
  const auto start = world.now();
  world.spawn(tick(a.world(), 20min, 2, "slow", out));
  world.spawn(tick(b.world(), 15min, 2, "fast", out));
  EXPECT_EQ(world.run(), outcome::dry);
  EXPECT_EQ(out, (notes{"fast", "slow", "fast", "slow"}));
  EXPECT_EQ(world.now() - start, 40min);
  EXPECT_EQ(a.world().clock.wall(), std::chrono::sys_days(std::chrono::year(2025) / 1 / 1) + 40min);
}

TEST_F(sim_time, ends_at_its_condition_and_goes_on) {
  notes out;
  world.spawn(tick(a.world(), 1s, 10, "x", out));
  EXPECT_EQ(world.run([&] { return out.size() == 3; }), outcome::done);
  EXPECT_EQ(out.size(), 3u);
  EXPECT_EQ(world.run(), outcome::dry);
  EXPECT_EQ(out.size(), 10u);
}

TEST_F(sim_time, is_bounded) {
  notes out;
  world.spawn(tick(a.world(), 1min, 1'000'000, "x", out));
  EXPECT_EQ(world.run(), outcome::out_of_time);
  EXPECT_EQ(out.size(), 60u);
}

task<void> pass_on(env::event& mine, env::event& other) {
  for (;;) {
    other.set();
    co_await mine.wait();
  }
}

TEST(simulation, notices_that_time_stands_still) {
  simulation world({.most_steps = 10'000});
  const auto loop = world.add_host("a", "10.0.0.1").world().loop;
  env::event one(loop), other(loop);
  world.spawn(pass_on(one, other));
  world.spawn(pass_on(other, one));
  EXPECT_EQ(world.run(), outcome::out_of_steps);
}

task<void> never_ends(env::world world, bool& ended) {
  co_await world.clock.sleep_until(never);
  ended = true;
}

TEST_F(sim_time, forgets_what_sleeps_for_ever) {
  bool ended = false;
  {
    env::scope scope(a.world().loop);
    scope.spawn(never_ends(a.world(), ended));
    EXPECT_EQ(world.run(), outcome::dry);
  }
  EXPECT_EQ(world.run(), outcome::dry);
  EXPECT_FALSE(ended);
}

task<void> work_inline(env::world world, int& done) {
  co_await world.pool.run([&done] { ++done; });
}

TEST_F(sim_time, does_not_pass_in_the_pool) {
  int done = 0;
  const auto start = world.now();
  world.spawn(work_inline(a.world(), done));
  world.run();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(world.now(), start);
}

// --- network ---

TEST_F(sim_network, carries_bytes_and_takes_time_for_it) {
  notes out;
  const auto start = world.now();
  world.spawn(echo(b.world(), 7));
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run([&] { return !out.empty(); });
  EXPECT_EQ(out, notes{"read 12345678"});
  EXPECT_EQ(world.now() - start, 40ms) << "there and back twice";
}

TEST_F(sim_network, refuses_where_nobody_listens) {
  notes out;
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.spawn(ask(a.world(), "10.9.9.9", 1, 1s, out));
  world.run();
  EXPECT_EQ(out, (notes{"dial unreachable", "dial unreachable"}));
}

TEST_F(sim_network, ends_at_deadlines) {
  notes out;
  world.spawn(echo(b.world(), 7));
  world.spawn(ask(a.world(), b.ip(), 1, 15ms, out));  // too short for the dial
  world.spawn(ask(a.world(), b.ip(), 1, 35ms, out));  // and for the answer
  const auto start = world.now();
  world.run([&] { return out.size() == 2; });
  EXPECT_EQ(out, (notes{"dial timeout", "read timeout"}));
  EXPECT_EQ(world.now() - start, 35ms);
}

TEST_F(sim_network, ignores_resets_and_mutes_as_told) {
  notes out;
  world.spawn(echo(b.world(), 7));
  auto way = ten_ms;
  way.ignore = 1;
  world.set_link(a, b, way);
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run();
  way.ignore = 0;
  way.refuse = 1;
  world.set_link(a, b, way);
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run();
  way.refuse = 0;
  way.mute = 1;
  world.set_link(a, b, way);
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run();
  way.mute = 0;
  world.set_link(a, b, way);
  way.reset = 1;
  world.set_link(b, a, way);
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run();
  way.reset = 0;
  way.stall = 1;
  world.set_link(b, a, way);
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.spawn(ask(a.world(), b.ip(), 1, 4s, out));
  world.run();
  EXPECT_EQ(out, (notes{"dial timeout", "dial unreachable", "read timeout", "read unreachable", "read timeout",
                        "read 12345678"}));
}

task<void> cut_for(env::world world, simulation& sim, host& one, host& other, std::chrono::nanoseconds from,
                   std::chrono::nanoseconds span) {
  co_await world.clock.sleep_until(world.clock.now() + from);
  sim.cut(one, other);
  co_await world.clock.sleep_until(world.clock.now() + span);
  sim.heal(one, other);
}

TEST_F(sim_network, holds_bytes_up_in_a_partition_and_delivers_them_after) {
  notes out;
  world.spawn(echo(b.world(), 7));
  world.spawn(cut_for(a.world(), world, a, b, 25ms, 5s));  // after the dial
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.spawn(ask(a.world(), b.ip(), 1, 30s, out));
  const auto start = world.now();
  world.run([&] { return out.size() == 2; });
  EXPECT_EQ(out, (notes{"read timeout", "read 12345678"}));
  EXPECT_GT(world.now() - start, 5s);
  world.cut(a, b);
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run([&] { return out.size() == 3; });
  EXPECT_EQ(out.back(), "dial timeout");
}

struct both {
  std::unique_ptr<env::stream> dialler, listener;
};

task<void> meet(env::world from, env::world to, env::address at, both& out) {
  auto door = to.network.listen(at, false);
  EXPECT_TRUE(door);
  auto dialler = co_await from.network.dial((*door)->local(), never);
  auto listener = co_await (*door)->accept();
  EXPECT_TRUE(dialler && listener);
  out = {std::move(*dialler), std::move(*listener)};
}

task<void> note_read(env::stream& from, std::size_t size, notes& out) {
  const auto got = co_await read(from, size);
  out.push_back(got ? *got : name_of(got));
}

task<void> note_write(env::stream& to, std::string text, notes& out) { out.push_back(name_of(co_await write(to, text))); }

TEST_F(sim_network, ends_orderly_after_the_last_byte) {
  both ends;
  notes out;
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  EXPECT_EQ(ends.dialler->peer().ip, b.ip());
  EXPECT_EQ(ends.listener->peer().ip, a.ip());
  world.spawn(note_write(*ends.dialler, "all of it", out));
  world.run([&] { return !out.empty(); });
  ends.dialler->close();
  world.spawn(note_read(*ends.listener, 100, out));
  world.run();
  world.spawn(note_write(*ends.listener, "too late", out));
  world.run();
  world.spawn(note_write(*ends.listener, "and now it knows", out));
  world.spawn(note_write(*ends.dialler, "x", out));
  world.run();
  EXPECT_EQ(out, (notes{"ok", "all of it", "ok", "unreachable", "unavailable"}));
}

TEST_F(sim_network, resets_where_bytes_stay_unread) {
  both ends;
  notes out;
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  world.spawn(note_write(*ends.dialler, "unread", out));
  world.run();
  ends.listener->close();
  world.spawn(note_read(*ends.dialler, 1, out));
  world.run();
  EXPECT_EQ(out, (notes{"ok", "unreachable"}));
}

TEST_F(sim_network, wakes_a_pending_read_when_it_is_closed_or_its_deadline_moves) {
  both ends;
  notes out;
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  ends.dialler->read_by(world.now() + 1h);
  world.spawn(note_read(*ends.dialler, 1, out));
  world.spawn(note_read(*ends.listener, 1, out));
  world.run([] { return true; });
  const auto start = world.now();
  ends.dialler->read_by(start + 5s);
  world.run([&] { return !out.empty(); });
  EXPECT_EQ(world.now() - start, 5s);
  ends.listener->close();
  world.run();
  EXPECT_EQ(out, (notes{"timeout", "unavailable"}));
}

TEST_F(sim_network, makes_a_writer_wait_for_its_reader) {
  both ends;
  notes out;
  const std::string much(1 << 20, 'm');
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  world.spawn(note_write(*ends.dialler, much, out));
  world.run();
  EXPECT_EQ(out, notes{}) << "nobody reads";
  world.spawn(note_read(*ends.listener, much.size(), out));
  world.run();
  EXPECT_EQ(out.size(), 2u);
  EXPECT_TRUE(out.back() == much || out.front() == much);
}

TEST_F(sim_network, cuts_writes_and_reads_into_pieces) {
  auto way = ten_ms;
  way.segment_max = 3;
  way.fragment_reads = true;
  way.bytes_per_second = 1000;
  world.set_links(a, b, way);
  both ends;
  notes out;
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  const auto start = world.now();
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>('a' + i % 26);
  world.spawn(note_write(*ends.dialler, text, out));
  world.spawn(note_read(*ends.listener, text.size(), out));
  world.run();
  EXPECT_EQ(out, (notes{"ok", text}));
  EXPECT_GE(world.now() - start, 1s);
}

TEST_F(sim_network, knows_loopback_and_unix_sockets_of_each_host) {
  both tcp, local;
  notes out;
  world.spawn(meet(a.world(), a.world(), {.ip = "127.0.0.1", .port = 80}, tcp));
  world.spawn(meet(b.world(), b.world(), {.path = "/run/x.sock"}, local));
  world.run();
  EXPECT_TRUE(tcp.listener->peer().is_loopback());
  EXPECT_TRUE(local.listener->peer().is_unix());
  world.spawn(note_write(*local.dialler, "hi", out));
  world.spawn(note_read(*local.listener, 2, out));
  world.run();
  EXPECT_EQ(out.back(), "hi");
}

TEST_F(sim_network, shares_a_port_only_where_both_ask_for_it) {
  auto& network = a.world().network;
  const env::address at{.ip = "127.0.0.1", .port = 80};
  auto first = network.listen(at, true);
  EXPECT_TRUE(network.listen(at, true));
  EXPECT_EQ(network.listen(at, false).error().kind, error_kind::unavailable);
  EXPECT_EQ(network.listen({.ip = "0.0.0.0", .port = 80}, false).error().kind, error_kind::unavailable);
  EXPECT_TRUE(network.listen({.ip = "::1", .port = 80}, false));
  (*first)->close();
}

task<void> look_up(env::world world, std::string name, instant deadline, notes& out) {
  const auto got = co_await world.network.resolve(name, deadline);
  out.push_back(got ? got->front() : name_of(got));
}

TEST_F(sim_network, resolves_names_from_its_table) {
  world.set_name("api.example", {"192.0.2.1", "192.0.2.2"});
  notes out;
  for (const auto* const name : {"api.example", "b", "localhost", "::1", "no.example"}) {
    world.spawn(look_up(a.world(), name, never, out));
    world.run();
  }
  world.spawn(look_up(a.world(), "api.example", world.now() + 10us, out));
  world.run();
  EXPECT_EQ(out, (notes{"192.0.2.1", "10.0.0.2", "127.0.0.1", "::1", "unreachable", "timeout"}));
}

task<void> serve_tls(env::world world, std::unique_ptr<env::stream> plain, notes& out) {
  const auto who = world.network.load_identity("cert", "key");
  auto secured = co_await world.network.secure_server(std::move(plain), *who, never);
  out.push_back("server " + name_of(secured));
  if (secured) (void)co_await write(**secured, "secret");
}

task<void> ask_tls(env::world world, std::unique_ptr<env::stream> plain, std::string name, instant deadline, notes& out) {
  auto secured = co_await world.network.secure_client(std::move(plain), name, {}, deadline);
  out.push_back("client " + name_of(secured));
  if (secured) out.push_back(*co_await read(**secured, 6));
}

TEST_F(sim_network, pretends_tls_and_fails_it_on_demand) {
  notes out;
  both ends;
  world.distrust("evil.example");
  for (const auto* const name : {"api.example", "evil.example"}) {
    world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
    world.run();
    world.spawn(ask_tls(a.world(), std::move(ends.dialler), name, never, out));
    world.spawn(serve_tls(b.world(), std::move(ends.listener), out));
    world.run();
  }
  EXPECT_EQ(out, (notes{"server ok", "client ok", "secret", "server ok", "client denied"}));
  EXPECT_EQ(world.secured(), (std::vector<std::string>{"api.example", "evil.example"}));
  out.clear();
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  world.spawn(ask_tls(a.world(), std::move(ends.dialler), "mute.example", world.now() + 1s, out));
  world.run();
  EXPECT_EQ(out, notes{"client timeout"});
}

TEST_F(sim_network, resets_everything_of_a_host_that_crashes) {
  notes out;
  env::scope server(b.world().loop);
  server.spawn(echo(b.world(), 7));
  both ends;
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  world.spawn(note_read(*ends.dialler, 1, out));
  b.crash();
  world.run();
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run();
  world.spawn(echo(b.world(), 7));
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run();
  EXPECT_EQ(out, (notes{"unreachable", "dial unreachable", "read 12345678"}));
}

// --- processes ---

task<int> answer_then_exit(env::world world, env::command what) {
  world.log.write(env::log_level::info, "program.runs", {{"arguments", static_cast<std::int64_t>(what.arguments.size())}});
  co_await world.clock.sleep_until(world.clock.now() + 1s);
  co_return 3;
}

task<int> serve_for_ever(env::world world, env::command what) {
  auto door = world.network.listen({.path = what.arguments.at(0)}, false);
  while (auto next = co_await (*door)->accept()) co_await echo_one(std::move(*next));
  co_return 0;
}

task<void> note_end(env::child& child, notes& out) {
  const auto end = co_await child.wait();
  out.push_back(std::to_string(end.code) + "/" + std::to_string(end.signal));
}

TEST_F(sim_process, runs_what_is_installed) {
  a.install("/bin/answer", answer_then_exit);
  notes out;
  auto child = a.world().process.start({.program = "/bin/answer", .arguments = {"x", "y"}});
  ASSERT_TRUE(child);
  world.spawn(note_end(**child, out));
  const auto start = world.now();
  world.run();
  EXPECT_EQ(out, notes{"3/0"});
  EXPECT_EQ(world.now() - start, 1s);
  ASSERT_EQ(world.log().size(), 1u);
  EXPECT_EQ(world.log().front(), "0.000000 a program.runs arguments=2");
  EXPECT_EQ(b.world().process.start({.program = "/bin/answer"}).error().kind, error_kind::unavailable);
}

TEST_F(sim_process, kills_what_it_started_and_frees_its_sockets) {
  a.install("/bin/serve", serve_for_ever);
  notes out;
  const env::command what{.program = "/bin/serve", .arguments = {"/run/s.sock"}};
  auto child = a.world().process.start(what);
  world.spawn(note_end(**child, out));
  world.run();
  EXPECT_FALSE(a.world().network.listen({.path = "/run/s.sock"}, false));
  (*child)->signal(SIGTERM);
  world.run();
  EXPECT_EQ(out, notes{"0/15"});
  child = a.world().process.start(what);
  world.run();
  EXPECT_FALSE(a.world().network.listen({.path = "/run/s.sock"}, false));
  child->reset();
  world.run();
  EXPECT_TRUE(a.world().network.listen({.path = "/run/s.sock"}, false));
}

TEST_F(sim_process, ends_with_a_crash_of_its_host) {
  a.install("/bin/serve", serve_for_ever);
  notes out;
  auto child = a.world().process.start({.program = "/bin/serve", .arguments = {"/run/s.sock"}});
  world.spawn(note_end(**child, out));
  world.run();
  a.crash();
  world.run();
  EXPECT_EQ(out, notes{"0/9"});
}

// --- determinism ---

struct run_result {
  notes seen;
  std::uint64_t trace;
};

run_result rough_weather(std::uint64_t seed) {
  simulation world({.seed = seed,
                    .between = {.latency_min = 1ms,
                                .latency_max = 80ms,
                                .bytes_per_second = 20'000,
                                .segment_max = 5,
                                .fragment_reads = true,
                                .stall = 0.05,
                                .reset = 0.02,
                                .refuse = 0.05,
                                .ignore = 0.05,
                                .mute = 0.05}});
  auto& server = world.add_host("server", "10.0.0.1");
  world.spawn(echo(server.world(), 7));
  run_result out;
  for (int i = 2; i < 6; ++i) {
    auto& client = world.add_host("c" + std::to_string(i), "10.0.0." + std::to_string(i));
    world.spawn(ask(client.world(), server.ip(), 20, 2s, out.seen));
    if (i == 3) world.spawn(cut_for(client.world(), world, client, server, 500ms, 1s));
  }
  EXPECT_EQ(world.run([&] { return out.seen.size() == 80; }), outcome::done) << "seed " << seed;
  out.trace = world.trace();
  return out;
}

TEST(determinism, the_same_seed_is_the_same_run_and_another_is_another) {
  std::set<std::uint64_t> traces;
  std::set<std::string> kinds;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto first = rough_weather(seed);
    const auto second = rough_weather(seed);
    EXPECT_EQ(first.trace, second.trace) << "seed " << seed;
    EXPECT_EQ(first.seen, second.seen) << "seed " << seed;
    traces.insert(first.trace);
    kinds.insert(first.seen.begin(), first.seen.end());
  }
  EXPECT_EQ(traces.size(), 20u);
  EXPECT_TRUE(kinds.contains("read 12345678"));
  EXPECT_TRUE(kinds.contains("read timeout"));
  EXPECT_TRUE(kinds.contains("read unreachable"));
  EXPECT_TRUE(kinds.contains("dial timeout"));
  EXPECT_TRUE(kinds.contains("dial unreachable"));
}

TEST(determinism, holds_across_builds) {
  // Recorded: a build that differs has found order that is left to chance. Whoever changes the simulator records it anew.
  EXPECT_EQ(rough_weather(42).trace, 17567431558437759251u);
}

TEST(determinism, gives_each_host_dice_of_its_own) {
  simulation one({.seed = 7}), same({.seed = 7}), other({.seed = 8});
  const auto draw = [](simulation& from) {
    std::vector<std::uint64_t> out;
    for (const auto* const name : {"a", "b"}) {
      const auto world = from.add_host(name, name[0] == 'a' ? "10.0.0.1" : "10.0.0.2").world();
      std::uint64_t secret = 0;
      world.entropy.fill(std::as_writable_bytes(std::span(&secret, 1)));
      out.insert(out.end(), {world.random.next(), secret});
    }
    return out;
  };
  const auto first = draw(one);
  EXPECT_EQ(first, draw(same));
  EXPECT_NE(first, draw(other));
  EXPECT_EQ(std::set(first.begin(), first.end()).size(), first.size());
}

}  // namespace
}  // namespace meshai::sim
