#include "upstream/collect.hpp"

#include <algorithm>

namespace meshai::upstream {
namespace {

// The last part where it is of this kind, else a new one.
chat::part& last_part(chat::choice& in, chat::part_kind kind) {
  if (in.parts.empty() || in.parts.back().kind != kind) in.parts.emplace_back().kind = kind;
  return in.parts.back();
}

std::size_t size_of(const chat::delta& step) {
  std::size_t size = step.text.size() + step.refusal.size() + step.thought.text.size();
  for (const auto& call : step.calls) size += call.arguments.size() + call.name.size();
  return size;
}

}  // namespace

chat::choice& collector::choice_of(int index) {
  const auto found = std::ranges::find(whole_.choices, index, &chat::choice::index);
  if (found != whole_.choices.end()) return *found;
  auto& added = whole_.choices.emplace_back();
  added.index = index;
  return added;
}

bool collector::add(std::vector<chat::delta>& steps) {
  for (auto& step : steps) {
    size_ += size_of(step);
    if (size_ > limit_) return false;
    if (step.usage) whole_.usage = *step.usage;
    if (!step.is_token() && step.finish == chat::finish::none && step.thought.signature.empty()) continue;
    auto& to = choice_of(step.choice);
    const auto& thought = step.thought;
    if (!thought.text.empty() || !thought.signature.empty() || !thought.redacted.empty()) {
      auto& part = last_part(to, chat::part_kind::reasoning);
      part.thought.from = thought.from;
      part.thought.text += thought.text;
      part.thought.redacted += thought.redacted;
      if (!thought.signature.empty()) part.thought.signature = thought.signature;
    }
    if (!step.text.empty()) last_part(to, chat::part_kind::text).text += step.text;
    to.refusal += step.refusal;
    for (auto& call : step.calls) {
      const auto same = [&](const open_call& c) { return c.choice == step.choice && c.index == call.index; };
      auto found = std::ranges::find_if(calls_, same);
      if (found == calls_.end()) {
        to.parts.emplace_back().kind = chat::part_kind::tool_call;
        found = calls_.insert(calls_.end(), {step.choice, call.index, to.parts.size() - 1});
      }
      auto& into = to.parts[found->part].call;
      if (!call.id.empty()) into.id = std::move(call.id);
      into.name += call.name;
      into.arguments += call.arguments;
      if (!call.signature.empty()) into.signature = std::move(call.signature);
    }
    if (step.finish != chat::finish::none) to.finish = step.finish;
    if (!step.stop_sequence.empty()) to.stop_sequence = std::move(step.stop_sequence);
  }
  return true;
}

chat::answer collector::take() {
  std::ranges::sort(whole_.choices, {}, &chat::choice::index);
  return std::move(whole_);
}

}  // namespace meshai::upstream
