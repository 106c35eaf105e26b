// os: the real world behind the doors of env: sockets, TLS, names, processes, clocks, dice and the log.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>

#include "env/awaitable.hpp"
#include "env/log.hpp"
#include "env/world.hpp"
#include "os/line.hpp"
#include "os/listener.hpp"

namespace meshai::os {

struct options {
  env::log_level log_level = env::log_level::info;  // what is quieter than this is not written
  bool json_log = false;
  std::size_t pool_threads = 2;
  std::string name_servers;  // "ip" or "ip:port", comma-separated; empty takes the system's
};

class worker;

// What a process has once: the log, the metrics, the pool, the resolver, the trusted certificates and the thread
// that starts children. Outlives its workers.
class runtime {
 public:
  explicit runtime(options how);
  ~runtime();
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  std::unique_ptr<worker> make_worker();
  env::log& log();
  env::metrics& metrics();

 private:
  friend class worker;
  struct parts;
  std::unique_ptr<parts> parts_;
};

// One event loop and its world, for one thread at a time. Every env::scope on it ends before it goes; what
// is still suspended then is dropped without being resumed.
class worker {
 public:
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  env::world world();
  void run();   // until stop(), or until nothing is left to wait for; may be called again
  void stop();  // from any thread

 private:
  friend class runtime;
  explicit worker(runtime::parts& shared);
  struct parts;
  std::unique_ptr<parts> parts_;
};

// Signals of the process as something to wait for. Those named lose their default effect while this lives.
class signals {
 public:
  signals(executor loop, std::initializer_list<int> numbers);
  ~signals();
  signals(const signals&) = delete;
  signals& operator=(const signals&) = delete;

  // The next signal that arrives. One waiter at a time.
  task<int> next();

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

// Once, at the start of main: memory is kept from core dumps and from other processes of the same user (not
// dumpable, coredump_filter 0, RLIMIT_CORE 0), SIGPIPE is ignored, the soft limit of descriptors is raised to the
// hard one, and descriptors 0 to 2 are open. Best effort: what the system forbids is left as it is.
void harden();

}  // namespace meshai::os
