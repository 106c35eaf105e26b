#include "route/refuse.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "route/near_names.hpp"

namespace meshai::route {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t names_told = 5;
constexpr milliseconds probe_soon{1'000};  // while somebody else's probe is out

bool has(const ranking& in, exclusion why) {
  return std::ranges::contains(in.excluded, why, &passed_over::why);
}

std::string name_of(const ranking& in, const passed_over& which) {
  const auto& node = in.of->nodes()[which.node];
  return which.model.empty() ? node.name : node.name + "/" + which.model;
}

std::string those(const ranking& in, exclusion why) {
  std::string out;
  for (const auto& each : in.excluded) {
    if (each.why != why) continue;
    if (!out.empty()) out += ", ";
    out += name_of(in, each);
  }
  return out;
}

// "asked for" in a sentence; a caller's name is told back cut to a sane length.
std::string in_quotes(std::string_view model) {
  if (model.empty()) return "\"auto\"";
  return fmt::format("\"{}\"{}", model.substr(0, 200), model.size() > 200 ? "..." : "");
}

bool is_down(exclusion why) {
  return why == exclusion::open || why == exclusion::resting || why == exclusion::gone;
}

std::string_view state_of(const standing& seen) {
  if (seen.presence == presence::gone) return "its engine does not run";
  return seen.last_fault ? to_string(*seen.last_fault) : "busy";
}

refusal down(const ranking& made, const health& known, instant now) {
  std::optional<milliseconds> soonest;
  std::string states;
  for (const auto& each : made.excluded) {
    if (!is_down(each.why)) continue;
    const auto& name = made.of->nodes()[each.node].name;
    const auto seen = known.look(make_target_id(name), make_target_id(name, each.model), now);
    const auto wait = seen.until > now ? std::chrono::ceil<milliseconds>(seen.until - now) : probe_soon;
    soonest = soonest ? std::min(*soonest, wait) : wait;
    states += fmt::format("{}{} ({})", states.empty() ? "" : ", ", name_of(made, each), state_of(seen));
  }
  refusal out{
      .why = {.status = 503,
              .type = "overloaded_error",
              .code = "all_nodes_down",
              .param = {},
              .message = fmt::format("no node can answer now: {}", states),
              .hint = "Try again as Retry-After says; `meshai status` shows what is wrong with each node."},
      .retry_after = soonest};
  if (has(made, exclusion::reach)) {
    out.why.hint += fmt::format(" The request's reach (\"{}\") leaves out {}.", to_string(made.bound),
                                those(made, exclusion::reach));
    if (!made.held.empty()) out.why.hint += fmt::format(" It comes from {}.", made.bound_by);
  }
  if (has(made, exclusion::no_fallback))
    out.why.hint += " mesh.fallback = false keeps it from trying other nodes.";
  return out;
}

chat::problem cannot(std::string what, std::string param, std::string hint) {
  return {.status = 400,
          .type = "invalid_request_error",
          .code = "unsupported_parameter",
          .param = std::move(param),
          .message = std::move(what),
          .hint = std::move(hint)};
}

refusal kept_near(const ranking& made) {
  return {
      {.status = 403,
       .type = "permission_error",
       .code = "care_excludes_all",
       .param = {},
       .message = fmt::format("the conversation holds what {} keeps within \"{}\", and whoever could answer is "
                              "farther: {}",
                              made.bound_by, to_string(made.bound), those(made, exclusion::reach)),
       .hint = "Take it out of the conversation (`meshai classify --care` shows what is found), add a node within "
               "that reach, or change the rule in the configuration."},
      {}};
}

// As counted, where somebody did.
std::string how_long(const ranking& made) {
  if (made.counted.empty()) return fmt::format("at least {} (by its length)", made.size.at_least);
  return fmt::format("{} (counted by {})", made.counted.front().tokens, made.counted.front().node);
}

chat::problem too_long(const ranking& made) {
  std::string takes;
  for (const auto& each : made.excluded) {
    if (each.why != exclusion::no_context) continue;
    takes += fmt::format("{}{} {}", takes.empty() ? "" : ", ", name_of(made, each), each.takes);
  }
  auto out =
      cannot(fmt::format("the conversation is too long: {} tokens, and these take: {}", how_long(made), takes),
             "messages", "Shorten it, widen the reach, or add a node with a longer context.");
  out.code = "context_length_exceeded";
  return out;
}

// Nobody within reach can do what the question needs.
std::optional<chat::problem> refuse_unable(const ranking& made) {
  if (has(made, exclusion::no_images)) {
    return cannot("no node within reach takes images", "messages",
                  "Leave the images out, or add a node whose model takes them.");
  }
  if (has(made, exclusion::no_tools)) {
    return cannot("no node within reach takes tools", "tools",
                  "Leave the tools out, or add a node that takes them.");
  }
  if (has(made, exclusion::no_json)) {
    return cannot("no node within reach keeps to JSON", "response_format",
                  "Ask for JSON in the prompt and leave response_format out, or add a node that has json = true.");
  }
  if (has(made, exclusion::no_context)) return too_long(made);
  if (has(made, exclusion::no_language)) {
    return cannot(fmt::format("no node within reach speaks the question's language ({})", made.language),
                  "messages",
                  fmt::format("Ask in another language, widen the reach, or add \"{}\" to the languages of a "
                              "[[node]] that speaks it.",
                              made.language));
  }
  return std::nullopt;
}

}  // namespace

refusal refuse_unknown(const directory& of, const policy& caller, const chat::request& asked) {
  std::vector<std::string> names;
  for (auto& each : list_models(of, caller)) names.push_back(std::move(each.name));
  const bool vectors = asked.endpoint == chat::endpoint::embeddings;
  chat::problem why{.status = 404,
                    .type = "not_found_error",
                    .code = "model_not_found",
                    .param = "model",
                    .message = {},
                    .hint = {}};
  if (asked.model.empty() || asked.model == "auto") {  // only embeddings come here with it
    why.message = "\"auto\" does not say whose vectors are wanted: there is no embedding model, or more than one";
  } else {
    why.message = fmt::format("no node knows the model {}", in_quotes(asked.model));
  }
  if (const auto near = near_names(asked.model, names, names_told); !near.empty()) {
    why.hint = fmt::format("Did you mean {}? ", fmt::join(near, ", "));
  }
  why.hint += vectors ? "Name an embedding model of a node that has embeddings = true."
                      : "GET /v1/models lists the names; \"auto\" takes whatever answers best.";
  return {.why = std::move(why), .retry_after = {}};
}

refusal refuse_empty(const ranking& made, const health& known, const chat::request& asked, const policy& caller,
                     instant now) {
  const auto one_down = [](const passed_over& each) { return is_down(each.why); };
  if (std::ranges::any_of(made.excluded, one_down)) return down(made, known, now);
  if (has(made, exclusion::no_embeddings)) {
    return {cannot(fmt::format("{} makes no embeddings", in_quotes(asked.model)), "model",
                   "Name an embedding model of a node that has embeddings = true."),
            {}};
  }
  if (auto unable = refuse_unable(made)) return {*std::move(unable), {}};
  if (has(made, exclusion::reach) && made.bound_by.starts_with("[[care]]")) return kept_near(made);
  if (has(made, exclusion::reach)) {
    return {
        {.status = 403,
         .type = "permission_error",
         .code = "reach_excludes_all",
         .param = "mesh.reach",
         .message = fmt::format("the query may travel as far as \"{}\", and whoever could answer is farther: {}",
                                to_string(made.bound), those(made, exclusion::reach)),
         .hint = "Widen mesh.reach, x-mesh-reach or the key's or API's reach, or add a nearer node."},
        {}};
  }
  if (has(made, exclusion::not_allowed)) {
    return {{.status = 403,
             .type = "permission_error",
             .code = "model_not_allowed",
             .param = "model",
             .message = fmt::format("this key may not use the model {}", in_quotes(asked.model)),
             .hint = fmt::format("It may use: {}.", fmt::join(caller.allowed, ", "))},
            {}};
  }
  if (has(made, exclusion::no_price)) {
    return {{.status = 403,
             .type = "permission_error",
             .code = "no_price",
             .param = "model",
             .message = fmt::format("this key has a budget in money, and nobody knows what these cost: {}",
                                    those(made, exclusion::no_price)),
             .hint = "Give their [[node]] a price, or the key a budget in tokens as well."},
            {}};
  }
  std::string reasons;
  for (const auto& each : made.excluded) {
    const auto& node = made.of->nodes()[each.node];
    const std::string_view reason = node.off.empty() ? "it lists no model" : std::string_view(node.off);
    const auto text = fmt::format("{}: {}", node.name, reason);
    if (!reasons.contains(text)) reasons += (reasons.empty() ? "" : "; ") + text;
  }
  if (reasons.empty()) reasons = "no node lists a model to chat with";
  return {{.status = 503,
           .type = "api_error",
           .code = "no_node",
           .param = {},
           .message = fmt::format("there is nobody to ask: {}", reasons),
           .hint = "`meshai doctor` shows what each node lacks; add a [[node]] or set its key."},
          {}};
}

}  // namespace meshai::route
