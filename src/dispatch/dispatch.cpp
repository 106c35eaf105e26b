#include "dispatch/dispatch.hpp"

#include "dispatch/alarms.hpp"
#include "dispatch/instruments.hpp"
#include "dispatch/running.hpp"
#include "env/network.hpp"

namespace meshai::dispatch {

dispatcher::dispatcher(env::world& world, upstream::client& over, route::health& known,
                       std::shared_ptr<turnstiles> lines, std::shared_ptr<purse> pays,
                       std::shared_ptr<route::memory> remembers)
    : means_(std::make_shared<means>(world, over, known, std::make_shared<instruments>(world),
                                     std::make_shared<alarms>(world), std::move(lines), std::move(pays),
                                     std::move(remembers))) {
  world.network.watch_ways([by = means_.get()] {
    ++by->ways_lost;
    by->clock->ring_all();
  });
}

dispatcher::~dispatcher() {
  means_->world.network.watch_ways({});
}

std::unique_ptr<exchange> dispatcher::complete(query what) {
  return std::make_unique<running>(std::make_shared<errand>(means_, std::move(what)));
}

std::string dispatcher::explain(const query& what) const {
  const auto now = means_->world.clock.now();
  const auto made = rank(*means_, what, recall(means_->remembers, what, now).hints(), now);
  return route::explain(made, *what.request, means_->known, now, what.owner);
}

task<std::expected<std::int64_t, failure>> dispatcher::count_tokens(query what) {
  const auto counting = complete(std::move(what));
  std::vector<chat::delta> none;
  const auto came = co_await counting->next(none);
  if (came != progress::answer) co_return std::unexpected(counting->why());
  co_return counting->answer().usage.input;
}

}  // namespace meshai::dispatch
