#include <array>

#include "care/digits.hpp"
#include "care/ids_checks.hpp"

namespace meshai::care {

bool is_at_insurance(std::string_view n) {
  if (!digits_of(n, 10) || n.front() == '0' || !is_day_month(n.substr(4, 4))) return false;
  return weighted(n, {3, 7, 9, 0, 5, 8, 4, 2, 1, 6}) % 11 == digit(n[3]);
}

bool is_be_national(std::string_view n) {
  if (!digits_of(n, 11) || !is_month_day(n.substr(2, 4))) return false;
  const int check = number(n.substr(9));
  const int before_2000 = number(n.substr(0, 9)) % 97;
  // From 2000 on, a 2 stands before the number.
  return check == 97 - before_2000 || check == 97 - mod_97(n.substr(0, 9), 2);
}

bool is_bg_egn(std::string_view n) {
  if (!digits_of(n, 10)) return false;
  const int month = number(n.substr(2, 2)) % 20;  // 20 and 40 more tell the century
  if (number(n.substr(2, 2)) > 52 || !is_day(month, number(n.substr(4, 2)))) return false;
  return weighted(n, {2, 4, 8, 5, 10, 9, 7, 3, 6}) % 11 % 10 == digit(n[9]);
}

bool is_ch_ahv(std::string_view n) {
  return digits_of(n, 13) && n.starts_with("756") &&
         weighted(n, {1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1}) % 10 == 0;
}

bool is_cz_birth(std::string_view n) {
  if (!digits_of(n, 10)) return false;
  int month = number(n.substr(2, 2));
  if (month > 50) month -= 50;  // of women
  if (month > 20) month -= 20;  // where a day's numbers ran out
  if (!is_day(month, number(n.substr(4, 2)))) return false;
  return number(n.substr(0, 9)) % 11 % 10 == digit(n[9]);
}

bool is_de_pension(std::string_view n) {
  if (n.size() != 12 || !all_digits(n.substr(0, 8)) || !is_upper(n[8]) || !all_digits(n.substr(9))) return false;
  const int day = number(n.substr(2, 2)), month = number(n.substr(4, 2));
  if (!is_day(month, day > 50 ? day - 50 : day)) return false;
  const int letter = n[8] - 'A' + 1;
  const std::array<int, 12> values{digit(n[0]), digit(n[1]), digit(n[2]), digit(n[3]), digit(n[4]), digit(n[5]),
                                   digit(n[6]), digit(n[7]), letter / 10, letter % 10, digit(n[9]), digit(n[10])};
  constexpr std::array<int, 12> weights{2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1};
  int sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int product = values[i] * weights[i];
    sum += product / 10 + product % 10;
  }
  return sum % 10 == digit(n[11]);
}

bool is_de_tax(std::string_view n) {
  if (!digits_of(n, 11) || n.front() == '0') return false;
  // Of the first ten, one digit stands twice or three times and all others at most once.
  std::array<int, 10> times{};
  for (const char c : n.substr(0, 10)) ++times[static_cast<std::size_t>(digit(c))];
  if (std::ranges::count_if(times, [](int each) { return each >= 2; }) != 1 || std::ranges::max(times) > 3)
    return false;
  return is_mod_11_10(n);
}

bool is_dk_cpr(std::string_view n) {
  return digits_of(n, 10) && is_day_month(n.substr(0, 4));
}

bool is_ee_lt_code(std::string_view n) {
  if (!digits_of(n, 11) || n.front() < '1' || n.front() > '6' || !is_month_day(n.substr(3, 4))) return false;
  int check = weighted(n, {1, 2, 3, 4, 5, 6, 7, 8, 9, 1}) % 11;
  if (check == 10) check = weighted(n, {3, 4, 5, 6, 7, 8, 9, 1, 2, 3}) % 11 % 10;
  return check == digit(n[10]);
}

bool is_es_dni(std::string_view n) {
  constexpr std::string_view letters = "TRWAGMYFPDXBNJZSQVHLCKE";
  if (n.size() != 9 || !is_upper(n[8]) || !all_digits(n.substr(1, 7))) return false;
  const bool foreigner = n[0] >= 'X' && n[0] <= 'Z';
  if (!foreigner && !is_digit(n[0])) return false;
  const int first = foreigner ? n[0] - 'X' : digit(n[0]);
  const int whole = first * 10'000'000 + number(n.substr(1, 7));
  return whole != 0 && letters[static_cast<std::size_t>(whole % 23)] == n[8];
}

bool is_fi_code(std::string_view n) {
  constexpr std::string_view letters = "0123456789ABCDEFHJKLMNPRSTUVWXY", centuries = "ABCDEFYXWVU";
  std::array<char, 10> without{};
  if (n.size() == 11 && centuries.contains(n[6])) {
    std::ranges::copy(n.substr(7), std::ranges::copy(n.substr(0, 6), without.begin()).out);
    n = {without.data(), without.size()};
  }
  if (n.size() != 10 || !all_digits(n.substr(0, 9)) || !is_day_month(n.substr(0, 4))) return false;
  return letters[static_cast<std::size_t>(number(n.substr(0, 9)) % 31)] == n[9];
}

