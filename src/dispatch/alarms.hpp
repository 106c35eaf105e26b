// dispatch: rings events at instants. One sleeper serves all requests of a worker: nearly all of them end before
// any deadline of theirs, so to forget an alarm must cost next to nothing. Internal.
#pragma once

#include <map>
#include <memory>
#include <utility>

#include "env/clock.hpp"
#include "env/event.hpp"
#include "env/scope.hpp"
#include "env/world.hpp"

namespace meshai::dispatch {

class alarm;

// One per worker, owned by a shared_ptr.
class alarms : public std::enable_shared_from_this<alarms> {
 public:
  explicit alarms(const env::world& in) : clock_(in.clock), sleeping_(in.loop) {}
  void ring_all();  // whoever waits looks around now

 private:
  friend class alarm;
  using places = std::multimap<instant, alarm*>;

  static task<void> sleep(std::weak_ptr<alarms> all, env::clock& clock, instant until);
  void wake_by(instant when);
  void ring();  // those that are due

  env::clock& clock_;
  places set_;
  instant wakes_ = never;  // the sleeper; one that finds another time here was overtaken, and goes
  env::scope sleeping_;
};

// Sets its event at an instant. The event outlives it.
class alarm {
 public:
  alarm(std::shared_ptr<alarms> among, env::event& rung) : among_(std::move(among)), rung_(rung) {}
  ~alarm() {
    if (when_ != never) among_->set_.erase(place_);
  }
  alarm(const alarm&) = delete;
  alarm& operator=(const alarm&) = delete;

  // Rings by `when`. An earlier ring that is pending stays: it costs one look around, less than to move it each
  // time.
  void set(instant when);

 private:
  friend class alarms;
  std::shared_ptr<alarms> among_;
  env::event& rung_;
  instant when_ = never;
  alarms::places::iterator place_;
};

}  // namespace meshai::dispatch
