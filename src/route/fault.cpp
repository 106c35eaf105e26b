#include "route/fault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/check.hpp"

namespace meshai::route {
namespace {

struct row {
  fault_kind kind;
  std::string_view name;
  route::verdict verdict;
  route::blame blame;
};

// The table of verdicts. One line per kind, in the order of fault_kind.
constexpr std::array<row, fault_kinds> table{{
    {fault_kind::unreachable, "unreachable", verdict::next, blame::node},
    {fault_kind::timeout, "timeout", verdict::next, blame::model},
    {fault_kind::server_error, "server_error", verdict::next, blame::model},
    {fault_kind::malformed, "malformed", verdict::next, blame::model},
    {fault_kind::cut, "cut", verdict::next, blame::model},
    {fault_kind::rate_limited, "rate_limited", verdict::rest, blame::node},
    {fault_kind::quota, "quota", verdict::open, blame::node},
    {fault_kind::key_refused, "key_refused", verdict::open, blame::node},
    {fault_kind::forbidden, "forbidden", verdict::open, blame::model},
    {fault_kind::model_missing, "model_missing", verdict::open, blame::model},
    {fault_kind::context_length, "context_length", verdict::unfit, blame::nobody},
    {fault_kind::unsupported, "unsupported", verdict::unfit, blame::nobody},
    {fault_kind::content_policy, "content_policy", verdict::tell, blame::nobody},
    {fault_kind::bad_request, "bad_request", verdict::tell, blame::nobody},
    {fault_kind::internal, "internal", verdict::tell, blame::nobody},
    {fault_kind::misfit, "misfit", verdict::next, blame::nobody},
    {fault_kind::busy, "busy", verdict::rest, blame::nobody},
}};

const row& row_of(fault_kind kind) {
  const auto& found = table[static_cast<std::size_t>(kind)];
  CHECK(found.kind == kind);
  return found;
}

// ---- the providers' words

bool says(std::string_view text, std::span<const std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.contains(word); });
}

constexpr std::array<std::string_view, 14> context_words{
    "context_length_exceeded",               // OpenAI's code
    "maximum context length",                // OpenAI, vLLM
    "exceeds the context window",            // OpenAI's newer models
    "prompt is too long",                    // Anthropic
    "exceed context limit",                  // Anthropic: input and max_tokens together
    "exceeds the maximum number of tokens",  // Gemini
    "exceed_context_size_error",             // llama-server's type
    "exceeds the available context size",    // llama-server
    "context size has been exceeded",        // llama-server
    "longer than the maximum model length",  // vLLM
    "input length exceeds",                  // Ollama
    "exceeds the context length",            // Ollama
    "context length of only",                // LM Studio
    "maximum context size",
};
constexpr std::array<std::string_view, 7> quota_words{
    "insufficient_quota",        "billing_hard_limit_reached",
    "billing_not_active",                                 // OpenAI
    "credit balance is too low", "billing_error",         // Anthropic
    "insufficient balance",      "insufficient credits",  // DeepSeek, OpenRouter
};
constexpr std::array<std::string_view, 9> policy_words{
    "content_policy",                // OpenAI
    "moderation_blocked",            // OpenAI
    "invalid_prompt",                // OpenAI
    "content_filter",                // Azure
    "responsibleaipolicyviolation",  // Azure
    "content management policy",     // Azure
    "content filtering policy",      // Anthropic
    "prohibited_content",            // Gemini
    "blocked by safety",             // Gemini
};
constexpr std::array<std::string_view, 16> unsupported_words{
    "unsupported_parameter",
    "unsupported_value",
    "unknown_parameter",
    "unrecognized request argument",   // OpenAI
    "extra inputs are not permitted",  // Anthropic, vLLM
    "does not support",
    "doesn't support",
    "is not supported",
    "not supported by",
    "not supported with",
    "is not enabled for",  // Gemini: "Function calling is not enabled for ..."
    "requires --jinja",
    "requires --enable-auto-tool-choice",  // llama-server, vLLM
    "not a multimodal model",              // vLLM
    "unknown name \"",                     // Gemini: a field its schema lacks
    "not_supported_error",                 // llama-server's type
};
constexpr std::array<std::string_view, 4> key_words{"api key not valid", "invalid_api_key", "api_key_invalid",
                                                    "authentication_error"};
constexpr std::array<std::string_view, 3> model_words{"model_not_found", "model not found",
                                                      "is not a valid model"};
constexpr std::array<std::string_view, 4> rate_words{"rate_limit", "resource_exhausted", "too many requests",
                                                     "tokens_per_minute"};

// What an error object says of itself, whatever status it came with.
std::optional<fault_kind> by_words(std::string_view text) {
  if (says(text, context_words)) return fault_kind::context_length;
  if (says(text, quota_words)) return fault_kind::quota;
  if (says(text, policy_words)) return fault_kind::content_policy;
  return std::nullopt;
}

