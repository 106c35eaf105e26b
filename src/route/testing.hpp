// route: what the tests of this room begin with.
#pragma once

#include <string>
#include <vector>

#include "route/route.hpp"

namespace meshai::route::testing {

inline chat::request say(std::string text, std::string model = "auto") {
  chat::request made;
  made.model = std::move(model);
  made.text_size = text.size();
  auto& message = made.messages.emplace_back();
  message.parts.emplace_back().text = std::move(text);
  return made;
}

inline node make_node(std::string name, tier where, std::vector<std::string> models) {
  node made;
  made.name = std::move(name);
  made.where = where;
  for (auto& m : models) made.models.emplace_back().name = std::move(m);
  return made;
}

inline std::shared_ptr<const directory> make_directory(std::vector<node> nodes,
                                                       std::vector<model_route> routes = {},
                                                       bool unknown_auto = false) {
  auto made = directory::make(std::move(nodes), std::move(routes), unknown_auto);
  if (!made) throw std::runtime_error(made.error().detail);
  return *made;
}

inline fault fault_of(fault_kind kind) {
  fault made;
  made.kind = kind;
  made.told.code = std::string(to_string(kind));
  return made;
}

inline constexpr instant start{std::chrono::hours(1000)};

}  // namespace meshai::route::testing
