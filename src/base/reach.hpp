// base: how far a query may travel, and how far away a node is. The strictest bound wins and nothing weakens it.
#pragma once

#include <optional>
#include <string_view>

namespace meshai {

enum class tier { local, neighbour, regional, cloud };

// The farthest tier allowed: device = local, site = neighbour, mesh = regional, cloud = all.
enum class reach { device, site, mesh, cloud };

constexpr bool allows(reach bound, tier where) {
  return static_cast<int>(where) <= static_cast<int>(bound);
}
constexpr reach strictest(reach a, reach b) {
  return static_cast<int>(a) < static_cast<int>(b) ? a : b;
}

std::string_view to_string(tier where);
std::string_view to_string(reach bound);
std::optional<tier> parse_tier(std::string_view text);
std::optional<reach> parse_reach(std::string_view text);

}  // namespace meshai
