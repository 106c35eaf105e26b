#include "app/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <set>
#include <toml++/toml.hpp>

#include "app/config_check.hpp"

namespace meshai::app {
namespace {

constexpr std::size_t max_config_size = 1 << 20;

constexpr std::array<std::string_view, 5> kind_names{"engine", "openai", "anthropic", "gemini",
                                                     "openai-compatible"};

// Reads one table, remembers the first error, and knows which keys it has taken.
class reader {
 public:
  reader(const toml::table& table, std::string_view file, std::string where, std::optional<error>& first)
      : table_(table), file_(file), where_(std::move(where)), first_(first) {}

  template <class T>
  void get(std::string_view key, T& into) {
    if (const auto* node = take(key)) assign(*node, key, into);
  }

  template <class T>
  void get(std::string_view key, std::optional<T>& into) {
    if (const auto* node = take(key)) assign(*node, key, into.emplace());
  }

  // `parse` turns text into a value or says nothing; `expected` ends the sentence "... must be".
  template <class T, class Parse>
  void get(std::string_view key, T& into, Parse parse, std::string_view expected) {
    const auto* node = take(key);
    if (!node) return;
    const auto text = node->value_exact<std::string>();
    if (const auto value = text ? parse(*text) : std::nullopt) {
      into = *value;
    } else {
      complain(*node, key, fmt::format("must be {}", expected));
    }
  }

  void get(std::string_view key, std::vector<std::pair<std::string, std::string>>& into) {
    const auto* node = take(key);
    if (!node) return;
    const auto* table = node->as_table();
    if (!table) return complain(*node, key, "must be a table of texts, such as { name = \"value\" }");
    for (const auto& [name, value] : *table) {
      if (const auto text = value.value_exact<std::string>()) {
        into.emplace_back(std::string(name.str()), *text);
      } else {
        complain(value, key, fmt::format("\"{}\" must be a text", name.str()));
      }
    }
  }

  const toml::node* take(std::string_view key) {
    taken_.insert(std::string(key));
    return table_.get(key);
  }

  void require(std::string_view key, const std::string& value, std::string_view example) {
    if (value.empty()) complain(table_, key, fmt::format("is missing; write {}", example));
  }

  void complain(const toml::node& at, std::string_view key, std::string_view what) {
    if (first_) return;
    const auto line = at.source().begin.line;
    first_ = error{error_kind::malformed,
                   fmt::format("{}:{}: {}{}{}: {}", file_, line, where_, where_.empty() ? "" : " ", key, what)};
  }

  // Call last: what was not asked for is unknown.
  void finish() {
    for (const auto& [name, node] : table_) {
      if (taken_.contains(std::string(name.str()))) continue;
      std::string known;
      for (const auto& key : taken_) known += (known.empty() ? "" : ", ") + key;
      complain(node, name.str(), fmt::format("is not a key of this table; it knows {}", known));
    }
  }

 private:
  void assign(const toml::node& node, std::string_view key, std::string& into) {
    if (const auto text = node.value_exact<std::string>()) {
      into = *text;
    } else {
      complain(node, key, "must be a text in quotes");
    }
  }

  void assign(const toml::node& node, std::string_view key, bool& into) {
    if (const auto value = node.value_exact<bool>()) {
      into = *value;
    } else {
      complain(node, key, "must be true or false");
    }
  }

  template <std::integral T>
  void assign(const toml::node& node, std::string_view key, T& into) {
    const auto value = node.value_exact<std::int64_t>();
    if (value && *value >= 1 && *value <= 1'000'000'000) {
      into = static_cast<T>(*value);
    } else {
      complain(node, key, "must be a whole number from 1 to 1000000000");
    }
  }

  void assign(const toml::node& node, std::string_view key, double& into) {
    const auto value = node.value<double>();
    if (value && *value >= 0 && *value <= 1) {
      into = *value;
    } else {
      complain(node, key, "must be a share from 0 to 1, such as 0.05");
    }
  }

  void assign(const toml::node& node, std::string_view key, milliseconds& into) {
    const auto text = node.value_exact<std::string>();
    const auto value = text ? parse_duration(*text) : std::nullopt;
    if (value && value->count() > 0) {
      into = *value;
    } else {
      complain(node, key, "must be a time such as \"250ms\", \"10s\", \"5m\" or \"1h\"");
    }
  }

  void assign(const toml::node& node, std::string_view key, std::vector<std::string>& into) {
    into.clear();
    const auto* array = node.as_array();
    if (!array) return complain(node, key, "must be a list of texts, such as [\"a\", \"b\"]");
    for (const auto& element : *array) {
      const auto text = element.value_exact<std::string>();
      if (!text || text->empty()) return complain(element, key, "must hold only texts");
      into.push_back(*text);
    }
  }

