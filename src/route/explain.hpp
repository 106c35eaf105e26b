// route: a ranking as a person reads it: who is asked and why, who is not and by which rule.
#pragma once

#include <string>

#include "route/rank.hpp"

namespace meshai::route {

// The JSON object that api/openapi.yaml calls Route. `all`: with those whom the caller may not use or reach;
// without, their names are not told.
std::string explain(const ranking& made, const chat::request& asked, const health& known, instant now, bool all);

}  // namespace meshai::route
