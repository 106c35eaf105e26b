#include "route/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>

namespace meshai::route {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

std::string_view where_first(const ranking& made) {
  if (made.prefer) {
    constexpr std::array<std::string_view, 4> wishes{"the quickest first", "the strongest first",
                                                     "the cheapest first", "the nearest first"};
    return wishes[static_cast<std::size_t>(*made.prefer)];
  }
  switch (made.judged.how) {
    case complexity::simple:
      return "simple questions stay near";
    case complexity::medium:
      return "medium questions go to a neighbour or a regional node first";
    case complexity::hard:
      return "hard questions go to the cloud first";
  }
  return {};
}

// Once more, and whole: the ranking has looked only at what it needed.
json::object describe(const judgement& judged) {
  const auto& seen = judged.seen;
  return {{"class", to_string(judged.how)},
          {"score", std::round(1000 * judged.value) / 1000},
          {"features",
           {{"points", judged.score},
            {"gain", std::round(1000 * judged.gain) / 1000},
            {"words", seen.words},
            {"turns", seen.turns},
            {"bytes", seen.text_size},
            {"hard_words", seen.hard_words},
            {"easy_words", seen.easy_words},
            {"code", seen.code},
            {"arithmetic", seen.arithmetic},
            {"options", seen.options},
            {"tools", seen.tools},
            {"images", seen.images},
            {"schema", seen.schema},
            {"reasoning", seen.reasoning},
            {"long_answer", seen.long_answer}}}};
}

class teller {
 public:
  teller(const ranking& made, const health& known, instant now)
      : made_(made), known_(known), now_(now), preferred_(where_first(made)) {}

  json::object candidate(const route::candidate& one) const {
    json::array why;
    const auto say = [&](std::string_view what) { why.push_back(json::value(what)); };
    if (one.by == cause::name) say("it was asked for by name");
    if (one.by == cause::stop) say("it stands in the route of that name");
    if (one.by == cause::by_auto) say(preferred_);
    if (one.deduction > 0) say(fmt::format("{:.2f} less for what came of such questions", one.deduction));
    if (one.wait) say(fmt::format("its first token is expected after {} ms", one.wait->count()));
    if (made_.prefer == chat::preference::price) {
      say(one.cost ? fmt::format("costs about {:.2g}", *one.cost) : "nobody knows what it costs");
    }
    if (one.energy > 0) say(fmt::format("draws {:.2g} joules a token", one.energy));
    if (&one == made_.candidates.data() && made_.bond == bond::stays) say("the conversation is with it");
    if (&one == made_.candidates.data() && made_.bond == bond::in_loop)
      say("it called a tool and waits for the result");
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
      case exclusion::gone:
        return "its engine does not run";
      case exclusion::no_images:
        return "it takes no images";
      case exclusion::no_tools:
        return "it takes no tools";
      case exclusion::no_json:
        return "it does not keep to JSON";
      case exclusion::no_language:
        return fmt::format("it does not speak the question's language ({})", made_.language);
      case exclusion::no_context:
        return too_long(one, node);
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

  std::string too_long(const passed_over& one, const node& node) const {
    if (const auto* counted = find_count(made_.counted, node.name)) {
      return fmt::format("the prompt has {} tokens (counted), and it takes {}", counted->tokens, one.takes);
    }
    return fmt::format("the prompt has at least {} tokens (by its length), and it takes {}", made_.size.at_least,
                       one.takes);
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
  std::string_view preferred_;
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
                   {"tokens_by", made.counted.empty() ? "length" : "count"},
                   {"candidates", std::move(candidates)},
                   {"excluded", std::move(excluded)}};
  if (!made.held.empty()) {
    auto& held = out["care"].emplace_array();
    for (const auto what : made.held) held.push_back(json::value(to_string(what)));
  }
  if (made.bond != bond::none) out["conversation"] = to_string(made.bond);
  if (made.prefer) out["prefer"] = to_string(*made.prefer);
  if (!made.language.empty()) out["language"] = made.language;
  if (made.by_auto) out["complexity"] = describe(judge(asked));
  if (made.refused) {
    const auto& why = made.refused->why;
    out["refused"] = {{"status", why.status}, {"code", why.code}, {"message", why.message}, {"hint", why.hint}};
  }
  return json::serialize(out);
}

}  // namespace meshai::route
