// sim: virtual time, dice and the trace, shared by all hosts.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/sim.hpp"

namespace meshai::sim {

// The standard fixes what this engine yields; it fixes no distribution, so those are our own.
class dice {
 public:
  explicit dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() { return engine_(); }
  std::uint64_t between(std::uint64_t least, std::uint64_t most) { return least + engine_() % (most - least + 1); }
  bool happens(double probability) {
    return probability > 0 && static_cast<double>(engine_() >> 11) * 0x1.0p-53 < probability;
  }

 private:
  std::mt19937_64 engine_;
};

struct core {
  explicit core(const options& with, executor on) : how(with), loop(std::move(on)), chance(with.seed) {}

  using alarm_id = std::pair<instant, std::uint64_t>;  // when, and in which order they were set
  alarm_id at(instant when, std::move_only_function<void()> ring);
  void forget(const alarm_id& which) { alarms.erase(which); }

  // One event of the run. FNV-1a: the trace only has to differ where runs do.
  void note(std::string_view what, std::initializer_list<std::uint64_t> numbers = {}, std::string_view bytes = {});

  const options how;
  executor loop;
  instant now{std::chrono::hours(1000)};  // not zero, so that "a minute ago" exists
  std::map<alarm_id, std::move_only_function<void()>> alarms;
  std::uint64_t alarms_set = 0;
  dice chance;
  std::uint64_t trace = 0xcbf29ce484222325;
  bool ending = false;  // the simulation is being destroyed: nothing starts any more

  std::map<std::pair<std::string, std::string>, link> links;  // by IP address, from and to
  std::map<std::string, host_parts*> hosts;                   // by IP address
  std::map<std::string, std::vector<std::string>> names;
  std::set<std::string> distrusted;
  std::vector<std::string> secured, looked_up;
  std::vector<std::string> lines;

  link& between(const std::string& from, const std::string& to);
};

// An alarm that is forgotten when it goes out of sight.
class alarm {
 public:
  alarm(core& in, instant when, std::move_only_function<void()> ring)
      : core_(in), id_(in.at(when, std::move(ring))) {}
  ~alarm() { core_.forget(id_); }
  alarm(const alarm&) = delete;
  alarm& operator=(const alarm&) = delete;

 private:
  core& core_;
  core::alarm_id id_;
};

}  // namespace meshai::sim
