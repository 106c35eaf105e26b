// What failover wants done, and what its end means to the caller.
#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.hpp"
#include "dispatch/running.hpp"
#include "dispatch/talk.hpp"

namespace meshai::dispatch {
namespace {

using std::chrono::milliseconds;

// In the story of an answer: no fault, but the caller has some of that attempt's words.
constexpr std::string_view fell_silent = "silence";

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

}  // namespace

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
      case route::action::kind::judge: {
        auto& at = *all_->lanes[static_cast<std::size_t>(what->attempt)];
        if (!at.settled) judge(what->attempt, at, all_->world.clock.now());
        break;
      }
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
  if (!hedge && decides_->may_doubt(candidate)) at.doubt.emplace();
  e.counts.attempt_begun(node, to);
  at.talk = e.upstream.open({.request = at.question ? &*at.question : e.what.request.get(),
                             .to = where,
                             .node = &node,
                             .candidate = &to,
                             .headers = &e.what.headers,
                             .limits = e.what.setup->limits,
                             .collect = collects_.has_value(),
                             .certainty = at.doubt && e.known.tells_certainty(to.model_id)});
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
      answer_ = std::move(by.whole);
      usage_ = answer_.usage;
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
