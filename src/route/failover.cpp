#include "route/failover.hpp"

#include <algorithm>
#include <array>

namespace meshai::route {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_backoff{100};
constexpr milliseconds longest_backoff{2'000};
constexpr milliseconds least_silence{250};  // before a hedge, whatever the node's own history says
constexpr int most_hedges = 2;              // of one request

}  // namespace

std::string_view to_string(limit which) {
  constexpr std::array<std::string_view, 4> names{"first_token_timeout", "request_timeout", "idle_timeout",
                                                  "max_stream"};
  return names[static_cast<std::size_t>(which)];
}

failover::failover(std::span<const candidate> candidates, const options& how, instant now)
    : candidates_(candidates), how_(how), dice_(how.seed), begun_(now), trials_(candidates.size(), trial::fresh) {
  attempts_.reserve(static_cast<std::size_t>(std::max(how.bounds.attempts, 1)));
}

// ---- events

void failover::begin(instant now) {
  start_another(now);
}

void failover::token(int number, instant now) {
  auto& one = at(number);
  if (finished_ || one.now == phase::over) return;
  if (one.now != phase::kept) one.last = now;  // else its token came before it was judged
  one.now = phase::streaming;
  one.judged = true;
  if (forwarded_ == number) return;
  // Should the stronger one break off, others go on with it before the doubted one does.
  if (doubted_ >= 0 && doubted_ != number) trials_[at(doubted_).candidate] = trial::again;
  doubted_ = -1;
  // One that is forwarded already has been silent since this hedge began, or moved() had ended the hedge.
  forwarded_ = number;
  sent_ = true;
  retry_at_ = never;
  actions_.push_back({.what = action::kind::forward, .attempt = number, .candidate = one.candidate});
  cancel_all_but(number);
}

void failover::moved(int number, instant now) {
  if (finished_ || at(number).now == phase::over) return;
  at(number).last = now;
  at(number).stranded = false;
  if (number == forwarded_) cancel_all_but(number);
}

void failover::held(int number, instant now) {
  auto& one = at(number);
  if (finished_ || one.now != phase::waiting) return;
  one.now = phase::kept;
  one.started = one.last = now;
}

void failover::doubted(int number, instant now) {
  auto& one = at(number);
  if (finished_ || one.now == phase::over || one.judged) return;
  if (one.now == phase::waiting) one.last = now;
  one.now = phase::kept;
  one.judged = true;
  doubted_ = number;
  doubted_at_ = now;
  ask_farther_up(now);
}

void failover::heard(int number, instant now) {
  at(number).writes = true;
  at(number).last = now;
}

void failover::ended(int number, instant now) {
  if (finished_ || at(number).now == phase::over) return;
  if (number == doubted_) {
    at(number).whole = true;
    return;
  }
  if (forwarded_ != number) token(number, now);  // a whole answer, or one without a word in it
  at(number).now = phase::over;
  finish(finish_kind::done);
}

void failover::faulted(int number, const fault& why, instant now) {
  auto& one = at(number);
  if (finished_ || one.now == phase::over) return;
  end(number);
  if (!why.asked) --asked_;
  const bool broke = number == forwarded_;
  if (!told_ || (broke && !broken_)) told_ = why;
  if (broke) {
    forwarded_ = -1;
    broken_ = true;
  }
  // Nobody else is asked what the caller itself is to be told; but a stream that another broke off is still owed.
  const bool tell = verdict_of(why.kind) == verdict::tell && (broke || !sent_) && doubted_ < 0;
  if (tell || (broke && !(how_.continues && how_.fallback))) {
    give_up();
    return;
  }
  const auto candidate = one.candidate;
  mark(why, candidate);
  if ((why.another_key || why.another_way) && how_.fallback && budget_left()) {
    start(candidate, now);
    return;
  }
  go_on(now);
}

void failover::stranded(int number, instant now) {
  auto& one = at(number);
  if (finished_ || one.now == phase::over) return;
  one.stranded = true;
  hedge(now);
}

void failover::queued(int number) {
  at(number).queued = true;
}

void failover::admitted(int number, instant now) {
  auto& one = at(number);
  if (finished_ || one.now == phase::over) return;
  one.queued = false;
  one.started = one.last = now;
}

void failover::refused(int number, instant now) {
  auto& one = at(number);
  if (finished_ || one.now == phase::over) return;
  end(number);
  --asked_;
  trials_[one.candidate] = trial::out;
  go_on(now);
}

void failover::put_off(int number, instant now) {
  auto& one = at(number);
  if (finished_ || one.now == phase::over) return;
  end(number);
  --asked_;
  trials_[one.candidate] = trial::again;
  go_on(now);
}

void failover::hedge_denied(int number, instant now) {
  auto& one = at(number);
  if (finished_ || one.now == phase::over) return;
  end(number);
  --asked_;
  trials_[one.candidate] = trial::fresh;
  may_hedge_ = false;
  go_on(now);
}

void failover::tick(instant now) {
  if (finished_) return;
  for (int number = 0; number < static_cast<int>(attempts_.size()); ++number) {
    if (at(number).now == phase::over) continue;
    if (judge_at(at(number)) <= now) {
      actions_.push_back({.what = action::kind::judge, .attempt = number});
      continue;
    }
    const auto due = bound_of(at(number));
    if (now < due.when) continue;
    actions_.push_back(
        {.what = action::kind::expire, .attempt = number, .candidate = at(number).candidate, .missed = due.which});
  }
  if (now >= retry_at_) {
    retry_at_ = never;
    start(retry_candidate_, now);
  }
  hedge(now);
}

void failover::hedge(instant now) {
  const auto plan = next_hedge();
  if (now < plan.when) return;
  ++hedges_;
  start(plan.candidate, now, true, plan.rescue);
}

void failover::caller_gone() {
  if (!finished_) finish(finish_kind::caller_gone);
}

std::optional<action> failover::next() {
  if (taken_ < actions_.size()) return actions_[taken_++];
  actions_.clear();
  taken_ = 0;
  if (const auto wake = wake_at(); wake != armed_) {
    armed_ = wake;
    return action{.what = action::kind::arm, .when = wake};
  }
  return std::nullopt;
}

// ---- decisions

void failover::start(std::size_t candidate, instant now, bool hedge, bool rescue) {
  trials_[candidate] = trial::tried;
  ++asked_;
  attempts_.push_back({.candidate = candidate, .hedge = hedge, .started = now, .last = now});
  actions_.push_back({.what = action::kind::start,
                      .attempt = static_cast<int>(attempts_.size()) - 1,
                      .candidate = candidate,
                      .hedge = hedge,
                      .rescue = rescue});
}

void failover::start_another(instant now) {
  const bool in_time = now < deadline();
  const bool more = in_time && (asked_ == 0 || how_.fallback) && budget_left();
  if (const auto fresh = more ? find(trial::fresh) : std::nullopt) {
    start(*fresh, now);
  } else if (const auto again = more && retries_ < how_.bounds.attempts ? find(trial::again) : std::nullopt) {
    wait_for_retry(*again, now);
  } else {
    give_up();
  }
}

void failover::end(int number) {
  at(number).now = phase::over;
  if (number == doubted_) doubted_ = -1;
}

// An attempt is over without an answer.
void failover::go_on(instant now) {
  if (doubted_ >= 0) return ask_farther_up(now);
  if (!anybody_running()) start_another(now);
}

// The doubted answer is better than none, and than waiting for one after the other.
void failover::ask_farther_up(instant now) {
  const auto others = std::ranges::count_if(attempts_, [](const course& a) { return a.now != phase::over; }) - 1;
  if (others > 0) return;
  const auto number = doubted_;
  const auto& kept = candidates_[at(number).candidate];
  const bool in_time = now < std::min(deadline(), doubted_at_ + kept.patience);
  const auto above = in_time && budget_left() ? find_above(kept.where) : std::nullopt;
  if (above) return start(*above, now);
  token(number, now);
  if (!at(number).whole) return;
  at(number).now = phase::over;
  finish(finish_kind::done);
}

void failover::wait_for_retry(std::size_t candidate, instant now) {
  const auto step = std::min(first_backoff * (1 << std::min(retries_++, 8)), longest_backoff);
  const auto jittered = std::chrono::duration_cast<std::chrono::nanoseconds>(step * (0.5 + dice_.unit()));
  retry_candidate_ = candidate;
  retry_at_ = now + jittered;
  if (retry_at_ >= deadline()) give_up();
}

// What a fault means for asking that candidate once more.
void failover::mark(const fault& why, std::size_t candidate) {
  switch (verdict_of(why.kind)) {
    case verdict::unfit:
      drop_unfit(why, candidate);
      break;
    case verdict::next:
      trials_[candidate] = trial::again;
      break;
    case verdict::rest:
    case verdict::open:
    case verdict::tell:
      trials_[candidate] = trial::out;
      break;
  }
}

// A prompt that did not fit there fits only where more is known to fit, or where nothing is known.
void failover::drop_unfit(const fault& why, std::size_t candidate) {
  trials_[candidate] = trial::out;
  const auto& tried = candidates_[candidate];
  if (why.kind != fault_kind::context_length || !tried.context) return;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const auto& other = candidates_[i].context;
    if (trials_[i] == trial::fresh && other && *other <= *tried.context) trials_[i] = trial::out;
  }
}

