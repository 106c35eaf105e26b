#include "wire/http1_target.hpp"

#include <algorithm>

#include "wire/http1.hpp"

namespace meshai::wire {
namespace {

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

bool is_authority(std::string_view text) {
  // RFC 3986 3.2.2 without the comma: two Hosts joined by a middle man must not pass as one.
  static constexpr std::string_view others = "-._~%!$&'()*+;=:[]";
  return std::ranges::all_of(text, [](char c) { return is_alnum(c) || others.find(c) != others.npos; });
}

std::optional<request_target> parse_target(std::string_view method, std::string_view target) {
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f && c != '#'; };
  if (!std::ranges::all_of(target, visible)) return {};
  if (target.starts_with('/')) return request_target{{}, target};
  if (target == "*" && method == "OPTIONS") return request_target{{}, target};
  const auto colon = target.find("://");
  if (colon == target.npos) return {};
  const auto scheme = target.substr(0, colon);
  if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https")) return {};
  const auto rest = target.substr(colon + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?"));
  if (authority.empty() || !is_authority(authority)) return {};
  return request_target{authority, rest.substr(authority.size())};
}

}  // namespace meshai::wire
