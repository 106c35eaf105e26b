#include "care/care.hpp"

#include <algorithm>
#include <limits>

#include "care/addresses.hpp"
#include "care/numbers.hpp"
#include "care/secrets.hpp"
#include "care/subject.hpp"

namespace meshai::care {
namespace {

constexpr std::array<std::string_view, contents.size()> content_names{"secret", "personal", "medical", "legal"};
constexpr std::array<std::string_view, kinds.size()> kind_names{"private_key", "api_key", "web_token", "password",
                                                                "card",        "iban",    "email",     "phone",
                                                                "national_id", "medical", "legal"};

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

content_set classes_of(std::span<const rule> rules) {
  content_set all;
  for (const auto& rule : rules) {
    for (const auto each : rule.classes) all.add(each);
  }
  return all;
}

content content_of(kind what) {
  if (what <= kind::password) return content::secret;
  if (what <= kind::national_id) return content::personal;
  return what == kind::medical ? content::medical : content::legal;
}

void found::add(kind what, std::uint32_t times) {
  auto& count = counts_[static_cast<std::size_t>(what)];
  const auto most = what >= kind::medical ? 1 : std::numeric_limits<std::uint32_t>::max();
  count += std::min(times, most - count);
}

void found::add(const found& more) {
  for (const auto each : kinds) add(each, more.count(each));
}

bool found::has(content what) const {
  return std::ranges::any_of(kinds, [&](kind each) { return content_of(each) == what && has(each); });
}

found look(std::string_view text, content_set wanted) {
  found made;
  if (wanted.has(content::secret)) look_for_secrets(text, made);
  if (wanted.has(content::personal)) {
    look_for_emails(text, made);
    look_for_numbers(text, made);
  }
  if (wanted.has(content::medical) || wanted.has(content::legal)) look_for_subjects(text, wanted, made);
  return made;
}

}  // namespace meshai::care