std::string words_of(const chat::provider_error& said) {
  std::string all = said.type + ' ' + said.code + ' ' + said.message;
  std::ranges::transform(all, all.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return all;
}

fault_kind kind_of_4xx(int status, std::string_view text) {
  switch (status) {
    case 401:
      return fault_kind::key_refused;
    case 402:
      return fault_kind::quota;
    case 403:
      return fault_kind::forbidden;
    case 404:
    case 410:
      return fault_kind::model_missing;
    case 408:
      return fault_kind::timeout;
    case 405:  // the address is wrong, which is not the caller's doing
    case 409:
    case 425:
      return fault_kind::server_error;
    case 429:
      return fault_kind::rate_limited;
    default:
      break;
  }
  if (says(text, key_words)) return fault_kind::key_refused;  // Gemini says it with 400
  if (says(text, model_words)) return fault_kind::model_missing;
  if (says(text, unsupported_words)) return fault_kind::unsupported;
  return fault_kind::bad_request;
}

fault_kind kind_of_status(int status, std::string_view text) {
  if (const auto known = by_words(text)) return *known;
  if (status >= 500) {
    // llama-server tells with 500 or 501 what it was not started for.
    return status == 501 || says(text, unsupported_words) ? fault_kind::unsupported : fault_kind::server_error;
  }
  return status >= 400 ? kind_of_4xx(status, text) : fault_kind::server_error;
}

// ---- what the caller is told

struct telling {
  int status;
  std::string_view type, code, what, hint;
};

// `{0}` is the node. Where the provider gave its own type, code and message, those stand.
telling telling_of(fault_kind kind) {
  switch (kind) {
    case fault_kind::unreachable:
      return {503, "api_error", "node_unreachable", "cannot be reached",
              "Check that it runs and that its url is right: `meshai doctor` tries every node."};
    case fault_kind::timeout:
      return {504, "api_error", "node_timeout", "did not answer in time",
              "Try again, or raise the limit in [limits] if this node is known to be slow."};
    case fault_kind::server_error:
      return {502, "api_error", "node_error", "failed", "Try again; `meshai status` shows how the node is doing."};
    case fault_kind::malformed:
      return {502, "api_error", "node_malformed", "sent something that is no answer",
              "Check that the node's url leads to an AI API, version included (\".../v1\")."};
    case fault_kind::cut:
      return {502, "api_error", "node_cut", "broke off before its answer was whole", "Try again."};
    case fault_kind::rate_limited:
      return {429, "rate_limit_error", "rate_limit_exceeded", "is over its rate limit",
              "Wait as long as Retry-After says, or add another key or node."};
    case fault_kind::quota:
      return {429, "rate_limit_error", "insufficient_quota", "has no credit left",
              "Top up the provider's account or use another key; `meshai reload` then tries it again."};
    case fault_kind::key_refused:
      return {502, "api_error", "node_key_refused", "does not accept its key",
              "The operator must set a valid key for this node and run `meshai reload`."};
    case fault_kind::forbidden:
      return {502, "api_error", "node_forbidden", "refuses this model to its key",
              "The operator must give the key access to the model, or take it off the node's models."};
    case fault_kind::model_missing:
      return {404, "not_found_error", "model_not_found", "does not have this model",
              "Ask for a model that GET /v1/models lists."};
    case fault_kind::context_length:
      return {400, "invalid_request_error", "context_length_exceeded", "cannot take a prompt of this length",
              "Shorten the conversation, or ask for a model with a larger context."};
    case fault_kind::unsupported:
      return {400, "invalid_request_error", "unsupported_parameter", "cannot do what the request asks for",
              "Leave the parameter out, set mesh.drop = true, or ask for another model."};
    case fault_kind::content_policy:
      return {400, "invalid_request_error", "content_policy_violation", "refuses this content",
              "The provider's policy forbids it; no other model was asked."};
    case fault_kind::bad_request:
      return {400, "invalid_request_error", "invalid_request", "does not accept the request",
              "Correct the request as the message says."};
    case fault_kind::internal:
      return {500, "api_error", "internal_error", "was not asked", "Try again."};
    case fault_kind::misfit:
      return {502, "api_error", "node_misfit", "could not go on with the answer", "Try again."};
    case fault_kind::busy:
      return {503, "overloaded_error", "node_busy", "answers as many questions as it may at once",
              "Wait as long as Retry-After says, ask less at once, or add another node."};
  }
  CHECK(false);
}

fault make(std::string_view node, fault_kind kind, std::string_view detail) {
  const auto told = telling_of(kind);
  fault made{.kind = kind, .rest = {}, .told = {}};
  made.told = {.status = told.status,
               .type = std::string(told.type),
               .code = std::string(told.code),
               .param = {},
               .message = detail.empty() ? fmt::format("node \"{}\" {}", node, told.what)
                                         : fmt::format("node \"{}\" {}: {}", node, told.what, detail),
               .hint = std::string(told.hint)};
  return made;
}

// The caller's own mistakes are told in the provider's words: they know best what is wrong.
bool provider_explains(fault_kind kind) {
  return kind == fault_kind::context_length || kind == fault_kind::unsupported ||
         kind == fault_kind::content_policy || kind == fault_kind::bad_request;
}

fault from_provider(std::string_view node, fault_kind kind, const chat::provider_error& said) {
  auto made = make(node, kind, {});
  auto& told = made.told;
  if (!said.message.empty()) {
    told.message = provider_explains(kind) ? said.message : fmt::format("{}: {}", told.message, said.message);
  } else if (said.status != 0) {
    told.message += fmt::format(" (status {})", said.status);
  }
  if (provider_explains(kind)) {
    if (said.status == 413 || said.status == 422) told.status = said.status;
    if (kind == fault_kind::bad_request && !said.code.empty()) told.code = said.code;
    told.param = said.param;
  }
  if (kind == fault_kind::server_error &&
      (said.status == 503 || said.status == 529 || said.type == "overloaded_error")) {
    told.status = 503;
    told.type = "overloaded_error";
    told.code = "node_overloaded";
  }
  return made;
}

}  // namespace

