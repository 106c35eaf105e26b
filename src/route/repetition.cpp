#include "route/repetition.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace meshai::route {
namespace {

constexpr std::size_t kept = 2048;
constexpr std::size_t checked_every = 128;
constexpr std::size_t least_bytes = 240;
constexpr std::size_t least_times = 6;

// For each period p the end of the text repeats with that period over p + z[p] bytes, where z is the Z-function of
// the text read backwards.
bool ends_in_a_loop(std::string_view text) {
  const auto n = text.size();
  const auto back = [&](std::size_t i) { return text[n - 1 - i]; };
  std::vector<std::uint16_t> z(n);
  std::size_t left = 0, right = 0;
  for (std::size_t p = 1; p < n; ++p) {
    std::size_t length = p < right ? std::min<std::size_t>(right - p, z[p - left]) : 0;
    while (p + length < n && back(length) == back(p + length)) ++length;
    if (p + length > right) {
      left = p;
      right = p + length;
    }
    z[p] = static_cast<std::uint16_t>(length);
    if (p + length >= std::max(least_bytes, least_times * p)) return true;
  }
  return false;
}

}  // namespace

bool repetition::feed(std::string_view text) {
  tail_ += text.substr(text.size() - std::min(text.size(), kept));
  since_check_ += text.size();
  if (since_check_ < checked_every) return false;
  since_check_ = 0;
  if (tail_.size() > kept) tail_.erase(0, tail_.size() - kept);
  return tail_.size() >= least_bytes && ends_in_a_loop(tail_);
}

}  // namespace meshai::route
