// sim: one machine: its world, and what the machine knows of it.
#pragma once

#include <string>

#include "env/metrics.hpp"
#include "env/world.hpp"
#include "sim/core.hpp"
#include "sim/doors.hpp"
#include "sim/network.hpp"
#include "sim/process.hpp"

namespace meshai::sim {

struct host_parts {
  host_parts(core& in, std::string host_name, std::string address)
      : of(in),
        name(std::move(host_name)),
        ip(std::move(address)),
        clock(in),
        random(in.chance.next()),
        entropy(in.chance.next()),
        log(in, name),
        network(in, ip),
        process(in, *this) {}

  env::world world() { return {of.loop, clock, random, entropy, network, process, pool, log, metrics}; }

  core& of;
  const std::string name;
  const std::string ip;
  sim::clock clock;
  sim::random random;
  sim::entropy entropy;
  sim::pool pool;
  sim::log log;
  env::metrics metrics;
  sim::network network;
  sim::process process;
};

}  // namespace meshai::sim
