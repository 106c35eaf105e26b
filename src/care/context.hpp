// care: the words that stand shortly before a number. Internal.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "care/letters.hpp"

namespace meshai::care {

inline constexpr std::size_t context_bytes = 48;  // before a number, where its name may stand

// A name begins where a word does, and stands for whatever it begins; with a '$' at its end it is the whole word.
// In lower case as far as ASCII has one.
class names {
 public:
  constexpr names() = default;
  template <std::size_t n>
  constexpr names(const std::string_view (&all)[n]) : all_(all) {  // NOLINT: a list of names is meant as names
    for (const auto name : all) {
      first_.add(name[0]);
      second_.add(name[1]);
    }
  }

  bool begin_in(std::string_view text) const {
    for (std::size_t at = 0; at + 1 < text.size(); ++at) {
      if (!first_.has(to_lower(text[at])) || !second_.has(to_lower(text[at + 1]))) continue;
      if (at > 0 && is_letter(text[at - 1]) && !is_beyond_ascii(text[at])) continue;
      const auto here = text.substr(at);
      if (std::ranges::any_of(all_, [&](std::string_view name) { return begins(here, name); })) return true;
    }
    return false;
  }

 private:
  static bool begins(std::string_view text, std::string_view name) {
    const bool whole = name.ends_with('$');
    if (whole) name.remove_suffix(1);
    if (text.size() < name.size()) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (to_lower(text[i]) != name[i]) return false;
    }
    return !whole || name.size() == text.size() || !is_letter(text[name.size()]);
  }

  class bytes {
   public:
    constexpr void add(char c) { bits_[index(c) / 64] |= 1ULL << index(c) % 64; }
    constexpr bool has(char c) const { return (bits_[index(c) / 64] >> index(c) % 64 & 1) != 0; }

   private:
    static constexpr std::size_t index(char c) { return static_cast<unsigned char>(c); }
    std::array<std::uint64_t, 4> bits_{};
  };

  std::span<const std::string_view> all_;
  bytes first_, second_;
};

}  // namespace meshai::care
