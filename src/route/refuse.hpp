// route: why nobody may be asked, told so that the caller knows what to change.
#pragma once

#include "route/rank.hpp"

namespace meshai::route {

// 404 that lists the near names within the caller's reach.
refusal refuse_unknown(const directory& of, const policy& caller, const chat::request& asked);

// The ranking has no candidate: what stood in the way.
refusal refuse_empty(const ranking& made, const health& known, const chat::request& asked, const policy& caller,
                     instant now);

}  // namespace meshai::route
