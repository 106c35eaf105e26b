#include "route/rank.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "route/dice.hpp"
#include "route/held.hpp"
#include "route/language.hpp"
#include "route/refuse.hpp"

namespace meshai::route {
namespace {

constexpr std::size_t models_per_node = 3;  // that "auto" looks at
// Of a score: what a tier farther down the order costs, and a model farther down a node's list. All of a node's
// models come before the next tier.
constexpr double tier_step = 0.25, model_step = 0.05;
// Points by which a conversation has to need more than when its partner was chosen.
constexpr int clear_growth = 2;
constexpr std::int64_t shortest_context = 512;  // no engine takes less: shorter prompts need no look at it
constexpr std::int64_t shortest_answer = 16;    // tokens that an answer needs at least
constexpr std::int64_t usual_answer = 400;      // tokens, to reckon what an answer costs
// A first token's wait, in milliseconds by tier, where neither the node nor its operator has told anything.
constexpr std::array<double, 4> usual_wait{400, 500, 800, 1000};

// The tiers by preference: simple stays near, hard goes up, and each falls to the others.
using tier_order = std::array<meshai::tier, 4>;
constexpr tier_order nearest_first{tier::local, tier::neighbour, tier::regional, tier::cloud};
constexpr std::array<tier_order, 3> orders{{
    {tier::local, tier::neighbour, tier::regional, tier::cloud},
    {tier::neighbour, tier::regional, tier::cloud, tier::local},
    {tier::cloud, tier::regional, tier::neighbour, tier::local},
}};

bool listed(std::span<const std::string> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

const model* find_model(const node& in, std::string_view name) {
  const auto found = std::ranges::find(in.models, name, &model::name);
  return found == in.models.end() ? nullptr : &*found;
}

bool makes_vectors(const node& in, std::string_view name, const model* known) {
  if (known != nullptr && known->embeddings) return true;
  if (!in.embeddings) return false;
  // A node that serves both kinds names the ones for vectors so; one that does not serves only vectors.
  return is_embedding_name(name) ||
         std::ranges::none_of(in.models, [](const model& m) { return is_embedding_name(m.name); });
}

bool wants_json(const chat::request& of) {
  return of.response_format.kind == chat::format_kind::json_object ||
         of.response_format.kind == chat::format_kind::json_schema;
}

double in_steps(double score) {
  return std::round(score * 20) / 20;
}

bool chats(const node& in, const model& m) {
  return !m.embeddings && !m.special_purpose &&
         (!in.embeddings ||
          std::ranges::any_of(in.models, [](const model& each) { return is_embedding_name(each.name); }));
}

class ranker {
 public:
  ranker(const chat::request& asked, const policy& caller, const health& known, const limits& bounds, instant now,
         std::uint64_t seed, const hints& more, ranking& into)
      : asked_(asked),
        caller_(caller),
        known_(known),
        bounds_(bounds),
        now_(now),
        dice_(seed),
        more_(more),
        into_(into),
        vectors_(asked.endpoint == chat::endpoint::embeddings) {}

  void run() {
    if (!by_name()) {
      into_.refused = refuse_unknown(*into_.of, caller_of_bound(), asked_);
      return;
    }
    // Where the caller wants who it named or nobody, another model is no answer, whatever keeps that one out.
    const bool alone = named_ && !asked_.mesh.fallback.value_or(true);
    if (!stays_ && !vectors_ && !alone) by_auto();
    if (more_.with) keep_partner(*more_.with);
    keep_available();
    if (into_.candidates.empty()) into_.refused = refuse_empty(into_, known_, asked_, caller_, now_);
  }

 private:
  policy caller_of_bound() const { return {.api = into_.bound, .key = into_.bound, .allowed = caller_.allowed}; }

  // ---- what the name leads to

  // False: nobody knows the name.
  bool by_name() {
    const std::string_view name = asked_.model;
    if (name.empty() || name == "auto") return vectors_ ? the_only_vectors() : true;
    if (const auto* stops = into_.of->route_of(name)) {
      for (const auto& stop : *stops) add_stop(stop, cause::stop);
      return named_ = true;
    }
    if (by_node_and_model(name) || by_bare_name(name)) return named_ = true;
    return into_.of->unknown_model_auto() && !vectors_;
  }

  bool by_node_and_model(std::string_view name) {
    const auto slash = name.find('/');
    if (slash == std::string_view::npos) return false;
    const auto* node = into_.of->find(name.substr(0, slash));
    const auto model = name.substr(slash + 1);
    if (node == nullptr || model.empty()) return false;
    if (!node->any_model && find_model(*node, model) == nullptr) return false;
    stays_ = true;
    add_stop({.node = index_of(*node), .model = std::string(model)}, cause::name);
    return true;
  }

  bool by_bare_name(std::string_view name) {
    std::vector<candidate> found;
    bool known = false;
    for (const auto& node : into_.of->nodes()) {
      if (find_model(node, name) == nullptr) continue;
      known = true;
      if (auto made = consider(index_of(node), name, cause::name)) found.push_back(std::move(*made));
    }
    if (!known) return false;
    shuffle_by_weight(found);
    for (auto& each : found) appraise(each, nearest_first);
    // The same model is the same answer: the nearest first, but where speed or the price matters more.
    std::ranges::stable_sort(found, {}, [this](const candidate& c) {
      return std::tuple(measures() ? -c.score : 0, c.energy, c.where);
    });
    std::ranges::move(found, std::back_inserter(options_));
    return true;
  }

  // "auto" for embeddings can only mean the one model there is: vectors of two models do not mix.
  bool the_only_vectors() {
    std::string_view only;
    for (const auto& node : into_.of->nodes()) {
      for (const auto& m : node.models) {
        if (!makes_vectors(node, m.name, &m)) continue;
        if (!only.empty() && only != m.name) return false;
        only = m.name;
      }
    }
    return !only.empty() && by_bare_name(only);
  }

  void by_auto() {
    into_.by_auto = true;
    into_.judged = judge(asked_, extent::decision);
    const auto& order = order_of(into_.judged.how);
    std::vector<candidate> all;
    auto choices = chat_models();
    for (std::size_t ordinal = 0; ordinal < models_per_node; ++ordinal) {
      auto& equals = choices[ordinal];
      shuffle_by_weight(equals);
      for (auto& each : equals) {
        each.ordinal = ordinal;
        each.tight = each.context && wanted_of(into_.of->nodes()[each.node]) > *each.context;
        appraise(each, order);
        all.push_back(std::move(each));
      }
    }
    // Where the prompt will hardly fit is asked last, not never: the length may be an estimate, and answers are
    // rarely as long as they may be.
    std::ranges::stable_sort(all, {}, [&](const candidate& c) {
      return std::tuple(c.tight, -c.score, c.energy, place_in(order, c.where), c.ordinal);
    });
    std::ranges::move(all, std::back_inserter(options_));
  }

  const tier_order& order_of(complexity how) const {
    if (asked_.mesh.prefer == chat::preference::privacy) return nearest_first;
    if (asked_.mesh.prefer == chat::preference::quality) how = complexity::hard;
    return orders[static_cast<std::size_t>(how)];
  }

  static std::size_t place_in(const tier_order& order, meshai::tier where) {
    return static_cast<std::size_t>(std::ranges::find(order, where) - order.begin());
  }

  // Speed and price are figures of each node; the other wishes go by its tier.
  bool measures() const {
    return asked_.mesh.prefer == chat::preference::speed || asked_.mesh.prefer == chat::preference::price;
  }

  void appraise(candidate& one, const tier_order& order) {
    const auto& node = into_.of->nodes()[one.node];
    if (asked_.mesh.prefer == chat::preference::speed) {
      one.wait = expected_wait(one, node);
      one.score = in_steps(1 / (1 + static_cast<double>(one.wait->count()) / 1000));
    } else if (asked_.mesh.prefer == chat::preference::price) {
      one.cost = expected_cost(one, node);
      one.score = one.cost ? 1 / (1 + *one.cost) : 0;
      one.energy = node.energy.value_or(0);
    } else {
      one.score = 1 - tier_step * static_cast<double>(place_in(order, one.where)) -
                  model_step * static_cast<double>(one.ordinal);
      if (asked_.mesh.prefer != chat::preference::privacy) learn(one);
    }
  }

  // Bounded, so that a good tier is never lost for good; and each class of questions learns for itself.
  void learn(candidate& one) {
    if (more_.learned == nullptr || one.by != cause::by_auto) return;
    one.deduction = more_.learned->look(one.model_id, into_.judged.how, now_).deduction();
    one.score -= one.deduction;
  }

  std::chrono::milliseconds expected_wait(const candidate& one, const node& node) const {
    if (const auto seen = known_.usual_first_token(one.model_id, into_.tokens)) return *seen;
    if (node.latency) return *node.latency;
    return std::chrono::milliseconds(static_cast<int>(usual_wait[static_cast<std::size_t>(one.where)]));
  }

  // Of this question and a usual answer to it, in the operator's currency; nothing where nobody knows.
  std::optional<double> expected_cost(const candidate& one, const node& node) const {
    const auto price = node.price_of(one.model);
    if (!price) return std::nullopt;
    const auto answer = std::min(asked_.max_tokens.value_or(usual_answer), usual_answer);
    return (price->input * static_cast<double>(into_.tokens) + price->output * static_cast<double>(answer)) / 1e6;
  }

  // Each node's first, second and third model for chats, where it may be asked.
  std::array<std::vector<candidate>, models_per_node> chat_models() {
    std::array<std::vector<candidate>, models_per_node> found;
    for (const auto& node : into_.of->nodes()) {
      std::size_t ordinal = 0;
      for (const auto& m : node.models) {
        if (!chats(node, m)) continue;
        if (auto made = consider(index_of(node), m.name, cause::by_auto))
          found[ordinal].push_back(std::move(*made));
        if (++ordinal == models_per_node) break;
      }
    }
    return found;
  }

  // A conversation stays with whom it is: another model would contradict what was said, and have to read it all
  // anew. A configured route is its operator's order, and a wish that has changed is the caller's.
  void keep_partner(const partner& with) {
    const auto at = std::ranges::find(options_, with.model, &candidate::model_id);
    if (at == options_.end() || at->by == cause::stop || with.prefer != asked_.mesh.prefer) return;
    if (!known_.look(at->node_id, at->model_id, now_).available()) return;
    if (at->tight && !options_.front().tight) return;
    const bool grown =
        into_.by_auto && into_.judged.how > with.how && into_.judged.score >= with.need + clear_growth;
    if (grown && !more_.in_loop && options_.front().score > at->score) {
      into_.bond = bond::outgrown;
      return;
    }
    into_.bond = more_.in_loop ? bond::in_loop : bond::stays;
    std::rotate(options_.begin(), at, at + 1);
  }

  // ---- may it be asked?

  std::size_t index_of(const node& which) const {
    return static_cast<std::size_t>(&which - into_.of->nodes().data());
  }

  void add_stop(const stop& at, cause by) {
    const auto& node = into_.of->nodes()[at.node];
    if (!at.model.empty()) {
      if (auto made = consider(at.node, at.model, by)) options_.push_back(std::move(*made));
      return;
    }
    for (const auto& m : node.models) {
      if (vectors_ ? !makes_vectors(node, m.name, &m) : m.special_purpose && node.models.size() > 1) continue;
      if (auto made = consider(at.node, m.name, by)) options_.push_back(std::move(*made));
      return;
    }
    exclude(at.node, {}, vectors_ ? exclusion::no_embeddings : exclusion::off);
  }

  void exclude(std::size_t node, std::string_view model, exclusion why, std::int64_t takes = 0) {
    const auto same = [&](const passed_over& p) { return p.node == node && p.model == model; };
    if (std::ranges::none_of(into_.excluded, same))
      into_.excluded.push_back({node, std::string(model), why, takes});
  }

  std::optional<candidate> consider(std::size_t index, std::string_view name, cause by) {
    const auto& node = into_.of->nodes()[index];
    const auto* m = find_model(node, name);
    const auto where = node.tier_of(m);
    if (const auto why = barrier(node, name, m, where, by)) {
      const bool too_short = *why == exclusion::no_context;
      exclude(index, name, *why, too_short ? context_of(node, m).value_or(0) : 0);
      return std::nullopt;
    }
    return candidate{.node = index,
                     .model = std::string(name),
                     .listed = m != nullptr,
                     .where = where,
                     .node_id = make_target_id(node.name),
                     .model_id = make_target_id(node.name, name),
                     .by = by,
                     .context = context_of(node, m)};
  }

  std::optional<exclusion> barrier(const node& node, std::string_view name, const model* m, meshai::tier where,
                                   cause by) {
    if (!node.off.empty()) return exclusion::off;
    if (!allows(into_.bound, where)) return exclusion::reach;
    if (!allowed(node, name, by)) return exclusion::not_allowed;
    if (caller_.only_priced && !node.price_of(name)) return exclusion::no_price;
    if (vectors_) return makes_vectors(node, name, m) ? std::nullopt : std::optional(exclusion::no_embeddings);
    if (asked_.has_images && !node.images) return exclusion::no_images;
    if (!asked_.tools.empty() && !node.tools) return exclusion::no_tools;
    if (wants_json(asked_) && !node.json) return exclusion::no_json;
    if (!speaks(node)) return exclusion::no_language;
    if (const auto takes = context_of(node, m); takes && too_long(node, *takes)) return exclusion::no_context;
    return std::nullopt;
  }

  bool speaks(const node& node) {
    if (node.languages.empty()) return true;
    if (!language_looked_at_) into_.language = language_of(asked_);
    language_looked_at_ = true;
    return into_.language.empty() || listed(node.languages, into_.language);
  }

  std::optional<std::int64_t> context_of(const node& node, const model* m) const {
    if (m != nullptr && m->context) return m->context;
    if (node.context || !node.running_context || into_.size.at_most < shortest_context) return node.context;
    const auto now = node.running_context();
    return now > 0 ? std::optional(now) : std::nullopt;
  }

  // Without a count only what is too long at eight bytes a token is known to be.
  bool too_long(const node& node, std::int64_t takes) const {
    const auto* counted = find_count(into_.counted, node.name);
    return (counted ? counted->tokens : into_.size.at_least) + shortest_answer > takes;
  }

  // The prompt and the longest answer: how long it is, as far as is known.
  std::int64_t wanted_of(const node& node) const {
    const auto* counted = find_count(into_.counted, node.name);
    return (counted ? counted->tokens : into_.tokens) + asked_.max_tokens.value_or(0);
  }

  bool allowed(const node& node, std::string_view name, cause by) const {
    if (caller_.allowed.empty()) return true;
    if (listed(caller_.allowed, by == cause::by_auto ? "auto" : std::string_view(asked_.model))) return true;
    return listed(caller_.allowed, name) || listed(caller_.allowed, node.name + "/" + std::string(name));
  }

  // ---- order and health

  // A random order in which a place with twice the weight comes first twice as often; one that fails much counts
  // less.
  void shuffle_by_weight(std::vector<candidate>& equals) {
    if (equals.size() < 2) return;
    std::vector<std::pair<double, candidate>> drawn;
    for (auto& each : equals) {
      const auto seen = known_.look(each.node_id, each.model_id, now_);
      const double weight = std::max(1, into_.of->nodes()[each.node].weight) * std::max(0.05, 1 - seen.error_rate);
      drawn.emplace_back(-std::log(dice_.unit()) / weight, std::move(each));
    }
    std::ranges::stable_sort(drawn, {}, &std::pair<double, candidate>::first);
    for (std::size_t i = 0; i < equals.size(); ++i) equals[i] = std::move(drawn[i].second);
  }

  void keep_available() {
    const bool fallback = asked_.mesh.fallback.value_or(true);
    const auto first_model = options_.empty() ? std::string() : options_.front().model;
    bool first = true;
    std::vector<candidate> coming;  // whoever answers now is quicker than waiting for them
    for (auto& to : options_) {
      const auto same = [&](const candidate& c) { return c.model_id == to.model_id; };
      if (std::ranges::any_of(into_.candidates, same) || std::ranges::any_of(coming, same)) continue;
      if (!std::exchange(first, false)) {
        if (!fallback) {
          exclude(to.node, to.model, exclusion::no_fallback);
          continue;
        }
        if (vectors_ && to.model != first_model) {
          exclude(to.node, to.model, exclusion::another_model);
          continue;
        }
      }
      const auto seen = known_.look(to.node_id, to.model_id, now_);
      if (!seen.available()) {
        exclude(to.node, to.model, why_not(seen));
        continue;
      }
      to.patience = known_.patience(to.model_id, to.where, into_.tokens, bounds_.first_token_timeout);
      to.longest_first_token = known_.first_token_p999(to.model_id, into_.tokens);
      to.longest_gap = known_.gap_p999(to.model_id);
      (seen.presence == presence::coming ? coming : into_.candidates).push_back(std::move(to));
    }
    std::ranges::move(coming, std::back_inserter(into_.candidates));
  }

  static exclusion why_not(const standing& seen) {
    if (seen.presence == presence::gone) return exclusion::gone;
    return seen.resting ? exclusion::resting : exclusion::open;
  }

  const chat::request& asked_;
  const policy& caller_;
  const health& known_;
  const limits& bounds_;
  instant now_;
  dice dice_;
  const hints& more_;
  ranking& into_;
  bool vectors_;
  bool stays_ = false;  // "node/model"
  bool named_ = false;  // so, by a model's name, or by that of a route
  bool language_looked_at_ = false;
  std::vector<candidate> options_;
};

// The strictest holds; of equals the one that is hardest to change is named. Before anybody is chosen, so that
// nothing that leaves the device can be earlier: the first attempt, a hedge and whoever goes on are all
// candidates.
void bound(ranking& made, const chat::request& asked, const policy& caller) {
  made.bound = caller.api;
  made.bound_by = "[api] reach";
  const auto narrow = [&](meshai::reach to, std::string_view by) {
    if (to >= made.bound) return;
    made.bound = to;
    made.bound_by = by;
  };
  narrow(caller.key, "the key's reach");
  if (asked.mesh.reach) narrow(*asked.mesh.reach, "mesh.reach");
  if (caller.care.empty()) return;
  const auto found = look_through(asked, care::classes_of(caller.care));
  for (const auto& rule : caller.care) {
    for (const auto what : rule.classes) {
      if (!found.has(what)) continue;
      if (!std::ranges::contains(made.held, what)) made.held.push_back(what);
      narrow(rule.within, fmt::format("[[care]] class = \"{}\"", to_string(what)));
    }
  }
}

}  // namespace

std::string_view to_string(exclusion why) {
  constexpr std::array<std::string_view, 15> names{"off",           "reach",       "not_allowed", "open",
                                                   "gone",          "resting",     "no_images",   "no_tools",
                                                   "no_json",       "no_language", "no_context",  "no_embeddings",
                                                   "another_model", "no_fallback", "no_price"};
  return names[static_cast<std::size_t>(why)];
}

std::string_view to_string(bond how) {
  constexpr std::array<std::string_view, 4> names{"none", "stays", "in_loop", "outgrown"};
  return names[static_cast<std::size_t>(how)];
}

std::string_view to_string(cause by) {
  constexpr std::array<std::string_view, 3> names{"name", "route", "auto"};
  return names[static_cast<std::size_t>(by)];
}

ranking rank(const chat::request& asked, const policy& caller, std::shared_ptr<const directory> of,
             const health& known, const limits& bounds, instant now, std::uint64_t seed, const hints& more) {
  ranking made;
  made.of = std::move(of);
  made.size = measure(asked);
  made.counted = more.counted;
  made.tokens = made.counted.empty() ? made.size.likely : made.counted.front().tokens;
  made.prefer = asked.mesh.prefer;
  bound(made, asked, caller);
  ranker(asked, caller, known, bounds, now, seed, more, made).run();
  return made;
}

}  // namespace meshai::route
