#include "dispatch/talk.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace meshai::dispatch {
namespace {

// Hangs up when the attempt is cancelled; one that ended by itself is still asked why. Either way its place at the
// node is free.
struct hang_up {
  lane& at;
  ~hang_up() {
    if (at.how == upstream::progress::more) at.talk.reset();
    at.place.reset();
  }
};

// False, as are the two below: it was kept out.
bool keep_out(errand& all, lane& at, route::fault why) {
  at.kept_out = std::move(why);
  at.how = upstream::progress::fault;
  all.wake.set();
  return false;
}

task<bool> wait_for_engine(errand& all, lane& at) {
  const auto come = co_await upstream::wait_ready(*at.where, all.world);
  if (!come) co_return keep_out(all, at, route::gone_fault(all.ranking.node_of(at.to).name, come.error()));
  co_return true;
}

task<bool> wait_for_place(errand& all, lane& at) {
  at.place = co_await at.line->enter(all.world.loop, all.what.who, at.places);
  if (!at.place) co_return keep_out(all, at, route::busy_fault(all.ranking.node_of(at.to).name));
  co_return true;
}

task<bool> wait_for_turn(errand& all, lane& at) {
  if (!upstream::is_ready(*at.where) && !co_await wait_for_engine(all, at)) co_return false;
  if (!at.line) at.find_line(*all.by->lines, all.ranking.node_of(at.to).name);
  if (at.line && !at.place && !co_await wait_for_place(all, at)) co_return false;
  at.admitted = all.world.clock.now();
  all.wake.set();
  co_return true;
}

// False: nothing may be spent that is not written down first.
task<bool> wait_for_money(errand& all, lane& at) {
  at.unpaid = co_await at.costs.written(all.world.loop);
  if (!at.unpaid) co_return true;
  at.how = upstream::progress::fault;
  all.wake.set();
  co_return false;
}

}  // namespace

task<void> talk(std::shared_ptr<errand> all, lane& at) {
  const hang_up when_over{at};
  if (at.waits && !co_await wait_for_turn(*all, at)) co_return;
  if (at.costs.to_be_written() && !co_await wait_for_money(*all, at)) co_return;
  at.costs.sent();
  std::vector<chat::delta> batch;
  for (;;) {
    const auto how = co_await at.talk->read(batch);
    at.costs.heard(batch);
    while (!at.mail.empty() && at.mail.size() + batch.size() > lane::most) co_await at.room.wait();
    if (at.mail.empty()) {
      at.arrived = all->world.clock.now();
      at.mail.swap(batch);
    } else {
      std::ranges::move(batch, std::back_inserter(at.mail));
    }
    batch.clear();
    at.how = how;
    all->wake.set();
    if (how != upstream::progress::more) co_return;
  }
}

}  // namespace meshai::dispatch
