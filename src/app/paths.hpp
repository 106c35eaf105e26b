// app: where things lie (XDG Base Directory Specification 0.8).
#pragma once

#include <filesystem>

#include "base/error.hpp"

namespace meshai::app {

struct paths {
  std::filesystem::path config;  // $XDG_CONFIG_HOME/meshai: meshai.toml and the key that `up` made
  std::filesystem::path data;    // $XDG_DATA_HOME/meshai: engine and models
  std::filesystem::path state;   // $XDG_STATE_HOME/meshai: the log of a node in the background, keys and spending
  std::filesystem::path
      runtime;  // $XDG_RUNTIME_DIR/meshai, else /tmp/meshai-UID: lock, engine sockets; 0700 and ours

  std::filesystem::path config_file() const { return config / "meshai.toml"; }
  std::filesystem::path log_file() const { return state / "meshai.log"; }
};

// From the environment. refused where HOME is needed and unset.
result<paths> find_paths();

// The file that this process runs. refused where /proc does not tell.
result<std::filesystem::path> own_program();

// Makes `folder` with mode 0700 where it is missing; refused when it belongs to somebody else, is a link or is
// open to others: /tmp is shared.
result<void> make_private(const std::filesystem::path& folder);

// Replaces the file whole (write beside it, sync, rename) with this mode.
result<void> write_file(const std::filesystem::path& file, std::string_view text, unsigned mode);

// At most `limit` bytes; exhausted if there are more.
result<std::string> read_file(const std::filesystem::path& file, std::size_t limit);

}  // namespace meshai::app
