// Prints how often a question is answered: by one provider, by two with failover between them, and with this
// device behind them, through the program's own dispatch, routing and HTTP in virtual time.
//
//   availability [--years N] [--outages FILE]     FILE: what a soak recorded (test/soak)
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "dispatch/testing.hpp"
#include "outages.hpp"

namespace meshai::availability {
namespace {

using namespace std::chrono_literals;
using dispatch::testing::mesh;

constexpr nanoseconds year = std::chrono::hours(24 * 365);

struct place {
  std::string name;
  tier where;
  std::vector<outage> outages;
};

struct scene {
  std::string name;
  std::vector<place> places;
  std::vector<outage> line;  // of the way to everything in the cloud
  int attempts = 4;
  bool fallback = true;
};

struct tally {
  std::uint64_t asked = 0, answered = 0;
  double share() const { return static_cast<double>(answered) / static_cast<double>(asked); }
};

// What a provider that is out of order does with a request: a third each of the usual ways.
fake::script failing(dice& with) {
  const double which = with.unit();
  if (which < 1.0 / 3)
    return {.status = 500, .type = "server_error", .message = "The server had an error", .times = 1};
  if (which < 2.0 / 3) return {.status = 503, .type = "overloaded", .message = "Overloaded", .times = 1};
  return {.fault = fake::fault::stall, .at = -1, .times = 1};
}

class theatre {
 public:
  theatre(const scene& of, std::uint64_t seed)
      : scene_(of),
        dice_(seed),
        mesh_(sim::options{.seed = seed,
                           .between = {.latency_min = 20ms, .latency_max = 60ms},
                           .within = {},
                           .longest = 2 * year,
                           .most_steps = 2'000'000'000}) {
    for (const auto& each : scene_.places) mesh_.add(each.name, each.where);
    mesh_.limits.attempts = scene_.attempts;
    mesh_.limits.request_timeout = 60s;
  }

  tally run(nanoseconds span, nanoseconds pause) {
    tally out;
    const auto begun = mesh_.world.clock.now();
    for (nanoseconds at{0}; at < span;) {
      wait_until(begun + at);
      ++out.asked;
      out.answered += ask(at);
      const auto now = mesh_.world.clock.now() - begun;
      at = std::max(now, at + nanoseconds(static_cast<std::int64_t>(static_cast<double>(pause.count()) *
                                                                    (0.5 + dice_.unit()))));
    }
    return out;
  }

 private:
  void wait_until(instant when) {
    bool there = false;
    mesh_.pretend.spawn([](env::world& in, instant until, bool& flag) -> task<void> {
      co_await in.clock.sleep_until(until);
      flag = true;
    }(mesh_.world, when, there));
    mesh_.pretend.run([&] { return there; });
  }

  bool ask(nanoseconds at) {
    const bool line_down = failing_at(scene_.line, at) > 0;
    for (std::size_t i = 0; i < scene_.places.size(); ++i) {
      auto& provider = *mesh_.providers[i];
      provider.clear();
      const double share = failing_at(scene_.places[i].outages, at);
      // Each attempt is thrown for by itself.
      for (int k = 0; k < 8 && share > 0; ++k) {
        provider.play(dice_.chance(share) ? failing(dice_) : fake::script{.times = 1});
      }
      if (scene_.places[i].where == tier::local) continue;
      line_down ? mesh_.pretend.cut(mesh_.us, *mesh_.hosts[i]) : mesh_.pretend.heal(mesh_.us, *mesh_.hosts[i]);
    }
    auto asked = mesh::say("Write a business plan for a bakery.");
    asked.mesh.fallback = scene_.fallback;
    return mesh_.ask(asked).ended == dispatch::progress::end;
  }

  const scene& scene_;
  dice dice_;
  mesh mesh_;
};

// `a_year`: what the share means in hours of a year.
void print_row(const std::string& name, const std::vector<tally>& runs, bool a_year) {
  tally all;
  double least = 1, most = 0;
  for (const auto& each : runs) {
    all.asked += each.asked;
    all.answered += each.answered;
    least = std::min(least, each.share());
    most = std::max(most, each.share());
  }
  fmt::print("{:<46} {:9.4f} %", name, 100 * all.share());
  if (a_year) fmt::print("  {:8.4f} to {:8.4f}  {:8.1f} h", 100 * least, 100 * most, (1 - all.share()) * 8760);
  fmt::print("\n");
}

// Every scene of a year sees the same outages.
std::vector<scene> scenes_of(std::uint64_t seed) {
  dice with(seed);
  const place first{"openai", tier::cloud, draw(openai, year, with)};
  const place second{"anthropic", tier::cloud, draw(anthropic, year, with)};
  const place here{"here", tier::local, draw(engine, year, with)};
  const auto line_outages = draw(line, year, with);
  return {{.name = "OpenAI, asked once", .places = {first}, .line = line_outages, .fallback = false},
          {.name = "OpenAI, asked up to three times", .places = {first}, .line = line_outages, .attempts = 3},
          {.name = "Anthropic, asked once", .places = {second}, .line = line_outages, .fallback = false},
          {.name = "both, the mesh between them", .places = {first, second}, .line = line_outages},
          {.name = "both, and the model on this device", .places = {first, second, here}, .line = line_outages}};
}

bool print_years(int years, nanoseconds span, nanoseconds pause) {
  fmt::print(
      "Assumed: incidents as the providers' status pages told of 2023-09 to 2024-08 (Chu et al., ICPE 2025), "
      "those of\n"
      "different providers independent of each other; {:.0f}, {:.0f} and {:.0f} % of the requests fail in a "
      "minor, a major and\n"
      "a critical one, a third each by 500, by 503 and by silence; the household's own line fails every {:.0f} "
      "days for a\n"
      "median of ten minutes, the engine here every {:.0f} for two seconds. Answered: whole, within 60 seconds.\n",
      100 * failing_in_minor, 100 * failing_in_major, 100 * failing_in_critical, line.days_between,
      engine.days_between);
  fmt::print("{} drawn years of outages, a question every {} minutes or so for {} days of each\n", years,
             std::chrono::duration_cast<std::chrono::minutes>(pause).count(),
             std::chrono::duration_cast<std::chrono::hours>(span).count() / 24);
  fmt::print("{:<46} {:>11}  {:>20}  {:>10}\n", "", "answered", "from year to year", "lost a year");
  std::vector<std::vector<tally>> runs(scenes_of(1).size());
  std::vector<std::string> names;
  for (int each = 1; each <= years; ++each) {
    names.clear();
    const auto scenes = scenes_of(static_cast<std::uint64_t>(each));
    for (std::size_t i = 0; i < scenes.size(); ++i) {
      names.push_back(scenes[i].name);
      runs[i].push_back(theatre(scenes[i], static_cast<std::uint64_t>(each)).run(span, pause));
    }
  }
  for (std::size_t i = 0; i < runs.size(); ++i) print_row(names[i], runs[i], true);
  const auto lost = [&](std::size_t row) {
    std::uint64_t out = 0;
    for (const auto& each : runs[row]) out += each.asked - each.answered;
    return out;
  };
  // The order is no accident of the dice: more places answer more.
  return lost(0) > lost(3) && lost(3) > lost(4);
}

bool print_recording(const std::string& file) {
  const auto all = read_recording(file);
  if (all.empty()) {
    fmt::print("no recording of a soak here: test/soak makes one\n");
    return true;
  }
  nanoseconds span{0};
  for (const auto& each : all) {
    for (const auto& one : each.outages) span = std::max(span, one.end);
  }
  fmt::print("the outages that a soak recorded ({} s, {} nodes)\n",
             std::chrono::duration_cast<std::chrono::seconds>(span).count(), all.size());
  scene together{.name = "all of them, the mesh between them"};
  for (const auto& each : all) {
    const scene alone{.name = each.node + ", asked once",
                      .places = {{each.node, tier::neighbour, each.outages}},
                      .fallback = false};
    print_row(alone.name, {theatre(alone, 1).run(span, 200ms)}, false);
    together.places.push_back(alone.places.front());
  }
  print_row(together.name, {theatre(together, 1).run(span, 200ms)}, false);
  return true;
}

}  // namespace
}  // namespace meshai::availability

int main(int count, char** words) {
  using namespace meshai::availability;
  const bool all = std::getenv("MESHAI_TEST_LONG") != nullptr;
  int years = all ? 10 : 2;
  std::string file;
  for (int i = 1; i + 1 < count; i += 2) {
    if (!std::strcmp(words[i], "--years")) years = std::atoi(words[i + 1]);
    if (!std::strcmp(words[i], "--outages")) file = words[i + 1];
  }
  const bool good =
      print_years(years, all ? year : year / 4, all ? std::chrono::minutes(10) : std::chrono::minutes(30));
  return print_recording(file) && good ? 0 : 1;
}
