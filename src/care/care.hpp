// care: what a text holds that should not travel far: secrets, personal data, and what is about health or law.
//
// Shapes and check digits find the first two, a small trained model the others (docs/operating/care.md). It tells
// kinds and how many, never what it found, and keeps nothing. Any bytes may come; the cost is linear in their
// number.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/reach.hpp"

namespace meshai::care {

// What a rule of the owner can be about.
enum class content : std::uint8_t { secret, personal, medical, legal };
inline constexpr std::array contents{content::secret, content::personal, content::medical, content::legal};
std::string_view to_string(content of);
std::optional<content> parse_content(std::string_view text);

// One [[care]] of the owner: what holds any of `classes` travels no farther than `within`.
struct rule {
  std::vector<content> classes;
  meshai::reach within = meshai::reach::device;
};

class content_set {
 public:
  constexpr void add(content each) { bits_ |= 1u << static_cast<unsigned>(each); }
  constexpr bool has(content each) const { return (bits_ >> static_cast<unsigned>(each) & 1) != 0; }

 private:
  unsigned bits_ = 0;
};
inline constexpr content_set all_contents = [] {
  content_set all;
  for (const auto each : contents) all.add(each);
  return all;
}();
content_set classes_of(std::span<const rule> rules);

enum class kind : std::uint8_t {
  private_key,  // a PEM block
  api_key,      // of a known provider, or a token of that strength behind its name
  web_token,    // JSON Web Token, RFC 7519
  password,     // behind its name, or in a URL
  card,         // ISO/IEC 7812
  iban,         // ISO 13616
  email,
  phone,
  national_id,  // of persons: identity, tax and insurance numbers
  medical,      // the text is about health, or is not: never more than one
  legal,        // the same of law
};
inline constexpr std::array kinds{kind::private_key, kind::api_key, kind::web_token, kind::password,
                                  kind::card,        kind::iban,    kind::email,     kind::phone,
                                  kind::national_id, kind::medical, kind::legal};
std::string_view to_string(kind what);
content content_of(kind what);

class found {
 public:
  void add(kind what) { add(what, 1); }
  void add(const found& more);
  std::uint32_t count(kind what) const { return counts_[static_cast<std::size_t>(what)]; }
  bool has(kind what) const { return count(what) != 0; }
  bool has(content what) const;
  bool any() const { return *this != found{}; }
  bool operator==(const found&) const = default;

 private:
  void add(kind what, std::uint32_t times);  // stays at the greatest number of its kind
  std::array<std::uint32_t, kinds.size()> counts_{};
};

// For these only: each costs.
found look(std::string_view text, content_set wanted = all_contents);

}  // namespace meshai::care
