#include "app/config_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <set>

#include "http/http.hpp"
#include "route/route.hpp"

namespace meshai::app {
namespace {

using complaint = std::pair<std::string, std::string>;

std::string_view provider_url(node_kind kind) {
  switch (kind) {
    case node_kind::openai:
      return "https://api.openai.com/v1";
    case node_kind::anthropic:
      return "https://api.anthropic.com/v1";
    case node_kind::gemini:
      return "https://generativelanguage.googleapis.com/v1beta";
    case node_kind::engine:
    case node_kind::openai_compatible:
      break;
  }
  return {};
}

bool is_loopback(const http::origin& to) {
  return to.is_unix() || to.host == "localhost" ||
         env::address{.ip = to.host, .port = to.port, .path = {}}.is_loopback();
}

// A host given by name is held to its tier when it is dialled: only then its address is known.
bool may_be_private(const http::origin& to) {
  if (is_loopback(to)) return true;
  boost::system::error_code not_numeric;
  (void)boost::asio::ip::make_address(to.host, not_numeric);
  return not_numeric || env::address{.ip = to.host, .port = to.port, .path = {}}.is_private();
}

std::optional<complaint> check_engine(node_config& node) {
  if (node.tier != tier::local) return complaint{"tier", "must be \"local\": an engine runs on this device"};
  if (!node.url.empty()) {
    return complaint{
        "url",
        "does not go with kind = \"engine\", which we start ourselves; for a server of your own write "
        "kind = \"openai-compatible\""};
  }
  if (!node.keys.empty()) return complaint{"key", "does not go with kind = \"engine\""};
  if (node.model.empty()) node.model = "default";
  if (node.models.empty()) node.models = {node.model};
  return std::nullopt;
}

std::optional<complaint> check_remote(node_config& node) {
  if (!node.model.empty()) return complaint{"model", "belongs to kind = \"engine\"; write models = [\"...\"]"};
  if (node.url.empty()) node.url = provider_url(node.kind);
  if (node.url.empty()) return complaint{"url", "is missing; write url = \"http://127.0.0.1:11434/v1\""};
  const auto base = http::parse_origin(node.url);
  if (!base) return complaint{"url", base.error().detail};
  const auto& to = base->origin;
  if (node.tier == tier::local && !is_loopback(to)) {
    return complaint{"tier",
                     "is \"local\", but url is not on this device; use a loopback address or unix:///path, or "
                     "tier = \"neighbour\""};
  }
  if (node.tier == tier::neighbour && !may_be_private(to)) {
    return complaint{"tier",
                     "is \"neighbour\", but url is a public address; write tier = \"regional\" or \"cloud\""};
  }
  if (!node.keys.empty() && !to.tls && !is_loopback(to)) {
    return complaint{"url",
                     "must begin with https:// where the node has a key: a key leaves this device only encrypted"};
  }
  if (node.models.empty()) {
    return complaint{"models", "is missing; write models = [\"name\"], or [\"*\"] to ask the node for its list"};
  }
  if (!node.proxy.empty() && node.proxy != "none") {
    if (node.tier < tier::regional) {
      return complaint{"proxy", fmt::format("does not go with tier = \"{}\": a proxy would carry it farther; "
                                            "leave it out, or write tier = \"regional\" or \"cloud\"",
                                            to_string(node.tier))};
    }
    const auto proxy = http::parse_proxy(node.proxy);
    if (!proxy) return complaint{"proxy", proxy.error().detail};
  }
  return std::nullopt;
}

// "node" or "node/model" (a model's name may hold further slashes).
const node_config* find_node(const config& all, std::string_view step) {
  const auto name = step.substr(0, step.find('/'));
  const auto found = std::ranges::find(all.nodes, name, &node_config::name);
  return found == all.nodes.end() ? nullptr : &*found;
}

template <class Elements>
std::optional<std::string> check_names(std::string_view table, const Elements& elements, bool plain) {
  std::set<std::string> seen;
  for (const auto& element : elements) {
    if (plain && !is_plain_name(element.name))
      return fmt::format("[[{}]] \"{}\": name {}", table, element.name, plain_name_form);
    if (!seen.insert(element.name).second)
      return fmt::format("[[{}]] \"{}\" stands there twice", table, element.name);
  }
  return std::nullopt;
}

std::optional<std::string> check_routes(const config& all) {
  for (const auto& model : all.models) {
    for (const auto& step : model.route) {
      const auto* node = find_node(all, step);
      if (!node) {
        std::string known;
        for (const auto& one : all.nodes) known += (known.empty() ? "" : ", ") + one.name;
        return fmt::format("[[model]] \"{}\" route: \"{}\" names no node; there are {}", model.name, step, known);
      }
      const auto slash = step.find('/');
      if (slash == std::string::npos) {
        if (node->models == std::vector<std::string>{"*"} || node->models.size() > 1) {
          return fmt::format("[[model]] \"{}\" route: \"{}\" has several models; write \"{}/MODEL\"", model.name,
                             step, step);
        }
        continue;
      }
      const auto wanted = step.substr(slash + 1);
      if (node->models != std::vector<std::string>{"*"} && !std::ranges::contains(node->models, wanted)) {
        return fmt::format("[[model]] \"{}\" route: \"{}\": node \"{}\" does not list that model", model.name,
                           step, node->name);
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_api(const api_config& api) {
  for (const auto& text : api.listen) {
    if (!parse_listen(text)) {
      return fmt::format("[api] listen: \"{}\" must be an address with a port, such as \"127.0.0.1:9437\"", text);
    }
  }
  if (api.tls_cert.empty() != api.tls_key.empty()) return "[api] tls_cert and tls_key go together; write both";
  for (const auto& origin : api.cors_origins) {
    if (origin == "*" || origin.find("://") == std::string::npos || origin.ends_with('/')) {
      return fmt::format(
          "[api] cors_origins: \"{}\" must be an origin such as \"https://app.example\", without a path", origin);
    }
  }
  if (api.workers > 64) return "[api] workers must be at most 64";
  return std::nullopt;
}

// A key that pays in money alone is only answered where somebody says what it costs.
std::optional<std::string> check_budgets(const config& all) {
  if (std::ranges::any_of(all.nodes, has_price)) return std::nullopt;
  const auto poor = std::ranges::find_if(all.keys, [](const auto& key) { return key.limits.only_priced(); });
  if (poor == all.keys.end()) return std::nullopt;
  return fmt::format(
      "[[key]] \"{}\": its budget is in money alone, and no [[node]] has a price, so that nobody would answer; "
      "write price = {{ input = 2.5, output = 10 }} below a [[node]], or budget = {{ tokens = 1000000 }}",
      poor->name);
}

}  // namespace

bool has_price(const node_config& node) {
  return node.kind == node_kind::engine || node.price || !node.prices.empty();
}

bool is_plain_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, fits);
}

std::optional<complaint> check_node(node_config& node) {
  const auto known = route::known_languages();
  for (const auto& language : node.languages) {
    if (std::ranges::contains(known, language)) continue;
    return complaint{"languages",
                     fmt::format("cannot hold \"{}\": it takes {}", language, fmt::join(known, ", "))};
  }
  return node.kind == node_kind::engine ? check_engine(node) : check_remote(node);
}

std::optional<std::string> check_whole(const config& all) {
  if (auto wrong = check_api(all.api)) return wrong;
  if (auto wrong = check_names("key", all.keys, true)) return wrong;
  if (auto wrong = check_names("node", all.nodes, true)) return wrong;
  if (auto wrong = check_names("model", all.models, false)) return wrong;
  if (all.nodes.empty()) return "there is no [[node]]; without one nobody answers";
  if (all.limits.attempts > 16) return "[limits] attempts must be at most 16";
  if (auto wrong = check_budgets(all)) return wrong;
  return check_routes(all);
}

std::optional<env::address> parse_listen(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [rest, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (wrong != std::errc() || rest != digits.data() + digits.size()) return std::nullopt;
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  boost::system::error_code not_numeric;
  const auto ip = boost::asio::ip::make_address(host, not_numeric);
  if (not_numeric || ip.is_v6() != brackets) return std::nullopt;
  return env::address{.ip = std::string(host), .port = port, .path = {}};
}

std::vector<env::address> listen_addresses(const api_config& api) {
  std::vector<env::address> out;
  out.reserve(api.listen.size() + 2);
  for (const auto& text : api.listen) out.push_back(*parse_listen(text));
  if (out.empty()) {
    for (const auto* ip : {"127.0.0.1", "::1"}) out.push_back({.ip = ip, .port = 9437, .path = {}});
  }
  return out;
}

result<secret> read_secret(const secret_source& from) {
  constexpr std::size_t max_secret = 8192;
  std::string text;
  if (from.from == secret_source::kind::environment) {
    const char* value = std::getenv(from.name.c_str());
    if (!value || !*value) {
      return fail(error_kind::refused,
                  fmt::format("the variable {} is not set; type: export {}=...", from.name, from.name));
    }
    text = value;
  } else {
    std::ifstream file(from.name);
    if (!std::getline(file, text) || text.empty()) {
      return fail(error_kind::refused,
                  fmt::format("the file {} cannot be read or is empty; put the secret into its first "
                              "line",
                              from.name));
    }
  }
  while (!text.empty() && (text.back() == '\r' || text.back() == ' ' || text.back() == '\t')) text.pop_back();
  const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
  const auto size = text.size();
  secret out(text);
  wipe_memory(text.data(), text.size());
  if (!printable || size == 0 || size > max_secret) {
    return fail(
        error_kind::refused,
        fmt::format("{} holds blanks, control characters or more than 8 KiB; a key is one word", from.text()));
  }
  return out;
}

result<void> check_start(const config& of, bool keys_issued) {
  for (const auto& key : of.keys) {
    if (auto secret = read_secret(key.secret); !secret) {
      return fail(error_kind::refused, fmt::format("[[key]] \"{}\": {}", key.name, secret.error().detail));
    }
  }
  const auto addresses = listen_addresses(of.api);
  const bool beyond = std::ranges::any_of(addresses, [](const auto& at) { return !at.is_loopback(); });
  constexpr std::string_view add_key =
      "make one: meshai key new --name me; or add [[key]] with name = \"me\" and secret = \"env:MESHAI_KEY\", and "
      "type: "
      "export MESHAI_KEY=$(openssl rand -hex 24)";
  if (of.keys.empty() && !keys_issued) {
    const auto paid = std::ranges::find_if(of.nodes, [](const auto& node) { return !node.keys.empty(); });
    if (paid != of.nodes.end()) {
      return fail(
          error_kind::refused,
          fmt::format(
              "node \"{}\" has a key, and without a [[key]] of ours every program on this device could spend "
              "it; {}",
              paid->name, add_key));
    }
    if (beyond) {
      return fail(error_kind::refused,
                  fmt::format("the API would be open to the network without a key; {}", add_key));
    }
  }
  if (beyond && of.api.tls_cert.empty() && !of.api.insecure_lan) {
    return fail(error_kind::refused,
                "the API would leave this device unencrypted; set [api] tls_cert and tls_key, or "
                "insecure_lan = true if you accept that keys and prompts can be read on the way");
  }
  return {};
}

}  // namespace meshai::app
