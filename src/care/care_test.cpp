#include "care/care.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace meshai::care {
namespace {

std::string names(const found& in) {
  std::string out;
  for (const auto each : kinds) {
    if (in.has(each)) out += (out.empty() ? "" : " ") + std::string(to_string(each));
  }
  return out;
}
// What has a shape; the subjects have tests of their own.
found shapes(std::string_view text) {
  content_set wanted;
  wanted.add(content::secret);
  wanted.add(content::personal);
  return look(text, wanted);
}
std::string seen(std::string_view text) {
  return names(shapes(text));
}

TEST(look, finds_national_numbers_as_people_write_them) {
  for (const auto* text : {"My SSN is 078-05-1120 ok",
                           "social security no. 078051120",
                           "NHS number 943 476 5919",
                           "943 476 5919",
                           "NINO AB 12 34 56 C and",
                           "Steuer-ID 86 095 742 719",
                           "86095742719",
                           "Versicherungsnummer 15 070649 C 103",
                           "NIR 2 55 08 14 168 025 38",
                           "DNI 12345678Z",
                           "NIE X-1234567-L",
                           "12345678z",
                           "RSSMRA85T10A562S",
                           "rssmra85t10a562s",
                           "BSN 111222333",
                           "PESEL 44051401359",
                           "CPF 529.982.247-25",
                           "Aadhaar 2341 2341 2346",
                           "身份证11010519491231002X是",
                           "811228-9874",
                           "SIN 130 692 544",
                           "85.07.30-033.28",
                           "131052-308T",
                           "131052A308T",
                           "8001015009087",
                           "BOXW310820HNERXN09",
                           "12.531.909-2",
                           "20-05536168-2",
                           "971013-9019902",
                           "A123456789",
                           "HKID A123456(3)",
                           "S1234567D",
                           "17291716060",
                           "1630615123457",
                           "710319/2745",
                           "756.9217.0769.85",
                           "1237 010180",
                           "PPS 6433435F",
                           "ЕГН 7523169263",
                           "СНИЛС 112-233-445 95",
                           "ИНН 500100732259",
                           "36805280109",
                           "TFN 123 456 782",
                           "Medicare 2123 45670 1",
                           "OIB 33392005961",
                           "AMKA 01013099997",
                           "マイナンバー 1234 5678 9018",
                           "NIF 123456789",
                           "PAN ABCPE1234F",
                           R"({"id":"x\n529.982.247-25"})"})
    EXPECT_EQ(seen(text), "national_id") << text;
}

TEST(look, believes_a_weak_check_only_behind_its_name) {
  for (const auto* text : {"order 111222333 of today", "order 130692544", "123456782 pieces", "item 500100732259",
                           "business 130 692 544", "the number 234123412346"})
    EXPECT_EQ(seen(text), "") << text;
}

TEST(look, finds_cards_and_accounts) {
  for (const auto* text : {"4111 1111 1111 1111", "card 4111111111111111, exp 12/27", "5500-0000-0000-0004",
                           "378282246310005", "3782 822463 10005", "Ann,4111111111111111,12/27,123"})
    EXPECT_EQ(seen(text), "card") << text;
  for (const auto* text :
       {"GB29NWBK60161331926819", "fr14 2004 1010 0505 0001 3m02 606", "IBAN: DE89 3704 0044 0532 0130 00."})
    EXPECT_TRUE(shapes(text).has(kind::iban)) << text;
}

TEST(look, finds_addresses) {
  for (const auto* text : {"bob.smith@example.co.uk.", "<a+b@x-y.org>", "mailto:o'neil@example.com",
                           "jürgen@müller.de", "邮箱bob@example.cn谢谢", "x@example.рф"})
    EXPECT_EQ(seen(text), "email") << text;
  for (const auto* text : {"git@github.com:foo/bar.git", "icon@2x.png", "react@18.2.0", "@app.route", "a@b", "me@",
                           "lodash@latest", "5 @ 3.50 each"})
    EXPECT_EQ(seen(text), "") << text;
}

TEST(look, finds_telephones_of_many_countries) {
  for (const auto* text : {"+1 (415) 555-0132",  "+49 30 123456",
                           "(+49) 171 1234567",  "+33\u00a06\u00a012\u00a034\u00a056\u00a078",
                           "415-555-2671",       "(415) 555-2671",
                           "1-800-555-0199",     "415.555.2671",
                           "020 7946 0958",      "030/1234567",
                           "01 23 45 67 89",     "06.12.34.56.78",
                           "090-1234-5678",      "(11) 91234-5678",
                           "8 (912) 345-67-89",  "138 1234 5678",
                           "手机13812345678",    "mi teléfono es 612 345 678",
                           "612 34 56 78",       "0049 171 1234567",
                           "call me: 5552671",   "téléphone 0612345678",
                           "телефон 9123456789", "Handy 01711234567"})
    EXPECT_EQ(seen(text), "phone") << text;
}

TEST(look, lets_ordinary_numbers_be) {
  for (const auto* text : {"The year 2024-05-01 12:30",
                           "Order #123456789 shipped",
                           "1,234,567,890 people",
                           "3.141592653589793",
                           "192.168.1.100",
                           "version 1.2.3.4",
                           "In 1999 2000 2001 2002",
                           "12 34 56 78 90",
                           "550e8400-e29b-41d4-a716-446655440000",
                           "1712345678901",
                           "ISBN 978-3-16-148410-0",
                           "2+2*3-4",
                           "$1234567890",
                           "100 000 000 euros",
                           "1000000 2000000 3000000",
                           "01/02/2024",
                           "2024/05/06",
                           "2^31 = 2147483648",
                           "The population is 83 123 456",
                           "phi 1.6180339887498948482",
                           "(1998) 23 45",
                           "call me on 2024-05-06",
                           "7 8 9 10 11 12",
                           "0x7fffffffffff",
                           "a2b4c6d8e0f2a4b6",
                           "+100000000"})
    EXPECT_EQ(seen(text), "") << text;
}

// A number of n digits drawn by dice is taken for something personal in at most `most` of 10,000.
TEST(look, rarely_takes_digits_drawn_by_dice_for_a_person) {
  std::uint64_t state = 7;
  const auto draw = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<char>('0' + (state >> 33) % 10);
  };
  for (const auto& [size, most] :
       {std::pair{8, 20}, {9, 20}, {10, 20}, {12, 150}, {13, 300}, {11, 900}, {16, 400}}) {
    int taken = 0;
    for (int i = 0; i < 10'000; ++i) {
      std::string digits;
      for (int d = 0; d < size; ++d) digits += draw();
      if (shapes("item " + digits + " is sold").any()) ++taken;
    }
    EXPECT_LE(taken, most) << size << " digits";
  }
}

