// node: the rooms of one worker, from the HTTP client up to the front.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "dispatch/dispatch.hpp"
#include "env/scope.hpp"
#include "env/world.hpp"
#include "front/front.hpp"
#include "http/http.hpp"
#include "node/node.hpp"
#include "route/route.hpp"
#include "upstream/upstream.hpp"

namespace meshai::node {

class worker {
 public:
  worker(env::world& world, route::health& known, std::shared_ptr<dispatch::turnstiles> lines,
         std::shared_ptr<dispatch::purse> pays, std::shared_ptr<route::memory> remembers, front::crowd& others,
         front::office& above, std::shared_ptr<const front::settings> now)
      : world_(world),
        http_(world),
        upstream_(world, http_, known),
        dispatch_(world, upstream_, known, std::move(lines), std::move(pays), std::move(remembers)),
        front_(world, dispatch_, others, above, std::move(now)) {}

  env::world& world() { return world_; }
  upstream::client& upstream() { return upstream_; }
  void use(std::shared_ptr<const front::settings> now) { front_.use(std::move(now)); }

  // On this worker's loop; returns after stop() once these doors are closed.
  task<void> serve(std::vector<door> doors) {
    env::scope accepting(world_.loop);
    for (auto& one : doors) {
      const auto& door = doors_.emplace_back(std::move(one));
      accepting.spawn(front_.serve(*door.at, door.owner, door.tls));
    }
    co_await accepting.join();
  }

  task<void> stop(std::chrono::nanoseconds grace, std::chrono::nanoseconds patience) {
    for (auto& one : doors_) one.at->close();
    co_await front_.close(grace, patience);
  }

 private:
  env::world& world_;
  http::client http_;
  upstream::client upstream_;
  dispatch::dispatcher dispatch_;
  front::front front_;
  std::list<door> doors_;  // a list: accept() refers to them
};

}  // namespace meshai::node
