#include "env/process.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "env/event.hpp"
#include "env/scope.hpp"
#include "os/testing.hpp"

namespace meshai::os {
namespace {
using namespace std::chrono_literals;

env::command shell(const std::string& script) {
  return {.program = "/bin/sh", .arguments = {"-c", script}};
}

task<env::exit_status> end_of(env::child& child) {
  co_return co_await child.wait();
}

std::string content(const std::string& file) {
  std::ifstream in(file);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

struct processes : testing::Test, fixture {
  // What the script printed.
  std::string run(env::command what) {
    what.output = folder.file("out");
    std::filesystem::remove(what.output);
    auto child = world.process.start(what);
    EXPECT_TRUE(child) << child.error().detail;
    const auto end = finish(end_of(**child));
    EXPECT_EQ(end.signal, 0);
    EXPECT_EQ(end.code, 0);
    return content(what.output);
  }
  temp_folder folder;
};

TEST_F(processes, tell_how_they_ended) {
  auto child = world.process.start(shell("exit 7"));
  ASSERT_TRUE(child);
  EXPECT_EQ(finish(end_of(**child)).code, 7);
  EXPECT_EQ(finish(end_of(**child)).code, 7) << "may be asked again";
  (*child)->signal(SIGTERM);  // reaches nobody

  auto sleeper = world.process.start(shell("exec sleep 1000"));
  ASSERT_TRUE(sleeper);
  EXPECT_GT((*sleeper)->pid(), 1);
  (*sleeper)->signal(SIGTERM);
  EXPECT_EQ(finish(end_of(**sleeper)).signal, SIGTERM);
}

TEST_F(processes, write_both_outputs_to_the_end_of_the_file) {
  EXPECT_EQ(run(shell("echo one; echo two >&2")), "one\ntwo\n");
  auto again = shell("echo three");
  again.output = folder.file("out");
  auto child = world.process.start(again);
  finish(end_of(**child));
  EXPECT_EQ(content(folder.file("out")), "one\ntwo\nthree\n");
}

TEST_F(processes, see_only_what_they_are_given) {
  ::setenv("MESHAI_TEST_SECRET", "x", 1);
  EXPECT_EQ(run({.program = "/usr/bin/env", .environment = {"A=1", "B=two words"}}), "A=1\nB=two words\n");
  ::unsetenv("MESHAI_TEST_SECRET");
  auto there = shell("pwd");
  there.directory = "/usr";
  EXPECT_EQ(run(there), "/usr\n");
}

TEST_F(processes, inherit_no_descriptors) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);  // not close-on-exec
  EXPECT_EQ(run({.program = "/bin/ls", .arguments = {"/proc/self/fd"}}), "0\n1\n2\n3\n") << "3 is ls's own";
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_EQ(run(shell("cat")), "") << "and an empty input";
}

TEST_F(processes, inherit_no_ignored_or_blocked_signals) {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto status = run({.program = "/bin/grep", .arguments = {"-E", "^Sig(Blk|Ign)", "/proc/self/status"}});
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(status, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(processes, leave_nothing_behind_and_gain_nothing) {
  EXPECT_EQ(run({.program = "/bin/cat", .arguments = {"/proc/self/coredump_filter"}}), "00000000\n");
  EXPECT_EQ(run(shell("ulimit -c; ulimit -Hc")), "0\n0\n");
  EXPECT_EQ(run({.program = "/bin/grep", .arguments = {"NoNewPrivs", "/proc/self/status"}}), "NoNewPrivs:\t1\n");
}

TEST_F(processes, are_bound_in_memory) {
  auto bounded = shell("ulimit -v");
  bounded.address_space = 512 << 20;
  EXPECT_EQ(run(bounded), "524288\n");
}

bool may_unshare_network() {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0;
}

TEST_F(processes, have_a_network_of_their_own_where_allowed) {
  if (!may_unshare_network()) GTEST_SKIP() << "no network namespaces here";
  auto alone = shell("readlink /proc/self/ns/net");
  const auto ours = run(alone);
  alone.own_network = true;
  EXPECT_NE(run(alone), ours);
}

TEST_F(processes, say_why_they_do_not_start) {
  const auto none = world.process.start({.program = "/no/such/program"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, error_kind::unavailable);
  EXPECT_NE(none.error().detail.find("/no/such/program"), std::string::npos);
  auto lost = shell("true");
  lost.directory = "/no/such/folder";
  EXPECT_NE(world.process.start(lost).error().detail.find("/no/such/folder"), std::string::npos);
  auto mute = shell("true");
  mute.output = "/no/such/folder/out";
  EXPECT_NE(world.process.start(mute).error().detail.find("/no/such/folder/out"), std::string::npos);
  EXPECT_EQ(world.process.start({.program = "sh"}).error().kind, error_kind::malformed);
}

bool is_gone(pid_t pid) {
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

TEST_F(processes, go_with_their_owner_and_take_their_own_children) {
  auto child = world.process.start([&] {
    auto what = shell("sleep 1000 & echo $! > " + folder.file("grandchild") + "; echo > " + folder.file("ready") +
                      "; wait");
    return what;
  }());
  ASSERT_TRUE(child);
  while (!std::filesystem::exists(folder.file("ready"))) ::usleep(1000);
  const auto pid = (*child)->pid();
  const auto grandchild = std::stoi(content(folder.file("grandchild")));
  child->reset();
  EXPECT_TRUE(is_gone(pid)) << "killed and reaped";
  // The grandchild is reaped by whoever adopted it, in its own time: it is enough that it does not run.
  for (int i = 0; i < 1000 && !is_gone(grandchild) &&
                  content("/proc/" + std::to_string(grandchild) + "/stat").find(") Z") == std::string::npos;
       ++i) {
    ::usleep(10'000);
  }
  const auto state = content("/proc/" + std::to_string(grandchild) + "/stat");
  EXPECT_TRUE(state.empty() || state.find(") Z") != std::string::npos) << state;
}

task<void> wait_into(env::child& child, bool& ended) {
  co_await child.wait();
  ended = true;
}

task<int> cancel_wait(env::world world, env::child& child, bool& ended) {
  env::scope scope(world.loop);
  scope.spawn(wait_into(child, ended));
  co_await world.clock.sleep_until(in(5ms));
  co_await scope.close();
  co_return 0;
}

TEST_F(processes, a_wait_is_cancellable_and_may_be_repeated) {
  auto child = world.process.start(shell("exec sleep 1000"));
  bool ended = false;
  finish(cancel_wait(world, **child, ended));
  EXPECT_FALSE(ended);
  (*child)->signal(SIGKILL);
  EXPECT_EQ(finish(end_of(**child)).signal, SIGKILL);
}

// A program that starts a child from one of its threads, tells the child's number and stays.
[[noreturn]] void helper(int news, bool own_network) {
  runtime shared({.log_level = env::log_level::error});
  auto loop = shared.make_worker();
  auto what = shell("exec sleep 1000");
  what.own_network = own_network;
  result<std::unique_ptr<env::child>> child = fail(error_kind::unavailable, "");
  // The thread that asks for the child ends; the child must not.
  std::jthread([&] { child = loop->world().process.start(what); }).join();
  ::usleep(50'000);
  const int pid = child ? (*child)->pid() : -1;
  [[maybe_unused]] const auto told = ::write(news, &pid, sizeof pid);
  for (;;) ::pause();
}

void expect_child_dies_with_killed_parent(bool own_network) {
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);  // orphans come to us, so their end can be seen
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t parent = ::fork();
  if (parent == 0) helper(ends[1], own_network);
  int pid = -1;
  ASSERT_EQ(::read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ASSERT_GT(pid, 0);
  EXPECT_EQ(::kill(pid, 0), 0) << "it lives, though the thread that asked for it has ended";
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  ::close(ends[0]);
  ::close(ends[1]);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST(orphans, die_with_a_killed_parent) {
  expect_child_dies_with_killed_parent(false);
}
TEST(orphans, die_with_a_killed_parent_from_a_namespace_too) {
  expect_child_dies_with_killed_parent(true);
}

}  // namespace
}  // namespace meshai::os
