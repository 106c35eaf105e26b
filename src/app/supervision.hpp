// app: what the supervisor of a node in the background tells of itself, and how it is asked to replace the node.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/paths.hpp"
#include "os/descriptor.hpp"

namespace meshai::app {

struct supervision {
  int supervisor = 0, node = 0;  // processes; node 0: none runs at this moment
  int restarts = 0;              // since the supervisor began
  std::string last_end;          // why the node last ended by itself: "signal 9", "exit status 1"; empty: never
  std::int64_t next_start = 0;   // while none runs: when it is started again, in milliseconds since 1970
  std::string program, config;   // what runs: see print_of_program() and print_of_text()
};

// By which it is seen that a file is another one now: device, inode, size and time of change; and of the
// configuration, where a mere touch must not count, its text. Empty where there is no such file.
std::string print_of_program(const std::filesystem::path& file);
std::string print_of_text(const std::filesystem::path& file);
std::string print_of(std::string_view text);

result<void> write_supervision(const paths& where, const supervision& now);
// Nothing where no supervisor runs.
std::optional<supervision> read_supervision(const paths& where);

// Held by a supervisor as long as it lives, and by nobody else: unlike the lock of the instance it is not
// inherited.
result<os::descriptor> hold_supervision(const paths& where);
bool supervisor_lives(const paths& where);

// What is asked for there: "replace", the program and the configuration in a line each, a NUL, then each variable
// of the environment with a NUL behind it. A supervisor of before the environment was told reads as far as the
// NUL; an `up` of that time tells none.
struct replacement {
  std::filesystem::path program, config;
  std::vector<std::string> environment;  // NAME=value
  std::string text() const;
};
// Nothing where it is none.
std::optional<replacement> parse_replacement(std::string_view text);

// The environment of this process.
std::vector<std::string> own_environment();

// Where the supervisor listens for `meshai up`.
std::filesystem::path supervisor_socket(const paths& where);

// Asks the supervisor to put a node of this program, this configuration and this process's environment in the
// place of the one that runs, and waits until it answers. The error says why the old one goes on.
result<void> ask_to_replace(const paths& where, const std::filesystem::path& program,
                            const std::filesystem::path& config);

}  // namespace meshai::app
