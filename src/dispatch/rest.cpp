#include "dispatch/rest.hpp"

#include <algorithm>

namespace meshai::dispatch {
namespace {

using route::continuation;

bool wants_json(const chat::request& asked) {
  return asked.response_format.kind == chat::format_kind::json_object ||
         asked.response_format.kind == chat::format_kind::json_schema;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == text.npos;
}

}  // namespace

void delivered::add(const chat::delta& step) {
  if (step.choice != 0) return;
  tokens += step.is_token();
  reasoning = reasoning || !step.thought.text.empty() || !step.thought.redacted.empty();
  refusal = refusal || !step.refusal.empty();
  size_ += step.text.size();
  if (!too_long()) text += step.text;
  for (const auto& piece : step.calls) {
    const auto at = static_cast<std::size_t>(std::max(piece.index, 0));
    if (calls.size() <= at) calls.resize(at + 1);
    size_ += piece.name.size() + piece.arguments.size();
    if (too_long()) return;
    calls[at].name += piece.name;
    calls[at].arguments += piece.arguments;
  }
}

bool can_go_on(const chat::request& asked) {
  return asked.n.value_or(1) == 1 && chat::can_continue(asked);
}

continuation way_on(const chat::request& asked, const delivered& so_far, const route::node& node,
                    const route::candidate& to, const route::health& known) {
  if (so_far.text.empty() || !so_far.calls.empty() || so_far.refusal) return continuation::restart;
  auto prefills = known.takes_prefill(to.model_id);
  if (!prefills) prefills = node.prefill;
  if (!prefills) {
    prefills = chat::takes_prefill({.dialect = node.dialect,
                                    .model = to.model,
                                    .stream = true,
                                    .urls = node.image_urls,
                                    .max_completion_tokens = node.max_completion_tokens});
  }
  if (prefills.value_or(false)) return continuation::prefill;
  return wants_json(asked) ? continuation::restart : continuation::asked;
}

std::optional<chat::request> ask_for_rest(const chat::request& asked, const delivered& so_far, continuation how) {
  switch (how) {
    case continuation::prefill:
      return chat::continue_by_prefill(asked, so_far.text, so_far.tokens);
    case continuation::asked:
      return chat::continue_by_asking(asked, so_far.text, so_far.tokens);
    case continuation::restart:
      break;
  }
  return std::nullopt;
}

rest::rest(const chat::request& asked, delivered so_far, continuation how)
    : how_(how), sent_(std::move(so_far)), seam_(sent_.text, how, wants_json(asked)), again_(sent_.calls.size()) {}

bool rest::fit(std::vector<chat::delta>& steps, std::size_t from) {
  return std::all_of(steps.begin() + static_cast<std::ptrdiff_t>(from), steps.end(),
                     [this](chat::delta& step) { return fit(step); });
}

bool rest::fit(chat::delta& step) {
  if (step.choice != 0) {
    step = {};
    return true;
  }
  // Another answer's own events tell of a beginning, and of parts that the caller has.
  step.native.clear();
  step.native_event.clear();
  if (!step.refusal.empty() && (!sent_.text.empty() || !sent_.calls.empty())) return false;
  fit_reasoning(step);
  if (step.usage) fit_usage(*step.usage);
  return fit_text(step) && fit_calls(step);
}

bool rest::fit_text(chat::delta& step) {
  std::string fresh;
  const auto size = step.text.size();
  if (!step.text.empty() && !seam_.feed(step.text, fresh)) return false;
  if (step.finish != chat::finish::none && !seam_.end(fresh, step.finish == chat::finish::length)) return false;
  if (fresh.size() != size) step.raw_logprobs.clear();  // of other tokens than these
  // What a model says around calls that it makes anew is no part of the answer that the caller has.
  if (!sent_.calls.empty() && !fresh.empty()) {
    if (!is_blank(fresh)) return false;
    fresh.clear();
  }
  step.text = std::move(fresh);
  return true;
}

bool rest::fit_calls(chat::delta& step) {
  for (auto& piece : step.calls) {
    const auto at = static_cast<std::size_t>(std::max(piece.index, 0));
    if (at >= sent_.calls.size()) continue;
    const auto& before = sent_.calls[at];
    auto& now = again_[at];
    now.name += piece.name;
    if (now.name != before.name) return false;
    const auto known = std::max(now.arguments.size(), before.arguments.size());
    now.arguments += piece.arguments;
    const auto common = std::min(now.arguments.size(), before.arguments.size());
    if (std::string_view(now.arguments).substr(0, common) !=
        std::string_view(before.arguments).substr(0, common)) {
      return false;
    }
    piece.id.clear();
    piece.name.clear();
    piece.arguments = now.arguments.substr(std::min(known, now.arguments.size()));
  }
  std::erase_if(step.calls, [](const chat::delta::call_step& piece) {
    return piece.id.empty() && piece.name.empty() && piece.arguments.empty() && piece.signature.empty();
  });
  if (step.finish == chat::finish::none) return true;
  return std::ranges::equal(again_, sent_.calls, [](const auto& now, const auto& before) {
    return now.arguments.size() >= before.arguments.size() && now.name == before.name;
  });
}

// Reasoning is begun again, not gone on with, and is over once the answer proper has begun.
void rest::fit_reasoning(chat::delta& step) {
  if (!sent_.text.empty() || !sent_.calls.empty()) {
    step.thought = {};
    return;
  }
  if (sent_.reasoning && !step.thought.text.empty() && !std::exchange(reasoning_begun_, true)) {
    step.thought.text.insert(0, "\n\n");
  }
}

// Of what was delivered: what was sent before counts as output, and not as input a second time.
void rest::fit_usage(chat::usage& used) const {
  if (how_ == continuation::restart) return;
  if (used.input > 0) used.input = std::max<std::int64_t>(used.input - sent_.tokens, 0);
  used.output += sent_.tokens;
}

}  // namespace meshai::dispatch
