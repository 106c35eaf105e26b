#include "chat/collect.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "chat/json.hpp"
#include "chat/splice.hpp"

namespace meshai::chat {
namespace {

constexpr std::size_t most_extra = 32;  // members of an answer that are carried without being known

// Members that change what is written, and not what there is to tell of it.
constexpr std::array<std::string_view, 23> harmless{"metadata",
                                                    "store",
                                                    "service_tier",
                                                    "prompt_cache_key",
                                                    "prompt_cache_retention",
                                                    "safety_identifier",
                                                    "verbosity",
                                                    "prediction",
                                                    "logit_bias",
                                                    "min_p",
                                                    "top_a",
                                                    "typical_p",
                                                    "repetition_penalty",
                                                    "repeat_penalty",
                                                    "min_tokens",
                                                    "ignore_eos",
                                                    "chat_template_kwargs",
                                                    "enable_thinking",
                                                    "cache_prompt",
                                                    "cache_control",
                                                    "keep_alive",
                                                    "inference_geo",
                                                    "reasoning"};
constexpr std::array<std::string_view, 7> harmless_within{"metadata.",      "messages.", "tool_choice.",
                                                          "output_config.", "thinking.", "response_format.",
                                                          "stream_options."};

bool is_harmless(const raw_member& one) {
  const std::string_view name = one.name;
  return std::ranges::contains(harmless, name) ||
         std::ranges::any_of(harmless_within, [&](auto prefix) { return name.starts_with(prefix); });
}

bool wants_citations(const part& piece) {
  return std::ranges::contains(piece.extra, "citations", &raw_member::name) ||
         std::ranges::any_of(piece.content, wants_citations);
}

std::size_t size_of(const delta& step) {
  const auto& thought = step.thought;
  std::size_t size = step.text.size() + step.refusal.size() + thought.text.size() + thought.redacted.size();
  for (const auto& call : step.calls) size += call.arguments.size() + call.name.size();
  return size;
}

}  // namespace

bool can_collect(const request& of) {
  const bool chats = of.endpoint != endpoint::embeddings && of.endpoint != endpoint::count_tokens;
  if (!chats || of.n.value_or(1) > 1 || of.logprobs.value_or(false)) return false;
  if (of.endpoint == endpoint::completions && of.messages.front().parts.front().kind != part_kind::text)
    return false;
  return std::ranges::all_of(of.extra, is_harmless) &&
         std::ranges::none_of(of.tools, [](const tool& one) { return !one.raw.empty(); }) &&
         std::ranges::none_of(of.messages,
                              [](const message& one) { return std::ranges::any_of(one.parts, wants_citations); });
}

choice& collector::choice_of(int index) {
  const auto found = std::ranges::find(whole_.choices, index, &choice::index);
  if (found != whole_.choices.end()) return *found;
  auto& added = whole_.choices.emplace_back();
  added.index = index;
  return added;
}

bool collector::add(std::span<delta> steps) {
  for (auto& step : steps) {
    size_ += size_of(step);
    if (!step.native.empty() && alone_) add_native(step);
    if (size_ > limit_) return false;
    if (step.usage) whole_.usage = *step.usage;
    if (!step.is_token() && step.finish == finish::none && step.thought.signature.empty()) continue;
    auto& to = choice_of(step.choice);
    // A signature that stands with text and without a thought is the text's own, and follows it.
    const bool seals_text = !step.text.empty() && step.thought.text.empty();
    if (!seals_text) add_thought(step.thought, to);
    if (!step.text.empty()) {
      if (to.parts.empty() || to.parts.back().kind != part_kind::text) to.parts.emplace_back();
      to.parts.back().text += step.text;
    }
    if (seals_text) add_thought(step.thought, to);
    to.refusal += step.refusal;
    add_calls(step, to);
    if (step.finish != finish::none) to.finish = step.finish;
    if (!step.stop_sequence.empty()) to.stop_sequence = std::move(step.stop_sequence);
  }
  return true;
}

// What has been signed, and what is redacted, stands for itself.
void collector::add_thought(const reasoning& thought, choice& into) {
  if (thought.text.empty() && thought.signature.empty() && thought.redacted.empty()) return;
  auto& parts = into.parts;
  const auto* last = parts.empty() || parts.back().kind != part_kind::reasoning ? nullptr : &parts.back().thought;
  const bool joins = last && last->signature.empty() && last->redacted.empty() && thought.redacted.empty() &&
                     last->from == thought.from;
  if (!joins) parts.push_back({.kind = part_kind::reasoning, .thought = {.from = thought.from}});
  auto& to = parts.back().thought;
  to.text += thought.text;
  to.redacted += thought.redacted;
  if (!thought.signature.empty()) to.signature = thought.signature;
}

void collector::add_calls(delta& step, choice& into) {
  for (auto& call : step.calls) {
    const auto same = [&](const open_call& c) { return c.choice == step.choice && c.index == call.index; };
    auto found = std::ranges::find_if(calls_, same);
    if (found == calls_.end()) {
      into.parts.emplace_back().kind = part_kind::tool_call;
      found = calls_.insert(calls_.end(), {step.choice, call.index, into.parts.size() - 1});
    }
    auto& to = into.parts[found->part].call;
    if (!call.id.empty()) to.id = std::move(call.id);
    to.name += call.name;
    to.arguments += call.arguments;
    if (!call.signature.empty()) to.signature = std::move(call.signature);
  }
}

// ---- the provider's own words about its answer, for a caller of the same dialect

void collector::keep(std::string_view name, std::string_view raw) {
  if (raw == "null" || name.contains('\\')) return;
  auto found = std::ranges::find(whole_.extra, name, &raw_member::name);
  if (found == whole_.extra.end()) {
    if (whole_.extra.size() == most_extra) return;
    found = whole_.extra.insert(found, {std::string(name), {}});
  }
  size_ += raw.size();
  found->raw = raw;
}

void collector::add_native(const delta& step) {
  constexpr std::array<std::string_view, 12> ours{"id",      "object",  "created", "model",
                                                  "choices", "mesh",    "type",    "index",
                                                  "role",    "content", "delta",   "stop_reason"};
  const auto usage = [this](std::string_view raw) {
    if (!raw.starts_with('{')) return;
    std::vector<edit> members;
    for (json::walk each(raw); each.next();) members.push_back({each.name(), each.raw()});
    whole_.raw_usage = splice(whole_.raw_usage.empty() ? "{}" : whole_.raw_usage, members);
  };
  const auto take = [&](std::string_view object) {
    for (json::walk each(object); each.next();) {
      if (each.name() == "usage") {
        if (step.usage) usage(each.raw());
      } else if (!std::ranges::contains(ours, each.name()) && each.name() != "stop_sequence") {
        keep(each.name(), each.raw());
      }
    }
  };
  if (step.native_event.starts_with("content_block_")) return;
  take(step.native_event == "message_start" ? json::raw_member_of(step.native, "message") : step.native);
  if (step.native_event == "message_delta") take(json::raw_member_of(step.native, "delta"));
}

void collector::go_on() {
  alone_ = false;
  whole_.extra.clear();
  whole_.raw_usage.clear();
}

answer collector::take() {
  std::ranges::sort(whole_.choices, {}, &choice::index);
  return std::exchange(whole_, {});
}

}  // namespace meshai::chat