// The examples are put together here, so that no other tool takes them for real.
TEST(look, finds_keys_of_providers) {
  const std::string drawn = "Ab12cd34Ef56gh78Ij90kl12Mn34op56Qr78st90Uv12wx34Yz56";
  for (const auto& [prefix, rest] : {std::pair{"sk-proj-", 40},
                                     {"sk-ant-", 40},
                                     {"sk-or-v1-", 40},
                                     {"sk-", 48},
                                     {"sk_live_", 24},
                                     {"rk_test_", 24},
                                     {"whsec_", 32},
                                     {"AIza", 35},
                                     {"ya29.", 40},
                                     {"GOCSPX-", 28},
                                     {"AKIA", 16},
                                     {"ASIA", 16},
                                     {"ghp_", 36},
                                     {"ghs_", 36},
                                     {"github_pat_", 48},
                                     {"glpat-", 20},
                                     {"xoxb-", 40},
                                     {"xapp-", 40},
                                     {"hf_", 34},
                                     {"npm_", 36},
                                     {"gsk_", 52},
                                     {"r8_", 37},
                                     {"tskey-", 40},
                                     {"figd_", 40}}) {
    const auto key = prefix + drawn.substr(0, static_cast<std::size_t>(rest));
    for (const auto& text : {key, "use " + key + ", please", "KEY=" + key, "\"" + key + "\"", R"(a\n)" + key})
      EXPECT_EQ(seen(text), "api_key") << text;
    EXPECT_EQ(seen(prefix + std::string(48, 'x')), "") << prefix;
    EXPECT_EQ(seen("a" + key), "") << prefix;
  }
  EXPECT_EQ(seen("123456789:" + ("AA" + drawn.substr(0, 33))), "api_key");
}

