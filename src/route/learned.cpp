#include "route/learned.hpp"

#include <algorithm>
#include <cmath>

namespace meshai::route {
namespace {

constexpr double fading = 0.97;
constexpr std::uint64_t halved_beyond = 100'000;  // so that a node that got slower is seen within a day's traffic
// Below this spread of prompt lengths (tokens) a slope would be noise.
constexpr double least_spread = 50;

}  // namespace

std::size_t gap_histogram::bucket_of(std::chrono::nanoseconds gap) {
  const double ms = std::chrono::duration<double, std::milli>(gap).count();
  if (ms <= 1) return 0;
  return std::min(buckets - 1, static_cast<std::size_t>(std::ceil(2 * std::log2(ms))));
}

void gap_histogram::add(std::size_t bucket, std::uint32_t count) {
  counts_[bucket] += count;
  total_ += count;
  if (total_ <= halved_beyond) return;
  total_ = 0;
  for (auto& each : counts_) total_ += each /= 2;
}

std::chrono::milliseconds gap_histogram::quantile(double q) const {
  const double wanted = q * static_cast<double>(total_);
  std::uint64_t below = 0;
  std::size_t bucket = 0;
  for (; bucket + 1 < buckets; ++bucket) {
    below += counts_[bucket];
    if (static_cast<double>(below) >= wanted) break;
  }
  return std::chrono::milliseconds(std::llround(std::ceil(std::exp2(static_cast<double>(bucket) / 2))));
}

void first_token_line::add(std::chrono::nanoseconds after, std::int64_t prompt_tokens) {
  const double x = static_cast<double>(prompt_tokens);
  const double y = std::chrono::duration<double, std::milli>(after).count();
  for (auto* sum : {&weight_, &x_, &y_, &xx_, &xy_}) *sum *= fading;
  weight_ += 1;
  x_ += x;
  y_ += y;
  xx_ += x * x;
  xy_ += x * y;
}

std::chrono::milliseconds first_token_line::expect(std::int64_t prompt_tokens) const {
  if (!known()) return std::chrono::milliseconds(0);
  const double mean_x = x_ / weight_, mean_y = y_ / weight_;
  const double variance = xx_ / weight_ - mean_x * mean_x;
  const double slope =
      variance < least_spread * least_spread ? 0 : std::max(0.0, (xy_ / weight_ - mean_x * mean_y) / variance);
  const double at = mean_y + slope * (static_cast<double>(prompt_tokens) - mean_x);
  return std::chrono::milliseconds(std::llround(std::max(at, 0.0)));
}

}  // namespace meshai::route
