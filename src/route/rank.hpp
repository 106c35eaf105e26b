// route: who is asked, in which order, and why not the others.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "chat/chat.hpp"
#include "env/clock.hpp"
#include "route/complexity.hpp"
#include "route/conversations.hpp"
#include "route/directory.hpp"
#include "route/experience.hpp"
#include "route/health.hpp"
#include "route/limits.hpp"
#include "route/prompt_size.hpp"

namespace meshai::route {

// What brought a candidate into the list.
enum class cause {
  name,     // the caller named this model
  stop,     // a stop of the configured name's route
  by_auto,  // complexity, as for "auto"
};
std::string_view to_string(cause by);

struct candidate {
  std::size_t node = 0;  // in directory::nodes()
  std::string model;     // the node's name for it
  bool listed = true;    // false: only the caller knows the name (models = ["*"])
  meshai::tier where = meshai::tier::cloud;
  target_id node_id, model_id;
  cause by = cause::by_auto;
  double score = 0;         // by auto: how well it fits this question, at most 1; equals are drawn by weight
  double deduction = 0;     // of the score: what came of asking it
  std::size_t ordinal = 0;  // by auto: which of its node's models, the preferred one 0
  bool tight = false;       // by auto: the prompt and the longest answer hardly fit
  // Where speed or the price decides: the wait for the first token, what the answer may cost (nothing: unknown),
  // and joules a token, which settle equal prices.
  std::optional<std::chrono::milliseconds> wait;
  std::optional<double> cost;
  double energy = 0;
  std::optional<std::int64_t> context;   // tokens, where known
  std::chrono::milliseconds patience{};  // for the first token
  // What this model's silences pass once in a thousand, for the first token of such a prompt and between two
  // steps; nothing before enough of them have been seen.
  std::optional<std::chrono::milliseconds> longest_first_token, longest_gap;
};

enum class exclusion {
  off,          // see node::off
  reach,        // farther than this query may travel
  not_allowed,  // the caller's key does not list it
  open,         // its breaker is open
  gone,         // its engine does not run
  resting,      // after a 429
  no_images,
  no_tools,
  no_json,
  no_language,  // it does not speak the question's
  no_context,   // the prompt is longer than it takes
  no_embeddings,
  another_model,  // embeddings never change the model
  no_fallback,    // the caller wants the first candidate or nobody
  no_price,       // the key has a budget in money, and what this costs is not known
};
std::string_view to_string(exclusion why);

// What came of the conversation's partner.
enum class bond {
  none,      // it has none yet, or that one cannot answer now
  stays,     // it is asked first
  in_loop,   // the same, and whatever the need, since a tool is being called
  outgrown,  // the need has grown, and somebody else fits better
};
std::string_view to_string(bond how);

// A place that might have answered and is not asked.
struct passed_over {
  std::size_t node = 0;
  std::string model;
  exclusion why = exclusion::off;
  std::int64_t takes = 0;  // tokens, where its context is too short
};

struct refusal {
  chat::problem why;
  std::optional<std::chrono::milliseconds> retry_after;
};

struct ranking {
  std::shared_ptr<const directory> of;
  std::vector<candidate> candidates;  // in the order in which they are tried; never one beyond `bound`
  std::vector<passed_over> excluded;
  judgement judged;
  std::optional<chat::preference> prefer;  // the caller's
  bool by_auto = false;                    // complexity had a say
  std::int64_t tokens = 0;                 // that the prompt is likely to have
  route::bond bond = bond::none;
  prompt_size size;
  std::vector<counted_prompt> counted;
  std::string_view language;  // of the question, where that had a say and was plain
  meshai::reach bound = meshai::reach::cloud;
  std::string bound_by;  // who set it: "[api] reach", "the key's reach", "mesh.reach", "[[care]] class = \"...\""
  std::vector<care::content> held;  // what the conversation holds of that which [[care]] is about
  std::optional<refusal> refused;   // why there is no candidate
  const route::node& node_of(const candidate& c) const { return of->nodes()[c.node]; }
};

// What is known beyond the request itself.
struct hints {
  std::optional<partner> with;          // whom this conversation is with
  const experience* learned = nullptr;  // what came of asking whom; null: nothing
  bool in_loop = false;                 // a tool's result is on its way to the model that asked for it
  std::vector<counted_prompt> counted;  // by engines, where the prompt's length may matter
};

// `seed` breaks ties among equals by weight.
ranking rank(const chat::request& asked, const policy& caller, std::shared_ptr<const directory> of,
             const health& known, const limits& bounds, instant now, std::uint64_t seed, const hints& more = {});

}  // namespace meshai::route
