// care: the file src/care/data/care.weights, as the build put it into the program.
#pragma once

#include <span>

namespace meshai::care {

std::span<const unsigned char> subject_weights();

}  // namespace meshai::care
