// route: what can be asked. An immutable snapshot of the nodes, their models and the names that callers may use; a
// changed configuration or a newly discovered list of models makes a new one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/price.hpp"
#include "base/reach.hpp"
#include "care/care.hpp"
#include "chat/chat.hpp"

namespace meshai::route {

// Names one model of one node, or the whole node, across snapshots. Health is kept under it.
struct target_id {
  std::uint64_t value = 0;
  bool operator==(const target_id&) const = default;
};
target_id make_target_id(std::string_view node, std::string_view model = {});

struct model {
  std::string name;                     // as the node calls it
  std::optional<meshai::tier> where;    // where it really runs, when that is farther than its node
  std::optional<std::int64_t> context;  // tokens; else the node's
  bool embeddings = false;              // makes vectors (discovery said so)
  bool special_purpose = false;         // is_special_purpose(name); directory::make fills it in
};

struct node {
  std::string name;
  meshai::tier where = meshai::tier::cloud;
  chat::dialect dialect = chat::dialect::openai;
  std::vector<route::model> models;     // the preferred one first
  bool any_model = false;               // models = ["*"]: also takes names that no list has
  int weight = 1;                       // share among equals, at least 1
  std::optional<std::int64_t> context;  // tokens
  bool images = true;
  bool tools = true;
  bool json = true;                    // keeps to JSON where a request asks for it
  std::vector<std::string> languages;  // that it speaks, see language.hpp; empty: all
  // Tokens that an engine takes, once it runs; 0: not known yet. None: `context` is all there is. Any thread.
  std::function<std::int64_t()> running_context;
  bool image_urls = true;              // fetches image URLs itself
  bool embeddings = false;             // made for embeddings
  bool max_completion_tokens = false;  // OpenAI's own API
  std::optional<bool> prefill;         // goes on from an answer's beginning; nothing: by the model's name
  std::string off;                     // why it is not asked; empty: it is
  std::optional<meshai::price> price;  // none: nobody knows what it costs
  std::vector<std::pair<std::string, meshai::price>> model_prices;  // of models that cost something else
  std::optional<std::chrono::milliseconds>
      latency;                   // the operator's guess of its first token, until it is measured
  std::optional<double> energy;  // joules a token

  // What this model of it costs.
  std::optional<meshai::price> price_of(std::string_view model_name) const;

  // Where `m` of this node runs. Never nearer than the node; names that only the caller knows count as cloud.
  meshai::tier tier_of(const route::model* m) const;
};

// A name callers may use, and the order in which it is tried: "node" (its preferred model) or "node/model".
struct model_route {
  std::string name;
  std::vector<std::string> route;
};

// One stop of a route. An empty model is the node's preferred one, looked up when it is asked.
struct stop {
  std::size_t node;
  std::string model;
};

class directory {
 public:
  // refused, naming it, when a route leads to a node that is not there or two names are the same.
  static result<std::shared_ptr<const directory>> make(std::vector<node> nodes, std::vector<model_route> routes,
                                                       bool unknown_model_auto);

  std::span<const route::node> nodes() const { return nodes_; }
  const route::node* find(std::string_view name) const;
  // The stops of a configured name, or null.
  const std::vector<stop>* route_of(std::string_view name) const;
  bool unknown_model_auto() const { return unknown_model_auto_; }

  struct named_route {
    std::string name;
    std::vector<stop> stops;
  };
  std::span<const named_route> routes() const { return routes_; }

 private:
  directory() = default;
  std::vector<route::node> nodes_;
  std::vector<named_route> routes_;
  bool unknown_model_auto_ = false;
};

// True for names that a chat never means by itself: embeddings, speech, images, moderation, reranking.
bool is_special_purpose(std::string_view model_name);
// True for names of models that make vectors.
bool is_embedding_name(std::string_view model_name);

// What the caller's door allows. Reach only ever gets stricter on the way in.
struct policy {
  meshai::reach api = meshai::reach::cloud;
  meshai::reach key = meshai::reach::cloud;
  std::span<const std::string> allowed;  // names of models, "node/model", configured names, "auto"; empty: all
  std::span<const care::rule> care{};    // what the conversation holds may bind it to a nearer reach
  bool only_priced = false;              // pays from a budget in money alone: only where the price is known
};

struct listed_model {
  std::string name;
  std::string owner;   // the node, or "meshai" for configured names and "auto"
  meshai::tier where;  // the nearest place that serves it
};
// The names this caller may use, configured ones first; without what its reach excludes or what is off.
std::vector<listed_model> list_models(const directory& of, const policy& caller);

}  // namespace meshai::route
