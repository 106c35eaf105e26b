#include "route/health.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <mutex>
#include <unordered_map>

#include "base/check.hpp"
#include "route/learned.hpp"

namespace meshai::route {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr int faults_to_open = 3;  // in a row
constexpr int window_size = 16;    // outcomes remembered
constexpr int window_faults = 8;   // of them, to open without a row
constexpr milliseconds first_open = 1s, longest_open = 30s;
constexpr milliseconds first_long_open = 5min, longest_long_open = 30min;  // keys, credit, missing models
constexpr milliseconds first_rest = 2s, longest_rest = 60s;                // a 429 that names no time
constexpr milliseconds least_rest = 250ms;
constexpr auto probe_lost_after = 15min;  // a probe that nobody ended
constexpr std::size_t shard_count = 16;
constexpr std::size_t records_per_shard = 4096;
constexpr std::uint64_t answers_to_hedge = 30, gaps_to_hedge = 200;
constexpr std::uint64_t requests_remembered = 10'000;
// Ratios of first-token times to what was expected are kept as if they were gaps of so many milliseconds to one.
constexpr int ratio_unit = 64;

// What a token of the prompt may cost before anything is learned, in milliseconds. A small machine reads about 100
// tokens a second.
constexpr std::array<double, 4> prior_ms_per_token{10, 10, 5, 1};
constexpr int slack = 3;  // times what is expected

struct record {
  bool open = false;
  bool probing = false;
  instant until = instant::min();
  instant probe_begun = instant::min();
  milliseconds span{0};  // how long it was opened for, the last time
  instant rest_until = instant::min();
  milliseconds rest_span{0};
  int in_a_row = 0;
  std::uint32_t window = 0;  // one bit per outcome, the newest lowest; 1 is a fault
  int outcomes = 0;          // bits of the window in use
  std::optional<fault_kind> last_fault;
  std::uint64_t answers = 0, faults = 0;
  first_token_line first_token;
  gap_histogram ratios;  // of first-token times to what was expected of them
  gap_histogram gaps;
  std::optional<bool> takes_prefill, streams;
  bool tells_certainty = true;
  route::presence presence = route::presence::here;

  bool idle() const {
    return !open && !probing && rest_until == instant::min() && presence == route::presence::here;
  }

  void answered_first(std::chrono::nanoseconds after, std::int64_t prompt_tokens) {
    if (first_token.known()) {
      const auto expected = std::max(first_token.expect(prompt_tokens), milliseconds(1));
      ratios.add(gap_histogram::bucket_of(after * ratio_unit / expected.count()), 1);
    }
    first_token.add(after, prompt_tokens);
  }

  bool probe_is_out(instant now) const { return probing && now < probe_begun + probe_lost_after; }

  bool admit(instant now) {
    if (presence != route::presence::here) return presence == route::presence::coming;
    if (now < rest_until) return false;
    if (!open) return true;
    if (now < until || probe_is_out(now)) return false;
    probing = true;
    probe_begun = now;
    return true;
  }

  void remember(bool fault) {
    window = (window << 1 | (fault ? 1u : 0u)) & ((1u << window_size) - 1);
    outcomes = std::min(outcomes + 1, window_size);
  }

  void close() {
    open = probing = false;
    in_a_row = 0;
    span = rest_span = milliseconds(0);
  }

  void open_for(milliseconds first, milliseconds longest, instant now) {
    // Attempts that were on their way when it opened say nothing new: only a failed probe makes it wait longer.
    if (open && !probing && span >= first) return;
    open = true;
    stay_open(first, longest, now);
  }

  void stay_open(milliseconds first, milliseconds longest, instant now) {
    span = std::clamp(span * 2, first, longest);
    probing = false;
    until = std::max(until, now + span);
  }

  void rest_for(std::optional<milliseconds> asked, instant now) {
    rest_span = asked ? std::max(*asked, least_rest) : std::clamp(rest_span * 2, first_rest, longest_rest);
    rest_until = std::max(rest_until, now + rest_span);
    probing = false;
  }

  // True when this opened it.
  bool fault(const route::fault& why, instant now) {
    remember(true);
    ++in_a_row;
    ++faults;
    last_fault = why.kind;
    const bool was_open = open;
    switch (verdict_of(why.kind)) {
      case verdict::open:
        open_for(first_long_open, longest_long_open, now);
        break;
      case verdict::rest:
        rest_for(why.rest, now);
        return false;
      case verdict::next: {
        if (why.rest) rest_for(why.rest, now);
        const bool often = outcomes == window_size && std::popcount(window) >= window_faults;
        if (open || in_a_row >= faults_to_open || often) open_for(first_open, longest_open, now);
        break;
      }
      case verdict::unfit:
      case verdict::tell:
        CHECK(!"says nothing about the node");
    }
    return open && !was_open;
  }
};

standing standing_of(const record& of, instant now) {
  standing seen;
  seen.presence = of.presence;
  seen.resting = now < of.rest_until;
  seen.probing = of.probe_is_out(now);
  if (of.open) seen.breaker = now < of.until ? breaker::open : breaker::half_open;
  if (seen.resting) seen.until = of.rest_until;
  if (seen.breaker == breaker::open) seen.until = std::max(seen.until, of.until);
  seen.last_fault = of.last_fault;
  if (of.outcomes > 0) seen.error_rate = static_cast<double>(std::popcount(of.window)) / of.outcomes;
  seen.answers = of.answers;
  seen.faults = of.faults;
  if (of.first_token.known()) seen.first_token = of.first_token.expect(0);
  return seen;
}

}  // namespace

