#include "upstream/endpoint.hpp"

#include <algorithm>

#include "env/network.hpp"

namespace meshai::upstream {
namespace {

constexpr std::size_t least_scrubbed = 4;      // shorter ones would tear words apart
constexpr std::size_t longest_message = 2048;  // bytes of a provider's own words
constexpr std::size_t longest_word = 200;      // of its code, type and param

// By its text: "127.example.com" is a name like any other.
bool is_loopback_host(const std::string& host) {
  return host == "localhost" || host.ends_with(".localhost") ||
         env::address{.ip = host, .port = 0, .path = {}}.is_loopback();
}

// As far as its tier says, and no farther.
reach bound_of(tier where) {
  for (const auto bound : {reach::device, reach::site, reach::mesh}) {
    if (allows(bound, where)) return bound;
  }
  return reach::cloud;
}

std::string encode(std::string_view text) {
  static constexpr std::string_view plain = "-._~";
  static constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (alnum || plain.contains(c)) {
      out += c;
    } else {
      out += '%';
      out += hex[byte >> 4];
      out += hex[byte & 15];
    }
  }
  return out;
}

std::string_view key_header_of(chat::dialect dialect) {
  switch (dialect) {
    case chat::dialect::openai:
      return "Authorization";
    case chat::dialect::anthropic:
      return "x-api-key";
    case chat::dialect::gemini:
      return "x-goog-api-key";
  }
  return {};
}

void blank_out(std::string& text, std::string_view key) {
  for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at))
    text.replace(at, key.size(), "[key]");
}

// Cut where a character begins.
void cut(std::string& text, std::size_t longest) {
  if (text.size() <= longest) return;
  while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xc0) == 0x80) --longest;
  text.resize(longest);
  text += "...";
}

}  // namespace

const endpoint::key* endpoint::choose(const route::health& known, instant now) const {
  if (keys.empty()) return nullptr;
  if (keys.size() == 1) return &keys.front();
  const auto first = turn.fetch_add(1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto& each = keys[(first + i) % keys.size()];
    if (known.look(each.id, now).available()) return &each;
  }
  return &keys[first % keys.size()];
}

bool endpoint::has_another(const key* spent, const route::health& known, instant now) const {
  return std::ranges::any_of(
      keys, [&](const key& each) { return &each != spent && known.look(each.id, now).available(); });
}

std::string endpoint::target(std::string_view path_of_call) const {
  std::string out = path;
  out += path_of_call;
  if (!query.empty()) {
    out += path_of_call.contains('?') ? '&' : '?';
    out += query;
  }
  return out.empty() ? "/" : out;
}

void endpoint::scrub(chat::provider_error& said) const {
  for (auto* text : {&said.message, &said.code, &said.type, &said.param}) {
    for (const auto& each : keys) {
      if (each.value.size() >= least_scrubbed) blank_out(*text, each.value.reveal());
    }
  }
  cut(said.message, longest_message);
  for (auto* text : {&said.code, &said.type, &said.param}) cut(*text, longest_word);
}

result<std::unique_ptr<endpoint>> make_endpoint(node_options from) {
  const auto refused = [&](std::string_view why) {
    return fail(error_kind::refused, "node \"" + from.node + "\": " + std::string(why));
  };
  auto base = http::parse_origin(from.url);
  if (!base) return refused(base.error().detail);
  auto made = std::make_unique<endpoint>();
  made->node = std::move(from.node);
  made->where = from.where;
  made->dialect = from.dialect;
  made->origin = std::move(base->origin);
  made->path = std::move(base->path);
  made->query = std::move(base->query);
  if (!from.socket.empty()) {
    made->origin.socket_path = std::move(from.socket);
    made->origin.tls = false;
  }
  if (!from.ca.empty()) made->origin.ca_files.push_back(std::move(from.ca));
  if (!from.proxy.empty() && !made->origin.is_unix()) {
    auto via = http::parse_proxy(from.proxy);
    if (!via) return fail(error_kind::refused, "node \"" + made->node + "\": proxy: " + via.error().detail);
    if (made->where < tier::regional) {
      return fail(error_kind::refused,
                  "node \"" + made->node + "\": a proxy would carry it beyond its tier; leave the proxy out");
    }
    made->origin.via = std::move(*via);
  }
  const bool stays_here = made->origin.is_unix() || (is_loopback_host(made->origin.host) && !made->origin.via);
  if (!from.keys.empty() && !made->origin.tls && !stays_here) {
    return fail(error_kind::refused,
                "node \"" + made->node + "\": its key would travel in clear text; write https:// in its url");
  }
  // A key in clear text stays on this device also where the host is a name.
  made->origin.bound = from.keys.empty() || made->origin.tls ? bound_of(made->where) : reach::device;
  made->origin.make_key();
  for (const auto& [name, value] : from.query) {
    if (!made->query.empty()) made->query += '&';
    made->query += encode(name) + '=' + encode(value);
  }
  made->headers = std::move(from.headers);
  made->prepare = std::move(from.prepare);
  made->places = std::move(from.places);
  made->counts = from.counts;
  made->ready = std::move(from.ready);
  made->wait_ready = std::move(from.wait_ready);
  made->key_header = key_header_of(made->dialect);
  for (auto& value : from.keys) {
    std::string header = made->dialect == chat::dialect::openai ? "Bearer " : "";
    header += value.reveal();
    const auto id = route::make_target_id(made->node, "key " + std::to_string(made->keys.size()));
    made->keys.push_back({.value = std::move(value), .header = secret(header), .id = id});
    wipe_memory(header.data(), header.size());
  }
  return made;
}

int places_at(const endpoint& node) {
  return node.places ? node.places() : 0;
}

bool is_ready(const endpoint& node) {
  return !node.ready || node.ready();
}

task<result<void>> wait_ready(const endpoint& node, env::world here) {
  return node.wait_ready(here);
}

endpoints::endpoints() = default;
endpoints::~endpoints() = default;

result<std::shared_ptr<const endpoints>> endpoints::make(std::vector<node_options> nodes) {
  std::shared_ptr<endpoints> made(new endpoints);
  for (auto& each : nodes) {
    auto one = make_endpoint(std::move(each));
    if (!one) return std::unexpected(std::move(one.error()));
    made->nodes_.push_back(std::move(*one));
  }
  return std::shared_ptr<const endpoints>(std::move(made));
}

const endpoint* endpoints::find(std::string_view node) const {
  const auto found = std::ranges::find_if(nodes_, [&](const auto& each) { return each->node == node; });
  return found == nodes_.end() ? nullptr : found->get();
}

}  // namespace meshai::upstream
