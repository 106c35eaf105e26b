// route: what each node and model has taught us. One per process and thread-safe: sharded by target, short locks,
// no waiting inside.
//
// A breaker per target: closed until faults pile up, then open for a time that doubles while it keeps failing,
// then half open, when one attempt at a time may probe. A rest (429) is apart from it: it ends by itself and no
// probe is needed. First-token time and gaps between steps are learned for timeouts and hedges.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "env/clock.hpp"
#include "route/directory.hpp"
#include "route/fault.hpp"

namespace meshai::route {

enum class breaker { closed, open, half_open };
std::string_view to_string(breaker state);

// Of a node that somebody watches from beside it, as the keeper of an engine does.
enum class presence {
  here,
  coming,  // it will answer soon: asked after all others, and waited for
  gone,    // not asked
};

// What ranking and `status` see of one target.
struct standing {
  route::presence presence = route::presence::here;
  route::breaker breaker = route::breaker::closed;
  bool probing = false;            // half open, and its one probe is out
  bool resting = false;            // after a 429
  instant until = instant::min();  // when it may be asked again, if it may not now
  std::optional<fault_kind> last_fault;
  double error_rate = 0;                                 // of the last attempts, 0 to 1
  std::uint64_t answers = 0, faults = 0;                 // since the start
  std::optional<std::chrono::microseconds> first_token;  // the usual wait for a short prompt
  bool available() const {
    if (presence != route::presence::here) return presence == route::presence::coming;
    return !resting && breaker != route::breaker::open && !(breaker == route::breaker::half_open && probing);
  }
};

// Whether a probe that asks no model can tell that this is over.
bool is_unreachable(std::optional<fault_kind> last);

// What one attempt observed, gathered without a lock and reported once.
class observation {
 public:
  void first_token(std::chrono::nanoseconds after, std::int64_t prompt_tokens) {
    first_token_ = after;
    prompt_tokens_ = prompt_tokens;
  }
  void gap(std::chrono::nanoseconds between);

 private:
  friend class health;
  std::optional<std::chrono::nanoseconds> first_token_;
  std::int64_t prompt_tokens_ = 0;
  std::array<std::uint16_t, 32> gaps_{};  // by powers of the square root of two from 1 ms
};

class health {
 public:
  health();
  ~health();

  // Both the node and the model: the worse of the two.
  standing look(target_id node, target_id model, instant now) const;
  standing look(target_id one, instant now) const;

  // Before an attempt. False: it is open or rests, or somebody else is probing it. Every true is followed by
  // exactly one of the three below.
  bool begin(target_id node, target_id model, instant now);
  void succeeded(target_id node, target_id model, const observation& seen, instant now);
  // Returns true when this opened a breaker.
  bool failed(target_id node, target_id model, const fault& why, instant now);
  // Cancelled, or ended by a fault that says nothing about the node.
  void abandoned(target_id node, target_id model);

  // Nothing is held against a node for being away; when it is here again its breaker closes.
  void set_presence(target_id node, presence now);
  // What a probe saw that asked no model. Reached: a breaker that opened because the node could not be reached
  // lets one request try now. Not reached: counts as an attempt that failed so; a breaker that is open stays so.
  void probed(target_id node, bool reached, instant now);
  // Keys rest by themselves: `one` names the key.
  void rest(target_id one, std::optional<std::chrono::milliseconds> asked, instant now);

  // How long to wait for the first token of a prompt: never less than `floor`, and more when the prompt is long
  // for what this model has shown.
  std::chrono::milliseconds patience(target_id model, meshai::tier where, std::int64_t prompt_tokens,
                                     std::chrono::milliseconds floor) const;
  // The usual wait for the first token of such a prompt; nothing before it has answered.
  std::optional<std::chrono::milliseconds> usual_first_token(target_id model, std::int64_t prompt_tokens) const;
  // The wait for the first token of such a prompt that this model passes once in a thousand; nothing before 30
  // answers.
  std::optional<std::chrono::milliseconds> first_token_p999(target_id model, std::int64_t prompt_tokens) const;
  // The gap between steps that this model passes once in a thousand; nothing before it has shown 200.
  std::optional<std::chrono::milliseconds> gap_p999(target_id model) const;

  // Whether this model goes on from a prefill, once it has been seen to or not to.
  std::optional<bool> takes_prefill(target_id model) const;
  void learn_prefill(target_id model, bool takes);
  // Whether this model's node answers in streams, once it has been seen to refuse to.
  std::optional<bool> streams(target_id model) const;
  void learn_streams(target_id model, bool does);
  // Whether it may be asked how sure it is of each token; yes, until it refused to say.
  bool tells_certainty(target_id model) const;
  void learn_certainty(target_id model, bool tells);

  // Hedges are bounded in their share of all requests, old ones fading. True: this one may begin, and is counted.
  void request_begun();
  bool may_hedge(double share);

 private:
  struct shard;
  struct hedge_count;
  shard& shard_of(target_id id) const;
  std::unique_ptr<shard[]> shards_;
  std::unique_ptr<hedge_count> hedged_;
};

}  // namespace meshai::route
