// engine: the life of a llama-server: prepared, started, loaded, guarded, ended, and again.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "engine/board.hpp"
#include "engine/launch.hpp"
#include "engine/talk.hpp"
#include "env/clock.hpp"
#include "env/event.hpp"
#include "env/metrics.hpp"
#include "env/process.hpp"
#include "env/scope.hpp"
#include "env/world.hpp"

namespace meshai::engine {

// One llama-server, from its start to its end.
struct life {
  std::unique_ptr<env::child> child;
  std::optional<env::exit_status> ended;
};

class keeper {
 public:
  keeper(const env::world& world, options how, std::shared_ptr<board> shown);

  // For ever, until cancelled.
  static task<void> run(std::shared_ptr<keeper> self);
  // After run() has ended: SIGTERM, SIGKILL after 3 s.
  task<void> finish();
  // Kills at once.
  void abandon() noexcept;

 private:
  task<result<void>> live();  // one life; ends well where another shall follow at once
  task<result<launch>> settle();
  task<result<void>> learn_flags(const launch& with);
  result<void> start(const launch& with);
  task<result<void>> load(const launch& with);
  task<result<void>> warm(const launch& with, instant by);
  task<result<void>> guard(const launch& with);
  result<void> check_alive(bool answered);
  bool should_begin_anew(const launch& with);
  task<bool> idle();
  task<void> terminate(int signal);
  task<std::string> diagnose(const launch& with, instant by);

  task<void> rest(std::chrono::nanoseconds time);
  task<void> pause(std::chrono::nanoseconds time);  // cut short when the child ends
  void enter(state next, std::string reason = {});
  void show_ready(const launch& with, std::chrono::nanoseconds load_time);
  std::string ending() const;  // how it ended; empty while it lives

  env::world world_;
  options how_;
  std::shared_ptr<board> shown_;
  std::shared_ptr<env::event> stirred_;
  talk talk_;
  env::gauge& ready_gauge_;
  env::gauge& memory_gauge_;

  std::shared_ptr<life> life_;
  std::optional<env::scope> watching_;  // waits for the end of life_
  std::string known_of_;                // the program whose options known_ are
  std::set<std::string> known_;

  // While it is ready:
  std::optional<instant> ready_since_;
  instant last_answer_{};
  std::chrono::milliseconds processor_then_{0};  // time it had used at its last answer
  std::uint64_t memory_bound_ = 0;               // of anonymous memory
  bool anew_ = false;                            // begin anew as soon as nobody is being answered
};

// The pause after the `failures`-th failure in a row (from 0): doubled each time up to `longest`, and between half
// and the whole of that by `dice` in [0, 1).
std::chrono::milliseconds rest_after(unsigned failures, double dice, std::chrono::milliseconds first,
                                     std::chrono::milliseconds longest);

// The line in which llama-server says why it ended, for people; empty where there is none.
std::string parse_complaint(std::string_view output);

}  // namespace meshai::engine
