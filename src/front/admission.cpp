#include "front/admission.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace meshai::front {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_text(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

// RFC 9112 3.2: uri-host [ ":" port ].
std::string_view name_of(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    return end == std::string_view::npos ? host : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

bool is_address(std::string_view name) {
  boost::system::error_code wrong;
  (void)boost::asio::ip::make_address(name, wrong);
  return !wrong;
}

bool host_is_ours(const admission_rules& rules, std::string_view host) {
  const auto name = name_of(host);
  if (same_text(name, "localhost") || is_address(name)) return true;
  return std::ranges::any_of(rules.hosts, [&](const auto& ours) { return same_text(ours, name); });
}

// A page we serve ourselves: its origin is a scheme and the very host it asks.
bool origin_is_ours(std::string_view origin, std::string_view host) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) return same_text(origin.substr(scheme.size()), host);
  }
  return false;
}

chat::problem forbidden(std::string code, std::string message, std::string hint) {
  return {.status = 403,
          .type = "permission_error",
          .code = std::move(code),
          .message = std::move(message),
          .hint = std::move(hint)};
}

}  // namespace

chat::parsed<admitted> admit_page(const admission_rules& rules, const visitor& head) {
  if (!host_is_ours(rules, head.host)) {
    return std::unexpected(forbidden(
        "host_not_allowed", "The Host header names no host of this node.",
        "Use http://127.0.0.1 or http://localhost with the node's port, or add the name to hosts in [api]."));
  }
  admitted in;
  const bool listed = std::ranges::contains(rules.cors_origins, head.origin);
  if (listed) in.allowed_origin = head.origin;
  if (!head.origin.empty() && !listed && !origin_is_ours(head.origin, head.host)) {
    return std::unexpected(forbidden("origin_not_allowed", "A page of another origin may not call this node.",
                                     "If the page is yours, add its origin to cors_origins in [api]."));
  }
  const bool own_page = head.fetch_site.empty() || head.fetch_site == "same-origin" || head.fetch_site == "none";
  if (!own_page && !listed) {
    return std::unexpected(forbidden("cross_site_request", "A page of another site may not call this node.",
                                     "If the page is yours, add its origin to cors_origins in [api]."));
  }
  return in;
}

chat::parsed<const caller*> admit_key(const admission_rules& rules, const visitor& head,
                                      const issued_keys& issued) {
  const bool open = rules.callers.empty() && issued.callers.empty() && !issued.demanded;
  if (head.owner || open) return nullptr;
  constexpr std::string_view bearer = "bearer ";
  std::string_view shown = head.api_key;
  if (head.authorization.size() > bearer.size() &&
      same_text(head.authorization.substr(0, bearer.size()), bearer)) {
    shown = head.authorization.substr(bearer.size());
  }
  const caller* who = nullptr;
  for (const auto& one : rules.callers) {
    if (one.key.equals(shown)) who = &one;
  }
  if (!who && !shown.empty() && !issued.callers.empty()) {
    const auto found = issued.callers.find(crypto::sha256(shown));
    if (found != issued.callers.end()) who = &found->second;
  }
  if (who) return who;
  return std::unexpected(
      chat::problem{.status = 401,
                    .type = "authentication_error",
                    .code = "invalid_api_key",
                    .message = shown.empty() ? "This node demands a key." : "This node does not know that key.",
                    .hint = "Send a key as Authorization: Bearer or x-api-key: one that `meshai key new` made, or "
                            "that of a [[key]] in "
                            "the node's configuration."});
}

}  // namespace meshai::front
