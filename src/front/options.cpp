#include "front/options.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace meshai::front {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::unexpected<chat::problem> refuse(const std::string& name, std::string message, std::string hint) {
  return std::unexpected(chat::problem{.status = 400,
                                       .type = "invalid_request_error",
                                       .code = "unsupported_parameter",
                                       .param = name,
                                       .message = std::move(message),
                                       .hint = std::move(hint)});
}

std::optional<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return std::nullopt;
}

}  // namespace

chat::parsed<void> take_mesh_header(std::string_view name, std::string_view value, chat::mesh_options& into) {
  constexpr std::string_view prefix = "x-mesh-";
  if (name.size() < prefix.size() || lower(name.substr(0, prefix.size())) != prefix) return {};
  const auto header = lower(name);
  if (header == "x-mesh-reach") {
    const auto bound = parse_reach(value);
    if (!bound) return refuse(header, "x-mesh-reach has an unknown value.", "Use device, site, mesh or cloud.");
    into.reach = into.reach ? strictest(*into.reach, *bound) : *bound;
    return {};
  }
  if (header != "x-mesh-fallback" && header != "x-mesh-drop") {
    return refuse(header, fmt::format("This build does not know the header {}.", header),
                  "It knows x-mesh-reach, x-mesh-fallback and x-mesh-drop.");
  }
  const auto flag = parse_bool(value);
  if (!flag) return refuse(header, fmt::format("{} is neither true nor false.", header), "Send true or false.");
  // The stricter of the two: no fallback, no drop.
  auto& member = header == "x-mesh-fallback" ? into.fallback : into.drop;
  member = member.value_or(true) && *flag;
  return {};
}

}  // namespace meshai::front
