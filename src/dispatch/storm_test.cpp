// Random faults on random networks: whatever happens, a request ends with a whole answer or a typed error, in
// time.
#include <gtest/gtest.h>

#include "dispatch/testing.hpp"
#include "env/scope.hpp"

namespace meshai::dispatch {
namespace {

using namespace std::chrono_literals;
using testing::mesh;
using testing::outcome;

constexpr int seeds = 300;
constexpr int requests_per_seed = 4;

struct storm {
  explicit storm(std::uint64_t seed) : state(seed * 2654435761u + 1) {}
  std::uint64_t state;

  int pick(int n) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<int>((state >> 33) % static_cast<std::uint64_t>(n));
  }

  fake::script script(const std::string& text) {
    fake::script made{.text = text};
    made.first_token = std::chrono::milliseconds(pick(3) == 0 ? pick(12'000) : pick(50));
    made.gap = std::chrono::milliseconds(pick(4) == 0 ? pick(3'000) : 0);
    made.at = pick(6) - 1;
    made.times = pick(3) + 1;
    if (pick(3) == 0) return made;  // healthy
    if (pick(3) == 0) {
      constexpr int statuses[] = {400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 529};
      made.status = statuses[pick(12)];
      made.message = "as asked";
      if (pick(2) == 0) made.headers = {{"retry-after", std::to_string(pick(20))}};
      return made;
    }
    made.fault = static_cast<fake::fault>(pick(static_cast<int>(fake::fault::double_finish) + 1));
    if (made.fault == fake::fault::garbage || made.fault == fake::fault::error_event)
      made.at = std::max(made.at, 0);
    return made;
  }

  sim::link link() {
    return {.latency_min = 1ms,
            .latency_max = std::chrono::milliseconds(1 + pick(50)),
            .segment_max = pick(3) == 0 ? 64u : 0u,
            .fragment_reads = pick(2) == 0,
            .stall = pick(4) == 0 ? 0.01 : 0,
            .reset = pick(4) == 0 ? 0.01 : 0,
            .refuse = pick(4) == 0 ? 0.2 : 0,
            .ignore = pick(6) == 0 ? 0.2 : 0,
            .mute = pick(8) == 0 ? 0.1 : 0};
  }
};

// What one run came to, for comparison: the same seed, the same run.
struct tale {
  std::uint64_t trace = 0;
  std::vector<std::string> ends;
  bool operator==(const tale&) const = default;
};

void check(const outcome& got, const std::string& text, bool stream, const std::string& where) {
  ASSERT_TRUE(got.ended) << where;
  EXPECT_LE(got.took, 95s) << where;
  if (*got.ended == progress::failed) {
    EXPECT_TRUE(text.starts_with(got.text)) << where << ": " << got.text;
    EXPECT_GE(got.problem.status, 400) << where;
    EXPECT_FALSE(got.problem.type.empty() || got.problem.code.empty() || got.problem.message.empty() ||
                 got.problem.hint.empty())
        << where << ": " << got.problem.code << " " << got.problem.message;
    return;
  }
  EXPECT_EQ(*got.ended, stream ? progress::end : progress::answer) << where;
  EXPECT_EQ(got.text, text) << where;
  EXPECT_EQ(got.finish, chat::finish::stop) << where;
}

tale run(std::uint64_t seed) {
  storm dice(seed);
  mesh m(seed, dice.link());
  const std::string text = "Every word once, in its order, and then a full stop.";
  m.limits.request_timeout = 30s;
  m.limits.idle_timeout = 5s;
  m.limits.max_stream = 60s;
  m.limits.attempts = 1 + dice.pick(5);
  constexpr fake::protocol protocols[] = {fake::protocol::openai, fake::protocol::anthropic,
                                          fake::protocol::gemini};
  for (int i = 0, n = 1 + dice.pick(3); i < n; ++i) {
    auto& one = m.add("p" + std::to_string(i), dice.pick(3) == 0 ? tier::local : tier::cloud,
                      {.speaks = protocols[dice.pick(3)]});
    for (int k = 0; k < 3; ++k) one.play(dice.script(text));
    one.play({.text = text});
  }
  tale out;
  for (int i = 0; i < requests_per_seed; ++i) {
    const bool stream = dice.pick(3) != 0;
    const auto what = mesh::say("What is 2+2?", stream);
    if (dice.pick(4) == 0) {  // a caller that does not wait for the end
      outcome left;
      const auto until = m.world.clock.now() + std::chrono::milliseconds(dice.pick(3000));
      env::scope caller(m.world.loop);
      bool late = false;
      m.pretend.spawn([](env::world& w, instant when, bool& flag) -> task<void> {
        co_await w.clock.sleep_until(when);
        flag = true;
      }(m.world, until, late));
      caller.spawn(m.run(m.make_query(what), left));
      m.pretend.run([&] { return late || left.ended; });
      caller.cancel();
      m.pretend.run([&] { return late; });  // the sleeper refers to `late`
      out.ends.push_back("left");
      continue;
    }
    const auto got = m.ask(what);
    check(got, text, stream, "seed " + std::to_string(seed) + ", request " + std::to_string(i));
    out.ends.push_back(std::to_string(static_cast<int>(got.ended.value_or(progress::quiet))) + got.problem.code);
  }
  out.trace = m.pretend.trace();
  return out;
}

TEST(storm, every_request_ends_whole_or_with_a_typed_error_in_time) {
  int whole = 0, failed = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    for (const auto& end : run(seed).ends) {
      whole += end == "2" || end == "3";
      failed += end.starts_with("4");
    }
    if (::testing::Test::HasFailure()) break;
  }
  // Else the storm is none, or nothing else.
  EXPECT_GT(whole, seeds);
  EXPECT_GT(failed, seeds / 4);
}

TEST(storm, the_same_seed_is_the_same_story) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) EXPECT_EQ(run(seed), run(seed)) << seed;
}

}  // namespace
}  // namespace meshai::dispatch
