// Makes a plan that fails as small as it can be and still fail in the same way, and tells its story.
#pragma once

#include <string>

#include "judge.hpp"

namespace meshai::simulation {

// A run and its judgement; the second where `story` is not null.
std::vector<finding> examine(const plan& what, mischief how = mischief::none, std::string* story = nullptr);
std::uint64_t trace_of(const plan& what, mischief how = mischief::none);

// At most so many runs are spent on it.
plan shrink(plan failing, const std::string& rule, mischief how = mischief::none, int runs = 400);

// Everything that somebody who has to mend it wants to read.
std::string report(const plan& failing, const std::vector<finding>& found, mischief how = mischief::none);

}  // namespace meshai::simulation
