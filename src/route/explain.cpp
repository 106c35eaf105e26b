#include "route/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

namespace meshai::route {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

std::string_view where_first(complexity how) {
  switch (how) {
    case complexity::simple:
      return "simple questions stay near";
    case complexity::medium:
      return "medium questions go to a neighbour or a regional node first";
    case complexity::hard:
      return "hard questions go to the cloud first";
  }
  return {};
}

json::object describe(const judgement& judged) {
  const auto& seen = judged.seen;
  return {{"class", to_string(judged.how)},
          {"score", std::round(1000 * judged.value) / 1000},
          {"features",
           {{"points", judged.score},
            {"words", seen.words},
            {"turns", seen.turns},
            {"bytes", seen.text_size},
            {"hard_words", seen.hard_words},
            {"easy_words", seen.easy_words},
            {"code", seen.code},
            {"arithmetic", seen.arithmetic},
            {"tools", seen.tools},
            {"images", seen.images},
            {"schema", seen.schema},
            {"reasoning", seen.reasoning},
            {"long_answer", seen.long_answer}}}};
}

class teller {
 public:
  teller(const ranking& made, const health& known, instant now) : made_(made), known_(known), now_(now) {}

  json::object candidate(const route::candidate& one) const {
    json::array why;
    const auto say = [&](std::string_view what) { why.push_back(json::value(what)); };
    if (one.by == cause::name) say("it was asked for by name");
    if (one.by == cause::stop) say("it stands in the route of that name");
    if (one.by == cause::by_auto) say(where_first(made_.judged.how));
    if (one.ordinal > 0) say(fmt::format("its node's model number {}", one.ordinal + 1));
    if (one.tight) say("the prompt will hardly fit, so it is asked late");
    const auto seen = known_.look(one.node_id, one.model_id, now_);
    if (seen.error_rate > 0) say(fmt::format("{:.0f} % of its last attempts failed", 100 * seen.error_rate));
    json::object out{{"node", made_.node_of(one).name},
                     {"model", one.model},
                     {"tier", to_string(one.where)},
                     {"by", to_string(one.by)}};
    if (one.by == cause::by_auto) out["score"] = std::round(1000 * one.score) / 1000;
    out["why"] = std::move(why);
    return out;
  }

  json::object excluded(const passed_over& one) const {
    const auto& node = made_.of->nodes()[one.node];
    return {{"node", node.name}, {"model", one.model}, {"rule", to_string(one.why)}, {"why", rule(one, node)}};
  }

 private:
  std::string rule(const passed_over& one, const node& node) const {
    switch (one.why) {
      case exclusion::off:
        return node.off.empty() ? "it lists no model" : node.off;
      case exclusion::reach:
        return fmt::format("{} lets the question travel as far as \"{}\" only", made_.bound_by,
                           to_string(made_.bound));
      case exclusion::not_allowed:
        return "the key's models do not list it";
      case exclusion::open:
      case exclusion::resting:
        return unavailable(one, node);
      case exclusion::no_images:
        return "it takes no images";
      case exclusion::no_tools:
        return "it takes no tools";
      case exclusion::no_embeddings:
        return "it makes no embeddings";
      case exclusion::another_model:
        return "embeddings never change the model";
      case exclusion::no_price:
        return "the key has a budget in money, and nobody knows what this costs";
      case exclusion::no_fallback:
        return "mesh.fallback = false: the first candidate answers, or nobody";
    }
    return {};
  }

  std::string unavailable(const passed_over& one, const node& node) const {
    const auto seen = known_.look(make_target_id(node.name), make_target_id(node.name, one.model), now_);
    const auto wait = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(seen.until - now_));
    const auto last = seen.last_fault ? fmt::format(" ({})", to_string(*seen.last_fault)) : "";
    return fmt::format("{}{}, asked again in {:.1f} s", one.why == exclusion::open ? "down" : "it rests", last,
                       std::chrono::duration<double>(wait).count());
  }

  const ranking& made_;
  const health& known_;
  instant now_;
};

}  // namespace

std::string explain(const ranking& made, const chat::request& asked, const health& known, instant now, bool all) {
  const teller tells(made, known, now);
  json::array candidates, excluded;
  for (const auto& one : made.candidates) candidates.push_back(tells.candidate(one));
  for (const auto& one : made.excluded) {
    const bool hidden = one.why == exclusion::reach || one.why == exclusion::not_allowed;
    if (all || !hidden) excluded.push_back(tells.excluded(one));
  }
  json::object out{{"model", asked.model.empty() ? std::string_view("auto") : std::string_view(asked.model)},
                   {"reach", to_string(made.bound)},
                   {"reach_by", made.bound_by},
                   {"tokens", made.tokens},
                   {"candidates", std::move(candidates)},
                   {"excluded", std::move(excluded)}};
  if (!made.held.empty()) {
    auto& held = out["care"].emplace_array();
    for (const auto what : made.held) held.push_back(json::value(to_string(what)));
  }
  if (made.by_auto) out["complexity"] = describe(made.judged);
  if (made.refused) {
    const auto& why = made.refused->why;
    out["refused"] = {{"status", why.status}, {"code", why.code}, {"message", why.message}, {"hint", why.hint}};
  }
  return json::serialize(out);
}

}  // namespace meshai::route
