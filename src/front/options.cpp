#include "front/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

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
  chat::mesh_options said;
  if (header == "x-mesh-reach") {
    said.reach = parse_reach(value);
    if (!said.reach)
      return refuse(header, "x-mesh-reach has an unknown value.", "Use device, site, mesh or cloud.");
    into = stricter(into, said);
    return {};
  }
  if (header == "x-mesh-prefer") {
    said.prefer = chat::parse_preference(value);
    if (!said.prefer)
      return refuse(header, "x-mesh-prefer has an unknown value.", "Use speed, quality, price or private.");
    into = stricter(into, said);
    return {};
  }
  auto* flag = header == "x-mesh-fallback"  ? &said.fallback
               : header == "x-mesh-drop"    ? &said.drop
               : header == "x-mesh-explain" ? &said.explain
                                            : nullptr;
  if (!flag) {
    return refuse(header, fmt::format("This build does not know the header {}.", header),
                  "It knows x-mesh-reach, x-mesh-fallback, x-mesh-drop, x-mesh-explain and x-mesh-prefer.");
  }
  *flag = parse_bool(value);
  if (!*flag) return refuse(header, fmt::format("{} is neither true nor false.", header), "Send true or false.");
  into = stricter(into, said);
  return {};
}

chat::parsed<void> take_mesh_headers(const wire::header_list& all, chat::mesh_options& into) {
  for (const auto& [name, value] : all) {
    if (auto taken = take_mesh_header(name, value, into); !taken) return taken;
  }
  return {};
}

chat::mesh_options stricter(const chat::mesh_options& a, const chat::mesh_options& b) {
  const auto both = [](const auto& x, const auto& y, auto of) {
    return x && y ? std::optional(of(*x, *y)) : x ? x : y;
  };
  chat::mesh_options out = a;
  out.reach = both(a.reach, b.reach, strictest);
  // No fallback and no drop are the stricter ones.
  out.fallback = both(a.fallback, b.fallback, std::logical_and<>());
  out.drop = both(a.drop, b.drop, std::logical_and<>());
  // What is said first holds, but for "private": that is the stricter wish.
  out.prefer = both(a.prefer, b.prefer, [](auto x, auto y) { return y == chat::preference::privacy ? y : x; });
  out.explain = both(a.explain, b.explain, std::logical_or<>());
  return out;
}

}  // namespace meshai::front
