// app: what a node gets from the supervisor that starts it: open descriptors, named in one variable of its
// environment.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "os/descriptor.hpp"

namespace meshai::app {

struct inheritance {
  os::descriptor lock;                             // of the instance: it is held as long as anybody has this
  os::descriptor ready;                            // the node closes it with a word in it as soon as it can answer
  os::descriptor owner;                            // the owner's socket, listening
  std::vector<std::vector<os::descriptor>> doors;  // listening, by worker

  static constexpr const char* variable = "MESHAI_INHERITED";
  // The variable's value: "lock=3 ready=4 owner=5 doors=6,7;8,9".
  std::string text() const;
};

// What the environment tells of, which forgets it; nothing where no supervisor started this process. The
// descriptors stay with this process from now on: its own children do not get them.
std::optional<inheritance> take_inheritance();

// Only the text; nothing where it is none.
std::optional<inheritance> parse_inheritance(std::string_view text);

}  // namespace meshai::app
