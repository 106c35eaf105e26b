#include "dispatch/running.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.hpp"
#include "dispatch/talk.hpp"
#include "env/random.hpp"

namespace meshai::dispatch {
namespace {

using std::chrono::milliseconds;

// In the story of an answer: no fault, but the caller has some of that attempt's words.
constexpr std::string_view fell_silent = "silence";

constexpr std::size_t longest_whole = 32 << 20;  // bytes of an answer that is put together here

std::string_view operation_of(chat::endpoint door) {
  switch (door) {
    case chat::endpoint::embeddings:
      return "embeddings";
    case chat::endpoint::completions:
      return "text_completion";
    case chat::endpoint::count_tokens:
      return "count_tokens";
    case chat::endpoint::chat_completions:
    case chat::endpoint::messages:
      return "chat";
  }
  CHECK(false);
}

// What the caller waited for before the deadline `missed` passed.
milliseconds span_of(const route::limits& of, route::limit missed, const route::candidate& at) {
  switch (missed) {
    case route::limit::first_token_timeout:
      return at.patience;
    case route::limit::request_timeout:
      return of.request_timeout;
    case route::limit::idle_timeout:
      return of.idle_timeout;
    case route::limit::max_stream:
      return of.max_stream;
  }
  CHECK(false);
}

route::policy policy_of(const query& what) {
  return {what.setup->api, what.key, what.allowed, what.setup->care, what.only_priced};
}

}  // namespace

route::ranking rank(const means& by, const query& what, const route::hints& more, instant now) {
  return route::rank(*what.request, policy_of(what), what.setup->directory, by.known, what.setup->limits, now,
                     by.world.random.next(), more);
}

errand::errand(std::shared_ptr<const means> with, query asked)
    : by(std::move(with)),
      world(by->world),
      upstream(by->upstream),
      known(by->known),
      counts(*by->counts),
      what(std::move(asked)),
      recall(by->remembers, what, world.clock.now()),
      wake(world.loop),
      alarm(by->clock, wake) {
  if (what.budget) bound_answer(what.request);
}

running::running(std::shared_ptr<errand> all)
    : all_(std::move(all)), begun_(all_->world.clock.now()), ways_lost_(all_->by->ways_lost) {
  auto& e = *all_;
  const auto& request = *e.what.request;
  e.ranking = rank(*e.by, e.what, e.recall.hints(), begun_);
  for (const auto what : e.ranking.held) e.counts.held(what);
  if (e.ranking.refused) {
    why_ = {.why = e.ranking.refused->why, .retry_after = e.ranking.refused->retry_after};
    finish(route::finish_kind::failed);
    return;
  }
  e.known.request_begun();
  e.recall.begin(begun_);
  if (!request.stream && chat::can_collect(request)) collects_.emplace(longest_whole);
  route::failover::options how{.bounds = e.what.setup->limits,
                               .stream = request.stream || collects_,
                               .fallback = request.mesh.fallback.value_or(true),
                               .continues = collects_ || can_go_on(request),
                               .seed = e.world.random.next()};
  if (collects_) how.bounds.max_stream = how.bounds.request_timeout;
  decides_.emplace(e.ranking.candidates, how, begun_);
  decides_->begin(begun_);
  carry_out();
}

running::~running() {
  for (auto& each : all_->lanes) each->work.cancel();
  if (!decides_ || decides_->finished()) return;
  all_->counts.caller_gone(decides_->asked());
}

chat::story running::story() const {
  const auto& e = *all_;
  chat::story told{.request_id = all_->what.request_id,
                   .node = facts_.node,
                   .model = facts_.model,
                   .where = facts_.where,
                   .attempts = facts_.attempts,
                   .dropped = dropped_,
                   .failed = failed_,
                   .care = {},
                   .raw_route = {}};
  for (const auto what : e.ranking.held) told.care.emplace_back(to_string(what));
  if (e.what.request->mesh.explain.value_or(false)) {
    told.raw_route = route::explain(e.ranking, *e.what.request, e.known, e.world.clock.now(), e.what.owner);
  }
  return told;
}

head running::head_of(const route::candidate& at) const {
  const bool judged = at.by == route::cause::by_auto;
  return {.node = all_->ranking.node_of(at).name,
          .model = at.model,
          .where = at.where,
          .attempts = decides_->asked(),
          .answers = facts_.answers,
          .judged = judged ? std::optional(all_->ranking.judged.how) : std::nullopt,
          .held = all_->ranking.held};
}

// ---- waiting

task<progress> running::next(std::vector<chat::delta>& into, instant by) {
  into.clear();
  for (;;) {
    if (ended_) co_return *ended_;
    const auto now = all_->world.clock.now();
    look_for_stranded(now);
    bool some = false;
    for (int i = 0; !some && i < static_cast<int>(all_->lanes.size()); ++i) some = look_at(i, into, now);
    if (some && !collects_) co_return ended_ ? *ended_ : progress::deltas;
    if (some) {
      collect(into, now);
      continue;
    }
    if (now >= armed_) decides_->tick(now);
    carry_out();
    if (ended_) co_return *ended_;
    if (now >= by) co_return progress::quiet;
    all_->alarm.set(std::min(armed_, by));
    co_await all_->wake.wait();
  }
}

// ---- events

bool running::look_at(int number, std::vector<chat::delta>& into, instant now) {
  auto& at = *all_->lanes[static_cast<std::size_t>(number)];
  if (at.settled) return false;
  if (at.admitted) {
    at.begun = *std::exchange(at.admitted, std::nullopt);
    at.waits = false;
    decides_->admitted(number, at.begun);
  }
  if (!notice_steps(number, at, now)) {
    carry_out();
    return ended_.has_value();
  }
  const bool over = at.how != upstream::progress::more;
  const bool whole = at.how == upstream::progress::ended || at.how == upstream::progress::answer;
  // What came before a fault is the caller's; the fault is told after it.
  if (over && (whole || decides_->forwarded() != number || at.mail.empty())) settle(number, at, now);
  carry_out();
  if (decides_->forwarded() != number) return false;
  const bool some = deliver(at, into);
  return some || ended_;
}

void running::look_for_stranded(instant now) {
  if (std::exchange(ways_lost_, all_->by->ways_lost) == all_->by->ways_lost) return;
  for (int i = 0; i < static_cast<int>(all_->lanes.size()); ++i) {
    const auto& at = *all_->lanes[static_cast<std::size_t>(i)];
    if (!at.settled && at.talk && at.talk->stranded()) decides_->stranded(i, now);
  }
  carry_out();
}

bool running::notice_steps(int number, lane& at, instant now) {
  if (at.looked_at == at.mail.size()) return true;
  const auto is_token = [](const chat::delta& d) { return d.is_token(); };
  const auto begins = [&] { return at.mail.begin() + static_cast<std::ptrdiff_t>(at.looked_at); };
  if (at.rest && !at.token_seen && std::any_of(begins(), at.mail.end(), is_token)) decides_->heard(number, now);
  if (!fit_steps(number, at, now)) return false;
  if (at.token_seen) {
    at.seen.gap(at.arrived - at.last);
    at.last = at.arrived;
    decides_->moved(number, now);
  } else if (std::any_of(begins(), at.mail.end(), is_token)) {
    at.token_seen = true;
    at.last = at.arrived;
    at.waited = at.arrived - at.begun;
    at.seen.first_token(at.arrived - at.begun, route::estimate_tokens(*all_->what.request));
    decides_->token(number, now);
  }
  at.looked_at = at.mail.size();
  return true;
}

bool running::fit_steps(int number, lane& at, instant now) {
  if (!at.rest) return true;
  const bool fits = at.rest->fit(at.mail, at.looked_at);
  if (at.rest->prefill_ignored()) all_->known.learn_prefill(at.to.model_id, false);
  if (fits) return true;
  at.work.cancel();
  fault(number, at, route::misfit_fault(node_of(at).name), now);
  return false;
}

void running::settle(int number, lane& at, instant now) {
  if (at.unpaid) {
    at.settled = true;
    at.right.give_back();
    at.costs.close({.now = now});
    short_of_ = at.unpaid;
    decides_->refused(number, now);
    return;
  }
  if (at.how != upstream::progress::fault) {
    at.settled = true;
    at.right.succeeded(at.seen, now);
    decides_->ended(number, now);
    return;
  }
  auto why = at.kept_out ? *at.kept_out : at.talk->why();
  const bool prefilled = at.rest && at.rest->how() == route::continuation::prefill;
  const bool refused = why.kind == route::fault_kind::bad_request || why.kind == route::fault_kind::unsupported;
  if (prefilled && !at.token_seen && refused) {
    all_->known.learn_prefill(at.to.model_id, false);
    why.another_way = true;
  }
  fault(number, at, why, now);
}

void running::fault(int number, lane& at, const route::fault& why, instant now, bool blame) {
  at.settled = true;
  const auto& node = node_of(at);
  const bool opened = blame && at.right.failed(why, now);
  if (blame) all_->recall.failed(all_->ranking, at.to, why.kind, now);
  at.costs.close({.fault = why.kind, .now = now});
  all_->counts.attempt_failed(node, at.to, why.kind, opened);
  failed_.push_back({.node = node.name,
                     .model = at.to.model,
                     .fault = std::string(route::to_string(why.kind)),
                     .streamed = decides_->forwarded() == number});
  decides_->faulted(number, why, now);
}

bool running::deliver(lane& from, std::vector<chat::delta>& into) {
  if (from.mail.empty()) return false;
  into.swap(from.mail);
  from.mail.clear();
  from.looked_at = 0;
  from.room.set();
  for (const auto& step : into) {
    if (step.usage) usage_ = *step.usage;
    delivered_.add(step);
  }
  if (delivered_.too_long() && !collects_) decides_->cannot_go_on();
  return true;
}

void running::collect(std::vector<chat::delta>& steps, instant now) {
  const bool fits = collects_->add(steps);
  steps.clear();
  if (ended_ == progress::answer && !answered_whole_) answer_ = collects_->take();
  if (fits || ended_) return;
  const int number = decides_->forwarded();
  auto& at = *all_->lanes[static_cast<std::size_t>(number)];
  at.work.cancel();
  fault(number, at, route::malformed_fault(node_of(at).name, "an answer beyond 32 MB"), now);
}

// ---- actions

void running::carry_out() {
  if (!decides_) return;
  while (const auto what = decides_->next()) {
    switch (what->what) {
      case route::action::kind::start:
        start(*what);
        break;
      case route::action::kind::expire:
        expire(what->attempt, what->missed, all_->world.clock.now());
        break;
      case route::action::kind::arm:
        armed_ = what->when;
        break;
      case route::action::kind::finish:
        finish(what->how);
        break;
      case route::action::kind::cancel:
        cancel(what->attempt);
        break;
      case route::action::kind::forward:
        forward(what->attempt);
        break;
    }
  }
  facts_.attempts = decides_->asked();
}

void running::cancel(int number) {
  auto& at = *all_->lanes[static_cast<std::size_t>(number)];
  at.settled = true;
  at.right.give_back();
  at.work.cancel();
  at.costs.close({.now = all_->world.clock.now()});
  if (at.forwarded && decides_->forwarded() != number) {  // it fell silent, and a hedge goes on
    failed_.push_back(
        {.node = node_of(at).name, .model = at.to.model, .fault = std::string(fell_silent), .streamed = true});
  }
}

void running::forward(int number) {
  auto& at = *all_->lanes[static_cast<std::size_t>(number)];
  at.forwarded = true;
  const auto& node = node_of(at);
  dropped_ = at.talk->dropped();
  facts_ = head_of(at.to);
  // What the caller has not had yet need not be stitched: only a prefill is worth more than a new answer.
  if (collects_ && facts_.answers > 0) at.rest ? collects_->go_on() : collects_->begin_anew();
  if (collects_ && !at.rest) delivered_ = {};
  ++facts_.answers;
  if (at.hedge) all_->counts.hedge_won(node, at.to);
  if (facts_.answers > 1) {
    all_->counts.went_on(node, at.to);
  } else if (at.token_seen) {
    all_->counts.first_token(node, at.to, all_->world.clock.now() - begun_);
  }
}

void running::start(const route::action& what) {
  auto& e = *all_;
  const auto [number, candidate, hedge] = std::tuple(what.attempt, what.candidate, what.hedge);
  const auto& to = e.ranking.candidates[candidate];
  CHECK(static_cast<std::size_t>(number) == e.lanes.size());
  auto& at = *e.lanes.emplace_back(std::make_unique<lane>(e.world.loop, e.known, to));
  at.begun = e.world.clock.now();
  const auto& node = e.ranking.node_of(to);
  const auto* where = e.what.setup->endpoints->find(node.name);
  CHECK(where != nullptr);
  at.where = where;
  at.hedge = hedge;
  const bool ready = upstream::is_ready(*where);
  if (!ready && (hedge || decides_->has_fresh())) {
    at.settled = true;
    return decides_->put_off(number, at.begun);
  }
  if (decides_->sent()) go_on_with(at, node);
  const bool allowed = (!e.by->pays || reserve(at)) &&
                       (!hedge || what.rescue || e.known.may_hedge(e.what.setup->limits.hedge_share));
  if (!allowed || !at.right.take(at.begun)) {
    at.settled = true;
    at.costs.close({});
    return hedge && !allowed ? decides_->hedge_denied(number, at.begun) : decides_->refused(number, at.begun);
  }
  if (!decides_->sent() && !hedge) facts_ = head_of(to);
  e.counts.attempt_begun(node, to);
  at.talk = e.upstream.open({.request = at.question ? &*at.question : e.what.request.get(),
                             .to = where,
                             .node = &node,
                             .candidate = &to,
                             .headers = &e.what.headers,
                             .limits = e.what.setup->limits,
                             .collect = collects_.has_value()});
  if (ready) at.find_line(*e.by->lines, node.name);
  if (at.line) at.place = at.line->try_enter(e.what.who, at.places);
  at.waits = !ready || (at.line && !at.place);
  if (at.waits) decides_->queued(number);
  at.work.spawn(talk(all_, at));
  stand_by(candidate);
}

void running::go_on_with(lane& at, const route::node& node) {
  const auto& asked = *all_->what.request;
  const bool can = can_go_on(asked) && !delivered_.too_long();
  const auto how = can ? way_on(asked, delivered_, node, at.to, all_->known) : route::continuation::restart;
  if (collects_ && how != route::continuation::prefill) return;
  at.rest.emplace(asked, delivered_, how);
  at.question = ask_for_rest(asked, delivered_, how);
}

bool running::reserve(lane& at) {
  auto& e = *all_;
  const auto& asked = at.question ? *at.question : *e.what.request;
  const auto wrong = at.costs.open(*e.by->pays, e.what.who, asked, node_of(at), at.to,
                                   {.now = at.begun, .wall = e.world.clock.wall()});
  if (wrong && !short_of_) short_of_ = wrong;
  return !wrong;
}

// The next place should not have to be dialled when this one fails. One that is farther away than the question
// goes now is not called on: it would learn that somebody asks.
void running::stand_by(std::size_t after) {
  auto& e = *all_;
  if (!e.what.request->mesh.fallback.value_or(true)) return;
  const auto& now = e.ranking.candidates[after];
  for (auto i = after + 1; i < e.ranking.candidates.size(); ++i) {
    const auto& next = e.ranking.candidates[i];
    const auto& limits = e.what.setup->limits;
    if (next.node == now.node || (next.where > now.where && !limits.hedge_up)) continue;
    const auto* at = e.what.setup->endpoints->find(e.ranking.node_of(next).name);
    CHECK(at != nullptr);
    e.upstream.stand_by(*at, limits.connect_timeout_of(next.where));
    return;
  }
}

void running::expire(int number, route::limit missed, instant now) {
  auto& at = *all_->lanes[static_cast<std::size_t>(number)];
  if (at.settled) return;
  at.work.cancel();
  if (at.waits && at.line) return fault(number, at, route::busy_fault(node_of(at).name), now, false);
  // A healthy stream that is merely long says nothing against its node.
  const bool blame = missed != route::limit::max_stream && !at.waits;
  if (collects_ && missed == route::limit::max_stream) missed = route::limit::request_timeout;
  const auto limit = span_of(all_->what.setup->limits, missed, at.to);
  fault(number, at, route::timeout_fault(node_of(at).name, route::to_string(missed), limit), now, blame);
}

void running::finish(route::finish_kind how) {
  const auto took = all_->world.clock.now() - begun_;
  const int attempts = decides_ ? decides_->asked() : 0;
  if (how == route::finish_kind::done) {
    auto& by = *all_->lanes[static_cast<std::size_t>(decides_->forwarded())];
    if (by.how == upstream::progress::answer) {
      answer_ = by.talk->take_answer();
      usage_ = answer_.usage;
      by.costs.heard(answer_);
    }
    for (const auto& step : by.mail) {
      if (step.usage) usage_ = *step.usage;
    }
    answered_whole_ = by.how == upstream::progress::answer;
    ended_ = answered_whole_ || collects_ ? progress::answer : progress::end;
    const bool fallback = &by.to != &all_->ranking.candidates.front();
    by.costs.close({.answered = true, .fallback = fallback, .now = all_->world.clock.now()});
    all_->recall.answered(all_->ranking, by.to, by.waited, all_->world.clock.now());
    all_->counts.answered(node_of(by), by.to, operation_of(all_->what.request->endpoint), took, attempts,
                          !fallback, usage_);
    return;
  }
  if (decides_) why_ = failure_of(decides_->told());
  ended_ = progress::failed;
  all_->counts.failed(why_.why.code, took, attempts);
}

failure running::failure_of(const std::optional<route::fault>& told) const {
  const auto& e = *all_;
  const auto now = e.world.clock.now();
  if (!told) {
    if (short_of_) return describe(*short_of_);
    // Between the ranking and the start somebody else found them all down: the ranking of now says how.
    auto caller = policy_of(e.what);
    caller.allowed = {};
    auto again =
        route::rank(*e.what.request, caller, e.what.setup->directory, e.known, e.what.setup->limits, now, 0);
    if (again.refused) return {.why = std::move(again.refused->why), .retry_after = again.refused->retry_after};
    return {.why = {.status = 503,
                    .type = "overloaded_error",
                    .code = "all_nodes_down",
                    .param = {},
                    .message = "no node can answer now",
                    .hint = "Try again."},
            .retry_after = milliseconds(1000)};
  }
  failure out{.why = told->told, .retry_after = told->rest};
  if (!out.retry_after && (out.why.status == 429 || out.why.status == 503)) {
    // When the first place may be asked again is what the caller wants to know.
    for (const auto& each : e.ranking.candidates) {
      const auto seen = e.known.look(each.node_id, each.model_id, now);
      if (seen.available() || seen.until <= now) continue;
      const auto wait = std::chrono::ceil<milliseconds>(seen.until - now);
      out.retry_after = out.retry_after ? std::min(*out.retry_after, wait) : wait;
    }
  }
  return out;
}

}  // namespace meshai::dispatch
