// dispatch: one attempt while it runs: its coroutine on one side, the exchange on the other, a bounded mailbox
// between them. Internal.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "dispatch/bill.hpp"
#include "dispatch/rest.hpp"
#include "dispatch/turnstile.hpp"
#include "env/event.hpp"
#include "env/scope.hpp"
#include "route/route.hpp"
#include "upstream/upstream.hpp"

namespace meshai::dispatch {

// The right to ask one model of one node, given back to its health however the attempt ends.
class permit {
 public:
  permit(route::health& known, const route::candidate& to) : known_(known), to_(to) {}
  ~permit() { give_back(); }
  permit(const permit&) = delete;
  permit& operator=(const permit&) = delete;

  void give_back() {
    if (std::exchange(held_, false)) known_.abandoned(to_.node_id, to_.model_id);
  }
  bool take(instant now) { return held_ = known_.begin(to_.node_id, to_.model_id, now); }
  void succeeded(const route::observation& seen, instant now) {
    if (std::exchange(held_, false)) known_.succeeded(to_.node_id, to_.model_id, seen, now);
  }
  // True when a breaker opened.
  bool failed(const route::fault& why, instant now) {
    return std::exchange(held_, false) && known_.failed(to_.node_id, to_.model_id, why, now);
  }

 private:
  route::health& known_;
  const route::candidate& to_;
  bool held_ = false;
};

struct lane {
  lane(executor loop, route::health& known, const route::candidate& at)
      : to(at), right(known, at), room(loop), work(loop) {}

  // Where its node answers only so many at once, the line before it.
  void find_line(turnstiles& lines, std::string_view node) {
    places = upstream::places_at(*where);
    if (places > 0) line = lines.at(std::string(node));
  }

  const route::candidate& to;
  permit right;
  std::optional<dispatch::rest> rest;     // it goes on from what was sent
  std::optional<chat::request> question;  // its own, where the caller's will not do
  bool hedge = false;
  std::optional<route::confidence> doubt;  // it is kept back until it is judged
  const upstream::endpoint* where = nullptr;
  bill costs;
  std::optional<ledger::shortage> unpaid;  // what it may come to could not be kept on disk
  bool waits = false;                      // for its engine, or for a place
  std::shared_ptr<turnstile> line;
  int places = 0;
  std::optional<turnstile::place> place;  // held while its coroutine runs
  std::optional<instant> admitted;        // it had to wait, until then
  std::optional<route::fault> kept_out;   // it was not asked: the line is full, or its engine does not come
  std::unique_ptr<upstream::attempt> talk;
  chat::answer whole;  // where `how` is an answer, once its end has been told to failover

  // The mailbox. The coroutine fills it, and waits for `room` while it is full.
  static constexpr std::size_t most = 1024;  // steps
  std::vector<chat::delta> mail;
  upstream::progress how = upstream::progress::more;  // anything else: it is over
  instant arrived;                                    // the first of `mail`
  env::event room;

  // The exchange's view of it.
  std::size_t looked_at = 0;  // steps of `mail` that are known to hold no token
  bool token_seen = false;
  bool forwarded = false;  // the caller has some of it
  bool settled = false;    // its end has been told to failover
  instant begun, last;
  std::optional<std::chrono::nanoseconds> waited;  // for its first token
  route::observation seen;

  env::scope work;  // last: cancelled first
};

}  // namespace meshai::dispatch
