// Whole answers and errors in Anthropic's dialect, written for callers and read from providers.
#include "chat/anthropic.hpp"
#include "chat/anthropic_blocks.hpp"
#include "chat/anthropic_words.hpp"
#include "chat/json.hpp"
#include "chat/lenient.hpp"
#include "chat/mesh.hpp"
#include "chat/splice.hpp"

namespace meshai::chat::anthropic {
namespace {

std::string_view error_type(const problem& why) {
  switch (why.status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 408:
    case 504:
      return "timeout_error";
    case 529:
      return "overloaded_error";
    default:
      break;
  }
  if (why.type == "overloaded_error") return "overloaded_error";
  return why.status >= 400 && why.status < 500 ? "invalid_request_error" : "api_error";
}

}  // namespace

std::string write_answer(const request&, const answer& whole, const answer_head& head, const story& told) {
  if (!whole.native.empty()) return splice(whole.native, {{"mesh", story_text(told)}});

  const choice none;
  const auto& first = whole.choices.empty() ? none : whole.choices.front();
  std::string text;
  json::writer out(text);
  out.begin_object().member("id", head.id).member("type", "message").member("role", "assistant");
  out.member("model", head.model.empty() ? whole.model : head.model).key("content").begin_array();
  write_answer_blocks(out, first.parts);
  if (!first.refusal.empty()) out.begin_object().member("type", "text").member("text", first.refusal).end_object();
  const bool refused = !first.refusal.empty() && first.finish == finish::stop;  // as OpenAI's refusals end
  out.end_array().member("stop_reason", stop_reason(refused ? finish::refusal : first.finish));
  if (first.stop_sequence.empty()) {
    out.member_null("stop_sequence");
  } else {
    out.member("stop_sequence", first.stop_sequence);
  }
  if (whole.raw_usage.empty()) {
    write_usage(out, whole.usage);
  } else {
    out.member_raw("usage", whole.raw_usage);
  }
  for (const auto& [name, raw] : whole.extra) out.member_raw(name, raw);
  write_story(out, told);
  out.end_object();
  return text;
}

void write_error(json::writer& out, const problem& why, std::string_view request_id) {
  out.key("error").begin_object().member("type", error_type(why)).member("message", why.message);
  if (!why.code.empty()) out.member("code", why.code);
  if (!why.param.empty()) out.member("param", why.param);
  if (!why.hint.empty()) out.member("hint", why.hint);
  out.end_object();
  if (!request_id.empty()) out.member("request_id", request_id);
}

std::string write_problem(const problem& why, std::string_view request_id) {
  std::string text;
  json::writer out(text);
  out.begin_object().member("type", "error");
  write_error(out, why, request_id);
  out.end_object();
  return text;
}

std::string write_token_count(std::int64_t input_tokens) {
  std::string text;
  json::writer(text).begin_object().member_integer("input_tokens", input_tokens).end_object();
  return text;
}

readable<answer> read_answer(const request& of, const target&, std::string_view body) {
  const auto malformed = [] { return std::unexpected(bad_answer{.malformed = true}); };
  json::document document;
  const auto root = document.parse(body);
  if (!root || !(*root)->is_object()) return malformed();
  const auto& message = (*root)->get_object();
  if (json::object_or_null(message, "error")) return std::unexpected(bad_answer{.said = read_error(0, body)});
  if (of.endpoint == endpoint::count_tokens) {
    if (json::integer_or(message, "input_tokens", -1) < 0) return malformed();
    answer counted;
    read_usage(message, counted.usage);
    if (of.dialect == dialect::anthropic) counted.native = body;
    return counted;
  }
  const auto* content = json::array_or_null(message, "content");
  const auto reason = json::string_or_empty(message, "stop_reason");
  if (content == nullptr || reason.empty()) return malformed();
  json::checker check(**root);
  auto parts = read_blocks(check, *content);
  if (!check.ok()) return malformed();

  answer out;
  out.model = json::string_or_empty(message, "model");
  out.choices.push_back({.parts = std::move(parts),
                         .finish = parse_stop_reason(reason),
                         .stop_sequence = std::string(json::string_or_empty(message, "stop_sequence"))});
  if (const auto* counts = json::object_or_null(message, "usage")) read_usage(*counts, out.usage);
  if (of.dialect == dialect::anthropic) out.native = body;
  return out;
}

provider_error read_error(int status, std::string_view body) {
  provider_error out{.status = status};
  json::document document;
  const auto root = document.parse(body);
  const auto* whole = root ? (*root)->if_object() : nullptr;
  const auto* error = whole ? json::object_or_null(*whole, "error") : nullptr;
  if (error == nullptr) {
    out.message = error_text(body);
    return out;
  }
  out.type = json::string_or_empty(*error, "type");
  out.message = json::clean_utf8(json::string_or_empty(*error, "message"), most_error_text);
  if (const auto* details = json::object_or_null(*error, "details")) {
    out.code = json::string_or_empty(*details, "error_code");
  }
  return out;
}

}  // namespace meshai::chat::anthropic
