// route: the one object that decides, once per request: whom to ask, whom to forward, when to give up. A machine
// of events and actions: no clock, no I/O; it is told the time and says what to do.
//
// It owns the state of every attempt, the deadline and the budget of attempts. Several attempts may run at once;
// the first to show a token is forwarded. When the forwarded one breaks off, another goes on from what was sent;
// when it falls silent for longer than its node is known for, another is started beside it (a hedge), and
// whichever moves first goes on.
//
// The answer of a model on this device may be kept back until it is judged. Where it is doubted, somebody farther up
// is asked, and it stands behind until that one shows a token: it is the answer if nobody does.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "env/clock.hpp"
#include "route/dice.hpp"
#include "route/fault.hpp"
#include "route/limits.hpp"
#include "route/rank.hpp"

namespace meshai::route {

enum class finish_kind {
  done,    // the forwarded attempt's answer is whole
  failed,  // nobody answered; nothing was sent to the caller
  cut,     // the answer broke off after its first token, and nobody could go on
  caller_gone,
};

// The deadline that an attempt missed.
enum class limit { first_token_timeout, request_timeout, idle_timeout, max_stream };
std::string_view to_string(limit which);

struct action {
  enum class kind {
    start,    // attempt, candidate, hedge, rescue; where sent(): it goes on from what the caller has
    cancel,   // attempt: nobody waits for it any longer
    expire,   // attempt, missed: cancel it, then report faulted() with a timeout
    judge,    // attempt: it is kept back no longer; report token() or doubted()
    forward,  // attempt: its steps go to the caller from now on, and those of no other
    arm,      // when: call tick() then, instead of what was armed before; `never` disarms
    finish,   // how: the last action of all
  } what;
  int attempt = -1;  // numbered from 0 in the order of their start
  std::size_t candidate = 0;
  bool hedge = false;   // started beside another; hedge_denied() takes it back
  bool rescue = false;  // a hedge that counts against no share: the other one is known to be in trouble
  limit missed = limit::first_token_timeout;
  instant when = never;
  finish_kind how = finish_kind::done;
};

class failover {
 public:
  struct options {
    route::limits bounds;
    bool stream = true;      // false: the answer shows no token before its end
    bool fallback = true;    // false: one attempt
    bool continues = true;   // an answer that broke off can be gone on with
    bool doubts = false;     // a local answer may give way to one from farther up
    std::uint64_t seed = 0;  // for jitter
  };
  // `candidates` must outlive this.
  failover(std::span<const candidate> candidates, const options& how, instant now);

  // Events. Each may leave actions behind; those about attempts that are over are ignored.
  void begin(instant now);
  void token(int number, instant now);  // its first content, reasoning or tool step
  void moved(int number, instant now);  // any later step
  void held(int number, instant now);     // its first token has come, where may_doubt(), and the caller has not got it
  void doubted(int number, instant now);  // instead of token(): somebody farther up is to be asked
  void heard(int number, instant now);  // it writes; nothing of it can be sent: a seam holds its first words
  void ended(int number, instant now);  // its answer is whole
  void faulted(int number, const fault& why, instant now);
  void queued(int number);  // it waits for a place at its node, or for its engine: that is not the node's silence
  void admitted(int number, instant now);  // and no longer
  // The way to its node is gone on this machine. It may come back: another is asked beside it, at once.
  void stranded(int number, instant now);
  void put_off(int number, instant now);           // its engine is not ready: asked later, if nobody else answers
  void refused(int number, instant now);           // health would not let it begin
  void hedge_denied(int number, instant now);      // the share of hedges is used up: none for this request
  void cannot_go_on() { how_.continues = false; }  // what was sent is more than anybody could be given
  void tick(instant now);
  void caller_gone();

  // The next thing to do, in order; empty when there is nothing.
  std::optional<action> next();

  bool finished() const { return finished_; }
  int forwarded() const { return forwarded_; }  // -1: none yet, or it broke off
  bool sent() const { return sent_; }           // the caller has had a token
  bool has_fresh() const { return how_.fallback && find(trial::fresh).has_value(); }  // somebody not asked yet
  // Somebody farther up could still be asked instead of this one, which is on this device.
  bool may_doubt(std::size_t candidate) const;
  std::size_t candidate_of(int attempt) const { return attempts_[static_cast<std::size_t>(attempt)].candidate; }
  int asked() const { return asked_; }  // attempts that reached, or may have reached, a node
  // What the caller is told when it ends badly: the fault that first broke its stream, else the first of all. What
  // a fallback complains of never stands in their place.
  const std::optional<fault>& told() const { return told_; }

 private:
  // kept: it is being judged, or doubted; in the end it is forwarded or cancelled.
  enum class phase { waiting, kept, streaming, over };
  struct course {
    std::size_t candidate = 0;
    phase now = phase::waiting;
    bool judged = false;
    bool whole = false;  // all of it is here, while it is kept
    bool hedge = false;
    bool queued = false;
    bool writes = false;
    bool stranded = false;
    instant started, last;
  };
  enum class trial { fresh, tried, again, out };  // again: may be asked once more when no other is left

  struct bound {
    instant when = never;
    limit which = limit::first_token_timeout;
  };

  course& at(int number) { return attempts_[static_cast<std::size_t>(number)]; }
  void start(std::size_t candidate, instant now, bool hedge = false, bool rescue = false);
  void start_another(instant now);
  void end(int number);
  void go_on(instant now);
  void ask_farther_up(instant now);
  void wait_for_retry(std::size_t candidate, instant now);
  void drop_unfit(const fault& why, std::size_t candidate);
  void mark(const fault& why, std::size_t candidate);
  void cancel_all_but(int number);
  void finish(finish_kind how);
  void give_up();
  bool budget_left() const { return asked_ < how_.bounds.attempts; }
  bool anybody_running() const;
  std::optional<std::size_t> find(trial state) const;
  std::optional<std::size_t> find_above(meshai::tier where) const;  // somebody fresh, in the nearest such tier
  bound bound_of(const course& of) const;
  instant judge_at(const course& of) const;
  struct hedge_plan {
    instant when = never;
    std::size_t candidate = 0;
    bool rescue = false;
  };
  hedge_plan next_hedge() const;
  void hedge(instant now);
  instant deadline() const;
  instant wake_at() const;

  std::span<const candidate> candidates_;
  options how_;
  dice dice_;
  instant begun_;
  std::vector<course> attempts_;
  std::vector<trial> trials_;  // one per candidate
  std::vector<action> actions_;
  std::size_t taken_ = 0;  // of actions_
  std::optional<fault> told_;
  instant armed_ = never;
  instant retry_at_ = never;  // the end of the backoff before the same node is asked again
  std::size_t retry_candidate_ = 0;
  int retries_ = 0;
  int asked_ = 0;
  int forwarded_ = -1;
  int doubted_ = -1;  // it stands behind while somebody farther up is asked
  instant doubted_at_ = never;
  int hedges_ = 0;
  bool may_hedge_ = true;
  bool sent_ = false;
  bool broken_ = false;  // told_ is what broke the caller's stream
  bool finished_ = false;
};

}  // namespace meshai::route
