#include "dispatch/alarms.hpp"

namespace meshai::dispatch {

void alarm::set(instant when) {
  if (when >= when_) return;
  if (when_ != never) among_->set_.erase(place_);
  when_ = when;
  place_ = among_->set_.emplace(when, this);
  among_->wake_by(when);
}

void alarms::wake_by(instant when) {
  if (when >= wakes_) return;
  wakes_ = when;
  sleeping_.spawn(sleep(weak_from_this(), clock_, when));
}

void alarms::ring() {
  for (const auto now = clock_.now(); !set_.empty() && set_.begin()->first <= now;) {
    auto& due = *set_.extract(set_.begin()).mapped();
    due.when_ = never;
    due.rung_.set();
  }
}

void alarms::ring_all() {
  for (const auto& [when, one] : set_) one->rung_.set();
}

task<void> alarms::sleep(std::weak_ptr<alarms> all, env::clock& clock, instant until) {
  for (;;) {
    co_await clock.sleep_until(until);
    const auto alive = all.lock();
    if (!alive || alive->wakes_ != until) co_return;
    alive->ring();
    until = alive->wakes_ = alive->set_.empty() ? never : alive->set_.begin()->first;
    if (until == never) co_return;
  }
}

}  // namespace meshai::dispatch
