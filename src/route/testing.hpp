// route: what the tests of this room begin with.
#pragma once

#include <string>
#include <utility>
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

using lines = std::vector<std::pair<chat::role, std::string>>;

inline chat::request talk(const lines& said) {
  chat::request made;
  for (const auto& [role, text] : said) {
    auto& message = made.messages.emplace_back();
    message.role = role;
    message.parts.emplace_back().text = text;
    made.text_size += text.size();
  }
  return made;
}

inline constexpr const char* simple_prompt = "What is 2+2?";
inline constexpr const char* medium_prompt = "Explain how photosynthesis works";
inline constexpr const char* hard_prompt = "Write a business plan";

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

// "node/model" of the candidates, in order.
inline std::vector<std::string> names_of(const ranking& made) {
  std::vector<std::string> names;
  names.reserve(made.candidates.size());
  for (const auto& each : made.candidates) names.push_back(made.node_of(each).name + "/" + each.model);
  return names;
}

inline fault fault_of(fault_kind kind) {
  fault made;
  made.kind = kind;
  made.told.code = std::string(to_string(kind));
  return made;
}

inline constexpr instant start{std::chrono::hours(1000)};

}  // namespace meshai::route::testing
