#include "dispatch/running.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "dispatch/talk.hpp"
#include "env/random.hpp"

namespace meshai::dispatch {
namespace {

constexpr std::size_t longest_whole = 32 << 20;  // bytes of an answer that is put together here

// Whoever wants the nearest, the quickest or the cheapest answer gets it, and who calls a tool goes on with it.
bool may_be_doubted(const errand& all) {
  const auto& asked = *all.what.request;
  const bool chat =
      asked.endpoint == chat::endpoint::chat_completions || asked.endpoint == chat::endpoint::messages;
  const bool quality = asked.mesh.prefer.value_or(chat::preference::quality) == chat::preference::quality;
  return chat && quality && all.ranking.by_auto && all.ranking.bond != route::bond::in_loop &&
         asked.n.value_or(1) == 1 && all.what.setup->limits.escalate_below > 0;
}

}  // namespace

route::policy policy_of(const query& what) {
  return {what.setup->api, what.key, what.allowed, what.setup->care, what.only_priced};
}

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
                               .doubts = may_be_doubted(e),
                               .seed = e.world.random.next()};
  // A whole answer is bounded, and judged, as a whole.
  if (collects_) how.bounds.max_stream = how.bounds.held_for = how.bounds.request_timeout;
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
                   .doubted = doubted_,
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
    if (!some) {
      if (now >= armed_) decides_->tick(now);
      carry_out();
      some = deliver_kept(into);
    }
    if (some && !collects_) co_return ended_ ? *ended_ : progress::deltas;
    if (some) {
      collect(into, now);
      continue;
    }
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
  if (at.doubt) at.doubt->add(std::span(at.mail).subspan(at.looked_at));
  if (at.token_seen) {
    at.seen.gap(at.arrived - at.last);
    at.last = at.arrived;
    decides_->moved(number, now);
  } else if (std::any_of(begins(), at.mail.end(), is_token)) {
    at.token_seen = true;
    at.last = at.arrived;
    at.waited = at.arrived - at.begun;
    at.seen.first_token(at.arrived - at.begun, route::estimate_tokens(*all_->what.request));
    at.doubt ? decides_->held(number, now) : decides_->token(number, now);
  }
  at.looked_at = at.mail.size();
  if (at.doubt && enough_to_judge(at)) judge(number, at, now);
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
    if (at.how == upstream::progress::answer) {
      at.whole = at.talk->take_answer();
      at.costs.heard(at.whole);
      if (at.doubt) at.doubt->add(at.whole);
    }
    judge(number, at, now);
    decides_->ended(number, now);
    return;
  }
  auto why = at.kept_out ? *at.kept_out : at.talk->why();
  learn_from(at, why);
  fault(number, at, why, now);
}

void running::learn_from(const lane& at, route::fault& why) {
  const bool refused = why.kind == route::fault_kind::bad_request || why.kind == route::fault_kind::unsupported;
  if (!refused || at.token_seen) return;
  if (at.rest && at.rest->how() == route::continuation::prefill) {
    all_->known.learn_prefill(at.to.model_id, false);
    why.another_way = true;
  } else if (at.doubt && all_->known.tells_certainty(at.to.model_id)) {
    all_->known.learn_certainty(at.to.model_id, false);
    why.another_way = true;
  }
}

// A whole answer is judged whole, but for one that the mailbox cannot hold.
bool running::enough_to_judge(const lane& at) const {
  if (at.mail.size() >= lane::most / 2) return true;
  return !collects_ && at.doubt->tokens() >= all_->what.setup->limits.held_tokens;
}

void running::judge(int number, lane& at, instant now) {
  const auto heard = std::exchange(at.doubt, std::nullopt);
  if (!heard) return;
  if (!heard->doubtful(all_->what.setup->limits.escalate_below)) return decides_->token(number, now);
  const auto& node = node_of(at);
  doubted_.push_back({.node = node.name,
                      .model = at.to.model,
                      .confidence = heard->value(),
                      .unknowing = heard->unknowing()});
  all_->counts.doubted(node, at.to);
  decides_->doubted(number, now);
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

bool running::deliver_kept(std::vector<chat::delta>& into) {
  const int number = decides_->forwarded();
  if (number < 0) return false;
  auto& at = *all_->lanes[static_cast<std::size_t>(number)];
  return at.looked_at == at.mail.size() && deliver(at, into);
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

}  // namespace meshai::dispatch
