// app: the command line: which words there are, what they take, and their help.
#pragma once

namespace meshai::app {

// Parses and runs one command; returns the exit code (commands.hpp).
int run_command_line(int argc, char** argv);

}  // namespace meshai::app
