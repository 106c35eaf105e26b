#include "os/os.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <set>
#include <thread>

#include "env/event.hpp"
#include "env/pool.hpp"
#include "env/random.hpp"
#include "env/scope.hpp"
#include "os/log.hpp"
#include "os/testing.hpp"

namespace meshai::os {
namespace {
using namespace std::chrono_literals;

struct basics : testing::Test, fixture {};

task<int> sleep(env::clock& clock, instant when) {
  co_await clock.sleep_until(when);
  co_return 0;
}

TEST_F(basics, the_clock_sleeps_until_its_instant) {
  const auto when = in(20ms);
  finish(sleep(world.clock, when));
  EXPECT_GE(world.clock.now(), when);
  finish(sleep(world.clock, in(-1h)));
  EXPECT_GT(world.clock.wall(), std::chrono::sys_days(std::chrono::year(2024) / 1 / 1));
}

task<void> sleep_for_ever(env::clock& clock, bool& woken) {
  co_await clock.sleep_until(never);
  woken = true;
}

task<int> cancel_sleep(env::world world, bool& woken) {
  env::scope scope(world.loop);
  scope.spawn(sleep_for_ever(world.clock, woken));
  co_await world.clock.sleep_until(in(1ms));
  co_await scope.close();
  co_return 0;
}

TEST_F(basics, a_sleep_is_cancellable) {
  bool woken = false;
  finish(cancel_sleep(world, woken));
  EXPECT_FALSE(woken);
}

TEST_F(basics, dice_and_entropy_do_not_repeat) {
  std::set<std::uint64_t> seen;
  auto other = shared.make_worker();
  for (int i = 0; i < 100; ++i) {
    seen.insert(world.random.next());
    seen.insert(other->world().random.next());
    std::uint64_t secret = 0;
    world.entropy.fill(std::as_writable_bytes(std::span(&secret, 1)));
    seen.insert(secret);
  }
  EXPECT_EQ(seen.size(), 300u);
}

task<std::pair<std::thread::id, std::thread::id>> threads_of(env::pool& pool) {
  std::thread::id elsewhere;
  co_await pool.run([&] { elsewhere = std::this_thread::get_id(); });
  co_return std::pair{elsewhere, std::this_thread::get_id()};
}

TEST_F(basics, the_pool_works_elsewhere_and_returns_home) {
  const auto [elsewhere, home] = finish(threads_of(world.pool));
  EXPECT_NE(elsewhere, home);
  EXPECT_EQ(home, std::this_thread::get_id());
}

task<void> work(env::pool& pool, std::atomic<int>& done) {
  co_await pool.run([&done] { ++done; });
}

task<int> work_much(env::world world, std::atomic<int>& done) {
  env::scope scope(world.loop);
  for (int i = 0; i < 2000; ++i) scope.spawn(work(world.pool, done));
  co_await scope.join();
  co_return 0;
}

TEST_F(basics, the_pool_does_more_than_its_queue_holds) {
  std::atomic<int> done = 0;
  finish(work_much(world, done));
  EXPECT_EQ(done, 2000);
}

task<void> hold(env::pool& pool, std::atomic<bool>& started, std::atomic<bool>& release, bool& returned) {
  co_await pool.run([&] {
    started = true;
    while (!release) std::this_thread::sleep_for(1ms);
  });
  returned = true;
}

task<int> cancel_work(env::world world, std::atomic<bool>& release, bool& returned) {
  std::atomic<bool> started = false;
  env::scope scope(world.loop);
  scope.spawn(hold(world.pool, started, release, returned));
  while (!started) co_await world.clock.sleep_until(in(1ms));
  scope.cancel();
  co_await world.clock.sleep_until(in(10ms));
  EXPECT_EQ(scope.running(), 1u) << "the caller's variables are still in use";
  release = true;
  co_await scope.close();
  co_return 0;
}

TEST_F(basics, a_cancelled_caller_waits_for_its_work) {
  std::atomic<bool> release = false;
  bool returned = false;
  finish(cancel_work(world, release, returned));
}

TEST_F(basics, a_worker_that_goes_waits_for_its_work) {
  std::atomic<bool> started = false, release = false;
  bool returned = false;
  std::optional<env::scope> scope(world.loop);
  scope->spawn(hold(world.pool, started, release, returned));
  finish(sleep(world.clock, in(5ms)));
  while (!started) std::this_thread::sleep_for(1ms);
  std::jthread later([&] {
    std::this_thread::sleep_for(20ms);
    release = true;
  });
  scope.reset();
  one.reset();
  EXPECT_TRUE(release);
  EXPECT_FALSE(returned);
}

TEST(log, writes_lines_for_people) {
  const wall_time when = std::chrono::sys_days(std::chrono::year(2025) / 1 / 31) + 12h + 3ms;
  EXPECT_EQ(render_line(
                when, env::log_level::warning, "node.rest",
                {{"node", env::own_name{"open ai"}}, {"for", 1500ms}, {"tries", std::int64_t{3}}, {"last", true}}),
            "2025-01-31T12:00:00.003Z warning node.rest node=\"open ai\" for=1.5s tries=3 last=true\n");
  EXPECT_EQ(render_line(when, env::log_level::info, "a.b", {{"n", env::own_name{"x\ny\"=\\"}}}),
            "2025-01-31T12:00:00.003Z info a.b n=\"x\\u000ay\\\"=\\\\\"\n");
}

TEST(log, writes_json_for_machines) {
  const wall_time when = std::chrono::sys_days(std::chrono::year(2025) / 1 / 31);
  EXPECT_EQ(render_json(when, env::log_level::error, "node.rest",
                        {{"node", env::own_name{"a\"b"}}, {"for", 2s}, {"x", 0.5}}),
            "{\"time\":\"2025-01-31T00:00:00.000Z\",\"level\":\"error\",\"event\":\"node.rest\",\"node\":"
            "\"a\\\"b\",\"for\":2,"
            "\"x\":0.5}\n");
}

TEST(log, keeps_to_its_level) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK), 0);
  os::log quiet(env::log_level::warning, false, ends[1]);
  quiet.write(env::log_level::info, "a.b", {});
  char buffer[256];
  EXPECT_EQ(::read(ends[0], buffer, sizeof buffer), -1);
  quiet.write(env::log_level::warning, "a.b", {});
  EXPECT_GT(::read(ends[0], buffer, sizeof buffer), 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

task<int> next_signal(signals& from) {
  co_return co_await from.next();
}

TEST_F(basics, signals_are_awaited) {
  signals caught(world.loop, {SIGUSR1, SIGUSR2});
  ::raise(SIGUSR2);
  EXPECT_EQ(finish(next_signal(caught)), SIGUSR2);
}

TEST(harden, keeps_memory_to_itself) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(STDIN_FILENO);
    harden();
    rlimit core{}, files{};
    ::getrlimit(RLIMIT_CORE, &core);
    ::getrlimit(RLIMIT_NOFILE, &files);
    const bool good = ::prctl(PR_GET_DUMPABLE) == 0 && core.rlim_cur == 0 && core.rlim_max == 0 &&
                      files.rlim_cur == files.rlim_max && std::signal(SIGPIPE, SIG_DFL) == SIG_IGN &&
                      ::fcntl(STDIN_FILENO, F_GETFD) >= 0;
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST_F(basics, workers_run_side_by_side) {
  auto two = shared.make_worker();
  std::jthread thread([&] { two->run(); });
  EXPECT_NE(finish(threads_of(world.pool)).first, std::thread::id());
  two->stop();
}

}  // namespace
}  // namespace meshai::os
