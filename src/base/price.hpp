// base: what tokens cost. The currency is the operator's: every price and budget of one configuration is in the
// same.
#pragma once

#include <optional>

namespace meshai {

// Per million tokens; none of them negative.
struct price {
  double input = 0, output = 0;
  std::optional<double> cached;         // input read from a cache; else as input
  std::optional<double> cache_written;  // input written to a cache; else as input

  bool operator==(const price&) const = default;
};

}  // namespace meshai
