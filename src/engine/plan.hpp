// engine: how much of this machine a model gets, and the options that llama-server is started with. Pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "engine/adapter.hpp"
#include "engine/gguf.hpp"
#include "engine/profile.hpp"

namespace meshai::engine {

struct machine {
  int cores = 1;
  std::uint64_t memory = 0;  // bytes that can be had without swapping
};

// What the configuration says; 0 leaves the choice.
struct wishes {
  int context = 0, slots = 0, threads = 0;
  bool embeddings = false;
  std::uint64_t growth = 0;
};

struct plan {
  int context = 0;  // tokens of one conversation
  int slots = 1;
  int threads = 1;
  bool embeddings = false;
  std::uint64_t need = 0;           // bytes of memory it is expected to use
  std::uint64_t growth = 0;         // bytes that may come on top before it is taken for a leak
  std::uint64_t address_space = 0;  // bound for RLIMIT_AS
};

// exhausted with figures and what to do where the model does not fit; refused where it cannot do what is wished.
result<plan> make_plan(const gguf_header& model, const adapter& on_top, const profile& of, const wishes& how,
                       const machine& here);

// `known` are the options that this llama-server has. What it has to have stands in check_flags; the rest is only
// given where it is known.
std::vector<std::string> make_flags(const plan& with, const gguf_header& model, const profile& of,
                                    const std::filesystem::path& file, const adapter& on_top,
                                    std::string_view socket, const std::set<std::string>& known);

}  // namespace meshai::engine
