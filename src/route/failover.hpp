// route: the one object that decides, once per request: whom to ask, whom to forward, when to give up. A machine of
// events and actions: no clock, no I/O; it is told the time and says what to do.
//
// It owns the state of every attempt, the deadline and the budget of attempts. Several attempts may run at once (hedges
// are just another start); only one is forwarded.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "env/clock.hpp"
#include "route/fault.hpp"
#include "route/limits.hpp"
#include "route/rank.hpp"

namespace meshai::route {

enum class finish_kind {
  done,         // the forwarded attempt's answer is whole
  failed,       // nobody answered; nothing was sent to the caller
  cut,          // the answer broke off after its first token
  caller_gone,
};

struct action {
  enum class kind { start, cancel, forward, arm, finish } what;
  int attempt = -1;           // start, cancel, forward: attempts are numbered from 0
  std::size_t candidate = 0;  // start
  instant when = never;       // arm: call tick() then, unless armed anew; `never` disarms
  finish_kind how = finish_kind::done;  // finish
};

class failover {
 public:
  struct options {
    route::limits bounds;
    bool stream = true;
    bool fallback = true;
    std::uint64_t seed = 0;     // for jitter
  };
  // `candidates` must live as long as this.
  failover(std::span<const candidate> candidates, const options& how, instant now);

  // Events. Each may leave actions behind.
  void begin(instant now);
  void token(int attempt, instant now);     // its first content, reasoning or tool step (a whole answer: never)
  void moved(int attempt, instant now);     // any later step
  void ended(int attempt, instant now);     // its answer is whole
  void faulted(int attempt, const fault& why, instant now);
  void refused(int attempt, instant now);   // health would not let it begin
  void tick(instant now);
  void caller_gone();

  // The next thing to do, in order; empty when there is nothing.
  std::optional<action> next();

  bool finished() const { return finished_; }
  int forwarded() const { return forwarded_; }                       // -1: none yet
  std::size_t candidate_of(int attempt) const;
  int asked() const { return asked_; }                               // attempts that reached, or may have reached, a node
  const std::optional<fault>& first_fault() const { return first_fault_; }  // what the caller is told

 private:
  enum class phase { waiting, streaming, over };
  struct attempt {
    std::size_t candidate;
    phase now = phase::waiting;
    instant started, last;
  };
  struct trial {  // per candidate
    bool tried = false;
    bool out = false;        // not to be asked (again)
    bool again = false;      // may be asked again when no other is left
  };

  void start_next(instant now);
  void start(std::size_t candidate, instant now);
  void finish(finish_kind how);
  void arm(instant now);
  bool last_chance() const;
  instant deadline_of(const attempt& a) const;
  void note(const fault& why, std::size_t candidate, instant now);
  void give_up(const fault& why);
  std::optional<std::size_t> untried() const;

  std::span<const candidate> candidates_;
  options how_;
  instant begun_;
  std::vector<attempt> attempts_;
  std::vector<trial> trials_;
  std::deque<action> actions_;
  std::optional<fault> first_fault_;
  instant armed_ = never;
  instant retry_at_ = never;   // backoff before the same node is asked again
  std::size_t retry_candidate_ = 0;
  int retries_ = 0;
  int asked_ = 0;
  int forwarded_ = -1;
  bool finished_ = false;
};

}  // namespace meshai::route
