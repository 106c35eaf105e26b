// os: what an errno means to the caller.
#pragma once

#include <string_view>

#include "base/error.hpp"

namespace meshai::os {

// `doing` says what was tried and with what ("connecting to 127.0.0.1:80"); the system's own words follow.
error fault(int code, std::string_view doing);

}  // namespace meshai::os
