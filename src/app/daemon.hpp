// app: a node as a process: the real world, its workers, and the signals that end it.
#pragma once

#include "app/commands.hpp"
#include "app/config.hpp"
#include "app/paths.hpp"

namespace meshai::app {

// The configuration of `file` (empty: the usual place), checked as far as a start needs it.
result<config> load_config(const std::string& file, const paths& where);

}  // namespace meshai::app
