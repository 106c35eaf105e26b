// Gemini's answers in, deltas out. A stream is a row of responses, each complete in itself; a whole answer is one.
#include <algorithm>
#include <array>
#include <format>
#include <map>

#include "chat/gemini.hpp"
#include "chat/json.hpp"
#include "chat/lenient.hpp"

namespace meshai::chat::gemini {
namespace {

constexpr std::int64_t most_candidates = 128, most_calls = 4096;

std::unexpected<bad_answer> malformed() {
  return std::unexpected(bad_answer{.malformed = true});
}

// A failure of the model that Gemini reports as the reason of an end: no answer, but no broken protocol either.
bool is_failure(std::string_view reason) {
  constexpr std::array<std::string_view, 5> failures{"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL",
                                                     "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
                                                     "MALFORMED_RESPONSE"};
  return std::ranges::find(failures, reason) != failures.end();
}

finish parse_reason(std::string_view reason, bool called) {
  constexpr std::array<std::string_view, 11> filters{"SAFETY",
                                                     "LANGUAGE",
                                                     "RECITATION",
                                                     "BLOCKLIST",
                                                     "PROHIBITED_CONTENT",
                                                     "SPII",
                                                     "IMAGE_SAFETY",
                                                     "IMAGE_PROHIBITED_CONTENT",
                                                     "IMAGE_RECITATION",
                                                     "MODEL_ARMOR",
                                                     "ESCALATION"};
  if (reason == "STOP") return called ? finish::tool_calls : finish::stop;
  if (reason == "MAX_TOKENS") return finish::length;
  return std::ranges::find(filters, reason) != filters.end() ? finish::content_filter : finish::other;
}

std::int64_t count(const json::object& in, std::string_view name) {
  constexpr std::int64_t most = 1'000'000'000'000;
  return std::clamp<std::int64_t>(json::integer_or(in, name, 0), 0, most);
}

usage read_usage(const json::object& from) {
  const auto thoughts = count(from, "thoughtsTokenCount");
  return {.input = count(from, "promptTokenCount") + count(from, "toolUsePromptTokenCount"),
          .output = count(from, "candidatesTokenCount") + thoughts,
          .cached = count(from, "cachedContentTokenCount"),
          .reasoning = thoughts,
          .known = true};
}

void write_token(json::writer& out, const json::object& token) {
  const auto* logprob = json::find(token, "logProbability");
  out.member("token", json::string_or_empty(token, "token"));
  out.member_number("logprob", logprob && logprob->is_number() ? logprob->to_number<double>() : 0);
  out.member_null("bytes");
}

// Gemini's logprobsResult as OpenAI's logprobs object.
std::string read_logprobs(const json::object& result) {
  const auto* chosen = json::array_or_null(result, "chosenCandidates");
  if (chosen == nullptr) return {};
  const auto* tops = json::array_or_null(result, "topCandidates");
  std::string text;
  json::writer out(text);
  out.begin_object().key("content").begin_array();
  for (std::size_t i = 0; i < chosen->size(); ++i) {
    const auto* token = (*chosen)[i].if_object();
    if (token == nullptr) continue;
    out.begin_object();
    write_token(out, *token);
    out.key("top_logprobs").begin_array();
    const auto* top = tops && i < tops->size() ? (*tops)[i].if_object() : nullptr;
    if (const auto* others = top ? json::array_or_null(*top, "candidates") : nullptr) {
      for (const auto& other : *others) {
        if (!other.is_object()) continue;
        out.begin_object();
        write_token(out, other.get_object());
        out.end_object();
      }
    }
    out.end_array().end_object();
  }
  out.end_array().member_null("refusal").end_object();
  return text;
}

class reader : public stream_reader {
 public:
  // Calls without an id get one that is theirs alone in the conversation: each turn has more messages than the
  // last.
  explicit reader(const request& of)
      : expected_(static_cast<std::size_t>(std::clamp<std::int64_t>(of.n.value_or(1), 1, most_candidates))),
        turn_(std::to_string(of.messages.size())) {}

  readable<void> event(std::string_view name, std::string_view data, std::vector<delta>& out) override;
  bool finished() const override {
    return candidates_.size() >= expected_ &&
           std::ranges::all_of(candidates_, [](const auto& one) { return one.second.finished; });
  }
  const std::string& model() const { return model_; }

 private:
  struct candidate {
    int calls = 0;
    bool finished = false;
  };

