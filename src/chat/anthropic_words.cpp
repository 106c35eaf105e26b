#include "chat/anthropic_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace meshai::chat::anthropic {
namespace {

constexpr std::string_view seal_prefix = "meshai:";

struct seal_word {
  dialect from;
  std::string_view word;
};
constexpr std::array seal_words{seal_word{dialect::openai, "openai"}, seal_word{dialect::gemini, "gemini"}};

// A count beyond the bound is nonsense, and sums of counts must not overflow.
void take(const json::object& from, std::string_view name, std::int64_t& into) {
  constexpr std::int64_t most = 1'000'000'000'000;
  if (const auto count = json::integer_or(from, name, -1); count >= 0 && count <= most) into = count;
}

}  // namespace

finish parse_stop_reason(std::string_view text) {
  if (text == "end_turn") return finish::stop;
  if (text == "max_tokens" || text == "model_context_window_exceeded") return finish::length;
  if (text == "stop_sequence") return finish::stop_sequence;
  if (text == "tool_use") return finish::tool_calls;
  if (text == "pause_turn") return finish::pause;
  if (text == "refusal") return finish::refusal;
  return finish::other;
}

std::string_view stop_reason(finish why) {
  switch (why) {
    case finish::length:
      return "max_tokens";
    case finish::tool_calls:
      return "tool_use";
    case finish::stop_sequence:
      return "stop_sequence";
    case finish::pause:
      return "pause_turn";
    case finish::content_filter:
    case finish::refusal:
      return "refusal";
    case finish::none:
    case finish::stop:
    case finish::other:
      return "end_turn";
  }
  return "end_turn";
}

void read_usage(const json::object& from, usage& into) {
  auto fresh = into.input - into.cached - into.cache_written;
  take(from, "input_tokens", fresh);
  take(from, "cache_read_input_tokens", into.cached);
  take(from, "cache_creation_input_tokens", into.cache_written);
  take(from, "output_tokens", into.output);
  if (const auto* details = json::object_or_null(from, "output_tokens_details")) {
    take(*details, "thinking_tokens", into.reasoning);
  }
  into.input = fresh + into.cached + into.cache_written;
  into.known = true;
}

void write_usage(json::writer& out, const usage& of) {
  out.key("usage").begin_object();
  out.member_integer("input_tokens", std::max<std::int64_t>(0, of.input - of.cached - of.cache_written));
  out.member_integer("cache_creation_input_tokens", of.cache_written);
  out.member_integer("cache_read_input_tokens", of.cached);
  out.member_integer("output_tokens", of.output);
  if (of.reasoning > 0) {
    out.key("output_tokens_details").begin_object().member_integer("thinking_tokens", of.reasoning).end_object();
  }
  out.end_object();
}

std::string seal(const reasoning& thought) {
  const auto& own = thought.redacted.empty() ? thought.signature : thought.redacted;
  if (thought.from == dialect::anthropic) {
    // A thought that was cut off has no signature yet; Anthropic would refuse it, so it must be known when it
    // returns.
    return own.empty() ? std::string(seal_prefix) + "unsigned:" : own;
  }
  const auto word = std::ranges::find(seal_words, thought.from, &seal_word::from);
  return std::string(seal_prefix) + std::string(word->word) + ":" + own;
}

std::string seal_of_call(std::string_view signature) {
  return std::string(seal_prefix) + "call:" + std::string(signature);
}

std::optional<unsealed> unseal(std::string_view seal) {
  if (!seal.starts_with(seal_prefix)) return unsealed{.from = dialect::anthropic, .signature = seal};
  seal.remove_prefix(seal_prefix.size());
  const auto colon = seal.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto word = seal.substr(0, colon);
  const auto signature = seal.substr(colon + 1);
  if (word == "call") return unsealed{.from = dialect::gemini, .on_call = true, .signature = signature};
  const auto known = std::ranges::find(seal_words, word, &seal_word::word);
  if (known == seal_words.end()) return std::nullopt;
  return unsealed{.from = known->from, .signature = signature};
}

std::optional<generation> generation_of(std::string_view model) {
  const auto start = model.find("claude");
  if (start == std::string_view::npos) return std::nullopt;
  std::optional<generation> found;
  // The first number is the generation, the second its revision; longer ones are dates.
  for (auto rest = model.substr(start); !rest.empty();) {
    const auto end = std::min(rest.find_first_of("-.@:_/"), rest.size());
    const auto word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    int number = 0;
    const auto [stop, fault] = std::from_chars(word.data(), word.data() + word.size(), number);
    const bool is_version = fault == std::errc() && stop == word.data() + word.size() && word.size() <= 2;
    if (found) {
      if (is_version) found->minor = number;
      return found;
    }
    if (is_version) found = generation{.major = number};
  }
  return found;
}

}  // namespace meshai::chat::anthropic
