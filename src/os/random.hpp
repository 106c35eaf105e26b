// os: dice seeded from the system's entropy, and that entropy itself.
#pragma once

#include <array>

#include "env/random.hpp"

namespace meshai::os {

class entropy final : public env::entropy {
 public:
  void fill(std::span<std::byte> into) override;
};

// xoshiro256** (Blackman and Vigna, 2018).
class random final : public env::random {
 public:
  random();
  std::uint64_t next() override;

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace meshai::os
