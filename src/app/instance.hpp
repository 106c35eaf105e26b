// app: one node per runtime folder. The lock says that it runs; the socket beside it is the owner's own door.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "app/paths.hpp"

namespace meshai::app {

// Held by a running node as long as it lives; the kernel lets go of it however the node ends.
class instance_lock {
 public:
  // unavailable when another node holds it. `config` is what the node was started with, for others to see.
  static result<instance_lock> take(const paths& where, const std::filesystem::path& config = {});
  ~instance_lock();
  instance_lock(instance_lock&& other) noexcept;
  instance_lock& operator=(instance_lock&&) = delete;

 private:
  explicit instance_lock(int fd) : fd_(fd) {}
  int fd_;
};

// Who holds the lock.
struct instance {
  int pid = 0;
  std::filesystem::path config;
};
std::optional<instance> running_instance(const paths& where);

// Its process, or nothing when no node runs.
std::optional<int> running_node(const paths& where);

// True when no node runs any more, at the latest after `patience`.
bool wait_until_gone(const paths& where, std::chrono::milliseconds patience);

// Where a node listens for its owner: reachable only through the private folder, so without a key.
std::filesystem::path owner_socket(const paths& where);

}  // namespace meshai::app
