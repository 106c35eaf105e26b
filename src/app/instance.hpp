// app: one node per runtime folder. The lock says that it runs; the socket beside it is the owner's own door.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>

#include "app/paths.hpp"

namespace meshai::app {

// Locks the file; false when another holds its lock for good. A look at who holds it takes a shared lock for a
// moment, and is waited for.
bool lock_alone(int fd);

// Held by a running node as long as it lives; the kernel lets go of it however the node ends.
class instance_lock {
 public:
  // unavailable when another node holds it. `config` is what the node was started with, for others to see.
  static result<instance_lock> take(const paths& where, const std::filesystem::path& config = {});
  ~instance_lock();
  instance_lock(instance_lock&& other) noexcept;
  instance_lock& operator=(instance_lock&&) = delete;

  // Whoever has a duplicate of it holds the lock too.
  int descriptor() const { return fd_; }
  // The node's own process, where a supervisor holds the lock for it; 0: none runs at this moment.
  result<void> tell_node(int pid) const;

 private:
  instance_lock(int fd, std::filesystem::path config) : fd_(fd), config_(std::move(config)) {}
  int fd_;
  std::filesystem::path config_;
};

// Who holds the lock.
struct instance {
  int pid = 0;   // the supervisor, or the node where it has none
  int node = 0;  // the node; 0: none runs at this moment
  std::filesystem::path config;
};
std::optional<instance> running_instance(const paths& where);

// The process to signal, or nothing when no node runs: a supervisor that was killed leaves its node behind.
std::optional<int> running_node(const paths& where);

// True when no node runs any more, at the latest after `patience`.
bool wait_until_gone(const paths& where, std::chrono::milliseconds patience);

// Where a node listens for its owner: reachable only through the private folder, so without a key.
std::filesystem::path owner_socket(const paths& where);

}  // namespace meshai::app
