// engine: where llama-server is and how it is run.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "env/process.hpp"

namespace meshai::engine {

struct program {
  std::string name;                    // for people: the llama-server file
  std::string run;                     // what is executed: the prefix's own dynamic linker, or llama-server itself
  std::vector<std::string> arguments;  // that come before llama-server's own
  std::string directory;               // to be run in; empty: anywhere
  std::string version;                 // as recorded at installation; empty: unknown
  bool own_prefix = false;             // <data>/engine/root: CPU only

  env::command command(std::vector<std::string> flags) const;
};

// The private prefix <data>/engine/root where it is whole, else llama-server on `search_path` (as in PATH).
// refused with what to do. Blocking.
result<program> find_program(const std::filesystem::path& data_folder, std::string_view search_path);

// The long options that a --help text explains.
std::set<std::string> parse_help(std::string_view text);

// unavailable naming what it lacks of the flags that the supervisor cannot do without.
result<void> check_flags(const program& which, const std::set<std::string>& flags);

}  // namespace meshai::engine
