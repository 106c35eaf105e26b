// care: numbers that prove themselves, by their published checks: cards, accounts, and what countries give
// persons. Internal.
#pragma once

#include <span>
#include <string_view>

#include "care/context.hpp"

namespace meshai::care {

// Each takes digits and capital letters without spaces, points or hyphens, of any length.
bool is_card(std::string_view digits);  // ISO/IEC 7812 (Luhn), with the first digits and lengths of known networks
bool is_iban(std::string_view text);    // ISO 13616, mod 97, with the length of its country

// One kind of number that a country gives persons.
struct national_number {
  std::string_view country;  // ISO 3166
  std::size_t shortest, longest;
  bool (*holds)(std::string_view compact);
  // Groupings, as "3-2-4 9", in which it is believed by itself. A check of one digit holds for one number in ten:
  // in any other grouping it is believed where one of its names stands before it.
  std::string_view alone;
  std::string_view separators;  // that may stand between those groups; empty: any
  names called{};
};
// Those that may have `size` characters.
std::span<const national_number* const> national_numbers(std::size_t size);

}  // namespace meshai::care
