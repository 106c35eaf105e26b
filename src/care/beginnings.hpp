// care: a quick no to "does one of these names begin here?", by the first two bytes. Internal.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "care/letters.hpp"

namespace meshai::care {

// Of names of two bytes or more; ASCII letters count as lower case.
class beginnings {
 public:
  template <class Range>
  constexpr explicit beginnings(const Range& names) {
    for (const std::string_view name : names) {
      const auto at = index(name[0], name[1]);
      bits_[at / 64] |= 1ULL << at % 64;
    }
  }
  constexpr bool may_begin(std::string_view text) const {
    if (text.size() < 2) return false;
    const auto at = index(text[0], text[1]);
    return (bits_[at / 64] >> at % 64 & 1) != 0;
  }

 private:
  static constexpr std::size_t index(char first, char second) {
    return static_cast<std::size_t>(static_cast<unsigned char>(to_lower(first))) << 8 |
           static_cast<unsigned char>(to_lower(second));
  }
  std::array<std::uint64_t, 1024> bits_{};
};

}  // namespace meshai::care
