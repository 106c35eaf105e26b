// node: keeps what route/experience learns on disk, in batches and on the pool, and gives it to the next process.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "env/world.hpp"
#include "route/route.hpp"
#include "store/store.hpp"

namespace meshai::node {

class lessons {
 public:
  // `file`: empty keeps nothing. All calls on the loop of `world`.
  lessons(env::world& world, std::filesystem::path file, std::shared_ptr<route::memory> of);

  // Reads, then writes what has changed once a minute, until it is cancelled.
  task<void> keep();
  // What is still to be written, after keep() has ended.
  task<void> finish();

 private:
  void read();  // on the pool, as write()
  void write();
  store::database* open();
  void complain(const error& why);

  env::world& world_;
  std::filesystem::path file_;
  std::shared_ptr<route::memory> of_;
  std::optional<store::database> open_;
  bool broken_ = false;
};

}  // namespace meshai::node
