// dispatch: what it counts and logs. Names of OpenTelemetry's semantic conventions for generative AI where they
// exist, in Prometheus' spelling. Labels are the operator's own names: a model that only a caller named counts as
// "other". Internal.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "chat/chat.hpp"
#include "env/log.hpp"
#include "env/metrics.hpp"
#include "env/world.hpp"
#include "route/route.hpp"

namespace meshai::dispatch {

// One per worker: it remembers the registry's series, so that counting takes no lock.
class instruments {
 public:
  explicit instruments(env::world& world);

  using duration = std::chrono::nanoseconds;

  void attempt_begun(const route::node& node, const route::candidate& at);
  void attempt_failed(const route::node& node, const route::candidate& at, route::fault_kind why,
                      bool breaker_opened);
  void answered(const route::node& node, const route::candidate& by, std::string_view operation, duration took,
                int attempts, bool first_choice, const chat::usage& used);
  void first_token(const route::node& node, const route::candidate& by, duration after);
  // Another attempt goes on in mid-stream; a second one started beside a silent one is the one that answers.
  void went_on(const route::node& node, const route::candidate& by);
  void doubted(const route::node& node, const route::candidate& by);  // its answer, so that another one is asked
  void hedge_won(const route::node& node, const route::candidate& by);
  void failed(std::string_view code, duration took, int attempts);
  void caller_gone(int attempts);
  void held(care::content what);  // in a conversation, and a rule is about it

 private:
  struct series {
    env::counter& attempts;
    env::counter& input;
    env::counter& output;
    env::counter& fallbacks;
    env::counter& continuations;
    env::counter& hedges;
    env::counter& doubts;
    env::gauge& breaker;
    env::histogram& first_token;
    std::array<env::counter*, route::fault_kinds> faults{};  // by kind, made when first needed
  };
  series& of(const route::node& node, const route::candidate& at);
  env::histogram& duration_of(std::string_view operation);

  env::world& world_;
  std::unordered_map<std::uint64_t, std::unique_ptr<series>> series_;
  std::unordered_map<std::string_view, env::histogram*> durations_;
  env::counter& done_;
  env::counter& failed_;
  env::counter& gone_;
  std::array<env::counter*, care::contents.size()> held_{};  // made when first needed
};

}  // namespace meshai::dispatch
