// app: AI servers that run on this device already: Ollama, LM Studio, llama-server, vLLM. They are found and
// offered, never taken.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "env/world.hpp"

namespace meshai::app {

struct local_server {
  std::string name;  // of the program that has this port
  std::string url;   // as a [[node]] wants it
  std::size_t models = 0;
};

// Asks for a list of models at their usual ports on loopback, but for what `known` has already.
task<std::vector<local_server>> find_local_servers(env::world world, std::vector<std::string> known);

// The lines of a configuration that take it.
std::string node_for(const local_server& found);

}  // namespace meshai::app
