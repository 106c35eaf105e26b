#include "node/status.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace meshai::node {
namespace {

namespace json = boost::json;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

json::object describe(const route::node& node, const route::standing& seen, instant now) {
  json::array models;
  for (const auto& one : node.models) models.push_back(json::value(one.name));
  json::object out{{"name", node.name},           {"tier", to_string(node.where)},
                   {"models", std::move(models)}, {"breaker", to_string(seen.breaker)},
                   {"resting", seen.resting},     {"error_rate", seen.error_rate},
                   {"answers", seen.answers},     {"faults", seen.faults}};
  if (!node.off.empty()) out["off"] = node.off;
  if (!seen.available()) {
    out["again_in_ms"] = std::max<std::int64_t>(0, duration_cast<milliseconds>(seen.until - now).count());
  }
  if (seen.last_fault) out["last_fault"] = to_string(*seen.last_fault);
  if (seen.first_token) out["first_token_ms"] = static_cast<double>(seen.first_token->count()) / 1000;
  return out;
}

json::object describe(const engines::running& one) {
  const auto seen = one.by->facts();
  json::object out{{"node", one.node},
                   {"state", to_string(seen.state)},
                   {"since", duration_cast<std::chrono::seconds>(seen.since.time_since_epoch()).count()},
                   {"pid", seen.pid},
                   {"restarts", seen.restarts},
                   {"model", seen.model},
                   {"form", seen.form},
                   {"version", seen.version},
                   {"context", seen.context},
                   {"slots", seen.slots},
                   {"threads", seen.threads},
                   {"memory", seen.memory},
                   {"load_ms", seen.load_time.count()}};
  if (!seen.reason.empty()) out["reason"] = seen.reason;
  return out;
}

}  // namespace

std::string status_json(const state_of_affairs& of) {
  json::array nodes, running, listen;
  for (const auto& at : of.addresses) listen.push_back(json::value(at.text()));
  for (const auto& node : of.settings.setup->directory->nodes()) {
    auto shown = describe(node, of.known.look(route::make_target_id(node.name), of.now), of.now);
    // A breaker of one model is shown beside the node's own.
    json::array troubled;
    for (const auto& model : node.models) {
      const auto seen = of.known.look(route::make_target_id(node.name, model.name), of.now);
      if (!seen.available()) troubled.push_back(json::value(model.name));
    }
    if (!troubled.empty()) shown["models_down"] = std::move(troubled);
    nodes.push_back(std::move(shown));
  }
  for (const auto& one : of.running) running.push_back(describe(one));
  return json::serialize(json::object{{"version", of.version},
                                      {"listen", std::move(listen)},
                                      {"config", of.config},
                                      {"uptime_s", of.uptime.count()},
                                      {"connections", of.connections},
                                      {"reach", to_string(of.settings.setup->api)},
                                      {"nodes", std::move(nodes)},
                                      {"engines", std::move(running)}});
}

}  // namespace meshai::node
