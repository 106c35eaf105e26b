#include "care/care.hpp"

#include <algorithm>
#include <limits>

#include "care/addresses.hpp"
#include "care/numbers.hpp"
#include "care/secrets.hpp"

namespace meshai::care {
namespace {

constexpr std::array<std::string_view, contents.size()> content_names{"secret", "personal"};
constexpr std::array<std::string_view, kinds.size()> kind_names{
    "private_key", "api_key", "web_token", "password", "card", "iban", "email", "phone", "national_id"};

}  // namespace

std::string_view to_string(content of) {
  return content_names[static_cast<std::size_t>(of)];
}

std::optional<content> parse_content(std::string_view text) {
  const auto at = std::ranges::find(content_names, text);
  if (at == content_names.end()) return std::nullopt;
  return static_cast<content>(at - content_names.begin());
}

std::string_view to_string(kind what) {
  return kind_names[static_cast<std::size_t>(what)];
}

content content_of(kind what) {
  return what <= kind::password ? content::secret : content::personal;
}

void found::add(kind what, std::uint32_t times) {
  auto& count = counts_[static_cast<std::size_t>(what)];
  count += std::min(times, std::numeric_limits<std::uint32_t>::max() - count);
}

void found::add(const found& more) {
  for (const auto each : kinds) add(each, more.count(each));
}

bool found::has(content what) const {
  return std::ranges::any_of(kinds, [&](kind each) { return content_of(each) == what && has(each); });
}

found look(std::string_view text) {
  found made;
  look_for_secrets(text, made);
  look_for_emails(text, made);
  look_for_numbers(text, made);
  return made;
}

}  // namespace meshai::care
