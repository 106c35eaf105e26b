#include "app/fields.hpp"

#include "app/terminal.hpp"

namespace meshai::app {

namespace json = boost::json;

std::string fields::text(std::string_view name) const {
  const auto* found = find(name);
  return found && found->is_string() ? printable(found->get_string()) : "";
}

double fields::number(std::string_view name) const {
  const auto* found = find(name);
  return found && found->is_number() ? found->to_number<double>() : 0;
}

bool fields::flag(std::string_view name) const {
  const auto* found = find(name);
  return found && found->is_bool() && found->get_bool();
}

const json::array& fields::list(std::string_view name) const {
  static const json::array none;
  const auto* found = find(name);
  return found && found->is_array() ? found->get_array() : none;
}

fields fields::in(std::string_view name) const {
  static const json::value nothing;
  const auto* found = find(name);
  return fields(found ? *found : nothing);
}

}  // namespace meshai::app
