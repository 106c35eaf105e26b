#include "chat/openai_words.hpp"

#include <algorithm>
#include <array>

#include "chat/json.hpp"

namespace meshai::chat::openai {
namespace {

struct finish_entry {
  std::string_view word;
  finish why;
};
// OpenAI's own words, then what other servers say for them.
constexpr std::array finishes{
    finish_entry{"stop", finish::stop},
    finish_entry{"length", finish::length},
    finish_entry{"tool_calls", finish::tool_calls},
    finish_entry{"content_filter", finish::content_filter},
    finish_entry{"function_call", finish::tool_calls},
    finish_entry{"", finish::none},
    finish_entry{"eos", finish::stop},
    finish_entry{"end_turn", finish::stop},
    finish_entry{"stop_sequence", finish::stop},
    finish_entry{"max_tokens", finish::length},
    finish_entry{"model_length", finish::length},
    finish_entry{"tool_use", finish::tool_calls},
};

std::int64_t count(const json::object& in, std::string_view name) {
  constexpr std::int64_t most = 1'000'000'000'000;  // so that sums stay sums
  return std::clamp<std::int64_t>(json::integer_or(in, name, 0), 0, most);
}

}  // namespace

finish parse_finish(std::string_view text) {
  const auto found = std::ranges::find(finishes, text, &finish_entry::word);
  return found == finishes.end() ? finish::other : found->why;
}

std::string_view finish_word(finish why, bool legacy_functions) {
  switch (why) {
    case finish::length:
      return "length";
    case finish::tool_calls:
      return legacy_functions ? "function_call" : "tool_calls";
    case finish::content_filter:
    case finish::refusal:
      return "content_filter";
    default:
      return "stop";
  }
}

bool is_silent(const delta& d) {
  return !d.is_token() && d.thought.signature.empty() && d.finish == finish::none && d.raw_logprobs.empty();
}

usage read_usage(const json::object& from) {
  usage out{.input = count(from, "prompt_tokens"), .output = count(from, "completion_tokens"), .known = true};
  if (const auto* details = json::object_or_null(from, "prompt_tokens_details")) {
    out.cached = count(*details, "cached_tokens");
    out.cache_written = count(*details, "cache_write_tokens");
  }
  if (out.cached == 0) out.cached = count(from, "prompt_cache_hit_tokens");
  if (const auto* details = json::object_or_null(from, "completion_tokens_details")) {
    out.reasoning = count(*details, "reasoning_tokens");
  }
  return out;
}

void write_usage(json::writer& out, const usage& of, endpoint door) {
  if (!of.known) {
    out.null();
    return;
  }
  out.begin_object().member_integer("prompt_tokens", of.input);
  if (door != endpoint::embeddings) out.member_integer("completion_tokens", of.output);
  out.member_integer("total_tokens", of.input + of.output);
  if (of.cached > 0 || of.cache_written > 0) {
    out.key("prompt_tokens_details").begin_object().member_integer("cached_tokens", of.cached);
    if (of.cache_written > 0) out.member_integer("cache_write_tokens", of.cache_written);
    out.end_object();
  }
  if (of.reasoning > 0) {
    out.key("completion_tokens_details")
        .begin_object()
        .member_integer("reasoning_tokens", of.reasoning)
        .end_object();
  }
  out.end_object();
}

void write_problem_members(json::writer& out, const problem& why) {
  const auto text_or_null = [&](std::string_view name, std::string_view text) {
    if (text.empty()) {
      out.member_null(name);
    } else {
      out.member(name, text);
    }
  };
  out.member("message", why.message).member("type", why.type);
  text_or_null("param", why.param);
  text_or_null("code", why.code);
  if (!why.hint.empty()) out.member("hint", why.hint);
}

// ---- reasoning

std::string_view format_word(dialect of) {
  switch (of) {
    case dialect::anthropic:
      return "anthropic-claude-v1";
    case dialect::gemini:
      return "google-gemini-v1";
    case dialect::openai:
      return "unknown";
  }
  return "unknown";
}

// By its beginning: a client that joins the pieces of a stream may have joined the names of formats as well.
dialect parse_format(std::string_view word) {
  if (word.starts_with("anthropic-")) return dialect::anthropic;
  return word.starts_with("google-") ? dialect::gemini : dialect::openai;
}

std::vector<reasoning> read_details(const json::array& details, open_detail& open) {
  std::vector<reasoning> out;
  for (const auto& element : details) {
    const auto* one = element.if_object();
    if (one == nullptr) continue;
    const auto index = json::integer_or(*one, "index", -1);
    const auto format = json::string_or_empty(*one, "format");
    reasoning piece{
        .text = std::string(json::string_or_empty(*one, "text")),
        .signature = std::string(json::string_or_empty(*one, "signature")),
        .from = format.empty() && index >= 0 && index == open.index ? open.from : parse_format(format)};
    if (piece.text.empty()) piece.text = json::string_or_empty(*one, "summary");
    if (const auto data = json::string_or_empty(*one, "data"); !data.empty()) {
      (piece.from == dialect::gemini ? piece.signature : piece.redacted) = data;
    }
    const bool more = !out.empty() && index >= 0 && index == open.index && piece.from == open.from;
    open = {.index = index, .from = piece.from};
    if (!more) {
      out.push_back(std::move(piece));
      continue;
    }
    out.back().text += piece.text;
    out.back().signature += piece.signature;
    out.back().redacted += piece.redacted;
  }
  return out;
}

void write_detail(json::writer& out, const reasoning& thought, int index, bool first) {
  out.begin_object();
  if (!thought.redacted.empty()) {
    out.member("type", "reasoning.encrypted").member("data", thought.redacted);
  } else {
    out.member("type", "reasoning.text");
    if (!thought.text.empty()) out.member("text", thought.text);
    if (!thought.signature.empty()) out.member("signature", thought.signature);
  }
  if (first) out.member("format", format_word(thought.from));
  out.member_integer("index", index).end_object();
}

bool needs_detail(const reasoning& thought) {
  return thought.from != dialect::openai || !thought.signature.empty() || !thought.redacted.empty();
}

std::string_view read_call_signature(const json::object& call) {
  const auto* extra = json::object_or_null(call, "extra_content");
  const auto* google = extra ? json::object_or_null(*extra, "google") : nullptr;
  return google ? json::string_or_empty(*google, "thought_signature") : std::string_view();
}

void write_call_signature(json::writer& out, std::string_view signature) {
  if (signature.empty()) return;
  out.key("extra_content").begin_object().key("google").begin_object();
  out.member("thought_signature", signature).end_object().end_object();
}

}  // namespace meshai::chat::openai