  const toml::table& table_;
  std::string_view file_;
  std::string where_;
  std::optional<error>& first_;
  std::set<std::string> taken_;
};

std::optional<node_kind> parse_kind(std::string_view text) {
  const auto found = std::ranges::find(kind_names, text);
  if (found == kind_names.end()) return std::nullopt;
  return static_cast<node_kind>(found - kind_names.begin());
}

std::optional<secret_source> parse_source(std::string_view text) {
  using kind = secret_source::kind;
  for (const auto& [prefix, from] : {std::pair{"env:", kind::environment}, std::pair{"file:", kind::file}}) {
    if (text.starts_with(prefix) && text.size() > std::string_view(prefix).size()) {
      return secret_source{from, std::string(text.substr(std::string_view(prefix).size()))};
    }
  }
  return std::nullopt;
}

std::optional<std::string> parse_file(std::string_view text) {
  const auto source = parse_source(text);
  if (!source || source->from != secret_source::kind::file) return std::nullopt;
  return source->name;
}

constexpr std::string_view source_form =
    "\"env:NAME\" or \"file:PATH\"; the secret itself does not stand in this file";
constexpr std::string_view reach_form = "\"device\", \"site\", \"mesh\" or \"cloud\"";

void read_api(reader& in, api_config& api) {
  if (const auto* node = in.take("listen")) {
    if (const auto one = node->value_exact<std::string>()) {
      api.listen = {*one};
    } else {
      in.get("listen", api.listen);
    }
  }
  in.get("reach", api.reach, parse_reach, reach_form);
  const auto parse_unknown = [](std::string_view text) -> std::optional<bool> {
    if (text == "auto") return true;
    if (text == "refuse") return false;
    return std::nullopt;
  };
  in.get("unknown_model", api.unknown_model_auto, parse_unknown, "\"auto\" or \"refuse\"");
  in.get("insecure_lan", api.insecure_lan);
  in.get("tls_cert", api.tls_cert);
  in.get("tls_key", api.tls_key);
  in.get("hosts", api.hosts);
  in.get("cors_origins", api.cors_origins);
  in.get("workers", api.workers);
  in.get("usage", api.usage);
  in.finish();
}

// { name = number, ... } with none but these names.
bool read_numbers(const toml::node& from,
                  std::initializer_list<std::pair<std::string_view, std::optional<double>*>> into) {
  const auto* table = from.as_table();
  if (!table || table->empty()) return false;
  std::size_t known = 0;
  for (const auto& [name, number] : into) {
    const auto* given = table->get(name);
    if (!given) continue;
    const auto value = given->value<double>();
    if (!value || !(*value > 0 && *value <= 1e9)) return false;
    *number = value;
    ++known;
  }
  return known == table->size();
}

bool is_whole(const std::optional<double>& number) {
  return !number || *number == std::floor(*number);
}

std::optional<std::int64_t> whole(const std::optional<double>& number) {
  return number ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
}

void read_limits_of_key(reader& in, ledger::limits& limits) {
  if (const auto* given = in.take("budget")) {
    std::optional<double> money, tokens;
    if (!read_numbers(*given, {{"money", &money}, {"tokens", &tokens}}) || !is_whole(tokens)) {
      in.complain(*given, "budget",
                  "must be what may be spent a day (UTC), such as { money = 2.5 } or { tokens = 1000000 }");
    }
    if (money) limits.money = ledger::to_money(*money);
    limits.tokens = whole(tokens);
  }
  if (const auto* given = in.take("rate")) {
    std::optional<double> requests, tokens;
    if (!read_numbers(*given, {{"requests", &requests}, {"tokens", &tokens}}) || !is_whole(requests) ||
        !is_whole(tokens)) {
      in.complain(*given, "rate",
                  "must be what may be asked a minute, such as { requests = 60, tokens = 100000 }");
    }
    limits.requests_a_minute = whole(requests);
    limits.tokens_a_minute = whole(tokens);
  }
}

void read_key(reader& in, const toml::table& table, key_config& key) {
  in.get("name", key.name);
  in.require("name", key.name, "name = \"me\"");
  in.get("secret", key.secret, parse_source, source_form);
  if (!table.contains("secret")) in.complain(table, "secret", "is missing; write secret = \"env:MESHAI_KEY\"");
  in.get("models", key.models);
  in.get("reach", key.reach, parse_reach, reach_form);
  read_limits_of_key(in, key.limits);
  in.finish();
}

void read_node_keys(reader& in, node_config& node) {
  const auto* value = in.take("key");
  if (!value) return;
  const auto add = [&](const toml::node& one) {
    const auto text = one.value_exact<std::string>();
    if (const auto source = text ? parse_source(*text) : std::nullopt) {
      node.keys.push_back(*source);
    } else {
      in.complain(one, "key", fmt::format("must be {}", source_form));
    }
  };
  if (const auto* several = value->as_array()) {
    for (const auto& one : *several) add(one);
  } else {
    add(*value);
  }
}

// An amount that is not negative and written as a number.
bool read_amount(const toml::node* from, double& into) {
  const auto value = from ? from->value<double>() : std::nullopt;
  if (!value || !(*value >= 0 && *value <= 1e6)) return false;
  into = *value;
  return true;
}

std::optional<meshai::price> parse_price(const toml::node& from) {
  const auto* table = from.as_table();
  if (!table) return std::nullopt;
  meshai::price out;
  if (!read_amount(table->get("input"), out.input) || !read_amount(table->get("output"), out.output)) {
    return std::nullopt;
  }
  std::size_t known = 2;
  for (auto [name, into] : {std::pair{"cached", &out.cached}, std::pair{"cache_written", &out.cache_written}}) {
    const auto* given = table->get(name);
    if (!given) continue;
    if (!read_amount(given, into->emplace())) return std::nullopt;
    ++known;
  }
  return table->size() == known ? std::optional(out) : std::nullopt;
}

constexpr std::string_view price_form =
    "must be what a million tokens cost, such as { input = 2.5, output = 10 }, with cached and cache_written "
    "where "
    "they differ";

void read_costs(reader& in, node_config& node) {
  if (const auto* given = in.take("price")) {
    node.price = parse_price(*given);
    if (!node.price) in.complain(*given, "price", price_form);
  }
  if (const auto* given = in.take("prices")) {
    const auto* table = given->as_table();
    if (!table) return in.complain(*given, "prices", "must be a table of prices by model");
    for (const auto& [name, value] : *table) {
      const auto one = parse_price(value);
      if (!one) return in.complain(value, "prices", fmt::format("\"{}\" {}", name.str(), price_form));
      node.prices.emplace_back(std::string(name.str()), *one);
    }
  }
  in.get("latency", node.latency);
  if (const auto* given = in.take("energy")) {
    if (!read_amount(given, node.energy.emplace()))
      in.complain(*given, "energy", "must be joules a token, such as 0.5");
  }
}

void read_node(reader& in, const toml::table& table, node_config& node) {
  in.get("name", node.name);
  in.require("name", node.name, "name = \"here\"");
  in.get("kind", node.kind, parse_kind,
         "\"engine\", \"openai\", \"anthropic\", \"gemini\" or \"openai-compatible\"");
  if (!table.contains("kind")) in.complain(table, "kind", "is missing; write kind = \"openai-compatible\"");
  in.get("tier", node.tier, parse_tier, "\"local\", \"neighbour\", \"regional\" or \"cloud\"");
  if (!table.contains("tier")) in.complain(table, "tier", "is missing; write tier = \"cloud\"");
  in.get("url", node.url);
  read_node_keys(in, node);
  in.get("models", node.models);
  in.get("model", node.model);
  in.get("weight", node.weight);
  in.get("headers", node.headers);
  in.get("query", node.query);
  in.get("ca", node.ca, parse_file, "\"file:PATH\", a PEM file with one more authority");
  in.get("proxy", node.proxy);
  in.get("context", node.context);
  in.get("embeddings", node.embeddings);
  in.get("images", node.images);
  in.get("tools", node.tools);
  in.get("json", node.json);
  in.get("languages", node.languages);
  in.get("image_urls", node.image_urls);
  in.get("prefill", node.prefill);
  in.get("places", node.places);
  in.get("slots", node.slots);
  in.get("threads", node.threads);
  read_costs(in, node);
  in.finish();
  if (const auto wrong = check_node(node)) in.complain(table, wrong->first, wrong->second);
}

void read_model(reader& in, const toml::table& table, model_config& model) {
  in.get("name", model.name);
  in.require("name", model.name, "name = \"gpt-4\"");
  in.get("route", model.route);
  if (model.route.empty()) in.complain(table, "route", "is missing; write route = [\"node/model\", \"node\"]");
  in.finish();
}

void read_limits(reader& in, limits_config& limits) {
  in.get("request_timeout", limits.request_timeout);
  in.get("first_token_timeout", limits.first_token_timeout);
  in.get("idle_timeout", limits.idle_timeout);
  in.get("max_stream", limits.max_stream);
  in.get("connect_timeout", limits.connect_timeout);
  in.get("connect_timeout_local", limits.connect_timeout_local);
  in.get("headers_after", limits.headers_after);
  in.get("hedge_share", limits.hedge_share);
  in.get("hedge_up", limits.hedge_up);
  in.get("escalate_below", limits.escalate_below);
  in.get("attempts", limits.attempts);
  in.get("max_body", limits.max_body);
  in.get("max_bodies", limits.max_bodies);
  in.get("max_connections", limits.max_connections);
  in.get("max_waiting", limits.max_waiting);
  in.finish();
}

void read_care(reader& in, const toml::table& table, care::rule& rule) {
  std::vector<std::string> names;
  const auto one = table["class"].value_exact<std::string>();
  if (one) {
    in.take("class");
    names = {*one};
  } else {
    in.get("class", names);
  }
  if (names.empty())
    in.complain(table, "class", "is missing; write class = \"personal\", \"secret\", \"medical\" or \"legal\"");
  for (const auto& name : names) {
    if (const auto what = care::parse_content(name)) {
      rule.classes.push_back(*what);
    } else {
      in.complain(table, "class", "must be \"secret\", \"personal\", \"medical\" or \"legal\", or a list of them");
    }
  }
  // "cloud" would keep nothing back.
  const auto nearer = [](std::string_view text) {
    const auto within = parse_reach(text);
    return within == reach::cloud ? std::nullopt : within;
  };
  in.get("reach", rule.within, nearer, "\"device\", \"site\" or \"mesh\"");
  if (!table.contains("reach")) in.complain(table, "reach", "is missing; write reach = \"device\"");
  in.finish();
}

// Calls read(reader, table, element) for each [[name]].
template <class Element, class Read>
void read_each(reader& top, std::string_view name, std::string_view file, std::vector<Element>& into,
               std::optional<error>& first, Read read) {
  const auto* node = top.take(name);
  if (!node) return;
  const auto* array = node->as_array();
  if (!array) return top.complain(*node, name, fmt::format("is a list of tables; write [[{}]]", name));
  for (const auto& element : *array) {
    const auto* table = element.as_table();
    if (!table) return top.complain(element, name, fmt::format("is a list of tables; write [[{}]]", name));
    const auto own_name = (*table)["name"].value_or(std::string());
    reader in(*table, file,
              own_name.empty() ? fmt::format("[[{}]]", name) : fmt::format("[[{}]] \"{}\"", name, own_name),
              first);
    read(in, *table, into.emplace_back());
  }
}

template <class Read, class Into>
void read_one(reader& top, std::string_view name, std::string_view file, Into& into, std::optional<error>& first,
              Read read) {
  const auto* node = top.take(name);
  if (!node) return;
  const auto* table = node->as_table();
  if (!table) return top.complain(*node, name, fmt::format("is a table; write [{}]", name));
  reader in(*table, file, fmt::format("[{}]", name), first);
  read(in, into);
}

}  // namespace

result<config> parse_config(std::string_view text, std::string_view file) {
  if (text.size() > max_config_size) {
    return fail(error_kind::malformed, fmt::format("{}: is larger than 1 MiB; a configuration is not", file));
  }
  toml::table root;
  try {
    root = toml::parse(text, std::string(file));
  } catch (const toml::parse_error& wrong) {
    return fail(error_kind::malformed,
                fmt::format("{}:{}: {}", file, wrong.source().begin.line, wrong.description()));
  }
  config out;
  std::optional<error> first;
  reader top(root, file, "", first);
  read_one(top, "api", file, out.api, first, read_api);
  read_each(top, "key", file, out.keys, first, read_key);
  read_each(top, "node", file, out.nodes, first, read_node);
  read_each(top, "model", file, out.models, first, read_model);
  read_each(top, "care", file, out.care, first, read_care);
  read_one(top, "limits", file, out.limits, first, read_limits);
  top.finish();
  if (first) return std::unexpected(*first);
  if (const auto wrong = check_whole(out)) {
    return fail(error_kind::malformed, fmt::format("{}: {}", file, *wrong));
  }
  return out;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [rest, wrong] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (wrong != std::errc() || count < 0 || count > 1'000'000'000) return std::nullopt;
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  if (unit == "ms") return milliseconds(count);
  if (unit == "s") return milliseconds(count * 1000);
  if (unit == "m") return milliseconds(count * 60'000);
  if (unit == "h") return milliseconds(count * 3'600'000);
  return std::nullopt;
}

std::string_view to_string(node_kind kind) {
  return kind_names[static_cast<std::size_t>(kind)];
}

}  // namespace meshai::app
