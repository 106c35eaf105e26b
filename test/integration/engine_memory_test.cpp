// The engine's memory: bounded over many different prompts, and begun anew where it is not.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "engine_fixture.hpp"

namespace meshai::integration {
namespace {

using engine::supervisor;
using EngineMemory = engine_fixture;

std::uint64_t anonymous(int pid) {
  const auto status = slurp(fmt::format("/proc/{}/status", pid));
  const auto at = status.find("RssAnon:");
  return at == status.npos ? 0 : std::strtoull(status.c_str() + at + 8, nullptr, 10) * 1024;
}

// Words without a meaning, in another order for every number: mostly a line or two, sometimes a page.
std::string prompt(unsigned number) {
  constexpr std::string_view words[] = {"river", "the",  "of",   "green", "and",   "house", "under", "seven",
                                        "a",     "walk", "cold", "bread", "night", "music", "over",  "paper"};
  const unsigned count = number % 10 == 9 ? 300 : 5 + number * 37 % 50;
  std::string out = fmt::format("Note {}:", number);
  for (unsigned i = 0, dice = number * 2654435761U; i < count; ++i, dice = dice * 1664525 + 1013904223)
    out.append(" ").append(words[dice >> 28]);
  return out;
}

task<int> asks_often(supervisor& it, env::world world, unsigned times) {
  it.start();
  const auto ok = co_await it.wait_ready(world, world.clock.now() + 60s);
  EXPECT_TRUE(ok) << ok.error().detail;
  const auto facts = it.facts();
  const auto at_first = anonymous(facts.pid);
  std::uint64_t most = at_first;
  http::client client(world);
  for (unsigned i = 0; ok && i < times; ++i) {
    const auto answer = co_await ask(client, it, prompt(i), 4, world.clock.now() + 300s);
    EXPECT_EQ(answer.status, 200) << answer.text;
    most = std::max(most, anonymous(facts.pid));
  }
  fmt::print("{} prompts: {} MB of its own memory when ready, {} MB at most, bound {} MB\n", times, at_first >> 20,
             most >> 20, facts.memory_bound >> 20);
  EXPECT_LT(most, at_first + (64 << 20));  // a quarter of what it may grow before it is begun anew
  EXPECT_EQ(it.facts().pid, facts.pid);
  EXPECT_EQ(it.facts().restarts, 0);
  co_await it.stop();
  co_return 0;
}

TEST_F(EngineMemory, StaysBoundedOverManyPrompts) {
  auto how = options();
  how.context = 8192;
  how.health_every = 1s;
  supervisor it(world, how);
  finish(asks_often(it, world, std::getenv("MESHAI_TEST_LONG") ? 1000 : 30));
}

task<int> is_begun_anew(supervisor& it, env::world world) {
  it.start();
  const auto ok = co_await it.wait_ready(world, world.clock.now() + 60s);
  EXPECT_TRUE(ok) << ok.error().detail;
  const auto before = it.facts();
  http::client client(world);
  int answered = 0;
  // Nothing of it is cut: it is begun anew between two of them.
  while (it.facts().restarts == 0 && answered < 50) {
    if (!co_await it.wait_ready(world, world.clock.now() + 60s)) break;
    const auto answer =
        co_await ask(client, it, prompt(static_cast<unsigned>(answered)), 4, world.clock.now() + 300s);
    EXPECT_EQ(answer.status, 200) << answer.text;
    ++answered;
    co_await world.clock.sleep_until(world.clock.now() + 300ms);
  }
  EXPECT_TRUE(co_await it.wait_ready(world, world.clock.now() + 60s));
  EXPECT_EQ(it.facts().restarts, 1);
  EXPECT_NE(it.facts().pid, before.pid);
  co_await it.stop();
  co_return 0;
}

TEST_F(EngineMemory, IsBegunAnewBetweenRequestsWhenItGrows) {
  auto how = options();
  how.growth = 1;  // any growth at all is too much
  supervisor it(world, how);
  finish(is_begun_anew(it, world));
}

}  // namespace
}  // namespace meshai::integration
