#include "shrink.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "env/clock.hpp"

namespace meshai::simulation {
namespace {

std::string tell(const record& saw) {
  std::string out;
  for (const auto& each : saw.seen.moments) {
    out += fmt::format("  {:9.3f} {}\n", std::chrono::duration<double>(each.when - saw.begun).count(), each.what);
  }
  for (const auto& each : saw.answers) {
    constexpr std::string_view names[] = {"pending", "whole", "refused", "broken", "no door", "hung up"};
    out += fmt::format("  {} {}: status {} finish \"{}\" error \"{}\" by \"{}\", {} ms, \"{}\"\n", each.tag,
                       names[static_cast<std::size_t>(each.how)], each.status, each.finish, each.error_code,
                       each.node, std::chrono::duration_cast<milliseconds>(each.ended - each.begun).count(),
                       each.text.substr(0, 200));
  }
  out += "  the node's log:\n";
  for (const auto& each : saw.log) out += "    " + each + "\n";
  return out;
}

// Tries each smaller plan that `smaller` makes of it; keeps those that still fail.
class shrinking {
 public:
  shrinking(plan failing, std::string rule, mischief how, int runs)
      : plan_(std::move(failing)), rule_(std::move(rule)), how_(how), runs_(runs) {}

  plan run() {
    for (bool smaller = true; smaller && runs_ > 0;) {
      smaller = false;
      smaller = thin_out([](plan& p) -> auto& { return p.events; }) || smaller;
      smaller = thin_out([](plan& p) -> auto& { return p.callers; }) || smaller;
      smaller = thin_out([](plan& p) -> auto& { return p.providers; }, 1) || smaller;
      for (std::size_t i = 0; i < plan_.callers.size(); ++i) {
        smaller = thin_out([i](plan& p) -> auto& { return p.callers[i].asks; }, 1) || smaller;
        smaller =
            try_change([i](plan& p) { p.callers[i].link = calm(); }, is_calm(plan_.callers[i].link)) || smaller;
        smaller = simplify_asks(i) || smaller;
      }
      for (std::size_t i = 0; i < plan_.providers.size(); ++i) {
        smaller = thin_out([i](plan& p) -> auto& { return p.providers[i].plays; }) || smaller;
        smaller = simplify_provider(i) || smaller;
        smaller = try_change([i](plan& p) { p.providers[i].link = calm(); }, is_calm(plan_.providers[i].link)) ||
                  smaller;
      }
      smaller = thin_out([](plan& p) -> auto& { return p.routes; }) || smaller;
      smaller = try_change([](plan& p) { p.workers = 1; }, plan_.workers == 1) || smaller;
    }
    return std::move(plan_);
  }

 private:
  static sim::link calm() { return {.latency_min = 1ms, .latency_max = 1ms}; }
  static bool is_calm(const sim::link& of) {
    return is_clean(of) && of.latency_min == of.latency_max && of.segment_max == 0 && !of.fragment_reads;
  }

  bool fails(const plan& what) {
    --runs_;
    const auto found = examine(what, how_);
    return std::ranges::any_of(found, [&](const finding& f) { return f.rule == rule_; });
  }

  template <class Change>
  bool try_change(Change change, bool already) {
    if (already || runs_ <= 0) return false;
    auto next = plan_;
    change(next);
    if (!fails(next)) return false;
    plan_ = std::move(next);
    return true;
  }

  template <class Part>
  bool thin_out(Part part, std::size_t least = 0) {
    bool any = false;
    for (std::size_t i = part(plan_).size(); i-- > 0 && runs_ > 0;) {
      if (part(plan_).size() <= least) break;
      auto next = plan_;
      part(next).erase(part(next).begin() + static_cast<std::ptrdiff_t>(i));
      if (!fails(next)) continue;
      plan_ = std::move(next);
      any = true;
    }
    return any;
  }

  bool simplify_provider(std::size_t i) {
    using fake::going_on;
    const auto now = [&]() -> const provider& { return plan_.providers[i]; };  // plan_ changes below
    bool any = try_change([i](plan& p) { p.providers[i].voice = 0; }, now().voice == 0);
    any = try_change([i](plan& p) { p.providers[i].logprob = -0.1; }, now().logprob == -0.1) || any;
    any = try_change([i](plan& p) { p.providers[i].places = 0; }, now().places == 0) || any;
    any = try_change([i](plan& p) { p.providers[i].told_prefill.reset(); }, !now().told_prefill) || any;
    any = try_change([i](plan& p) { p.providers[i].prefill = going_on::continues; },
                     now().prefill == going_on::continues) ||
          any;
    any = try_change([i](plan& p) { p.providers[i].asked = going_on::continues; },
                     now().asked == going_on::continues) ||
          any;
    return any;
  }

  bool simplify_asks(std::size_t caller) {
    bool any = false;
    for (std::size_t k = 0; k < plan_.callers[caller].asks.size(); ++k) {
      const auto now = [&]() -> const ask& { return plan_.callers[caller].asks[k]; };  // plan_ changes below
      const auto at = [caller, k](plan& p) -> ask& { return p.callers[caller].asks[k]; };
      any = try_change([&](plan& p) { at(p).writes_every = 0ms; }, now().writes_every == 0ms) || any;
      any = try_change([&](plan& p) { at(p).reads_every = 0ms; }, now().reads_every == 0ms) || any;
      any = try_change([&](plan& p) { at(p).hangs_up.reset(); }, !now().hangs_up) || any;
      any = try_change(
                [&](plan& p) {
                  at(p).words = 3;
                  at(p).word_size = 4;
                },
                now().words <= 3) ||
            any;
      any = try_change([&](plan& p) { at(p).tool = false; }, !now().tool) || any;
      any = try_change([&](plan& p) { at(p).reach.reset(); }, !now().reach) || any;
      any = try_change([&](plan& p) { at(p).fallback.reset(); }, !now().fallback) || any;
    }
    return any;
  }

  plan plan_;
  std::string rule_;
  mischief how_;
  int runs_;
};

}  // namespace

std::vector<finding> examine(const plan& what, mischief how, std::string* story) {
  std::vector<finding> found;
  run(what, how, story != nullptr, [&](const record& saw) {
    found = judge(what, saw);
    if (story) *story = tell(saw);
  });
  return found;
}

std::uint64_t trace_of(const plan& what, mischief how) {
  std::uint64_t trace = 0;
  run(what, how, false, [&](const record& saw) { trace = saw.trace; });
  return trace;
}

plan shrink(plan failing, const std::string& rule, mischief how, int runs) {
  return shrinking(std::move(failing), rule, how, runs).run();
}

std::string report(const plan& failing, const std::vector<finding>& found, mischief how) {
  std::string out =
      fmt::format("seed {} fails; again: build/release/simulation --seed {}{}\n", failing.seed, failing.seed,
                  how == mischief::none ? "" : fmt::format(" --mischief {}", to_string(how)));
  for (const auto& each : found) out += fmt::format("  {}: {}\n", each.rule, each.what);
  const auto small = shrink(failing, found.front().rule, how);
  std::string story;
  const auto still = examine(small, how, &story);
  out += "the smallest plan that fails in the same way:\n" + tell(small);
  for (const auto& each : still) out += fmt::format("  {}: {}\n", each.rule, each.what);
  return out + "what happened in it:\n" + story;
}

}  // namespace meshai::simulation