std::string_view to_string(fault_kind kind) {
  return row_of(kind).name;
}
verdict verdict_of(fault_kind kind) {
  return row_of(kind).verdict;
}
blame blame_of(fault_kind kind) {
  return row_of(kind).blame;
}

fault transport_fault(std::string_view node, const error& why) {
  switch (why.kind) {
    case error_kind::timeout:
      return make(node, fault_kind::timeout, why.detail);
    case error_kind::malformed:
    case error_kind::exhausted:  // an answer beyond its bounds
      return make(node, fault_kind::malformed, why.detail);
    case error_kind::unreachable:
    case error_kind::refused:
    case error_kind::denied:  // a certificate, a proxy
      return make(node, fault_kind::unreachable, why.detail);
    case error_kind::unavailable:  // on this side: nobody was asked
      return gone_fault(node, why);
  }
  CHECK(false);
}

fault status_fault(std::string_view node, const chat::provider_error& said,
                   std::optional<std::chrono::milliseconds> retry_after) {
  const auto text = words_of(said);
  auto kind = kind_of_status(said.status, text);
  const auto in_words = retry_after_in_words(said.message);
  // "Check your plan and billing details" is how Gemini words every 429, those that end in a minute included:
  // without a time to wait for it is a matter of credit.
  if (kind == fault_kind::rate_limited && !retry_after && !in_words && text.contains("plan and billing")) {
    kind = fault_kind::quota;
  }
  auto made = from_provider(node, kind, said);
  if (kind == fault_kind::rate_limited || kind == fault_kind::server_error) {
    made.rest = retry_after ? retry_after : in_words;
  }
  return made;
}

fault event_fault(std::string_view node, const chat::provider_error& said) {
  const auto text = words_of(said);
  auto kind = fault_kind::server_error;
  if (const auto known = by_words(text)) {
    kind = *known;
  } else if (said.code == "429" || says(text, rate_words)) {
    kind = fault_kind::rate_limited;
  } else if (says(text, key_words)) {
    kind = fault_kind::key_refused;
  }
  auto made = from_provider(node, kind, said);
  if (kind == fault_kind::rate_limited) made.rest = retry_after_in_words(said.message);
  return made;
}

fault malformed_fault(std::string_view node, std::string_view what) {
  return make(node, fault_kind::malformed, what);
}

fault cut_fault(std::string_view node) {
  return make(node, fault_kind::cut, {});
}

fault redirect_fault(std::string_view node, int status) {
  auto made = make(node, fault_kind::server_error,
                   fmt::format("it answers with a redirect ({}), and redirects are never followed", status));
  made.told.hint = "The operator must set the node's url to where the redirect leads.";
  return made;
}

fault timeout_fault(std::string_view node, std::string_view limit, std::chrono::milliseconds after) {
  return make(node, fault_kind::timeout, fmt::format("{} of {} ms passed", limit, after.count()));
}

fault misfit_fault(std::string_view node) {
  return make(node, fault_kind::misfit, "what it wrote does not fit what was sent");
}

fault busy_fault(std::string_view node) {
  auto made = make(node, fault_kind::busy, {});
  made.asked = false;
  made.rest = std::chrono::seconds(1);
  return made;
}

fault gone_fault(std::string_view node, const error& why) {
  auto made = make(node, fault_kind::unreachable, why.detail);
  made.asked = false;
  return made;
}

fault unsupported_fault(chat::problem why) {
  fault made{.kind = fault_kind::unsupported, .rest = {}, .told = {}};
  made.asked = false;
  made.told = std::move(why);
  return made;
}

}  // namespace meshai::route
