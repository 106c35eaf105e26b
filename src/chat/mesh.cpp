#include "chat/mesh.hpp"

#include <cmath>

namespace meshai::chat {

mesh_options read_mesh(json::checker& check, const json::object& body) {
  mesh_options out;
  const auto* mesh = check.object_at(body, "mesh");
  if (mesh == nullptr) return out;
  for (const auto& [name, value] : *mesh) {
    if (name == "reach" || name == "fallback" || name == "drop" || name == "explain" || name == "prefer") continue;
    check.complain(&value, "is not something this build can do", "unsupported_parameter",
                   "mesh takes reach, fallback, drop, explain and prefer; leave the rest out.");
  }
  if (const auto text = check.string(*mesh, "reach")) {
    out.reach = parse_reach(*text);
    if (!out.reach) check.complain(*mesh, "reach", "must be device, site, mesh or cloud");
  }
  if (const auto text = check.string(*mesh, "prefer")) {
    out.prefer = parse_preference(*text);
    if (!out.prefer) check.complain(*mesh, "prefer", "must be speed, quality, price or private");
  }
  out.fallback = check.boolean(*mesh, "fallback");
  out.drop = check.boolean(*mesh, "drop");
  out.explain = check.boolean(*mesh, "explain");
  return out;
}

std::string_view to_string(preference which) {
  constexpr std::array<std::string_view, 4> names{"speed", "quality", "price", "private"};
  return names[static_cast<std::size_t>(which)];
}

std::optional<preference> parse_preference(std::string_view text) {
  for (const auto one : {preference::speed, preference::quality, preference::price, preference::privacy}) {
    if (text == to_string(one)) return one;
  }
  return std::nullopt;
}

std::string story_text(const story& told) {
  std::string text;
  json::writer out(text);
  out.begin_object();
  out.member("request_id", told.request_id).member("node", told.node).member("model", told.model);
  out.member("tier", to_string(told.where)).member_integer("attempts", told.attempts);
  if (!told.dropped.empty()) {
    out.key("dropped").begin_array();
    for (const auto& name : told.dropped) out.string(name);
    out.end_array();
  }
  if (!told.care.empty()) {
    out.key("care").begin_array();
    for (const auto& name : told.care) out.string(name);
    out.end_array();
  }
  if (!told.failed.empty()) {
    out.key("failed").begin_array();
    for (const auto& each : told.failed) {
      out.begin_object().member("node", each.node).member("model", each.model).member("fault", each.fault);
      out.member_boolean("streamed", each.streamed).end_object();
    }
    out.end_array();
  }
  if (!told.doubted.empty()) {
    out.key("doubted").begin_array();
    for (const auto& each : told.doubted) {
      out.begin_object().member("node", each.node).member("model", each.model);
      out.member_number("confidence", std::round(each.confidence * 1000) / 1000);
      out.member_boolean("unknowing", each.unknowing).end_object();
    }
    out.end_array();
  }
  if (!told.raw_route.empty()) out.member_raw("route", told.raw_route);
  out.end_object();
  return text;
}

void write_story(json::writer& out, const story& told) {
  out.member_raw("mesh", story_text(told));
}

}  // namespace meshai::chat
