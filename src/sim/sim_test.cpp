#include "sim/sim.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "env/event.hpp"
#include "env/log.hpp"
#include "env/pool.hpp"
#include "env/process.hpp"
#include "env/random.hpp"
#include "sim/testing.hpp"

namespace meshai::sim {
namespace {
using namespace std::chrono_literals;

struct sim_time : testing::Test, pair_of_hosts {};

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

struct sim_process : testing::Test, pair_of_hosts {};

task<int> answer_then_exit(env::world world, env::command what) {
  world.log.write(env::log_level::info, "program.runs",
                  {{"arguments", static_cast<std::int64_t>(what.arguments.size())}});
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
  // Recorded: a build that differs has found order that is left to chance. Whoever changes the simulator records
  // it anew.
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
