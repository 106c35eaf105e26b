#include <array>
#include <cstdint>

#include "care/digits.hpp"
#include "care/ids_checks.hpp"

namespace meshai::care {
namespace {

// Verhoeff's scheme: the multiplication of the dihedral group of order 10, and the permutation of each place.
using row = std::array<std::uint8_t, 10>;
constexpr std::array<row, 10> multiply{{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
                                        {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
                                        {2, 3, 4, 0, 1, 7, 8, 9, 5, 6},
                                        {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
                                        {4, 0, 1, 2, 3, 9, 5, 6, 7, 8},
                                        {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
                                        {6, 5, 9, 8, 7, 1, 0, 4, 3, 2},
                                        {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
                                        {8, 7, 6, 5, 9, 3, 2, 1, 0, 4},
                                        {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}}};
constexpr std::array<row, 8> permute{{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
                                      {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
                                      {5, 8, 0, 3, 7, 9, 6, 1, 4, 2},
                                      {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
                                      {9, 4, 5, 3, 1, 2, 6, 8, 7, 0},
                                      {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
                                      {2, 7, 9, 3, 8, 0, 6, 4, 1, 5},
                                      {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}}};

}  // namespace

bool is_ar_cuit(std::string_view n) {
  constexpr std::array<std::string_view, 5> persons{"20", "23", "24", "25", "27"};
  if (!digits_of(n, 11) || !std::ranges::contains(persons, n.substr(0, 2))) return false;
  return weighted(n, {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1}) % 11 == 0;
}

bool is_au_medicare(std::string_view n) {
  if ((n.size() != 10 && n.size() != 11) || !all_digits(n) || n.front() < '2' || n.front() > '6') return false;
  return weighted(n, {1, 3, 7, 9, 1, 3, 7, 9}) % 10 == digit(n[8]);
}

bool is_au_tfn(std::string_view n) {
  return digits_of(n, 9) && !one_digit_only(n) && weighted(n, {1, 4, 3, 7, 5, 8, 6, 9, 10}) % 11 == 0;
}

bool is_br_cpf(std::string_view n) {
  if (!digits_of(n, 11) || one_digit_only(n)) return false;
  return weighted(n, {10, 9, 8, 7, 6, 5, 4, 3, 2}) * 10 % 11 % 10 == digit(n[9]) &&
         weighted(n, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2}) * 10 % 11 % 10 == digit(n[10]);
}

bool is_ca_sin(std::string_view n) {
  return digits_of(n, 9) && n.front() != '0' && n.front() != '8' && !one_digit_only(n) && is_luhn(n);
}

bool is_cl_rut(std::string_view n) {
  if ((n.size() != 8 && n.size() != 9) || !all_digits(n.substr(0, n.size() - 1))) return false;
  int sum = 0, weight = 2;
  for (auto at = n.size() - 1; at-- > 0; weight = weight == 7 ? 2 : weight + 1) sum += digit(n[at]) * weight;
  return std::string_view("0K987654321")[static_cast<std::size_t>(sum % 11)] == n.back();
}

bool is_cn_resident(std::string_view n) {
  if (n.size() != 18 || !all_digits(n.substr(0, 17)) || n.front() == '0') return false;
  const int year = number(n.substr(6, 4));
  if (year < 1880 || year > 2100 || !is_month_day(n.substr(10, 4))) return false;
  const int sum = weighted(n, {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2});
  return std::string_view("10X98765432")[static_cast<std::size_t>(sum % 11)] == n[17];
}

bool is_hk_id(std::string_view n) {
  if ((n.size() != 8 && n.size() != 9) || !is_upper(n[0])) return false;
  const bool two = n.size() == 9;
  if (two ? !is_upper(n[1]) : !is_digit(n[1])) return false;
  const auto digits = n.substr(two ? 2 : 1);
  if (!all_digits(digits.substr(0, 6)) || (!is_digit(digits[6]) && digits[6] != 'A')) return false;
  // One letter: a space, that counts 36, stands before it.
  const int first = two ? n[0] - 'A' + 10 : 36, second = (two ? n[1] : n[0]) - 'A' + 10;
  const int check = digits[6] == 'A' ? 10 : digit(digits[6]);
  return (first * 9 + second * 8 + weighted(digits, {7, 6, 5, 4, 3, 2}) + check) % 11 == 0;
}

bool is_il_id(std::string_view n) {
  return digits_of(n, 9) && !one_digit_only(n) && is_luhn(n);
}

bool is_in_aadhaar(std::string_view n) {
  if (!digits_of(n, 12) || n.front() < '2') return false;
  std::size_t check = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    const auto d = static_cast<std::size_t>(digit(n[11 - i]));
    check = multiply[check][permute[i % 8][d]];
  }
  return check == 0;
}

bool is_in_pan(std::string_view n) {
  return n.size() == 10 && std::ranges::all_of(n.substr(0, 5), is_upper) && n[3] == 'P' &&
         all_digits(n.substr(5, 4)) && n.substr(5, 4) != "0000" && is_upper(n[9]);
}

bool is_jp_my_number(std::string_view n) {
  if (!digits_of(n, 12) || one_digit_only(n)) return false;
  const int rest = weighted(n, {6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2}) % 11;
  return (rest <= 1 ? 0 : 11 - rest) == digit(n[11]);
}

bool is_kr_resident(std::string_view n) {
  if (!digits_of(n, 13) || !is_month_day(n.substr(2, 4))) return false;
  return (11 - weighted(n, {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5}) % 11) % 10 == digit(n[12]);
}

bool is_mx_curp(std::string_view n) {
  if (n.size() != 18 || !std::ranges::all_of(n.substr(0, 4), is_upper) || !all_digits(n.substr(4, 6)))
    return false;
  if (!is_month_day(n.substr(6, 4)) || !std::string_view("HMX").contains(n[10])) return false;
  if (!std::ranges::all_of(n.substr(11, 5), is_upper) || !is_digit(n[17])) return false;
  int sum = 0;
  for (std::size_t i = 0; i < 17; ++i) {
    // Between N and O stands the Ñ, so O counts 25.
    const int value = is_digit(n[i]) ? digit(n[i]) : n[i] - 'A' + 10 + (n[i] > 'N' ? 1 : 0);
    sum += value * static_cast<int>(18 - i);
  }
  return (10 - sum % 10) % 10 == digit(n[17]);
}

bool is_sg_nric(std::string_view n) {
  if (n.size() != 9 || !all_digits(n.substr(1, 7))) return false;
  const int sum = weighted(n.substr(1), {2, 7, 6, 5, 4, 3, 2});
  const auto letter = [&](std::string_view letters, int more) {
    return letters[static_cast<std::size_t>((sum + more) % 11)] == n[8];
  };
  switch (n[0]) {
    case 'S':
      return letter("JZIHGFEDCBA", 0);
    case 'T':
      return letter("JZIHGFEDCBA", 4);
    case 'F':
      return letter("XWUTRQPNMLK", 0);
    case 'G':
      return letter("XWUTRQPNMLK", 4);
    default:
      return false;
  }
}

bool is_tr_id(std::string_view n) {
  if (!digits_of(n, 11) || n.front() == '0') return false;
  const int tenth = weighted(n, {7, -1, 7, -1, 7, -1, 7, -1, 7});
  return (tenth % 10 + 10) % 10 == digit(n[9]) && weighted(n, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}) % 10 == digit(n[10]);
}

bool is_tw_id(std::string_view n) {
  if (n.size() != 10 || !is_upper(n[0]) || (n[1] != '1' && n[1] != '2' && n[1] != '8' && n[1] != '9'))
    return false;
  if (!all_digits(n.substr(1))) return false;
  constexpr std::string_view letters = "ABCDEFGHJKLMNPQRSTUVXYWZIO";  // in the order of their values, from 10 on
  const int letter = static_cast<int>(letters.find(n[0])) + 10;
  return (letter / 10 + letter % 10 * 9 + weighted(n.substr(1), {8, 7, 6, 5, 4, 3, 2, 1, 1})) % 10 == 0;
}

bool is_us_itin(std::string_view n) {
  if (!digits_of(n, 9) || n.front() != '9') return false;
  const int group = number(n.substr(3, 2));
  return (group >= 50 && group <= 65) || (group >= 70 && group <= 99 && group != 89 && group != 93);
}

bool is_us_ssn(std::string_view n) {
  if (!digits_of(n, 9)) return false;
  const int area = number(n.substr(0, 3));
  return area != 0 && area != 666 && area < 900 && n.substr(3, 2) != "00" && n.substr(5) != "0000";
}

bool is_za_id(std::string_view n) {
  return digits_of(n, 13) && is_month_day(n.substr(2, 4)) && (n[10] == '0' || n[10] == '1') && is_luhn(n);
}

}  // namespace meshai::care
