// node: looks after nodes that nobody asks just now: whether one that could not be reached is there again, and
// whether one that was well still is. A probe connects, or asks for the list of models; never a model.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/reach.hpp"
#include "env/scope.hpp"
#include "env/world.hpp"
#include "route/route.hpp"
#include "upstream/upstream.hpp"

namespace meshai::node {

// On the first worker's loop.
class probes {
 public:
  probes(env::world& world, upstream::client& by, route::health& known);

  // From now on these nodes and no others, and of them only those within `bound`.
  void watch(const std::vector<route::node>& nodes, std::shared_ptr<const upstream::endpoints> reached,
             meshai::reach bound, const route::limits& limits);
  task<void> stop();

 private:
  struct watched;
  task<void> look_after(watched one);
  task<void> look_once(watched& one);
  task<void> look_for_lost(watched& one);
  task<void> look_at_idle(watched& one);
  std::chrono::nanoseconds jittered(std::chrono::nanoseconds span) const;

  env::world& world_;
  upstream::client& by_;
  route::health& known_;
  std::uint64_t round_ = 0;  // what an older configuration watched ends
  env::scope watching_;
};

}  // namespace meshai::node