void failover::cancel_all_but(int number) {
  for (int other = 0; other < static_cast<int>(attempts_.size()); ++other) {
    if (other == number || at(other).now == phase::over) continue;
    at(other).now = phase::over;
    // Who was not waited for long enough is not to blame: it may be asked again.
    if (trials_[at(other).candidate] == trial::tried) trials_[at(other).candidate] = trial::fresh;
    actions_.push_back({.what = action::kind::cancel, .attempt = other});
  }
}

void failover::finish(finish_kind how) {
  cancel_all_but(-1);
  retry_at_ = never;
  finished_ = true;
  actions_.push_back({.what = action::kind::finish, .how = how});
}

// Nobody is left to answer, or to go on.
void failover::give_up() {
  finish(sent_ ? finish_kind::cut : finish_kind::failed);
}

bool failover::anybody_running() const {
  return std::ranges::any_of(attempts_, [](const course& a) { return a.now != phase::over; });
}

std::optional<std::size_t> failover::find(trial state) const {
  const auto found = std::ranges::find(trials_, state);
  if (found == trials_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - trials_.begin());
}

std::optional<std::size_t> failover::find_above(meshai::tier where) const {
  std::optional<std::size_t> nearest;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (trials_[i] != trial::fresh || candidates_[i].where <= where) continue;
    if (!nearest || candidates_[i].where < candidates_[*nearest].where) nearest = i;
  }
  return nearest;
}

