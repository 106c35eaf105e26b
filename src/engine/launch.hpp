// engine: everything that is settled on the disk before llama-server starts.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "engine/adapter.hpp"
#include "engine/gguf.hpp"
#include "engine/plan.hpp"
#include "engine/profile.hpp"
#include "engine/program.hpp"
#include "engine/supervisor.hpp"

namespace meshai::engine {

struct launch {
  std::filesystem::path file;
  engine::adapter adapter;
  std::string stamp;  // changes with the model file, its adapter and profile, and which of them is meant
  gguf_header model;
  std::shared_ptr<const engine::profile> profile;
  engine::program program;
  std::string program_stamp;  // changes with the program
  engine::plan plan;
};

// Blocking. Every error says what to do.
result<launch> prepare(const options& how);

// The stamp as of now; empty where the model cannot be found. Quick enough for the loop.
std::string stamp_of(const options& how);

// Where llama-server listens: <runtime>/engine-<node>-<pid>-<number>.sock. A long name of a node is cut.
std::string socket_path(const options& how, unsigned number);

// Makes the runtime folder with mode 0700 where it is missing; refused where it is open to others or not ours.
// Removes the sockets that killed nodes have left there. Blocking.
result<void> prepare_runtime(const std::filesystem::path& folder);

}  // namespace meshai::engine
