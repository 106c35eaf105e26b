#include "route/rank.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "route/dice.hpp"
#include "route/held.hpp"
#include "route/refuse.hpp"

namespace meshai::route {
namespace {

constexpr std::size_t models_per_node = 3;  // that "auto" looks at
// Of a score: what a tier farther down the order costs, and a model farther down a node's list. All of a node's
// models come before the next tier.
constexpr double tier_step = 0.25, model_step = 0.05;

// The tiers by preference: simple stays near, hard goes up, and each falls to the others.
using tier_order = std::array<meshai::tier, 4>;
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

bool chats(const node& in, const model& m) {
  return !m.embeddings && !is_special_purpose(m.name) &&
         (!in.embeddings ||
          std::ranges::any_of(in.models, [](const model& each) { return is_embedding_name(each.name); }));
}

class ranker {
 public:
  ranker(const chat::request& asked, const policy& caller, const health& known, const limits& bounds, instant now,
         std::uint64_t seed, ranking& into)
      : asked_(asked),
        caller_(caller),
        known_(known),
        bounds_(bounds),
        now_(now),
        dice_(seed),
        into_(into),
        vectors_(asked.endpoint == chat::endpoint::embeddings) {}

  void run() {
    if (!by_name()) {
      into_.refused = refuse_unknown(*into_.of, caller_of_bound(), asked_);
      return;
    }
    if (!stays_ && !vectors_) by_auto();
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
      return true;
    }
    if (by_node_and_model(name) || by_bare_name(name)) return true;
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
    // The same model is the same answer: the nearest first.
    std::ranges::stable_sort(found, {}, &candidate::where);
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
    into_.judged = judge(asked_);
    const auto& order = orders[static_cast<std::size_t>(into_.judged.how)];
    std::vector<candidate> all;
    auto choices = chat_models();
    for (std::size_t ordinal = 0; ordinal < models_per_node; ++ordinal) {
      auto& equals = choices[ordinal];
      shuffle_by_weight(equals);
      for (auto& each : equals) {
        const auto place = static_cast<std::size_t>(std::ranges::find(order, each.where) - order.begin());
        each.ordinal = ordinal;
        each.score = 1 - tier_step * static_cast<double>(place) - model_step * static_cast<double>(ordinal);
        each.tight = each.context && into_.tokens + asked_.max_tokens.value_or(0) > *each.context;
        all.push_back(std::move(each));
      }
    }
    // Where the prompt will hardly fit is asked last, not never: the length is an estimate.
    std::ranges::stable_sort(all, {}, [](const candidate& c) { return std::pair(c.tight, -c.score); });
    std::ranges::move(all, std::back_inserter(options_));
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
      if (vectors_ ? !makes_vectors(node, m.name, &m) : is_special_purpose(m.name) && node.models.size() > 1)
        continue;
      if (auto made = consider(at.node, m.name, by)) options_.push_back(std::move(*made));
      return;
    }
    exclude(at.node, {}, vectors_ ? exclusion::no_embeddings : exclusion::off);
  }

  void exclude(std::size_t node, std::string_view model, exclusion why) {
    const auto same = [&](const passed_over& p) { return p.node == node && p.model == model; };
    if (std::ranges::none_of(into_.excluded, same)) into_.excluded.push_back({node, std::string(model), why});
  }

  std::optional<candidate> consider(std::size_t index, std::string_view name, cause by) {
    const auto& node = into_.of->nodes()[index];
    const auto* m = find_model(node, name);
    const auto where = node.tier_of(m);
    if (const auto why = barrier(node, name, m, where, by)) {
      exclude(index, name, *why);
      return std::nullopt;
    }
    return candidate{.node = index,
                     .model = std::string(name),
                     .listed = m != nullptr,
                     .where = where,
                     .node_id = make_target_id(node.name),
                     .model_id = make_target_id(node.name, name),
                     .by = by,
                     .context = m != nullptr && m->context ? m->context : node.context};
  }

  std::optional<exclusion> barrier(const node& node, std::string_view name, const model* m, meshai::tier where,
                                   cause by) const {
    if (!node.off.empty()) return exclusion::off;
    if (!allows(into_.bound, where)) return exclusion::reach;
    if (!allowed(node, name, by)) return exclusion::not_allowed;
    if (caller_.only_priced && !node.price_of(name)) return exclusion::no_price;
    if (vectors_) return makes_vectors(node, name, m) ? std::nullopt : std::optional(exclusion::no_embeddings);
    if (asked_.has_images && !node.images) return exclusion::no_images;
    if (!asked_.tools.empty() && !node.tools) return exclusion::no_tools;
    return std::nullopt;
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
    for (auto& each : options_) {
      auto& to = each;
      const auto same = [&](const candidate& c) { return c.model_id == to.model_id; };
      if (std::ranges::any_of(into_.candidates, same)) continue;
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
        exclude(to.node, to.model, seen.resting ? exclusion::resting : exclusion::open);
        continue;
      }
      to.patience = known_.patience(to.model_id, to.where, into_.tokens, bounds_.first_token_timeout);
      to.longest_first_token = known_.first_token_p999(to.model_id, into_.tokens);
      to.longest_gap = known_.gap_p999(to.model_id);
      into_.candidates.push_back(std::move(to));
    }
  }

  const chat::request& asked_;
  const policy& caller_;
  const health& known_;
  const limits& bounds_;
  instant now_;
  dice dice_;
  ranking& into_;
  bool vectors_;
  bool stays_ = false;  // "node/model"
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
  const auto found = look_through(asked);
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
  constexpr std::array<std::string_view, 11> names{"off",           "reach",       "not_allowed", "open",
                                                   "resting",       "no_images",   "no_tools",    "no_embeddings",
                                                   "another_model", "no_fallback", "no_price"};
  return names[static_cast<std::size_t>(why)];
}

std::string_view to_string(cause by) {
  constexpr std::array<std::string_view, 3> names{"name", "route", "auto"};
  return names[static_cast<std::size_t>(by)];
}

ranking rank(const chat::request& asked, const policy& caller, std::shared_ptr<const directory> of,
             const health& known, const limits& bounds, instant now, std::uint64_t seed) {
  ranking made;
  made.of = std::move(of);
  made.tokens = estimate_tokens(asked);
  bound(made, asked, caller);
  ranker(asked, caller, known, bounds, now, seed, made).run();
  return made;
}

}  // namespace meshai::route
