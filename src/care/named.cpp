// What is called a password or a key where it stands: "password: ...", "API_KEY=...", "mein Passwort ist ...".
#include "care/beginnings.hpp"
#include "care/letters.hpp"
#include "care/secrets.hpp"

namespace meshai::care {
namespace {

constexpr std::size_t longest_value = 128;

using list = std::string_view[];
constexpr list passwords{"password",
                         "passwd",
                         "passphrase",
                         "passcode",
                         "passwort",
                         "kennwort",
                         "pwd",
                         "contrase\u00f1a",
                         "contrasena",
                         "senha",
                         "wachtwoord",
                         "has\u0142o",
                         "haslo",
                         "l\u00f6senord",
                         "losenord",
                         "mot de passe",
                         "palavra-passe",
                         "\u015fifre",
                         "\u043f\u0430\u0440\u043e\u043b\u044c",
                         "\u041f\u0430\u0440\u043e\u043b\u044c",
                         "\u5bc6\u7801",
                         "\u5bc6\u78bc",
                         "\u53e3\u4ee4",
                         "\u30d1\u30b9\u30ef\u30fc\u30c9",
                         "\ube44\ubc00\ubc88\ud638",
                         "\u092a\u093e\u0938\u0935\u0930\u094d\u0921",
                         "\u0643\u0644\u0645\u0629 \u0627\u0644\u0645\u0631\u0648\u0631"};
constexpr list keys{"api key",
                    "api_key",
                    "api-key",
                    "apikey",
                    "access key",
                    "access_key",
                    "accesskey",
                    "account_key",
                    "accountkey",
                    "secret",
                    "secret_key",
                    "secret key",
                    "secretkey",
                    "token",
                    "private_key",
                    "private key",
                    "bearer",
                    "cl\u00e9 api",
                    "clave api",
                    "chiave api",
                    "api-schl\u00fcssel",
                    "\u5bc6\u94a5",
                    "\u91d1\u9470",
                    "\u4ee4\u724c",
                    "\u043a\u043b\u044e\u0447 api",
                    "\u0442\u043e\u043a\u0435\u043d"};

// What may stand between the name and the value; the ones of letters want blanks around them.
constexpr list signs{"=>", ":=", ":", "=", "\uff1a"};
constexpr list verbs{"is", "ist", "est", "es", "\u00e9", "\u00e8", "jest", "lautet", "to"};
constexpr list verbs_unspaced{"\u662f", "\u4e3a", "\u70ba", "\u306f", "\ub294"};

constexpr beginnings password_beginnings{passwords}, key_beginnings{keys};

bool begins_with(std::string_view text, std::string_view name) {
  if (text.size() < name.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (to_lower(text[i]) != name[i]) return false;
  }
  return true;
}

// The length of the longest name that begins here and ends with its word, or 0.
std::size_t name_at(std::string_view text, std::span<const std::string_view> names) {
  std::size_t longest = 0;
  for (const auto name : names) {
    if (name.size() <= longest || !begins_with(text, name)) continue;
    const bool ends = name.size() == text.size() || !is_letter(text[name.size()]) || is_beyond_ascii(name.back());
    if (ends) longest = name.size();
  }
  return longest;
}

struct glue {
  std::size_t size = 0;  // 0: there is none
  bool plain = false;    // a sign, not a verb
};

std::size_t skip(std::string_view text, std::size_t at, std::string_view any) {
  const auto end = std::min(text.size(), at + 8);
  while (at < end && any.contains(text[at])) ++at;
  return at;
}

glue glue_at(std::string_view text) {
  constexpr std::string_view around = " \t\"'`*]", before_value = " \t\"'`*";
  const auto at = skip(text, 0, around);
  const auto rest = text.substr(at);
  for (const auto sign : signs) {
    if (rest.starts_with(sign)) return {skip(text, at + sign.size(), before_value), true};
  }
  for (const auto verb : verbs_unspaced) {
    if (rest.starts_with(verb)) return {skip(text, at + verb.size(), " :\"'`"), false};
  }
  if (at == 0) return {};
  for (const auto verb : verbs) {
    if (!begins_with(rest, verb)) continue;
    const auto behind = skip(text, at + verb.size(), " :\"'`");
    if (behind > at + verb.size()) return {behind, false};
  }
  return {};
}

std::string_view value_at(std::string_view text) {
  constexpr std::string_view ends = " \t\r\n\"'`<>|";
  auto value = text.substr(0, std::min(longest_value, text.find_first_of(ends)));
  constexpr std::string_view closing = ".,;:)]}";
  while (!value.empty() && closing.contains(value.back())) value.remove_suffix(1);
  return value;
}

bool may_begin(std::string_view text, std::size_t at) {
  if (is_beyond_ascii(text[at])) return static_cast<unsigned char>(text[at]) >= 0xc0;
  if (!is_letter(text[at])) return false;
  if (at == 0 || !is_letter(text[at - 1])) return true;
  return (is_upper(text[at]) && is_lower(text[at - 1])) || after_escape(text, at);  // dbPassword
}

}  // namespace

void look_for_named(std::string_view text, found& into) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!may_begin(text, at)) continue;
    const auto here = text.substr(at);
    if (const auto size = password_beginnings.may_begin(here) ? name_at(here, passwords) : 0) {
      const auto between = glue_at(here.substr(size));
      if (between.size > 0 && looks_like_password(value_at(here.substr(size + between.size)), between.plain))
        into.add(kind::password);
    } else if (const auto length = key_beginnings.may_begin(here) ? name_at(here, keys) : 0) {
      auto between = glue_at(here.substr(length));
      if (begins_with(here, "bearer ")) between = {1, true};
      const auto value = value_at(here.substr(length + between.size));
      // A key that tells its provider was counted for itself.
      if (between.size > 0 && looks_like_key(value) && !is_provider_key(value)) into.add(kind::api_key);
    }
  }
}

}  // namespace meshai::care
