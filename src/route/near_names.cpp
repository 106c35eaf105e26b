#include "route/near_names.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace meshai::route {
namespace {

constexpr std::size_t longest = 128;

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

bool holds(std::string_view text, std::string_view piece) {
  return !std::ranges::search(text, piece, [](char a, char b) { return lower(a) == lower(b); }).empty();
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  a = a.substr(0, longest);
  b = b.substr(0, longest);
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  std::array<std::array<std::size_t, longest + 1>, 3> rows{};
  auto *before = rows.data(), *last = &rows[1], *now = &rows[2];
  for (std::size_t j = 0; j <= b.size(); ++j) (*last)[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    (*now)[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      auto& cell = (*now)[j];
      cell = std::min({(*last)[j] + 1, (*now)[j - 1] + 1, (*last)[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
        cell = std::min(cell, (*before)[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return std::min((*last)[b.size()], limit + 1);
}

std::vector<std::string> near_names(std::string_view asked, std::span<const std::string> known, std::size_t most) {
  const auto limit = std::max<std::size_t>(2, std::min(asked.size(), longest) / 3);
  std::vector<std::pair<std::size_t, std::string_view>> found;
  for (const std::string_view name : known) {
    const auto distance = edit_distance(asked, name, limit);
    if (distance <= limit) {
      found.emplace_back(distance, name);
    } else if (asked.size() >= 3 && (holds(name, asked) || holds(asked, name))) {
      found.emplace_back(limit + 1, name);
    }
  }
  std::ranges::stable_sort(found, {}, &std::pair<std::size_t, std::string_view>::first);
  std::vector<std::string> out;
  for (const auto& [distance, name] : found) {
    if (out.size() == most) break;
    if (std::ranges::find(out, name) == out.end()) out.emplace_back(name);
  }
  return out;
}

}  // namespace meshai::route
