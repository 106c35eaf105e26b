// node: wires the rooms together: one set of them per worker, and what they share. No logic of its own beyond
// swapping the configuration whole and keeping the engines that it names.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "engine/engine.hpp"
#include "env/network.hpp"
#include "env/world.hpp"
#include "front/front.hpp"
#include "route/route.hpp"
#include "upstream/upstream.hpp"

namespace meshai::node {

// What a configuration says, in the words of the rooms. Consumed when it is put to use.
struct plan {
  std::vector<route::node> nodes;
  std::vector<route::model_route> routes;
  bool unknown_model_auto = false;
  std::vector<upstream::node_options> upstreams;  // one per node, by name; an engine's gets its socket here
  std::vector<engine::options> engines;           // one per node of kind "engine", by name
  route::limits limits;
  meshai::reach api = meshai::reach::cloud;
  std::vector<care::rule> care;
  std::shared_ptr<const front::admission_rules> rules;
  std::size_t max_body = 32 << 20;
  std::size_t max_connections = 4096;
  std::size_t max_bodies = 256 << 20;  // bytes
  std::size_t max_waiting = 256;       // questions in the line before one node
  bool usage = true;                   // totals of what is used are kept
  std::string print;                   // tells one configuration from another, for `status`
};

struct options {
  std::string version;
  std::vector<env::address> addresses;         // where it listens, for `status`
  std::filesystem::path lessons;               // the file of what came of asking whom; empty: kept in memory
  std::function<void(env::metrics&)> measure;  // sets what /metrics tells of the process; none: nothing
  std::function<result<plan>()> read_plan;     // reads the configuration again; runs on the pool
  std::filesystem::path ledger;                // where keys and spending are kept; empty: nowhere
};

// A place to listen at. The node takes connections there on the worker it was given for.
struct door {
  std::unique_ptr<env::listener> at;
  bool owner = false;
  std::function<std::shared_ptr<const env::identity>()> tls;  // none: plain
};

class node {
 public:
  // `worlds`: one per worker; the first one also carries the engines. They outlive the node.
  node(std::vector<env::world> worlds, options how);
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  // Puts the first plan to use and starts its engines. On the first world's loop, as are reload() and stop().
  result<void> begin(plan first);

  // Accepts on that worker's own loop until stop(). May be called again, with more doors.
  task<void> serve(std::size_t worker, std::vector<door> doors);

  // Whether anybody it knows can answer. Any thread.
  bool ready() const;

  // Whether every engine answers or has failed: waiting helps no more. Any thread.
  bool settled() const;

  // The configuration, whole or not at all.
  task<result<void>> reload();

  // Ends accepting, gives what runs on any worker `grace` to end, stops the engines. serve() returns on every
  // worker. A connection without a request is closed after `patience`. Again while it runs: shortens the first
  // one's grace, and returns when the connections have ended.
  task<void> stop(std::chrono::nanoseconds grace, std::chrono::nanoseconds patience = {});
  // The same, with the grace that the longest stream may need.
  task<void> retire(std::chrono::nanoseconds patience);

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace meshai::node
