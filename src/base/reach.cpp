#include "base/reach.hpp"

#include <array>

namespace meshai {
namespace {

constexpr std::array<std::string_view, 4> tier_names{"local", "neighbour", "regional", "cloud"};
constexpr std::array<std::string_view, 4> reach_names{"device", "site", "mesh", "cloud"};

template <class Enum>
std::optional<Enum> parse(const std::array<std::string_view, 4>& names, std::string_view text) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(tier where) {
  return tier_names[static_cast<std::size_t>(where)];
}
std::string_view to_string(reach bound) {
  return reach_names[static_cast<std::size_t>(bound)];
}
std::optional<tier> parse_tier(std::string_view text) {
  return parse<tier>(tier_names, text);
}
std::optional<reach> parse_reach(std::string_view text) {
  return parse<reach>(reach_names, text);
}

}  // namespace meshai
