// app: a node in the background: written down, started, waited for, stopped.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "app/config.hpp"
#include "app/paths.hpp"

namespace meshai::app {

// A configuration for a machine that has none: the engine, a node for each provider whose key stands in the
// environment (then with a key of its own in a 0600 file), and unknown_model = "auto". Returns its text.
struct first_config {
  std::string text;
  std::string key_file;  // empty: the API is open to this device
};
result<first_config> write_first_config(const paths& where);

// Starts `meshai supervise` as a session of its own, its log in the state folder. The process, or why not.
result<int> start_in_background(const paths& where, const std::string& config);

// The last lines of the log, for when a start failed.
std::string last_words(const paths& where);

}  // namespace meshai::app
