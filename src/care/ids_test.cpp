// Numbers that authorities and standards publish as examples, and what must not pass for them.
#include <gtest/gtest.h>

#include <string>

#include "care/ids.hpp"
#include "care/ids_checks.hpp"

namespace meshai::care {
namespace {

struct example {
  bool (*holds)(std::string_view);
  std::string_view number;
};
constexpr example examples[]{
    {is_at_insurance, "1237010180"},
    {is_be_national, "85073003328"},
    {is_bg_egn, "7523169263"},
    {is_ch_ahv, "7569217076985"},
    {is_cz_birth, "7103192745"},
    {is_de_pension, "15070649C103"},
    {is_de_tax, "86095742719"},
    {is_de_tax, "65929970489"},
    {is_ee_lt_code, "36805280109"},
    {is_ee_lt_code, "38703181745"},
    {is_es_dni, "12345678Z"},
    {is_es_dni, "X1234567L"},
    {is_fi_code, "131052308T"},
    {is_fi_code, "131052A308T"},
    {is_fr_nir, "255081416802538"},
    {is_fr_nir, "253072B07300470"},
    {is_gr_amka, "01013099997"},
    {is_hr_oib, "33392005961"},
    {is_ie_pps, "6433435F"},
    {is_ie_pps, "1234567FA"},
    {is_it_fiscal, "RSSMRA85T10A562S"},
    {is_nl_bsn, "111222333"},
    {is_no_birth, "15108695088"},
    {is_pl_pesel, "44051401359"},
    {is_pt_nif, "123456789"},
    {is_ro_cnp, "1630615123457"},
    {is_ru_inn, "500100732259"},
    {is_ru_snils, "11223344595"},
    {is_se_person, "8112189876"},
    {is_se_person, "198112189876"},
    {is_uk_nhs, "9434765919"},
    {is_ar_cuit, "20055361682"},
    {is_au_medicare, "2123456701"},
    {is_au_tfn, "123456782"},
    {is_br_cpf, "52998224725"},
    {is_ca_sin, "130692544"},
    {is_cl_rut, "125319092"},
    {is_cl_rut, "10000013K"},
    {is_cn_resident, "11010519491231002X"},
    {is_hk_id, "A1234563"},
    {is_hk_id, "AB9876543"},
    {is_il_id, "039337423"},
    {is_in_aadhaar, "234123412346"},
    {is_jp_my_number, "123456789018"},
    {is_kr_resident, "9710139019902"},
    {is_mx_curp, "BOXW310820HNERXN09"},
    {is_sg_nric, "S1234567D"},
    {is_sg_nric, "G1234567X"},
    {is_tr_id, "17291716060"},
    {is_tw_id, "A123456789"},
    {is_za_id, "8001015009087"},
};

TEST(ids, take_published_examples) {
  for (const auto& [holds, number] : examples) EXPECT_TRUE(holds(number)) << number;
}

TEST(ids, notice_every_wrong_digit) {
  for (const auto& [holds, number] : examples) {
    int passed = 0, tried = 0;
    for (std::size_t i = 0; i < number.size(); ++i) {
      for (char c = '0'; c <= '9'; ++c) {
        if (number[i] < '0' || number[i] > '9' || number[i] == c) continue;
        std::string changed(number);
        changed[i] = c;
        ++tried;
        if (holds(changed)) ++passed;
      }
    }
    // Checks by mod 11 that write 10 as 0, and those that leave a place out, let a few through.
    EXPECT_LE(passed * 8, tried) << number << ": " << passed << " of " << tried;
  }
}

TEST(ids, are_of_their_length_only) {
  for (const auto& [holds, number] : examples) {
    EXPECT_FALSE(holds({}));
    EXPECT_FALSE(holds("1"));
    EXPECT_FALSE(holds(number.substr(0, 6))) << number;
    EXPECT_FALSE(holds(std::string(number) + "0000")) << number;
  }
}

TEST(ids, of_the_united_states_and_britain_have_no_check_digit_but_numbers_never_given) {
  EXPECT_TRUE(is_us_ssn("078051120"));
  for (const auto* never : {"000121234", "666121234", "900121234", "123001234", "123450000"})
    EXPECT_FALSE(is_us_ssn(never)) << never;
  EXPECT_TRUE(is_us_itin("912701234"));
  EXPECT_FALSE(is_us_itin("912671234"));
  EXPECT_TRUE(is_uk_nino("AB123456C"));
  for (const auto* never : {"BG123456C", "DA123456C", "AO123456C", "AB123456E", "AB12345C"})
    EXPECT_FALSE(is_uk_nino(never)) << never;
  EXPECT_TRUE(is_in_pan("ABCPE1234F"));
  EXPECT_FALSE(is_in_pan("ABCCE1234F"));  // a company
}

TEST(cards, are_of_known_networks_and_pass_luhn) {
  for (const auto* good : {"4111111111111111", "5555555555554444", "2223003122003222", "378282246310005",
                           "30569309025904", "3530111333300000", "6011111111111117", "6200000000000005"})
    EXPECT_TRUE(is_card(good)) << good;
  for (const auto* bad : {"4111111111111112", "1111111111111117", "9111111111111111", "411111111111111",
                          "0000000000000000", "41111111111111111111"})
    EXPECT_FALSE(is_card(bad)) << bad;
}

TEST(ibans, have_the_length_of_their_country_and_mod_97) {
  for (const auto* good : {"DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606",
                           "NO9386011117947", "MT84MALT011000012345MTLCAST001S", "BR9700360305000010009795493P1"})
    EXPECT_TRUE(is_iban(good)) << good;
  for (const auto* bad : {"DE88370400440532013000", "DE8937040044053201300", "XX89370400440532013000",
                          "DEA9370400440532013000", "GB29nwbk60161331926819"})
    EXPECT_FALSE(is_iban(bad)) << bad;
}

}  // namespace
}  // namespace meshai::care
