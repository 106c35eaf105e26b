#include <tuple>

#include "care/context.hpp"
#include "care/digits.hpp"
#include "care/written.hpp"

namespace meshai::care {
namespace {

constexpr std::string_view called[]{"phone",
                                    "tel.",
                                    "tel:",
                                    "tel$",
                                    "telephone",
                                    "mobile",
                                    "cell$",
                                    "cellphone",
                                    "call me",
                                    "call$",
                                    "call us",
                                    "calling",
                                    "fax",
                                    "sms$",
                                    "whatsapp",
                                    "text me",
                                    "telefon",
                                    "handy",
                                    "mobil",
                                    "anruf",
                                    "rufen",
                                    "ruf mich",
                                    "t\u00e9l\u00e9phone",
                                    "portable",
                                    "appel",
                                    "tel\u00e9fono",
                                    "m\u00f3vil",
                                    "celular",
                                    "ll\u00e1ma",
                                    "llama",
                                    "telefone",
                                    "ligue",
                                    "liga",
                                    "cellulare",
                                    "chiam",
                                    "telefoon",
                                    "bel me",
                                    "tlf",
                                    "puhelin",
                                    "zadzwo",
                                    "kom\u00f3rk",
                                    "\u0442\u0435\u043b\u0435\u0444\u043e\u043d",
                                    "\u0422\u0435\u043b\u0435\u0444\u043e\u043d",
                                    "\u0442\u0435\u043b.",
                                    "\u0437\u0432\u043e\u043d\u0438",
                                    "\u043f\u043e\u0437\u0432\u043e\u043d\u0438",
                                    "\u7535\u8bdd",
                                    "\u624b\u673a",
                                    "\u96fb\u8a71",
                                    "\u643a\u5e2f",
                                    "\u624b\u6a5f",
                                    "\uc804\ud654",
                                    "\ud734\ub300\ud3f0",
                                    "\u092b\u094b\u0928",
                                    "\u092b\u093c\u094b\u0928",
                                    "\u092e\u094b\u092c\u093e\u0907\u0932",
                                    "\u0647\u0627\u062a\u0641",
                                    "\u062c\u0648\u0627\u0644",
                                    "\u05d8\u05dc\u05e4\u05d5\u05df"};
constexpr names words{called};

// ITU-T E.164: at most 15 digits, the first ones a country's.
bool is_international(std::string_view n) {
  if (n.size() < 9 || n.size() > 15 || n.front() == '0' || n.ends_with("00000")) return false;
  if (n.front() == '1' || n.front() == '7') return n.size() == 11;
  return !n.starts_with("28") && !n.starts_with("83") && !n.starts_with("89");
}

bool is_american(const written& number, std::string_view n) {
  const bool with_one = number.grouped("1-3-3-4") && n.front() == '1';
  if (!with_one && !number.grouped("3-3-4")) return false;
  if (with_one) n.remove_prefix(1);
  if (n[0] < '2') return false;
  const bool only_blanks = number.separated_by(" ");
  const bool strict = number.separated_by(". ");
  return (with_one || !only_blanks) && (!strict || n[3] >= '2');
}

bool looks_like_date(const written& number, std::string_view n) {
  if (number.group_count < 3) return false;
  const auto [a, b, c] = std::tuple(number.groups[0], number.groups[1], number.groups[2]);
  if (!number.separated_by("-/. ")) return false;
  if (a == 4 && b <= 2 && c <= 2) return n.starts_with("19") || n.starts_with("20");
  if (a > 2 || b > 2 || (c != 4 && c != 2) || number.group_count > 3) return false;
  return c == 2 || n.substr(a + b, 2) == "19" || n.substr(a + b, 2) == "20";
}

// 030 1234567, 0171/1234567, 020 7946 0958, 01 23 45 67 89, 090-1234-5678
bool has_trunk_zero(const written& number, std::string_view n) {
  if (n.front() != '0' || n[1] == '0' || n.size() < 9 || n.size() > 12 || number.group_count < 2) return false;
  if (number.grouped("2-2-2-2-2")) return true;
  if (number.group_count > 5 || number.groups[0] < 2 || !number.separated_by(" -/)")) return false;
  for (std::size_t i = 1; i < number.group_count; ++i) {
    if (number.groups[i] < 2) return false;
  }
  return true;
}

bool is_national(const written& number, std::string_view n) {
  // (11) 91234-5678, (0171) 234567; a year in brackets is none
  if (number.bracket && number.group_count >= 2 && number.separators[1] == ')') {
    const bool year = number.groups[0] == 4 && (n.starts_with("19") || n.starts_with("20"));
    return !year && number.groups[0] >= 2 && number.groups[0] <= 5 && n.size() >= 8 && n.size() <= 12;
  }
  if (n.front() == '8' && number.grouped("1-3-3-2-2")) return true;                            // Russia
  if (n.front() == '1' && n[1] >= '3' && number.grouped("3-4-4")) return true;                 // China
  if (n.front() >= '6' && number.grouped("3-2-2-2") && number.separated_by(" ")) return true;  // Spain
  return has_trunk_zero(number, n);
}

}  // namespace

bool is_phone(const written& number, std::string_view before) {
  const auto n = number.text();
  if (!number.only_digits() || n.size() < 7 || n.size() > 17) return false;
  if (number.plus) return is_international(n);
  if (n.starts_with("00") && n.size() >= 11) return is_international(n.substr(2));
  if (looks_like_date(number, n)) return false;
  return is_american(number, n) || is_national(number, n) || (n.size() <= 13 && words.begin_in(before));
}

}  // namespace meshai::care