  readable<void> read_candidate(const json::object& from, std::vector<delta>& out);
  readable<void> read_part(const json::object& from, int index, candidate& state, std::vector<delta>& out);

  std::size_t expected_;
  std::string turn_, model_;
  std::map<std::int64_t, candidate> candidates_;
};

readable<void> reader::event(std::string_view, std::string_view data, std::vector<delta>& out) {
  json::document document;
  const auto root = document.parse(data);
  const auto* whole = root ? (*root)->if_object() : nullptr;
  if (whole == nullptr) return malformed();
  if (json::find(*whole, "error")) return std::unexpected(bad_answer{.said = read_error(0, data)});
  if (const auto id = json::string_or_empty(*whole, "responseId"); !id.empty() && id.size() <= 128) turn_ = id;
  if (const auto version = json::string_or_empty(*whole, "modelVersion"); !version.empty()) model_ = version;

  const auto first = out.size();
  const auto* candidates = json::array_or_null(*whole, "candidates");
  const auto* feedback = json::object_or_null(*whole, "promptFeedback");
  const auto* counts = json::object_or_null(*whole, "usageMetadata");
  if (feedback && (candidates == nullptr || candidates->empty())) {
    const auto reason = json::string_or_empty(*feedback, "blockReason");
    if (!reason.empty()) {
      return std::unexpected(bad_answer{.said = {.type = std::string(reason),
                                                 .code = "content_policy_violation",
                                                 .message = std::format("the prompt was blocked: {}", reason)}});
    }
  }
  if (candidates == nullptr && feedback == nullptr && counts == nullptr) return malformed();
  if (candidates) {
    for (const auto& one : *candidates) {
      if (!one.is_object()) return malformed();
      if (auto read = read_candidate(one.get_object(), out); !read) return read;
    }
  }
  if (counts) {
    if (out.size() == first) out.emplace_back();
    out.back().usage = read_usage(*counts);
  }
  return {};
}

readable<void> reader::read_candidate(const json::object& from, std::vector<delta>& out) {
  const auto index = json::integer_or(from, "index", 0);
  if (index < 0 || index >= most_candidates) return malformed();
  auto& state = candidates_[index];
  const auto* content = json::object_or_null(from, "content");
  if (const auto* parts = content ? json::array_or_null(*content, "parts") : nullptr) {
    for (const auto& piece : *parts) {
      if (!piece.is_object()) return malformed();
      if (auto read = read_part(piece.get_object(), static_cast<int>(index), state, out); !read) return read;
    }
  }
  const auto reason = json::string_or_empty(from, "finishReason");
  const auto* logprobs = json::object_or_null(from, "logprobsResult");
  if (reason.empty() && logprobs == nullptr) return {};
  if (is_failure(reason)) {
    return std::unexpected(
        bad_answer{.said = {.type = std::string(reason),
                            .message = std::format("the model's answer ended with {}", reason)}});
  }
  delta last{.choice = static_cast<int>(index)};
  if (logprobs) last.raw_logprobs = read_logprobs(*logprobs);
  if (!reason.empty()) {
    last.finish = parse_reason(reason, state.calls > 0);
    state.finished = true;
  }
  out.push_back(std::move(last));
  return {};
}

readable<void> reader::read_part(const json::object& from, int index, candidate& state, std::vector<delta>& out) {
  delta step{.choice = index};
  const auto text = json::string_or_empty(from, "text");
  const auto signature = json::string_or_empty(from, "thoughtSignature");
  const auto* thought = json::find(from, "thought");
  if (from.contains("inlineData") || from.contains("fileData")) {
    return std::unexpected(
        bad_answer{.said = {.type = "UNSUPPORTED_MEDIA",
                            .message = "the model answered with media, which no caller can be given"}});
  }
  if (const auto* call = json::object_or_null(from, "functionCall")) {
    const auto name = json::string_or_empty(*call, "name");
    if (name.empty() || state.calls >= most_calls) return malformed();
    auto id = std::string(json::string_or_empty(*call, "id"));
    if (id.empty()) id = std::format("call_{}_{}_{}", turn_, index, state.calls);
    const auto* args = json::object_or_null(*call, "args");
    step.calls.push_back({.index = state.calls++,
                          .id = std::move(id),
                          .name = std::string(name),
                          .arguments = args ? json::to_text(*args) : "{}",
                          .signature = std::string(signature)});
  } else if (thought && thought->is_bool() && thought->get_bool()) {
    step.thought = {.text = std::string(text), .signature = std::string(signature), .from = dialect::gemini};
  } else {
    step.text = text;
    if (!signature.empty()) step.thought = {.signature = std::string(signature), .from = dialect::gemini};
    if (text.empty() && signature.empty()) return {};
  }
  out.push_back(std::move(step));
  return {};
}

// ---- whole answers
// ------------------------------------------------------------------------------------------------

void add_thought(const reasoning& thought, std::vector<part>& parts) {
  const bool joins = !parts.empty() && parts.back().kind == part_kind::reasoning &&
                     parts.back().thought.signature.empty() && !thought.text.empty();
  if (!joins) parts.push_back({.kind = part_kind::reasoning, .thought = {.from = dialect::gemini}});
  auto& last = parts.back().thought;
  last.text += thought.text;
  last.signature = thought.signature;
}

void add(delta& step, choice& into) {
  if (!step.thought.text.empty()) add_thought(step.thought, into.parts);
  if (!step.text.empty()) {
    if (into.parts.empty() || into.parts.back().kind != part_kind::text) into.parts.emplace_back();
    into.parts.back().text += step.text;
  }
  if (step.thought.text.empty() && !step.thought.signature.empty()) add_thought(step.thought, into.parts);
  for (auto& call : step.calls) {
    into.parts.push_back({.kind = part_kind::tool_call,
                          .call = {.id = std::move(call.id),
                                   .name = std::move(call.name),
                                   .arguments = std::move(call.arguments),
                                   .signature = std::move(call.signature)}});
  }
  if (!step.raw_logprobs.empty()) into.raw_logprobs = std::move(step.raw_logprobs);
  if (step.finish != finish::none) into.finish = step.finish;
}

readable<answer> read_token_count(std::string_view body) {
  json::document document;
  const auto root = document.parse(body);
  const auto* whole = root ? (*root)->if_object() : nullptr;
  if (whole == nullptr) return malformed();
  if (json::find(*whole, "error")) return std::unexpected(bad_answer{.said = read_error(0, body)});
  if (json::integer_or(*whole, "totalTokens", -1) < 0) return malformed();
  return answer{.usage = {.input = count(*whole, "totalTokens"),
                          .cached = count(*whole, "cachedContentTokenCount"),
                          .known = true}};
}

}  // namespace

std::unique_ptr<stream_reader> make_stream_reader(const request& of, const target&) {
  return std::make_unique<reader>(of);
}

readable<answer> read_answer(const request& of, const target& from, std::string_view body) {
  if (of.endpoint == endpoint::count_tokens) return read_token_count(body);
  reader whole(of);
  std::vector<delta> steps;
  if (auto read = whole.event({}, body, steps); !read) return std::unexpected(std::move(read.error()));
  if (!whole.finished()) return malformed();
  answer out{.model = whole.model().empty() ? from.model : whole.model()};
  std::map<int, choice> choices;
  for (auto& step : steps) {
    auto& one = choices[step.choice];
    one.index = step.choice;
    add(step, one);
    if (step.usage) out.usage = *step.usage;
  }
  for (auto& [index, one] : choices) out.choices.push_back(std::move(one));
  return out;
}

provider_error read_error(int status, std::string_view body) {
  provider_error out{.status = status};
  json::document document;
  const auto root = document.parse(body);
  const json::value* whole = root ? *root : nullptr;
  // A streaming call that fails before it streams answers with an array of one.
  if (const auto* row = whole ? whole->if_array() : nullptr; row && !row->empty()) whole = &row->front();
  const auto* top = whole ? whole->if_object() : nullptr;
  const auto* error = top ? json::object_or_null(*top, "error") : nullptr;
  if (error == nullptr) {
    out.message = error_text(body);
    return out;
  }
  out.type = json::string_or_empty(*error, "status");
  out.message = json::clean_utf8(json::string_or_empty(*error, "message"), most_error_text);
  // google.rpc.ErrorInfo says why, as "API_KEY_INVALID" with a 400.
  if (const auto* details = json::array_or_null(*error, "details")) {
    for (const auto& detail : *details) {
      const auto* info = detail.if_object();
      if (info && out.code.empty()) out.code = json::string_or_empty(*info, "reason");
    }
  }
  return out;
}

}  // namespace meshai::chat::gemini
