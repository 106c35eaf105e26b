#include "app/assemble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "http/http.hpp"

namespace meshai::app {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

chat::dialect dialect_of(node_kind kind) {
  switch (kind) {
    case node_kind::anthropic:
      return chat::dialect::anthropic;
    case node_kind::gemini:
      return chat::dialect::gemini;
    case node_kind::engine:
    case node_kind::openai:
    case node_kind::openai_compatible:
      break;
  }
  return chat::dialect::openai;
}

// A server on this device or next door rarely fetches URLs, and should not: it would fetch from inside the house.
bool takes_urls(const node_config& node) {
  if (node.kind == node_kind::openai || node.kind == node_kind::anthropic) return true;
  return node.kind == node_kind::openai_compatible && node.tier >= tier::regional;
}

route::node describe(const node_config& from) {
  route::node out;
  out.name = from.name;
  out.where = from.tier;
  out.dialect = dialect_of(from.kind);
  out.any_model = from.models == std::vector<std::string>{"*"};
  if (!out.any_model) {
    for (const auto& name : from.models) out.models.push_back({.name = name});
  }
  out.weight = from.weight;
  out.context = from.context;
  out.images = from.images.value_or(from.kind != node_kind::engine);
  out.tools = from.tools.value_or(true);
  out.json = from.json;
  out.languages = from.languages;
  out.image_urls = from.image_urls.value_or(takes_urls(from));
  out.embeddings = from.embeddings;
  out.prefill = from.prefill;
  if (from.kind == node_kind::engine && !out.prefill) out.prefill = true;  // llama-server does
  out.max_completion_tokens = from.kind == node_kind::openai;
  out.price = from.price;
  if (from.kind == node_kind::engine && !out.price) out.price.emplace();  // the device's own work is not billed
  out.model_prices = from.prices;
  out.latency = from.latency;
  out.energy = from.energy;
  return out;
}

upstream::node_options reach_of(const node_config& from) {
  upstream::node_options out;
  out.node = from.name;
  out.where = from.tier;
  out.dialect = dialect_of(from.kind);
  // An engine listens on a Unix socket, which the node fills in; the URL only names the API's base.
  out.url = from.kind == node_kind::engine ? "http://localhost/v1" : from.url;
  out.headers = from.headers;
  out.query = from.query;
  if (from.places > 0) out.places = [places = from.places] { return places; };
  out.ca = from.ca;
  // A proxy would carry a near query away from here: it is only taken from the environment for far nodes.
  if (from.proxy.empty() && from.tier >= tier::regional) {
    out.proxy = proxy_from_environment(from.url, variable);
  } else if (from.proxy != "none") {
    out.proxy = from.proxy;
  }
  return out;
}

engine::options engine_of(const node_config& from, const paths& where) {
  engine::options out;
  out.name = from.name;
  out.data_folder = where.data;
  out.model = from.model;
  out.context = static_cast<int>(from.context.value_or(0));
  out.slots = from.slots;
  out.threads = from.threads;
  out.embeddings = from.embeddings;
  out.search_path = variable("PATH");
  out.runtime_folder = where.runtime;
  return out;
}

result<std::shared_ptr<const front::admission_rules>> rules_of(const config& from) {
  auto out = std::make_shared<front::admission_rules>();
  out->hosts = from.api.hosts;
  out->cors_origins = from.api.cors_origins;
  for (const auto& key : from.keys) {
    auto read = read_secret(key.secret);
    if (!read) return fail(error_kind::refused, fmt::format("[[key]] \"{}\": {}", key.name, read.error().detail));
    out->callers.push_back({.name = key.name,
                            .key = *std::move(read),
                            .models = key.models,
                            .reach = key.reach,
                            .limits = key.limits});
  }
  return out;
}

// "api.example.com" is covered by "example.com", ".example.com" and "*".
bool is_covered(std::string_view host, std::string_view list) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto one = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one == "*") return true;
    if (one.starts_with('.')) one.remove_prefix(1);
    if (one.empty() || !host.ends_with(one)) continue;
    if (host.size() == one.size() || host[host.size() - one.size() - 1] == '.') return true;
  }
  return false;
}

}  // namespace

std::string proxy_from_environment(std::string_view url, const std::function<std::string(const char*)>& read) {
  const auto base = http::parse_origin(url);
  if (!base || base->origin.is_unix()) return {};
  const auto first_of = [&](const char* upper, const char* lower) {
    auto value = upper ? read(upper) : std::string();
    return value.empty() ? read(lower) : value;
  };
  if (is_covered(base->origin.host, first_of("NO_PROXY", "no_proxy"))) return {};
  return base->origin.tls ? first_of("HTTPS_PROXY", "https_proxy") : first_of(nullptr, "http_proxy");
}

result<node::plan> assemble(const config& from, const paths& where) {
  node::plan out;
  for (const auto& node : from.nodes) {
    auto shown = describe(node);
    auto reached = reach_of(node);
    for (const auto& source : node.keys) {
      if (auto key = read_secret(source)) {
        reached.keys.push_back(*std::move(key));
      } else if (shown.off.empty()) {
        shown.off = key.error().detail;
      }
    }
    // One key of several is enough.
    if (!reached.keys.empty()) shown.off.clear();
    if (node.kind == node_kind::engine) out.engines.push_back(engine_of(node, where));
    out.nodes.push_back(std::move(shown));
    out.upstreams.push_back(std::move(reached));
  }
  for (const auto& model : from.models) out.routes.push_back({.name = model.name, .route = model.route});
  out.unknown_model_auto = from.api.unknown_model_auto;
  out.limits = static_cast<const route::limits&>(from.limits);
  out.api = from.api.reach;
  out.usage = from.api.usage;
  out.care = from.care;
  out.max_body = static_cast<std::size_t>(from.limits.max_body);
  out.max_connections = static_cast<std::size_t>(from.limits.max_connections);
  out.max_bodies = static_cast<std::size_t>(from.limits.max_bodies);
  out.max_waiting = static_cast<std::size_t>(from.limits.max_waiting);
  out.print = from.print;
  auto rules = rules_of(from);
  if (!rules) return std::unexpected(rules.error());
  out.rules = *std::move(rules);
  return out;
}

}  // namespace meshai::app
