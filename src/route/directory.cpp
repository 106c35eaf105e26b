#include "route/directory.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "base/hash.hpp"

namespace meshai::route {
namespace {

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

bool contains_any(std::string_view name, std::span<const std::string_view> words) {
  std::string lowered(name);
  std::ranges::transform(lowered, lowered.begin(), lower);
  return std::ranges::any_of(words, [&](std::string_view word) { return lowered.contains(word); });
}

// Ollama's names for models that it passes on to its own cloud: "gpt-oss:120b-cloud", "kimi-k2:cloud".
bool is_remote_name(std::string_view name) {
  return name.ends_with(":cloud") || name.ends_with("-cloud");
}

const model* find_model(const node& in, std::string_view name) {
  const auto found = std::ranges::find(in.models, name, &model::name);
  return found == in.models.end() ? nullptr : &*found;
}

bool may_use(const policy& caller, std::string_view name, std::string_view qualified) {
  return caller.allowed.empty() || std::ranges::find(caller.allowed, name) != caller.allowed.end() ||
         (!qualified.empty() && std::ranges::find(caller.allowed, qualified) != caller.allowed.end());
}

}  // namespace

target_id make_target_id(std::string_view node, std::string_view model) {
  // The zero between them keeps "a" + "bc" and "ab" + "c" apart.
  return {fnv1a(model, fnv1a(std::string_view("\0", 1), fnv1a(node)))};
}

meshai::tier node::tier_of(const route::model* m) const {
  if (m == nullptr) return meshai::tier::cloud;
  if (where != meshai::tier::cloud && is_remote_name(m->name)) return meshai::tier::cloud;
  return m->where ? std::max(where, *m->where) : where;
}

std::optional<meshai::price> node::price_of(std::string_view model_name) const {
  const auto own = std::ranges::find(model_prices, model_name, &std::pair<std::string, meshai::price>::first);
  return own == model_prices.end() ? price : own->second;
}

result<std::shared_ptr<const directory>> directory::make(std::vector<node> nodes, std::vector<model_route> routes,
                                                         bool unknown_model_auto) {
  std::shared_ptr<directory> made(new directory);
  made->nodes_ = std::move(nodes);
  made->unknown_model_auto_ = unknown_model_auto;
  std::set<std::string_view> names;
  for (auto& node : made->nodes_) {
    for (auto& m : node.models) m.special_purpose = is_special_purpose(m.name);
    if (node.name.empty() || node.name.contains('/')) {
      return fail(error_kind::refused, "node name \"" + node.name + "\": write a name without \"/\"");
    }
    if (!names.insert(node.name).second) {
      return fail(error_kind::refused, "two nodes are named \"" + node.name + "\": give each its own name");
    }
  }
  names.clear();
  for (auto& route : routes) {
    if (!names.insert(route.name).second) {
      return fail(error_kind::refused, "two models are named \"" + route.name + "\": give each its own name");
    }
    named_route built{.name = route.name, .stops = {}};
    for (const auto& text : route.route) {
      const auto slash = text.find('/');
      const auto name = std::string_view(text).substr(0, slash);
      const auto* node = made->find(name);
      if (node == nullptr) {
        return fail(error_kind::refused, "model \"" + route.name + "\": its route names the node \"" +
                                             std::string(name) + "\", and there is no [[node]] of that name");
      }
      stop next{.node = static_cast<std::size_t>(node - made->nodes_.data()),
                .model = slash == std::string::npos ? std::string() : text.substr(slash + 1)};
      if (!next.model.empty() && !node->any_model && find_model(*node, next.model) == nullptr) {
        return fail(error_kind::refused, "model \"" + route.name + "\": its route names \"" + text + "\"; add \"" +
                                             next.model + "\" to the models of the node \"" + node->name + "\"");
      }
      built.stops.push_back(std::move(next));
    }
    if (built.stops.empty()) {
      return fail(error_kind::refused, "model \"" + route.name + "\": its route is empty; name at least one node");
    }
    made->routes_.push_back(std::move(built));
  }
  return std::shared_ptr<const directory>(std::move(made));
}

const node* directory::find(std::string_view name) const {
  const auto found = std::ranges::find(nodes_, name, &node::name);
  return found == nodes_.end() ? nullptr : &*found;
}

const std::vector<stop>* directory::route_of(std::string_view name) const {
  const auto found = std::ranges::find(routes_, name, &named_route::name);
  return found == routes_.end() ? nullptr : &found->stops;
}

bool is_embedding_name(std::string_view model_name) {
  static constexpr std::array<std::string_view, 6> words{"embed", "bge-", "gte-", "e5-", "minilm", "voyage-"};
  return contains_any(model_name, words);
}

bool is_special_purpose(std::string_view model_name) {
  static constexpr std::array<std::string_view, 16> words{
      "whisper", "tts",  "dall-e", "moderation", "transcribe", "realtime", "-image", "sora",
      "imagen-", "veo-", "rerank", "speech",     "babbage-",   "davinci-", "audio",  "codex-mini"};
  return is_embedding_name(model_name) || contains_any(model_name, words);
}

std::vector<listed_model> list_models(const directory& of, const policy& caller) {
  const auto bound = strictest(caller.api, caller.key);
  std::vector<listed_model> listed;
  std::set<std::string, std::less<>> seen;
  const auto add = [&](std::string_view name, std::string_view qualified, std::string_view owner,
                       meshai::tier where) {
    if (!allows(bound, where) || !may_use(caller, name, qualified)) return;
    if (seen.emplace(name).second) listed.push_back({std::string(name), std::string(owner), where});
  };
  std::optional<meshai::tier> nearest;
  for (const auto& node : of.nodes()) {
    if (!node.off.empty()) continue;
    for (const auto& m : node.models) {
      const auto where = node.tier_of(&m);
      if (allows(bound, where)) nearest = nearest ? std::min(*nearest, where) : where;
    }
  }
  if (nearest) add("auto", {}, "meshai", *nearest);
  for (const auto& route : of.routes()) {
    std::optional<meshai::tier> at;
    for (const auto& stop : route.stops) {
      const auto& node = of.nodes()[stop.node];
      if (!node.off.empty() || (stop.model.empty() && node.models.empty())) continue;
      const auto where = node.tier_of(stop.model.empty() ? &node.models.front() : find_model(node, stop.model));
      if (allows(bound, where)) at = at ? std::min(*at, where) : where;
    }
    if (at) add(route.name, {}, "meshai", *at);
  }
  for (const auto& node : of.nodes()) {
    if (!node.off.empty()) continue;
    for (const auto& m : node.models) add(m.name, node.name + "/" + m.name, node.name, node.tier_of(&m));
  }
  return listed;
}

}  // namespace meshai::route
