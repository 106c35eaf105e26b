// sim: the pretend world behind the doors of env: virtual time, hosts on a lossy network, seeded dice. The same
// seed gives the same run, event for event, whatever the machine, the optimisation or the sanitizer.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "env/clock.hpp"
#include "env/process.hpp"
#include "env/world.hpp"

namespace meshai::sim {

// How the way from one host to another behaves. Probabilities are in [0, 1].
struct link {
  std::chrono::nanoseconds latency_min{0}, latency_max{0};  // of each segment; segments keep their order
  std::size_t bytes_per_second = 0;                         // 0: unlimited
  std::size_t segment_max = 0;  // a write travels in segments of 1 to so many bytes; 0: in one
  bool fragment_reads = false;  // a read returns 1 to all of the bytes that are there
  double stall = 0;             // per segment: it comes stall_time late (lost and sent again)
  std::chrono::nanoseconds stall_time = std::chrono::seconds(3);
  double reset = 0;   // per segment: the connection is reset instead
  double refuse = 0;  // per dial: refused
  double ignore = 0;  // per dial: no answer at all
  double mute = 0;    // per dial: connected, but whoever listens never learns of it
  bool cut = false;   // a partition: nothing gets through, and what is on its way waits until it is healed
};

struct options {
  std::uint64_t seed = 1;
  link between{.latency_min = std::chrono::milliseconds(1), .latency_max = std::chrono::milliseconds(20)};
  link within{.latency_min = std::chrono::microseconds(10),
              .latency_max = std::chrono::microseconds(50)};  // one host
  std::chrono::nanoseconds longest = std::chrono::hours(1);   // virtual time that run() may pass in all
  std::uint64_t most_steps = 50'000'000;                      // handlers that run() may call in all
  bool keep_log = false;
};

// What ended run(): its condition, nothing left to happen, or a bound of the options.
enum class outcome { done, dry, out_of_time, out_of_steps };

// What env::process starts under a path: a coroutine in the world of its host. What it returns is its exit code.
using program = std::function<task<int>(env::world, env::command)>;

struct host_parts;

class host {
 public:
  env::world world();
  const std::string& name() const;
  const std::string& ip() const;
  void install(std::string path, program what);
  // The power fails: its connections are reset, its listeners and programs are gone. Coroutines that the test
  // spawned are the test's to cancel. The host itself may be used again at once.
  void crash();

 private:
  friend class simulation;
  explicit host(host_parts& parts) : parts_(parts) {}
  host_parts& parts_;
};

// Single-threaded. Outlives everything that was made in its worlds.
class simulation {
 public:
  explicit simulation(options how);
  ~simulation();
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;

  host& add_host(std::string name, std::string ip);
  // What resolve() answers, after 1 to 20 ms; other names are unreachable. A host's own name is known from the
  // start.
  void set_name(const std::string& name, std::vector<std::string> ips);
  void set_link(const host& from, const host& to, const link& how);     // one way
  void set_links(const host& one, const host& other, const link& how);  // both ways
  void cut(const host& one, const host& other);                         // both ways; the rest of the link stays
  void heal(const host& one, const host& other);
  // Its link goes down: cut from all others, and it knows; until it is up again.
  void link_down(const host& which);
  void link_up(const host& which);
  void distrust(std::string tls_host);  // secure_client() to it is denied from now on

  void spawn(task<void> work);  // cancelled with the simulation
  // Runs what is ready, then advances time to the next timer, and so on until the condition holds; it is looked at
  // before each advance of time. Without a condition: until nothing is left to happen.
  outcome run(const std::function<bool()>& until = {});

  instant now() const;
  std::uint64_t seed() const;
  // Over every event so far: timers, connections, bytes, names, programs.
  std::uint64_t trace() const;
  const std::vector<std::string>& log() const;        // where keep_log is set
  const std::vector<std::string>& secured() const;    // the hosts that secure_client() was asked for, in order
  const std::vector<std::string>& looked_up() const;  // the names that resolve() was asked for, in order

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace meshai::sim
