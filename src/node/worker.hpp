// node: the rooms of one worker, from the HTTP client up to the front.
#pragma once

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
  worker(env::world& world, route::health& known, front::crowd& others, front::office& above,
         std::shared_ptr<const front::settings> now)
      : world_(world),
        http_(world),
        upstream_(world, http_, known),
        dispatch_(world, upstream_, known),
        front_(world, dispatch_, others, above, std::move(now)),
        accepting_(world.loop) {}

  env::world& world() { return world_; }
  upstream::client& upstream() { return upstream_; }
  void use(std::shared_ptr<const front::settings> now) { front_.use(std::move(now)); }

  // On this worker's loop; returns after stop() once everything has ended.
  task<void> serve(std::vector<door> doors) {
    doors_ = std::move(doors);
    for (auto& one : doors_) accepting_.spawn(front_.serve(*one.at, one.owner, one.tls));
    co_await accepting_.join();
  }

  task<void> stop(std::chrono::nanoseconds grace) {
    for (auto& one : doors_) one.at->close();
    co_await front_.close(grace);
  }

 private:
  env::world& world_;
  http::client http_;
  upstream::client upstream_;
  dispatch::dispatcher dispatch_;
  front::front front_;
  std::vector<door> doors_;
  env::scope accepting_;
};

}  // namespace meshai::node
