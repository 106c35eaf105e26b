// The whole stack under seeds: front, dispatch, route, upstream, http and node as they are, between fake providers
// and callers on a lossy pretend network.
//
//   simulation --seed N [--mischief NAME]   one run: its judgement, shrunk where it fails
//   simulation --seeds FROM TO              as many runs: those that fail, and how
//   simulation --plan N                     what the seed draws
//   simulation --trace FROM TO              the traces' hashes
//   simulation [gtest options]              all of them
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "shrink.hpp"

namespace meshai::simulation {
namespace {

std::uint64_t seeds() {
  return std::getenv("MESHAI_TEST_LONG") ? 10'000 : 1'000;
}

void examine_seeds(std::uint64_t first) {
  int failed = 0;
  for (auto seed = first; seed <= seeds() && failed < 3; seed += 2) {
    const auto what = draw(seed);
    const auto found = examine(what);
    if (found.empty()) continue;
    ++failed;
    ADD_FAILURE() << report(what, found);
  }
}

TEST(seeds, odd) {
  examine_seeds(1);
}
TEST(seeds, even) {
  examine_seeds(2);
}

std::string run_self(const std::string& arguments) {
  std::string out;
  auto* pipe = popen(("exec /proc/" + std::to_string(getpid()) + "/exe " + arguments).c_str(), "r");
  std::array<char, 256> line{};
  while (pipe && std::fgets(line.data(), line.size(), pipe)) out += line.data();
  if (pipe) pclose(pipe);
  return out;
}

std::string traces(std::uint64_t from, std::uint64_t to) {
  std::string out;
  for (auto seed = from; seed <= to; ++seed) out += fmt::format("{} {:016x}\n", seed, trace_of(draw(seed)));
  return out;
}

TEST(seeds, give_the_same_run_in_this_process_and_in_any_other) {
  const auto here = traces(1, 60);
  EXPECT_EQ(here, traces(1, 60));
  EXPECT_EQ(here, run_self("--trace 1 60"));
}

// ---- is there anything to find?

// The sum of a metric over all of its labels.
double total(const std::string& metrics, const std::string& name) {
  double sum = 0;
  for (auto at = metrics.find("\n" + name + "{"); at != metrics.npos;
       at = metrics.find("\n" + name + "{", at + 1)) {
    sum += std::strtod(metrics.c_str() + metrics.find("} ", at) + 2, nullptr);
  }
  return sum;
}

TEST(seeds, meet_what_they_are_to_meet) {
  std::map<ending, int> ends;
  std::map<std::string, int> faults;
  int streams_that_fail = 0;
  double continued = 0, hedges_won = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto what = draw(seed);
    run(what, mischief::none, false, [&](const record& saw) {
      for (const auto& each : saw.answers) {
        ++ends[each.how];
        streams_that_fail += each.how == ending::refused && !each.text.empty();
        for (const auto& one : each.failed) ++faults[one.fault];
      }
      continued += total(saw.metrics, "meshai_continuations_total");
      hedges_won += total(saw.metrics, "meshai_hedges_won_total");
    });
  }
  EXPECT_GT(ends[ending::whole], 500);
  EXPECT_GT(ends[ending::refused], 100);
  EXPECT_GT(ends[ending::hung_up], 10);
  EXPECT_GT(streams_that_fail, 10);
  EXPECT_GT(continued, 50);
  EXPECT_GT(hedges_won, 5);
  for (const auto* fault :
       {"unreachable", "timeout", "server_error", "malformed", "cut", "misfit", "rate_limited"}) {
    EXPECT_GT(faults[fault], 0) << fault;
  }
}

// ---- would it be found?

struct planted {
  mischief what;
  const char* rule;
};

class mischief_test : public testing::TestWithParam<planted> {};

TEST_P(mischief_test, is_found_within_a_few_hundred_seeds) {
  const auto [what, rule] = GetParam();
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const auto found = examine(draw(seed), what);
    for (const auto& each : found) {
      if (each.rule == rule) return;
    }
  }
  ADD_FAILURE() << to_string(what) << " is not found";
}