bool is_unreachable(std::optional<fault_kind> last) {
  return last == fault_kind::unreachable || last == fault_kind::timeout;
}

std::string_view to_string(breaker state) {
  constexpr std::array<std::string_view, 3> names{"closed", "open", "half_open"};
  return names[static_cast<std::size_t>(state)];
}

void observation::gap(std::chrono::nanoseconds between) {
  auto& count = gaps_[gap_histogram::bucket_of(between)];
  if (count < UINT16_MAX) ++count;
}

struct health::shard {
  mutable std::mutex mutex;
  std::unordered_map<std::uint64_t, record> records;

  // Names that callers make up ("node/anything") must not fill the memory: records that hold nobody back go first.
  record& at(target_id id) {
    if (const auto found = records.find(id.value); found != records.end()) return found->second;
    if (records.size() >= records_per_shard) {
      const auto idle = std::ranges::find_if(records, [](const auto& each) { return each.second.idle(); });
      records.erase(idle == records.end() ? records.begin() : idle);
    }
    return records[id.value];
  }
};

struct health::hedge_count {
  std::mutex mutex;
  std::uint64_t requests = 0, hedges = 0;
};

health::health() : shards_(std::make_unique<shard[]>(shard_count)), hedged_(std::make_unique<hedge_count>()) {}
health::~health() = default;

health::shard& health::shard_of(target_id id) const {
  return shards_[(id.value >> 32) % shard_count];
}

standing health::look(target_id one, instant now) const {
  const auto& in = shard_of(one);
  const std::lock_guard lock(in.mutex);
  const auto found = in.records.find(one.value);
  return found == in.records.end() ? standing{} : standing_of(found->second, now);
}

standing health::look(target_id node, target_id model, instant now) const {
  const auto above = look(node, now);
  auto seen = look(model, now);
  if (!above.available()) {
    const bool model_waits = !seen.available();
    seen.until = model_waits ? std::max(seen.until, above.until) : above.until;
    seen.breaker = seen.breaker == breaker::open ? seen.breaker : above.breaker;
    seen.resting = seen.resting || above.resting;
  } else if (seen.breaker == breaker::closed) {
    seen.breaker = above.breaker;
  }
  seen.presence = above.presence;
  seen.probing = seen.probing || above.probing;
  seen.error_rate = std::max(seen.error_rate, above.error_rate);
  if (!seen.last_fault || (!above.available() && above.last_fault)) seen.last_fault = above.last_fault;
  return seen;
}

bool health::begin(target_id node, target_id model, instant now) {
  for (const auto id : {node, model}) {
    auto& in = shard_of(id);
    bool admitted = false;
    {
      const std::lock_guard lock(in.mutex);
      admitted = in.at(id).admit(now);
    }
    if (admitted) continue;
    if (id == model) abandoned(node, node);
    return false;
  }
  return true;
}

void health::succeeded(target_id node, target_id model, const observation& seen, instant) {
  for (const auto id : {node, model}) {
    auto& in = shard_of(id);
    const std::lock_guard lock(in.mutex);
    auto& of = in.at(id);
    of.close();
    of.remember(false);
    ++of.answers;
    if (id == node) continue;
    if (seen.first_token_) of.answered_first(*seen.first_token_, seen.prompt_tokens_);
    for (std::size_t i = 0; i < gap_histogram::buckets; ++i) {
      if (seen.gaps_[i] != 0) of.gaps.add(i, seen.gaps_[i]);
    }
  }
}

bool health::failed(target_id node, target_id model, const fault& why, instant now) {
  if (!why.asked || why.kind == fault_kind::internal) {
    abandoned(node, model);
    return false;
  }
  const auto blamed = blame_of(why.kind);
  bool opened = false;
  for (const auto id : {node, model}) {
    auto& in = shard_of(id);
    const std::lock_guard lock(in.mutex);
    auto& of = in.at(id);
    const bool to_blame = blamed == (id == node ? blame::node : blame::model);
    if (to_blame) {
      // Where another key may do, the key was to blame.
      if (!why.another_key) opened = of.fault(why, now);
      of.probing = false;
    } else if (id == node || blamed == blame::nobody) {
      of.close();  // it answered, if only to refuse
    } else {
      of.probing = false;
    }
  }
  return opened;
}

