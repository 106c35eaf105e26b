// route: what is learned of one target by watching it. Plain values without a lock: health holds it under its own.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace meshai::route {

// Gaps between steps in buckets by powers of the square root of two, the first up to 1 ms, the last beyond 46 s.
class gap_histogram {
 public:
  static constexpr std::size_t buckets = 32;
  static std::size_t bucket_of(std::chrono::nanoseconds gap);

  void add(std::size_t bucket, std::uint32_t count);
  std::uint64_t count() const { return total_; }
  // The upper bound of the bucket that holds the quantile, 0 < q < 1. Meaningless when empty.
  std::chrono::milliseconds quantile(double q) const;

 private:
  std::array<std::uint32_t, buckets> counts_{};
  std::uint64_t total_ = 0;
};

// First-token time as a straight line over the prompt's length, old samples fading (the last 30 or so count).
class first_token_line {
 public:
  void add(std::chrono::nanoseconds after, std::int64_t prompt_tokens);
  bool known() const { return weight_ >= 1; }
  std::chrono::milliseconds expect(std::int64_t prompt_tokens) const;

 private:
  double weight_ = 0, x_ = 0, y_ = 0, xx_ = 0, xy_ = 0;  // sums; x in tokens, y in milliseconds
};

}  // namespace meshai::route