INSTANTIATE_TEST_SUITE_P(
    all, mischief_test,
    testing::Values(planted{mischief::lose_token, "text"}, planted{mischief::double_token, "text"},
                    planted{mischief::swap_tokens, "text"}, planted{mischief::swallow_error, "text"},
                    planted{mischief::lose_end, "protocol"}, planted{mischief::double_seam, "text"},
                    planted{mischief::lose_seam, "text"}, planted{mischief::stitch, "text"},
                    planted{mischief::send_both, "text"}, planted{mischief::forget_attempt, "story"},
                    planted{mischief::tell_another, "story"}, planted{mischief::crowd, "places"},
                    planted{mischief::ignore_share, "share"}, planted{mischief::hedge_up, "hedge"},
                    planted{mischief::hang, "hang"}, planted{mischief::ignore_cap, "reach"},
                    planted{mischief::mislabel_tier, "reach"}, planted{mischief::ignore_fallback, "fallback"},
                    planted{mischief::storm, "attempts"}, planted{mischief::echo, "attempts"},
                    planted{mischief::no_rest, "rest"}, planted{mischief::go_on_alone, "hang-up"},
                    planted{mischief::keep_connection, "left"}),
    [](const auto& of) { return std::string(to_string(of.param.what)); });

TEST(mischief, other_dice_than_the_seed_are_seen) {
  EXPECT_NE(trace_of(draw(1), mischief::throw_dice), trace_of(draw(1), mischief::throw_dice));
}

TEST(shrinking, leaves_little_of_a_plan) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const auto what = draw(seed);
    if (what.callers.size() < 3) continue;
    const auto found = examine(what, mischief::lose_token);
    if (found.empty() || found.front().rule != "text") continue;
    const auto small = shrink(what, "text", mischief::lose_token);
    EXPECT_EQ(small.callers.size(), 1u);
    EXPECT_EQ(small.callers.front().asks.size(), 1u);
    EXPECT_EQ(small.providers.size(), 1u);
    EXPECT_TRUE(small.providers.front().plays.empty());
    EXPECT_TRUE(small.events.empty());
    return;
  }
  FAIL() << "nothing to shrink";
}

int run_one(std::uint64_t seed, mischief how) {
  const auto what = draw(seed);
  const auto found = examine(what, how);
  if (found.empty()) {
    fmt::print("seed {} holds\n", seed);
    return 0;
  }
  fmt::print("{}", report(what, found, how));
  return 1;
}

int run_many(std::uint64_t from, std::uint64_t to) {
  int failed = 0;
  for (auto seed = from; seed <= to; ++seed) {
    const auto found = examine(draw(seed));
    failed += !found.empty();
    for (const auto& each : found) fmt::print("{} {}: {}\n", seed, each.rule, each.what);
  }
  return failed == 0 ? 0 : 1;
}

mischief parse_mischief(std::string_view name) {
  for (int i = 0; i < mischiefs; ++i) {
    if (to_string(static_cast<mischief>(i)) == name) return static_cast<mischief>(i);
  }
  fmt::print(stderr, "no such mischief: {}\n", name);
  std::exit(2);
}

int run_command(int count, char** words) {
  const std::string_view what = words[1];
  const auto number = [&](int at) { return std::strtoull(words[at], nullptr, 10); };
  if (what == "--trace" && count == 4) {
    fmt::print("{}", traces(number(2), number(3)));
    return 0;
  }
  if (what == "--seeds" && count == 4) return run_many(number(2), number(3));
  if (what == "--plan" && count == 3) {
    fmt::print("{}", tell(draw(number(2))));
    return 0;
  }
  if (what == "--seed" && (count == 3 || count == 5)) {
    return run_one(number(2), count == 5 ? parse_mischief(words[4]) : mischief::none);
  }
  fmt::print(stderr, "simulation --seed N [--mischief NAME] | --seeds FROM TO | --plan N | --trace FROM TO\n");
  return 2;
}

}  // namespace
}  // namespace meshai::simulation

int main(int count, char** words) {
  const std::string_view first = count > 1 ? words[1] : "";
  if (first.starts_with("--") && !first.starts_with("--gtest")) {
    return meshai::simulation::run_command(count, words);
  }
  testing::InitGoogleTest(&count, words);
  return RUN_ALL_TESTS();
}