bool failover::may_doubt(std::size_t candidate) const {
  const auto where = candidates_[candidate].where;
  return how_.doubts && how_.fallback && !sent_ && doubted_ < 0 && where == tier::local &&
         candidates_[candidate].by == cause::by_auto && budget_left() && find_above(where);
}

instant failover::judge_at(const course& of) const {
  if (of.now != phase::kept || of.judged || of.whole) return never;
  return of.started + how_.bounds.held_for;
}

failover::bound failover::bound_of(const course& of) const {
  if (of.whole) return {};
  const auto& bounds = how_.bounds;
  const bound idle{of.last + bounds.idle_timeout, limit::idle_timeout};
  if (of.now == phase::streaming || of.now == phase::kept) {
    const bound whole{begun_ + bounds.max_stream, limit::max_stream};
    return idle.when < whole.when ? idle : whole;
  }
  const bound request{sent_ ? std::min(of.started + bounds.request_timeout, deadline()) : deadline(),
                      limit::request_timeout};
  if (of.writes) return idle.when < request.when ? idle : request;
  // A slow first token is only a reason to leave when there is somewhere to go.
  const bool last_chance = doubted_ < 0 && (!how_.fallback || !budget_left() || !find(trial::fresh));
  if (!how_.stream || last_chance) return request;
  const auto since = doubted_ < 0 ? of.started : doubted_at_;
  const bound first{since + candidates_[of.candidate].patience, limit::first_token_timeout};
  return first.when < request.when ? first : request;
}

// Until then new attempts may begin.
instant failover::deadline() const {
  return begun_ + (sent_ ? how_.bounds.max_stream : how_.bounds.request_timeout);
}

// Silence of the one attempt that runs, beyond what its node is known for, is answered by a second one.
failover::hedge_plan failover::next_hedge() const {
  if (finished_ || !how_.fallback || hedges_ == most_hedges || !budget_left()) return {};
  const course* only = nullptr;
  for (const auto& each : attempts_) {
    if (each.now == phase::over) continue;
    if (only != nullptr) return {};
    only = &each;
  }
  if (only == nullptr || only->queued) return {};
  const bool streams = only->now != phase::waiting;
  if (streams && !how_.continues) return {};
  if (only->stranded) {
    const auto fresh = find(trial::fresh);
    return fresh ? hedge_plan{only->last, *fresh, true} : hedge_plan{};
  }
  const auto& silent = candidates_[only->candidate];
  const auto& usual = streams ? silent.longest_gap : silent.longest_first_token;
  if (!usual || !may_hedge_ || !how_.stream) return {};
  const auto first_tier = candidates_[attempts_.front().candidate].where;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (trials_[i] != trial::fresh || (candidates_[i].where > first_tier && !how_.bounds.hedge_up)) continue;
    return {(streams ? only->last : only->started) + std::max(*usual, least_silence), i, false};
  }
  return {};
}

instant failover::wake_at() const {
  if (finished_) return never;
  auto wake = std::min(retry_at_, next_hedge().when);
  for (const auto& each : attempts_) {
    if (each.now != phase::over) wake = std::min({wake, bound_of(each).when, judge_at(each)});
  }
  return wake;
}

}  // namespace meshai::route
