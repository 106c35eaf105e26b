// app: which meshai this is.
#pragma once

#include <string>

namespace meshai::app {

// "meshai 0.1.0\n", or {"version":"0.1.0",...} as one line.
std::string version_text(bool json);

}  // namespace meshai::app
