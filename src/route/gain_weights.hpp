// route: the file src/route/data/gain.weights, as the build put it into the program.
#pragma once

#include <span>

namespace meshai::route {

std::span<const unsigned char> gain_weights();

}  // namespace meshai::route
