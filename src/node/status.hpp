// node: what the owner sees of the node, as JSON.
#pragma once

#include <string>

#include "front/front.hpp"
#include "node/engines.hpp"

namespace meshai::node {

struct state_of_affairs {
  std::string version;
  const std::vector<env::address>& addresses;
  const std::string& config;  // its print; empty: none
  std::chrono::seconds uptime{};
  std::size_t connections = 0;
  instant now;
  const front::settings& settings;
  const route::health& known;
  const engines::list& running;
};

// {"version", "listen": [...], "config", "uptime_s", "connections", "reach", "nodes": [...], "engines": [...]};
// members are described in api/openapi.yaml.
std::string status_json(const state_of_affairs& of);

}  // namespace meshai::node
