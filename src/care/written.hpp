// care: a number as it is written: its characters without what parts them, and how it was parted. Internal.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "care/letters.hpp"

namespace meshai::care {

inline constexpr std::size_t longest_number = 34;  // characters of an IBAN

struct written {
  std::array<char, longest_number> compact{};  // letters as capitals
  std::size_t size = 0, digits = 0;
  std::array<std::uint8_t, 10> groups{};
  std::size_t group_count = 0;
  std::array<char, 10> separators{};  // before each group; the first is 0. ')' where a bracket closed
  bool plus = false, bracket = false;

  std::string_view text() const { return {compact.data(), size}; }
  bool only_digits() const { return digits == size; }
  // "3-2-4"
  bool grouped(std::string_view as) const;
  // One of several: "3-2-4 9"
  bool grouped_as_one_of(std::string_view many) const;
  bool separated_by(std::string_view any) const;
};

// "+1 (415) 555-0132", "030/123456", "138 1234 5678": the usual forms of a telephone number, international and
// national. Where a word for telephones stands before it, any number of 7 to 13 digits that is no date will do.
bool is_phone(const written& number, std::string_view before);

}  // namespace meshai::care
