#include "plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace meshai::simulation {
namespace {

std::string tell(const sim::link& of) {
  using std::chrono::duration_cast, std::chrono::microseconds;
  auto out = fmt::format("{}-{} us", duration_cast<microseconds>(of.latency_min).count(),
                         duration_cast<microseconds>(of.latency_max).count());
  const auto add = [&](const char* name, double value) {
    if (value > 0) out += fmt::format(", {} {}", name, value);
  };
  add("bytes/s", static_cast<double>(of.bytes_per_second));
  add("segments of", static_cast<double>(of.segment_max));
  add("stall", of.stall);
  add("reset", of.reset);
  add("refuse", of.refuse);
  add("ignore", of.ignore);
  add("mute", of.mute);
  return out + (of.fragment_reads ? ", reads in fragments" : "");
}

std::string_view name_of(fake::protocol of) {
  constexpr std::array<std::string_view, 3> names{"openai", "anthropic", "gemini"};
  return names[static_cast<std::size_t>(of)];
}

std::string manner_of(const provider& of) {
  constexpr std::array<std::string_view, 5> names{"continues", "refused", "ignored", "preamble", "overlaps"};
  std::string out;
  if (of.places > 0) out += fmt::format(", {} places", of.places);
  if (of.voice > 0) out += fmt::format(", voice {}", of.voice);
  if (of.logprob < -0.1) out += fmt::format(", {} a token", of.logprob);
  if (of.told_prefill) out += fmt::format(", prefill {}", *of.told_prefill);
  if (of.prefill != fake::going_on::continues)
    out += fmt::format(", prefill {}", names[static_cast<std::size_t>(of.prefill)]);
  if (of.asked != fake::going_on::continues)
    out += fmt::format(", asked {}", names[static_cast<std::size_t>(of.asked)]);
  return out;
}

std::string tell(const ask& of) {
  auto out = fmt::format("after {} ms: {} {} \"{}\", {} words", of.after.count(),
                         of.anthropic ? "messages" : "chat", of.stream ? "stream" : "whole", of.model, of.words);
  if (of.hard) out += ", hard";
  if (of.tool) out += ", tool";
  if (of.word_size > 8) out += fmt::format(" of {} bytes", of.word_size);
  if (of.reach) out += fmt::format(", reach {}", to_string(*of.reach));
  if (of.fallback) out += fmt::format(", fallback {}", *of.fallback);
  if (of.hangs_up) out += fmt::format(", hangs up after {} ms", of.hangs_up->count());
  if (of.reads_every > 0ms) out += fmt::format(", reads every {} ms", of.reads_every.count());
  if (of.writes_every > 0ms) out += fmt::format(", writes every {} ms", of.writes_every.count());
  return out;
}

std::string tell(const event& of) {
  constexpr std::array<std::string_view, 5> names{"crash", "cut", "reload without", "bad reload", "stop"};
  return fmt::format("at {} ms: {} {} ({} ms)", of.at.count(), names[static_cast<std::size_t>(of.what)], of.who,
                     of.lasts.count());
}

}  // namespace

const provider* plan::find(const std::string& name) const {
  const auto found = std::ranges::find(providers, name, &provider::name);
  return found == providers.end() ? nullptr : &*found;
}

std::string answer_to(const std::string& prompt, int voice) {
  auto out = "You said: " + prompt;
  if (voice > 0) out.insert(out.find(']') + 1, " (as I hear it)");
  return out;
}

std::string go_on(const std::string& prompt, int voice, const std::string& begun) {
  auto own = answer_to(prompt, voice);
  if (own.starts_with(begun)) return own;
  for (int other = 0; other < voices; ++other) {
    if (auto theirs = answer_to(prompt, other); theirs.starts_with(begun)) return theirs;
  }
  return begun;
}

