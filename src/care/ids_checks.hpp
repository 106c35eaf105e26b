// care: the checks of single countries. Internal. Each takes a number as ids.hpp says, and is false for any other
// length.
#pragma once

#include <string_view>

namespace meshai::care {

// Europe
bool is_at_insurance(std::string_view n);  // SVNR: weights, date
bool is_be_national(std::string_view n);   // mod 97, date
bool is_bg_egn(std::string_view n);        // weights, date
bool is_ch_ahv(std::string_view n);        // EAN-13
bool is_cz_birth(std::string_view n);      // rodné číslo: mod 11, date
bool is_de_pension(std::string_view n);    // Versicherungsnummer: weights, date
bool is_de_tax(std::string_view n);        // ISO 7064 mod 11, 10
bool is_dk_cpr(std::string_view n);        // date; the check digit is no longer kept
bool is_ee_lt_code(std::string_view n);    // weights twice, date
bool is_es_dni(std::string_view n);        // DNI and NIE: letter by mod 23
bool is_fi_code(std::string_view n);       // letter by mod 31, date; the century's sign where it is a letter
bool is_fr_nir(std::string_view n);        // 97 - mod 97
bool is_gr_amka(std::string_view n);       // Luhn, date
bool is_hr_oib(std::string_view n);        // ISO 7064 mod 11, 10
bool is_ie_pps(std::string_view n);        // letter by mod 23
bool is_it_fiscal(std::string_view n);     // codice fiscale: letter by two tables
bool is_nl_bsn(std::string_view n);        // "elfproef"
bool is_no_birth(std::string_view n);      // mod 11 twice, date
bool is_pl_pesel(std::string_view n);      // weights, date
bool is_pt_nif(std::string_view n);        // mod 11
bool is_ro_cnp(std::string_view n);        // mod 11, date
bool is_ru_inn(std::string_view n);        // of persons: mod 11 twice
bool is_ru_snils(std::string_view n);      // mod 101
bool is_se_person(std::string_view n);     // Luhn, date
bool is_uk_nhs(std::string_view n);        // mod 11
bool is_uk_nino(std::string_view n);       // no check: prefixes that are never given

// The rest of the world
bool is_ar_cuit(std::string_view n);       // mod 11
bool is_au_medicare(std::string_view n);   // weights
bool is_au_tfn(std::string_view n);        // mod 11
bool is_br_cpf(std::string_view n);        // mod 11 twice
bool is_ca_sin(std::string_view n);        // Luhn
bool is_cl_rut(std::string_view n);        // mod 11
bool is_cn_resident(std::string_view n);   // ISO 7064 mod 11, 2, date
bool is_hk_id(std::string_view n);         // mod 11
bool is_il_id(std::string_view n);         // Luhn
bool is_in_aadhaar(std::string_view n);    // Verhoeff
bool is_in_pan(std::string_view n);        // no check: the fourth letter of persons
bool is_jp_my_number(std::string_view n);  // mod 11
bool is_kr_resident(std::string_view n);   // weights, date
bool is_mx_curp(std::string_view n);       // weights, date
bool is_sg_nric(std::string_view n);       // letter by mod 11
bool is_tr_id(std::string_view n);         // two digits
bool is_tw_id(std::string_view n);         // weights
bool is_us_itin(std::string_view n);       // no check: areas and groups that are given
bool is_us_ssn(std::string_view n);        // no check: areas and groups that are never given
bool is_za_id(std::string_view n);         // Luhn, date

}  // namespace meshai::care
