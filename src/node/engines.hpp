// node: the engines that the configuration names, kept over a reload where nothing changed for them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "env/scope.hpp"
#include "env/world.hpp"
#include "route/route.hpp"

namespace meshai::node {

// On the first worker's loop; what it hands out may be asked from any.
class engines {
 public:
  engines(env::world& world, route::health& known);

  struct running {
    std::string node;
    std::shared_ptr<engine::supervisor> by;
  };
  using list = std::vector<running>;

  // The engines for these options: those that run already where the options are the same, new ones otherwise.
  // Nothing is started or stopped yet.
  list prepare(const std::vector<engine::options>& wanted);
  // Starts those of `now` that are new, and stops those that went once `old_users` has gone: running requests
  // finish.
  void put_to_use(list now, std::weak_ptr<const void> old_users);

  const list& current() const { return current_; }
  task<void> stop();

 private:
  struct entry {
    engine::options how;
    std::shared_ptr<engine::supervisor> by;
    int number = 0;
    bool started = false;
  };
  void tell_presence();
  task<void> retire(std::shared_ptr<engine::supervisor> gone, std::weak_ptr<const void> users);

  env::world& world_;
  route::health& known_;
  std::vector<entry> known_engines_;
  std::map<std::string, int> number_of_;  // by node, of the engine in use
  list current_;
  int made_ = 0;
  int generation_ = 0;  // a replaced engine's successor listens elsewhere while both live
  env::scope retiring_;
};

}  // namespace meshai::node
