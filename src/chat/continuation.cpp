#include "chat/continuation.hpp"

#include <algorithm>
#include <vector>

#include "chat/anthropic_words.hpp"
#include "chat/json.hpp"
#include "chat/measure.hpp"
#include "chat/splice.hpp"

namespace meshai::chat {
namespace {

constexpr std::string_view go_on =
    "Your last message was cut off. Write the rest of it: begin with the very next character after its end, in "
    "the "
    "middle of a word if need be, so that both together read as one text. Repeat none of it, do not start over, "
    "and "
    "add no introduction, apology or remark.";

std::string text_json(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

std::string message_json(std::string_view who, std::string_view text) {
  std::string out;
  json::writer(out).begin_object().member("role", who).member("content", text).end_object();
  return out;
}

bool is_prefill(const request& of) {
  if (of.messages.empty() || of.messages.back().role != role::assistant) return false;
  return std::ranges::none_of(of.messages.back().parts,
                              [](const part& piece) { return piece.kind == part_kind::tool_call; });
}

// ---- the messages, in our vocabulary and in the caller's text

void say(request& of, role who, std::string_view text) {
  if (who == role::assistant && is_prefill(of)) {
    auto& parts = of.messages.back().parts;
    if (parts.empty() || parts.back().kind != part_kind::text) parts.emplace_back();
    parts.back().text += text;
    return;
  }
  of.messages.push_back({.role = who, .parts = {{.text = std::string(text)}}});
}

// The caller's last message, the assistant's, with more text at its end.
std::string lengthen(std::string_view message, std::string_view more) {
  const auto content = json::raw_member_of(message, "content");
  std::string longer;
  if (content.starts_with('"')) {
    longer = text_json(more);
    longer.replace(0, 1, content.substr(0, content.size() - 1));
  } else if (content.starts_with('[')) {
    json::writer array(longer);
    array.begin_array();
    for (json::walk each(content); each.next();) array.raw(each.raw());
    array.begin_object().member("type", "text").member("text", more).end_object().end_array();
  } else {
    longer = text_json(more);
  }
  return splice(message, {{"content", longer}});
}

std::string said_messages(const request& of, std::string_view so_far, std::string_view asked) {
  std::vector<std::string_view> all;
  const auto messages = json::raw_member_of(of.body, "messages");
  for (json::walk each(messages); each.next();) all.push_back(each.raw());
  std::string out;
  json::writer array(out);
  array.begin_array();
  const bool longer = json::raw_member_of(all.back(), "role") == "\"assistant\"" &&
                      !json::walk(json::raw_member_of(all.back(), "tool_calls")).next();
  for (std::size_t i = 0; i < all.size(); ++i) {
    array.raw(longer && i + 1 == all.size() ? lengthen(all[i], so_far) : std::string(all[i]));
  }
  if (!longer) array.raw(message_json("assistant", so_far));
  if (!asked.empty()) array.raw(message_json("user", asked));
  array.end_array();
  return out;
}

// ---- the settings

// Members of the caller's body that are taken out or changed, with the same change in our vocabulary.
struct changes {
  request& of;
  std::vector<std::pair<std::string_view, std::string>> edits;

  void drop(std::string_view name) {
    edits.emplace_back(name, std::string());
    std::erase_if(of.extra, [&](const raw_member& one) { return one.name == name; });
  }
  void spend(std::int64_t delivered);
  void one_choice();
  void no_format();
  void no_reasoning();
  void apply();
};

void changes::spend(std::int64_t delivered) {
  if (!of.max_tokens || delivered <= 0) return;
  of.max_tokens = std::max<std::int64_t>(1, *of.max_tokens - delivered);
  for (const std::string_view name : {"max_tokens", "max_completion_tokens"}) {
    if (!json::raw_member_of(of.body, name).empty()) edits.emplace_back(name, std::to_string(*of.max_tokens));
  }
}

void changes::one_choice() {
  of.n.reset();
  drop("n");
  if (of.endpoint == endpoint::completions) drop("best_of");
}

void changes::no_format() {
  if (of.response_format.kind == format_kind::unset) return;
  of.response_format = {};
  drop("response_format");
  drop("output_format");
  if (const auto config = json::raw_member_of(of.body, "output_config"); config.starts_with('{')) {
    edits.emplace_back("output_config", splice(config, {{"format", ""}}));
  }
}

void changes::no_reasoning() {
  of.reasoning_budget.reset();
  of.reasoning_effort.clear();
  drop(of.dialect == dialect::anthropic ? "thinking" : "reasoning_effort");
  std::erase_if(of.extra, [](const raw_member& one) { return one.name.starts_with("thinking"); });
}

void changes::apply() {
  std::vector<edit> all;
  all.reserve(edits.size());
  for (const auto& [name, raw] : edits) all.push_back({name, raw});
  of.body = splice(of.body, all);
  of.text_size = 0;
  measure(of);
}

request go_on_with(const request& of, std::string_view so_far, std::string_view asked, std::int64_t delivered) {
  request out = of;
  changes made{out, {}};
  made.one_choice();
  made.no_format();
  made.spend(delivered);
  const bool budget = out.reasoning_budget && *out.reasoning_budget >= out.max_tokens.value_or(1LL << 40);
  if (asked.empty() || budget) made.no_reasoning();
  if (of.endpoint == endpoint::completions) {
    std::string prompt;
    for (const auto& piece : of.messages.front().parts) prompt += piece.text;
    made.edits.emplace_back("prompt", text_json(prompt.append(so_far)));
  } else {
    made.edits.emplace_back("messages", said_messages(of, so_far, asked));
  }
  say(out, role::assistant, so_far);
  if (!asked.empty()) say(out, role::user, asked);
  made.apply();
  return out;
}

}  // namespace

bool can_continue(const request& of) {
  switch (of.endpoint) {
    case endpoint::embeddings:
    case endpoint::count_tokens:
      return false;
    case endpoint::completions:
      if (of.messages.front().parts.front().kind != part_kind::text) return false;
      break;
    default:
      break;
  }
  return std::ranges::none_of(of.extra, [](const raw_member& one) {
    return one.name == "echo" || one.name == "audio" || one.name == "modalities";
  });
}

std::string_view prefill_of(std::string_view so_far) {
  return so_far.substr(0, so_far.find_last_not_of(" \t\r\n") + 1);  // npos + 1 is 0
}

std::optional<bool> takes_prefill(const target& to) {
  if (to.dialect == dialect::anthropic) {
    const auto claude = anthropic::generation_of(to.model);
    if (!claude) return std::nullopt;
    return *claude < anthropic::generation{.major = 4, .minor = 6};
  }
  if (to.max_completion_tokens) return false;  // OpenAI itself takes it for a turn that is over
  return std::nullopt;
}

request with_max_tokens(const request& of, std::int64_t most) {
  request out = of;
  out.max_tokens = most;
  if (!of.body.empty()) out.body = splice(of.body, {{"max_tokens", std::to_string(most)}});
  return out;
}

request continue_by_prefill(const request& of, std::string_view so_far, std::int64_t delivered) {
  const auto kept = prefill_of(so_far);
  return kept.empty() ? of : go_on_with(of, kept, {}, delivered);
}

request continue_by_asking(const request& of, std::string_view so_far, std::int64_t delivered) {
  return prefill_of(so_far).empty() ? of : go_on_with(of, so_far, go_on, delivered);
}

}  // namespace meshai::chat