void health::abandoned(target_id node, target_id model) {
  for (const auto id : {node, model}) {
    auto& in = shard_of(id);
    const std::lock_guard lock(in.mutex);
    in.at(id).probing = false;
  }
}

void health::set_presence(target_id node, presence now) {
  auto& in = shard_of(node);
  const std::lock_guard lock(in.mutex);
  auto& of = in.at(node);
  of.presence = now;
  if (now == presence::here) of.close();
}

void health::probed(target_id node, bool reached, instant now) {
  auto& in = shard_of(node);
  const std::lock_guard lock(in.mutex);
  auto& of = in.at(node);
  if (!reached && of.open && !of.probing) {
    of.stay_open(first_open, longest_open, now);
  } else if (!reached) {
    of.fault({.kind = fault_kind::unreachable}, now);
  } else if (of.open && !of.probing && is_unreachable(of.last_fault)) {
    of.until = std::min(of.until, now);
  }
}

void health::rest(target_id one, std::optional<milliseconds> asked, instant now) {
  auto& in = shard_of(one);
  const std::lock_guard lock(in.mutex);
  in.at(one).rest_for(asked, now);
}

milliseconds health::patience(target_id model, meshai::tier where, std::int64_t prompt_tokens,
                              milliseconds floor) const {
  const auto prior = prior_ms_per_token[static_cast<std::size_t>(where)] * static_cast<double>(prompt_tokens);
  const auto least = floor + milliseconds(static_cast<std::int64_t>(prior));
  const auto& in = shard_of(model);
  const std::lock_guard lock(in.mutex);
  const auto found = in.records.find(model.value);
  if (found == in.records.end()) return least;
  return std::max(least, found->second.first_token.expect(prompt_tokens) * slack);
}

std::optional<milliseconds> health::usual_first_token(target_id model, std::int64_t prompt_tokens) const {
  const auto& in = shard_of(model);
  const std::lock_guard lock(in.mutex);
  const auto found = in.records.find(model.value);
  if (found == in.records.end() || !found->second.first_token.known()) return std::nullopt;
  return found->second.first_token.expect(prompt_tokens);
}

std::optional<milliseconds> health::gap_p999(target_id model) const {
  const auto& in = shard_of(model);
  const std::lock_guard lock(in.mutex);
  const auto found = in.records.find(model.value);
  if (found == in.records.end() || found->second.gaps.count() < gaps_to_hedge) return std::nullopt;
  return found->second.gaps.quantile(0.999);
}

std::optional<milliseconds> health::first_token_p999(target_id model, std::int64_t prompt_tokens) const {
  const auto& in = shard_of(model);
  const std::lock_guard lock(in.mutex);
  const auto found = in.records.find(model.value);
  if (found == in.records.end() || found->second.ratios.count() < answers_to_hedge) return std::nullopt;
  const auto& of = found->second;
  return of.first_token.expect(prompt_tokens) * of.ratios.quantile(0.999).count() / ratio_unit;
}

std::optional<bool> health::takes_prefill(target_id model) const {
  const auto& in = shard_of(model);
  const std::lock_guard lock(in.mutex);
  const auto found = in.records.find(model.value);
  return found == in.records.end() ? std::nullopt : found->second.takes_prefill;
}

void health::learn_prefill(target_id model, bool takes) {
  auto& in = shard_of(model);
  const std::lock_guard lock(in.mutex);
  in.at(model).takes_prefill = takes;
}

std::optional<bool> health::streams(target_id model) const {
  const auto& in = shard_of(model);
  const std::lock_guard lock(in.mutex);
  const auto found = in.records.find(model.value);
  return found == in.records.end() ? std::nullopt : found->second.streams;
}

void health::learn_streams(target_id model, bool does) {
  auto& in = shard_of(model);
  const std::lock_guard lock(in.mutex);
  in.at(model).streams = does;
}

bool health::tells_certainty(target_id model) const {
  const auto& in = shard_of(model);
  const std::lock_guard lock(in.mutex);
  const auto found = in.records.find(model.value);
  return found == in.records.end() || found->second.tells_certainty;
}

void health::learn_certainty(target_id model, bool tells) {
  auto& in = shard_of(model);
  const std::lock_guard lock(in.mutex);
  in.at(model).tells_certainty = tells;
}

void health::request_begun() {
  const std::lock_guard lock(hedged_->mutex);
  if (++hedged_->requests < requests_remembered) return;
  hedged_->requests /= 2;
  hedged_->hedges /= 2;
}

bool health::may_hedge(double share) {
  const std::lock_guard lock(hedged_->mutex);
  // The first may always begin, where any may: a share of few requests is less than one.
  const auto allowed = share <= 0 ? 0 : std::max(1.0, share * static_cast<double>(hedged_->requests));
  if (static_cast<double>(hedged_->hedges) + 1 > allowed) return false;
  ++hedged_->hedges;
  return true;
}

}  // namespace meshai::route
