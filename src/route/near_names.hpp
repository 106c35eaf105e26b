// route: the names that a misspelt one may have meant.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meshai::route {

// Insertions, deletions, changes and swaps of neighbours that lead from `a` to `b`, without regard to case; at
// most `limit` + 1. Names longer than 128 bytes are compared by their first 128.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

// Up to `most` of `known`, the nearest first: a third of the letters may differ, or one holds the other.
std::vector<std::string> near_names(std::string_view asked, std::span<const std::string> known, std::size_t most);

}  // namespace meshai::route