TEST(look, finds_private_keys_and_web_tokens) {
  for (const std::string what : {"RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"})
    EXPECT_EQ(seen("x\n-----BEGIN " + what + "-----\nMII"), "private_key") << what;
  EXPECT_EQ(seen("-----BEGIN CERTIFICATE-----"), "");
  EXPECT_EQ(seen("-----BEGIN PUBLIC KEY-----"), "");
  const std::string token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.";
  EXPECT_EQ(seen(token + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"), "web_token");
  EXPECT_EQ(seen(token), "");
  EXPECT_EQ(seen("eyJhbGciOiJIUzI1NiJ9"), "");
}

TEST(look, finds_passwords_where_they_are_called_so) {
  for (const auto* text : {"my password is hunter2!", "Password: hunter22", R"("password": "Tr0ub4dor&3")",
                           "mein Passwort lautet Blume77", "mot de passe : Soleil2024", "la contraseña es gato123",
                           "пароль: qwerty123", "密码是abc12345", "パスワードは abc12345 です",
                           "DB_PASSWORD=xk29dk2!", "dbPassword = 'xk29dk2!'", "password: 12345678",
                           "postgres://admin:s3cr3t!@db.example.com/x", "https://bob:hunter2@example.com"})
    EXPECT_EQ(seen(text), "password") << text;
  for (const auto* text : {"token: 9f86d081884c7d659a2feaa0c55ad015", "my api key is a8Kd93jf0sLq2mZx71",
                           "Authorization: Bearer 3fa85f6457174562b3fc2c963f66afa6",
                           "aws_secret_access_key = wJalrX9tnFEMI/K7MDENG/bPxRfi"})
    EXPECT_EQ(seen(text), "api_key") << text;
}

TEST(look, lets_talk_about_passwords_be) {
  for (const auto* text :
       {"password: required", "password: string;", "The password must be at least 8 characters",
        "password = getPassword()", "const password = process.env.PASSWORD1", "password: SHA-256 hashed",
        "token: 123456", "PASSWORD=${DB_PASS1}", "sk-fading-circle sk-cube1",
        "How do I reset my password on iOS17?", "tokens: 4096 per second",
        "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "postgres://user:password@localhost/db",
        "https://example.com/a:b/c@d", "api_key=YOUR_API_KEY_HERE", "password: <your password 1>",
        "a password is 8-16 long", "secret santa is on 2024-12-24", "https://example.com:8443/x@y"})
    EXPECT_EQ(seen(text), "") << text;
}

std::string counted(std::string_view text) {
  const auto all = shapes(text);
  std::string out;
  for (const auto each : kinds) {
    if (all.has(each)) out += std::string(to_string(each)) + " " + std::to_string(all.count(each)) + "; ";
  }
  return out;
}

TEST(look, counts_each_once) {
  EXPECT_EQ(counted("a@example.com, b@example.com and +49 30 123456"), "email 2; phone 1; ");
  EXPECT_EQ(counted("4111 1111 1111 1111\n5500-0000-0000-0004"), "card 2; ");
  EXPECT_EQ(counted("SSN 078-05-1120, tel. 415-555-2671 or 415-555-2672"), "phone 2; national_id 1; ");
  // A provider's key behind its name is one key.
  EXPECT_EQ(counted("API_KEY=" + ("ghp_" + std::string("Ab12cd34Ef56gh78Ij90kl12Mn34op56Qr78"))), "api_key 1; ");
  EXPECT_EQ(counted("password: hunter22\npassword: hunter23"), "password 2; ");
}

TEST(look, takes_any_bytes) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_FALSE(shapes(all + all).any());
  EXPECT_FALSE(shapes({}).any());
  for (const auto* text :
       {"\xff\xc3\x28", "@", "://", "-----BEGIN ", "password:", "eyJ", "+", "(", "00", "sk-", "\\n"})
    EXPECT_FALSE(shapes(text).any()) << text;
}

TEST(found, knows_its_classes) {
  EXPECT_EQ(content_of(kind::password), content::secret);
  EXPECT_EQ(content_of(kind::card), content::personal);
  found made;
  EXPECT_FALSE(made.has(content::personal));
  made.add(kind::email);
  EXPECT_TRUE(made.has(content::personal));
  EXPECT_FALSE(made.has(content::secret));
  found more;
  more.add(kind::api_key);
  made.add(more);
  EXPECT_TRUE(made.has(content::secret) && made.has(content::personal));
  for (int i = 0; i < 40; ++i) made.add(found(made));  // doubles: stays at the greatest number
  EXPECT_EQ(made.count(kind::email), std::numeric_limits<std::uint32_t>::max());
  for (const auto each : contents) EXPECT_EQ(parse_content(to_string(each)), each);
  EXPECT_EQ(parse_content("medicine"), std::nullopt);
}

}  // namespace
}  // namespace meshai::care
