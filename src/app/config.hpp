// app: the configuration file (TOML), parsed and checked once. Rooms get their own small options from it.
//
// Every error names the file, the line and the key, and says what to write instead. A key nobody knows is an
// error: a misspelt `reach` must not be a silent `cloud`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/price.hpp"
#include "base/reach.hpp"
#include "base/secret.hpp"
#include "care/care.hpp"
#include "ledger/ledger.hpp"
#include "route/limits.hpp"

namespace meshai::app {

using std::chrono::milliseconds;

// Where a secret is read from; the file never holds the secret itself.
struct secret_source {
  enum class kind { environment, file } from = kind::environment;
  std::string name;  // of the variable, or the path
  std::string text() const { return (from == kind::environment ? "env:" : "file:") + name; }
  bool operator==(const secret_source&) const = default;
};

struct api_config {
  std::vector<std::string> listen;  // "IP:PORT"; empty: 127.0.0.1:9437 and [::1]:9437
  meshai::reach reach = meshai::reach::cloud;
  bool unknown_model_auto = false;  // unknown_model = "auto"
  bool insecure_lan = false;
  std::string tls_cert, tls_key;          // PEM files
  std::vector<std::string> hosts;         // further names that stand in Host besides the addresses and localhost
  std::vector<std::string> cors_origins;  // "https://app.example"
  int workers = 0;                        // event loops; 0: one per core, at most 8
  bool usage = true;                      // totals of what is used are kept
};

struct key_config {
  std::string name;
  secret_source secret;
  std::vector<std::string> models;  // empty: all
  meshai::reach reach = meshai::reach::cloud;
  ledger::limits limits;
};

enum class node_kind { engine, openai, anthropic, gemini, openai_compatible };

struct node_config {
  std::string name;
  meshai::tier tier = meshai::tier::cloud;
  node_kind kind = node_kind::openai_compatible;
  std::string url;                  // filled with the provider's own where it is known and none is given
  std::vector<secret_source> keys;  // `key`: one or several
  std::vector<std::string> models;  // ["*"]: ask the node
  std::string model;                // engine: "default", a stem, or a path below the data folder
  int weight = 1;                   // share among equals
  std::vector<std::pair<std::string, std::string>> headers, query;
  std::string ca;     // PEM file with one more authority, written as file:PATH
  std::string proxy;  // http://[user:pass@]host:port; "" takes HTTPS_PROXY/NO_PROXY, "none" takes none
  std::optional<std::int64_t> context;  // tokens
  bool embeddings = false;              // it is made for embeddings
  std::optional<bool> images, tools, image_urls;
  bool json = true;                    // it keeps to JSON where a request asks for it
  std::vector<std::string> languages;  // that it speaks; empty: all
  std::optional<bool> prefill;         // it goes on with an assistant message at the end; learned where not given
  int places = 0;   // questions it is asked at once, others wait their turn; 0: no bound, but an engine's slots
  int slots = 0;    // engine: answers at once; 0 chooses
  int threads = 0;  // engine; 0 chooses
  std::optional<meshai::price> price;                         // an engine's is nothing where none is given
  std::vector<std::pair<std::string, meshai::price>> prices;  // by model, where it is another
  std::optional<milliseconds> latency;
  std::optional<double> energy;  // joules a token
};

struct model_config {
  std::string name;
  std::vector<std::string> route;  // "node" or "node/model"
};

struct limits_config : route::limits {
  std::int64_t max_body = 32 << 20;     // bytes of one request
  std::int64_t max_bodies = 256 << 20;  // bytes of all requests in flight
  int max_connections = 4096;           // callers at once, over all workers
  int max_waiting = 256;                // questions in the line before one node
};

struct config {
  api_config api;
  std::vector<key_config> keys;
  std::vector<node_config> nodes;
  std::vector<model_config> models;
  std::vector<care::rule> care;
  limits_config limits;
  std::string print;  // of the text it was read from, where load_config() read it: see print_of()
};

// `file` is only the name that errors begin with. Checks everything that can be known without the environment.
result<config> parse_config(std::string_view text, std::string_view file);

// Reads one secret. refused with the line to type where the variable is unset or the file cannot be read; the text
// is cut at the end of its first line.
result<secret> read_secret(const secret_source& from);

// What start-up refuses although it parses: keys that cannot be read, an API open to more than it may be
// (see docs/operating/configuration.md). Reads the environment.
// `keys_issued`: `meshai key` has made keys, so that the door is not open to everybody.
result<void> check_start(const config& of, bool keys_issued = false);

// "250ms", "10s", "5m", "1h".
std::optional<milliseconds> parse_duration(std::string_view text);

std::string_view to_string(node_kind kind);

}  // namespace meshai::app