// No two words are the same, so that a lost, doubled or swapped one is seen, and nothing looks like a loop.
std::string prompt_of(const std::string& tag, const ask& what) {
  std::string out = "[" + tag + "] " + (what.hard ? "Write a business plan and prove it:" : "What is");
  for (int i = 0; i < what.words; ++i) {
    auto word = fmt::format("{}{}", static_cast<char>('a' + i % 26), i * 7919 % 100'003);
    if (what.word_size > static_cast<int>(word.size())) {
      // Padding that differs within itself.
      for (int k = 0; static_cast<int>(word.size()) < what.word_size; ++k) word += fmt::format("{:x}", k * k + i);
    }
    out += " " + word;
  }
  return out;
}

bool is_clean(const sim::link& of) {
  return of.stall == 0 && of.reset == 0 && of.refuse == 0 && of.ignore == 0 && of.mute == 0 &&
         of.bytes_per_second == 0;
}

bool is_healthy(const fake::script& of) {
  return of.status == 200 && of.fault == fake::fault::none && of.first_token == 0ms && of.gap == 0ms &&
         of.pause == 0ms;
}

std::string tell(const fake::script& of) {
  constexpr std::array<std::string_view, 13> faults{
      "none", "reset",   "stall",     "end",           "truncate", "garbage",   "error_event",
      "html", "no_done", "no_finish", "double_finish", "endless",  "short_body"};
  if (of.status != 200) {
    auto out = fmt::format("{} \"{}\"", of.status, of.message);
    for (const auto& [name, value] : of.headers) out += fmt::format(" {}: {}", name, value);
    return out;
  }
  auto out = of.fault == fake::fault::none
                 ? std::string("answers")
                 : fmt::format("{} at {}", faults[static_cast<std::size_t>(of.fault)], of.at);
  if (!of.thinking.empty()) out += ", thinks";
  if (of.first_token > 0ms) out += fmt::format(", first token after {} ms", of.first_token.count());
  if (of.gap > 0ms) out += fmt::format(", gaps of {} ms", of.gap.count());
  if (of.pause > 0ms) out += fmt::format(", pauses {} ms at {}", of.pause.count(), of.at);
  return out;
}

std::string tell(const plan& of) {
  const auto& l = of.limits;
  auto out = fmt::format(
      "plan of seed {}: {} workers, {} in a line, {} attempts, request {} ms, first token {} ms, idle {} ms, "
      "stream {} ms, "
      "headers after {} ms, hedges {}{}, reach {}{}\n",
      of.seed, of.workers, of.max_waiting, l.attempts, l.request_timeout.count(), l.first_token_timeout.count(),
      l.idle_timeout.count(), l.max_stream.count(), l.headers_after.count(), l.hedge_share,
      l.hedge_up ? " up" : "", to_string(of.api), of.unknown_model_auto ? ", unknown is auto" : "");
  for (const auto& each : of.routes)
    out += fmt::format("  \"{}\" goes {}\n", each.name, fmt::join(each.route, ", "));
  for (const auto& each : of.keys)
    out += fmt::format("  key {}: reach {} models {}\n", each.name, to_string(each.reach),
                       fmt::join(each.models, ", "));
  for (const auto& each : of.providers) {
    out += fmt::format("  {} ({}, {}, {}{}{}): {}\n", each.name, to_string(each.where), name_of(each.speaks),
                       fmt::join(each.models, ", "), each.discovers ? ", discovered" : "", manner_of(each),
                       tell(each.link));
    for (const auto& one : each.plays) out += "    " + tell(one.how) + "\n";
  }
  for (const auto& each : of.callers) {
    out += fmt::format("  {} (key {}{}): {}\n", each.name, each.key, each.keeps_alive ? ", keeps alive" : "",
                       tell(each.link));
    for (const auto& one : each.asks) out += "    " + tell(one) + "\n";
  }
  for (const auto& each : of.events) out += "  " + tell(each) + "\n";
  return out;
}

}  // namespace meshai::simulation