bool is_fr_nir(std::string_view n) {
  if (n.size() != 15 || (n[0] != '1' && n[0] != '2')) return false;
  std::array<char, 13> body{};
  std::ranges::copy(n.substr(0, 13), body.begin());
  // Corsica: 2A and 2B count as 19 and 18.
  if (body[5] == '2' && (body[6] == 'A' || body[6] == 'B')) {
    body[5] = '1';
    body[6] = body[6] == 'A' ? '9' : '8';
  }
  const std::string_view digits(body.data(), body.size());
  if (!all_digits(digits) || !all_digits(n.substr(13))) return false;
  const int month = number(digits.substr(3, 2));
  if (month < 1 || (month > 12 && month < 20) || month > 42) return false;
  return 97 - mod_97(digits) == number(n.substr(13));
}

bool is_gr_amka(std::string_view n) {
  return digits_of(n, 11) && is_day_month(n.substr(0, 4)) && is_luhn(n);
}

bool is_hr_oib(std::string_view n) {
  return digits_of(n, 11) && is_mod_11_10(n);
}

bool is_ie_pps(std::string_view n) {
  constexpr std::string_view letters = "WABCDEFGHIJKLMNOPQRSTUV";
  if ((n.size() != 8 && n.size() != 9) || !all_digits(n.substr(0, 7)) || !is_upper(n[7])) return false;
  int sum = weighted(n, {8, 7, 6, 5, 4, 3, 2});
  if (n.size() == 9) {
    if (!is_upper(n[8])) return false;
    sum += 9 * (n[8] == 'W' ? 0 : n[8] - 'A' + 1);
  }
  return letters[static_cast<std::size_t>(sum % 23)] == n[7];
}

bool is_it_fiscal(std::string_view n) {
  if (n.size() != 16) return false;
  constexpr std::string_view shape = "LLLLLLNNLNNLNNNL", for_digits = "LMNPQRSTUV", months = "ABCDEHLMPRST";
  constexpr std::array<int, 26> odd{1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                    20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  int sum = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    const char c = n[i];
    if (shape[i] == 'L' ? !is_upper(c) : !is_digit(c) && !for_digits.contains(c)) return false;
    if (i == 15) break;
    const int value = is_digit(c) ? digit(c) : c - 'A';
    sum += i % 2 == 0 ? odd[static_cast<std::size_t>(value)] : value;
  }
  return months.contains(n[8]) && n[15] == 'A' + sum % 26;
}

bool is_nl_bsn(std::string_view n) {
  return digits_of(n, 9) && number(n) >= 10'000'000 && weighted(n, {9, 8, 7, 6, 5, 4, 3, 2, -1}) % 11 == 0;
}

bool is_no_birth(std::string_view n) {
  if (!digits_of(n, 11)) return false;
  const int day = number(n.substr(0, 2)) % 40;  // 40 more: a D number
  if (!is_day(number(n.substr(2, 2)), day)) return false;
  return weighted(n, {3, 7, 6, 1, 8, 9, 4, 5, 2, 1}) % 11 == 0 &&
         weighted(n, {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1}) % 11 == 0;
}

bool is_pl_pesel(std::string_view n) {
  if (!digits_of(n, 11) || !is_day(number(n.substr(2, 2)) % 20, number(n.substr(4, 2)))) return false;
  return weighted(n, {1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1}) % 10 == 0;
}

bool is_pt_nif(std::string_view n) {
  constexpr std::string_view persons = "123";
  if (!digits_of(n, 9) || !persons.contains(n.front())) return false;
  const int check = 11 - weighted(n, {9, 8, 7, 6, 5, 4, 3, 2}) % 11;
  return (check > 9 ? 0 : check) == digit(n[8]);
}

bool is_ro_cnp(std::string_view n) {
  if (!digits_of(n, 13) || n.front() == '0' || !is_month_day(n.substr(3, 4))) return false;
  const int check = weighted(n, {2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9}) % 11;
  return (check == 10 ? 1 : check) == digit(n[12]);
}

bool is_ru_inn(std::string_view n) {
  return digits_of(n, 12) && !one_digit_only(n) &&
         weighted(n, {7, 2, 4, 10, 3, 5, 9, 4, 6, 8}) % 11 % 10 == digit(n[10]) &&
         weighted(n, {3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8}) % 11 % 10 == digit(n[11]);
}

bool is_ru_snils(std::string_view n) {
  if (!digits_of(n, 11) || n.starts_with("000000")) return false;
  return weighted(n, {9, 8, 7, 6, 5, 4, 3, 2, 1}) % 101 % 100 == number(n.substr(9));
}

bool is_se_person(std::string_view n) {
  if (n.size() == 12 && (n.starts_with("18") || n.starts_with("19") || n.starts_with("20"))) n.remove_prefix(2);
  if (!digits_of(n, 10)) return false;
  const int day = number(n.substr(4, 2));
  return is_day(number(n.substr(2, 2)), day > 60 ? day - 60 : day) && is_luhn(n);  // 60 more: coordination number
}

bool is_uk_nhs(std::string_view n) {
  if (!digits_of(n, 10) || one_digit_only(n)) return false;
  return weighted(n, {10, 9, 8, 7, 6, 5, 4, 3, 2, 1}) % 11 == 0;
}

bool is_uk_nino(std::string_view n) {
  if (n.size() != 9 || !is_upper(n[0]) || !is_upper(n[1]) || !all_digits(n.substr(2, 6))) return false;
  constexpr std::string_view never_first = "DFIQUV", never_second = "DFIQUVO";
  constexpr std::array<std::string_view, 7> never{"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"};
  return !never_first.contains(n[0]) && !never_second.contains(n[1]) &&
         !std::ranges::contains(never, n.substr(0, 2)) && n[8] >= 'A' && n[8] <= 'D';
}

}  // namespace meshai::care
