// env: dice and secrets are different things.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace meshai::env {

// For jitter and tie breaks; a simulator seeds it. Never for secrets.
class random {
 public:
  virtual ~random() = default;
  virtual std::uint64_t next() = 0;  // uniform over all 64 bits

  // Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

// For keys, ids and nonces: the system's cryptographic generator.
class entropy {
 public:
  virtual ~entropy() = default;
  virtual void fill(std::span<std::byte> into) = 0;
};

}  // namespace meshai::env
