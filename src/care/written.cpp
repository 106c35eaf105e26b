#include "care/written.hpp"

namespace meshai::care {

bool written::grouped(std::string_view as) const {
  std::size_t at = 0;
  for (std::size_t i = 0; i < group_count; ++i) {
    std::size_t size_of_group = 0;
    while (at < as.size() && is_digit(as[at]))
      size_of_group = size_of_group * 10 + static_cast<std::size_t>(as[at++] - '0');
    if (size_of_group != groups[i]) return false;
    if (i + 1 == group_count) return at == as.size();
    if (at++ >= as.size()) return false;
  }
  return false;
}

bool written::grouped_as_one_of(std::string_view many) const {
  while (!many.empty()) {
    const auto one = many.substr(0, many.find(' '));
    if (grouped(one)) return true;
    many.remove_prefix(std::min(one.size() + 1, many.size()));
  }
  return false;
}

bool written::separated_by(std::string_view any) const {
  for (std::size_t i = 1; i < group_count; ++i) {
    if (std::ranges::none_of(any, [&](char each) { return each == separators[i]; })) return false;
  }
  return true;
}

}  // namespace meshai::care
