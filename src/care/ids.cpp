#include "care/ids.hpp"

#include <algorithm>
#include <array>

#include "care/digits.hpp"
#include "care/ids_checks.hpp"

namespace meshai::care {
namespace {

struct country_length {
  std::string_view country;
  std::size_t length;
};
// The registry of ISO 13616.
constexpr std::array ibans{
    country_length{"AD", 24}, country_length{"AE", 23}, country_length{"AL", 28}, country_length{"AT", 20},
    country_length{"AZ", 28}, country_length{"BA", 20}, country_length{"BE", 16}, country_length{"BG", 22},
    country_length{"BH", 22}, country_length{"BR", 29}, country_length{"BY", 28}, country_length{"CH", 21},
    country_length{"CR", 22}, country_length{"CY", 28}, country_length{"CZ", 24}, country_length{"DE", 22},
    country_length{"DK", 18}, country_length{"DO", 28}, country_length{"EE", 20}, country_length{"EG", 29},
    country_length{"ES", 24}, country_length{"FI", 18}, country_length{"FO", 18}, country_length{"FR", 27},
    country_length{"GB", 22}, country_length{"GE", 22}, country_length{"GI", 23}, country_length{"GL", 18},
    country_length{"GR", 27}, country_length{"GT", 28}, country_length{"HR", 21}, country_length{"HU", 28},
    country_length{"IE", 22}, country_length{"IL", 23}, country_length{"IQ", 23}, country_length{"IS", 26},
    country_length{"IT", 27}, country_length{"JO", 30}, country_length{"KW", 30}, country_length{"KZ", 20},
    country_length{"LB", 28}, country_length{"LC", 32}, country_length{"LI", 21}, country_length{"LT", 20},
    country_length{"LU", 20}, country_length{"LV", 21}, country_length{"LY", 25}, country_length{"MC", 27},
    country_length{"MD", 24}, country_length{"ME", 22}, country_length{"MK", 19}, country_length{"MR", 27},
    country_length{"MT", 31}, country_length{"MU", 30}, country_length{"NL", 18}, country_length{"NO", 15},
    country_length{"PK", 24}, country_length{"PL", 28}, country_length{"PS", 29}, country_length{"PT", 25},
    country_length{"QA", 29}, country_length{"RO", 24}, country_length{"RS", 22}, country_length{"SA", 24},
    country_length{"SC", 31}, country_length{"SE", 24}, country_length{"SI", 19}, country_length{"SK", 24},
    country_length{"SM", 27}, country_length{"ST", 25}, country_length{"SV", 28}, country_length{"TL", 23},
    country_length{"TN", 24}, country_length{"TR", 26}, country_length{"UA", 29}, country_length{"VA", 22},
    country_length{"VG", 24}, country_length{"XK", 20},
};

struct network {
  int first, last;  // the first four digits
  std::size_t shortest, longest;
};
constexpr std::array networks{
    network{4000, 4999, 16, 19},  // Visa; its cards of 13 digits are gone
    network{5100, 5599, 16, 16},  // Mastercard
    network{2221, 2720, 16, 16},  // Mastercard
    network{3400, 3499, 15, 15},  // American Express
    network{3700, 3799, 15, 15},  // American Express
    network{3000, 3059, 14, 19},  // Diners Club
    network{3600, 3699, 14, 19},  // Diners Club
    network{3800, 3999, 16, 19},  // Diners Club
    network{3528, 3589, 16, 19},  // JCB
    network{6011, 6011, 16, 19},  // Discover
    network{6440, 6599, 16, 19},  // Discover, RuPay
    network{6200, 6299, 16, 19},  // UnionPay
    network{5018, 5018, 13, 19},  // Maestro
    network{5020, 5020, 13, 19},  // Maestro
    network{5038, 5038, 13, 19},  // Maestro
    network{6304, 6304, 13, 19},  // Maestro
    network{6759, 6763, 13, 19},  // Maestro
    network{5067, 5067, 16, 16},  // Elo
    network{2200, 2204, 16, 19},  // Mir
    network{9792, 9792, 16, 16},  // Troy
};

using list = std::string_view[];
constexpr list american{"ssn", "social security", "itin", "tin$"};
constexpr list british{"nhs", "national insurance", "nino$"};
constexpr list german{"steuer", "idnr", "tax id", "tin$", "sozialvers", "rentenvers", "versicherungsn"};
constexpr list austrian{"svnr", "sv-nr", "sozialvers", "versicherungsn"};
constexpr list dutch{"bsn", "burgerserv", "sofinum"};
constexpr list canadian{"sin$", "social insurance", "nas$", "assurance sociale"};
constexpr list australian{"tfn", "tax file", "medicare"};
constexpr list indian{"aadhaar", "aadhar", "uidai", "\u0906\u0927\u093e\u0930", "pan$"};
constexpr list danish{"cpr", "personnummer"};
constexpr list swedish{"personnummer", "personnr", "samordningsn"};
constexpr list portuguese{"nif$", "contribuinte"};
constexpr list irish{"pps"};
constexpr list bulgarian{"egn", "\u0435\u0433\u043d", "\u0415\u0413\u041d"};
constexpr list russian{"inn$", "\u0438\u043d\u043d", "\u0418\u041d\u041d", "\u0441\u043d\u0438\u043b\u0441",
                       "\u0421\u041d\u0418\u041b\u0421"};
constexpr list croatian{"oib"};
constexpr list greek{"amka", "\u0391\u039c\u039a\u0391"};
constexpr list israeli{"teudat", "id number", "\u05ea.\u05d6",
                       "\u05ea\u05e2\u05d5\u05d3\u05ea \u05d6\u05d4\u05d5\u05ea",
                       "\u05de\u05e1\u05e4\u05e8 \u05d6\u05d4\u05d5\u05ea"};
constexpr list japanese{"my number", "mynumber", "\u30de\u30a4\u30ca\u30f3\u30d0\u30fc",
                        "\u500b\u4eba\u756a\u53f7"};
constexpr list chilean{"rut$", "run$"};
constexpr list argentine{"cuit", "cuil"};
constexpr list hongkong{"hkid", "identity card", "\u8eab\u4efd\u8b49"};
constexpr list polish{"pesel"};
constexpr list norwegian{"dselsnummer", "personnummer"};
constexpr list korean{"resident registration", "\uc8fc\ubbfc"};
constexpr list french{"s\u00e9curit\u00e9 sociale", "securite sociale", "nir$", "carte vitale"};
constexpr list spanish{"dni$", "nie$"};
constexpr list czech{"rodn\u00e9", "rodne", "r.\u010d."};

constexpr std::array all{
    national_number{"CL", 8, 9, is_cl_rut, "2-3-3-1 1-3-3-1", ".-", chilean},
    national_number{"IE", 8, 9, is_ie_pps, "", "", irish},
    national_number{"HK", 8, 9, is_hk_id, "7-1 8-1", "(", hongkong},
    national_number{"US", 9, 9, is_us_ssn, "3-2-4", "- ", american},
    national_number{"US", 9, 9, is_us_itin, "3-2-4", "- ", american},
    national_number{"GB", 9, 9, is_uk_nino, "9 2-2-2-2-1 2-6-1", " -", british},
    national_number{"ES", 9, 9, is_es_dni, "9 8-1 1-7-1 2-3-3-1", "-. ", spanish},
    national_number{"SG", 9, 9, is_sg_nric, "9", "", {}},
    national_number{"NL", 9, 9, is_nl_bsn, "4-2-3", ".", dutch},
    national_number{"CA", 9, 9, is_ca_sin, "", "", canadian},
    national_number{"AU", 9, 9, is_au_tfn, "", "", australian},
    national_number{"PT", 9, 9, is_pt_nif, "", "", portuguese},
    national_number{"IL", 9, 9, is_il_id, "", "", israeli},
    national_number{"GB", 10, 10, is_uk_nhs, "3-3-4", " ", british},
    national_number{"SE", 10, 12, is_se_person, "6-4 8-4 12", "-+", swedish},
    national_number{"DK", 10, 10, is_dk_cpr, "", "", danish},
    national_number{"FI", 10, 11, is_fi_code, "6-4 11", "-+", {}},
    national_number{"CZ", 10, 10, is_cz_birth, "6-4", "/", czech},
    national_number{"AT", 10, 10, is_at_insurance, "4-6", " /-", austrian},
    national_number{"BG", 10, 10, is_bg_egn, "", "", bulgarian},
    national_number{"AU", 10, 11, is_au_medicare, "4-5-1 4-5-2", " ", australian},
    national_number{"IN", 10, 10, is_in_pan, "10", "", indian},
    national_number{"TW", 10, 10, is_tw_id, "10", "", {}},
    national_number{"DE", 11, 11, is_de_tax, "11 2-3-3-3", " ", german},
    national_number{"BE", 11, 11, is_be_national, "11 2-2-2-3-2 6-3-2", ".- ", {}},
    national_number{"PL", 11, 11, is_pl_pesel, "11", "", polish},
    national_number{"NO", 11, 11, is_no_birth, "11 6-5", " ", norwegian},
    national_number{"BR", 11, 11, is_br_cpf, "11 3-3-3-2", ".-/ ", {}},
    national_number{"TR", 11, 11, is_tr_id, "11", "", {}},
    national_number{"EE", 11, 11, is_ee_lt_code, "11", "", {}},
    national_number{"AR", 11, 11, is_ar_cuit, "2-8-1", "-", argentine},
    national_number{"RU", 11, 11, is_ru_snils, "3-3-3-2", "- ", russian},
    national_number{"HR", 11, 11, is_hr_oib, "", "", croatian},
    national_number{"GR", 11, 11, is_gr_amka, "", "", greek},
    national_number{"DE", 12, 12, is_de_pension, "12 2-6-1-3 2-6-4", " ", german},
    national_number{"IN", 12, 12, is_in_aadhaar, "4-4-4", " -", indian},
    national_number{"RU", 12, 12, is_ru_inn, "", "", russian},
    national_number{"JP", 12, 12, is_jp_my_number, "", "", japanese},
    national_number{"CH", 13, 13, is_ch_ahv, "13 3-4-4-2", ". ", {}},
    national_number{"ZA", 13, 13, is_za_id, "13 6-4-3", " ", {}},
    national_number{"RO", 13, 13, is_ro_cnp, "13", "", {}},
    national_number{"KR", 13, 13, is_kr_resident, "6-7", "-", korean},
    national_number{"FR", 15, 15, is_fr_nir, "15 13-2 1-2-2-2-3-3-2", " ", french},
    national_number{"IT", 16, 16, is_it_fiscal, "16 3-3-5-5", " ", {}},
    national_number{"CN", 18, 18, is_cn_resident, "18", "", {}},
    national_number{"MX", 18, 18, is_mx_curp, "18", "", {}},
};

constexpr std::size_t shortest = std::ranges::min(all, {}, &national_number::shortest).shortest;
constexpr std::size_t longest = std::ranges::max(all, {}, &national_number::longest).longest;

struct of_one_size {
  std::array<const national_number*, all.size()> numbers{};
  std::size_t count = 0;
};
constexpr auto by_size = [] {
  std::array<of_one_size, longest - shortest + 1> made;
  for (const auto& each : all) {
    for (auto size = each.shortest; size <= each.longest; ++size) {
      auto& [numbers, count] = made[size - shortest];
      numbers[count++] = &each;
    }
  }
  return made;
}();

}  // namespace

bool is_card(std::string_view digits) {
  if (digits.size() < 13 || digits.size() > 19 || !all_digits(digits)) return false;
  const int first = number(digits.substr(0, 4));
  return is_luhn(digits) && std::ranges::any_of(networks, [&](const network& each) {
           return first >= each.first && first <= each.last && digits.size() >= each.shortest &&
                  digits.size() <= each.longest;
         });
}

bool is_iban(std::string_view text) {
  if (text.size() < 15 || !is_upper(text.front()) ||
      !std::ranges::all_of(text, [](char c) { return is_digit(c) || is_upper(c); }))
    return false;
  const auto of = std::ranges::find(ibans, text.substr(0, 2), &country_length::country);
  if (of == ibans.end() || of->length != text.size() || !all_digits(text.substr(2, 2))) return false;
  return mod_97(text.substr(0, 4), mod_97(text.substr(4))) == 1;
}

std::span<const national_number* const> national_numbers(std::size_t size) {
  if (size < shortest || size > longest) return {};
  const auto& [numbers, count] = by_size[size - shortest];
  return std::span(numbers).first(count);
}

}  // namespace meshai::care
