#include "app/route_text.hpp"

#include <fmt/format.h>

#include "app/fields.hpp"
#include "app/terminal.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;

// What the score was made of, without what says nothing.
std::string show_features(const fields& of, const json::value& told) {
  std::string out;
  const auto* object = told.if_object();
  if (!object) return out;
  for (const auto& [name, value] : *object) {
    const std::string_view key(name);
    std::string shown;
    if (value.is_bool() && value.get_bool()) shown = key;
    if (value.is_number() && of.number(key) != 0) shown = fmt::format("{} {}", key, of.number(key));
    if (value.is_string()) shown = fmt::format("{} {}", key, of.text(key));
    if (!shown.empty()) out.append(out.empty() ? "" : ", ").append(shown);
  }
  return printable(out);
}

std::string show_complexity(const json::value& told) {
  const auto* object = told.if_object();
  if (!object) return {};
  const fields of(*object);
  const auto* features = object->if_contains("features");
  return fmt::format("{:<11} {}, {:.2f} of 1 ({})\n", "complexity", of.text("class"), of.number("score"),
                     features ? show_features(fields(*features), *features) : "");
}

std::string show_candidate(std::size_t number, const json::value& told) {
  const fields one(told);
  std::string why;
  for (const auto& each : one.list("why")) {
    if (each.is_string()) why.append(why.empty() ? "" : "; ").append(printable(each.get_string()));
  }
  const auto score = told.as_object().contains("score") ? fmt::format("{:.2f}", one.number("score")) : "";
  return fmt::format("  {}  {:<24} {:<10} {:<5} {}\n", number, one.text("node") + "/" + one.text("model"),
                     one.text("tier"), score, why);
}

std::string show_excluded(const json::value& told) {
  const fields one(told);
  const auto model = one.text("model");
  return fmt::format("     {:<24} {:<16} {}\n", one.text("node") + (model.empty() ? "" : "/" + model),
                     one.text("rule"), one.text("why"));
}

}  // namespace

std::string show_route(const json::value& told, int fd) {
  const auto* object = told.if_object();
  if (!object) return {};
  const fields all(*object);
  std::string out;
  if (const auto* complexity = object->if_contains("complexity")) out += show_complexity(*complexity);
  if (object->contains("prefer")) out += fmt::format("{:<11} {}\n", "prefer", all.text("prefer"));
  out += fmt::format("{:<11} {}, by {}\n", "reach", all.text("reach"), all.text("reach_by"));
  if (const auto& list = all.list("care"); !list.empty()) {
    std::string held;
    for (const auto& each : list) held.append(held.empty() ? "" : ", ").append(printable(each.get_string()));
    out += fmt::format("{:<11} {}\n", "care", held);
  }
  if (const auto& list = all.list("candidates"); !list.empty()) {
    out += "asked, in this order\n";
    for (std::size_t i = 0; i < list.size(); ++i) out += show_candidate(i + 1, list[i]);
  }
  if (const auto& list = all.list("excluded"); !list.empty()) {
    out += "not asked\n";
    for (const auto& one : list) out += show_excluded(one);
  }
  if (object->contains("refused")) {
    const auto why = all.in("refused");
    out += fmt::format("{:<11} {}\n{:<11} {}\n", "refused", why.text("message"), "", why.text("hint"));
  }
  return fd == 2 ? paint(out, style::dim, fd) : out;
}

}  // namespace meshai::app
