#include "route/fault.hpp"

#include <gtest/gtest.h>

namespace meshai::route {
namespace {

using namespace std::chrono_literals;
using enum fault_kind;

struct row {
  int status;
  const char* type;
  const char* code;
  const char* message;
  fault_kind kind;
  verdict then;
};

// Each provider in its own words.
const row rows[] = {
    // any provider, by status alone
    {400, "", "", "", bad_request, verdict::tell},
    {401, "", "", "", key_refused, verdict::open},
    {402, "", "", "", quota, verdict::open},
    {403, "", "", "", forbidden, verdict::open},
    {404, "", "", "", model_missing, verdict::open},
    {405, "", "", "", server_error, verdict::next},
    {408, "", "", "", timeout, verdict::next},
    {409, "", "", "", server_error, verdict::next},
    {410, "", "", "", model_missing, verdict::open},
    {413, "", "", "", bad_request, verdict::tell},
    {422, "", "", "", bad_request, verdict::tell},
    {425, "", "", "", server_error, verdict::next},
    {429, "", "", "", rate_limited, verdict::rest},
    {451, "", "", "", bad_request, verdict::tell},
    {500, "", "", "", server_error, verdict::next},
    {501, "", "", "", unsupported, verdict::unfit},
    {502, "", "", "", server_error, verdict::next},
    {503, "", "", "", server_error, verdict::next},
    {504, "", "", "", server_error, verdict::next},
    {529, "", "", "", server_error, verdict::next},
    // OpenAI
    {400, "invalid_request_error", "context_length_exceeded",
     "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
     context_length, verdict::unfit},
    {400, "invalid_request_error", "", "Your input exceeds the context window of this model.", context_length,
     verdict::unfit},
    {429, "insufficient_quota", "insufficient_quota",
     "You exceeded your current quota, please check your plan and billing details.", quota, verdict::open},
    {429, "tokens", "rate_limit_exceeded", "Rate limit reached for gpt-4o. Please try again in 20s.", rate_limited,
     verdict::rest},
    {400, "invalid_request_error", "unsupported_parameter",
     "Unsupported parameter: 'max_tokens' is not supported with this model.", unsupported, verdict::unfit},
    {400, "invalid_request_error", "unsupported_value", "'temperature' does not support 0.2 with this model.",
     unsupported, verdict::unfit},
    {400, "image_generation_user_error", "moderation_blocked", "Your request was rejected.", content_policy,
     verdict::tell},
    {400, "invalid_request_error", "content_policy_violation", "Your request was rejected by our safety system.",
     content_policy, verdict::tell},
    {404, "invalid_request_error", "model_not_found", "The model `gpt-9` does not exist.", model_missing,
     verdict::open},
    {401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.", key_refused, verdict::open},
    {403, "request_forbidden", "unsupported_country_region_territory", "Country not supported", forbidden,
     verdict::open},
    {400, "invalid_request_error", "", "Missing required parameter: 'messages[0].role'.", bad_request,
     verdict::tell},
    // Azure
    {400, "", "content_filter",
     "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
     content_policy, verdict::tell},
    // Anthropic
    {400, "invalid_request_error", "", "prompt is too long: 210000 tokens > 200000 maximum", context_length,
     verdict::unfit},
    {400, "invalid_request_error", "",
     "input length and `max_tokens` exceed context limit: 197202 + 21333 > 200000, decrease input length",
     context_length, verdict::unfit},
    {400, "invalid_request_error", "", "Your credit balance is too low to access the Anthropic API.", quota,
     verdict::open},
    {400, "invalid_request_error", "", "Output blocked by content filtering policy", content_policy,
     verdict::tell},
    {400, "invalid_request_error", "", "top_k: Extra inputs are not permitted", unsupported, verdict::unfit},
    {401, "authentication_error", "", "invalid x-api-key", key_refused, verdict::open},
    {402, "billing_error", "", "Payment required", quota, verdict::open},
    {403, "permission_error", "", "Your API key does not have permission", forbidden, verdict::open},
    {404, "not_found_error", "", "model: claude-9", model_missing, verdict::open},
    {413, "request_too_large", "", "Request exceeds the maximum size", bad_request, verdict::tell},
    {429, "rate_limit_error", "", "This request would exceed your organization's rate limit", rate_limited,
     verdict::rest},
    {529, "overloaded_error", "", "Overloaded", server_error, verdict::next},
    // Gemini
    {400, "INVALID_ARGUMENT", "400",
     "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", context_length,
     verdict::unfit},
    {400, "INVALID_ARGUMENT", "400", "API key not valid. Please pass a valid API key.", key_refused,
     verdict::open},
    {400, "INVALID_ARGUMENT", "400", "Function calling is not enabled for models/gemma-3", unsupported,
     verdict::unfit},
    {400, "INVALID_ARGUMENT", "400", "Invalid JSON payload received. Unknown name \"foo\": Cannot find field.",
     unsupported, verdict::unfit},
    {403, "PERMISSION_DENIED", "403", "Permission denied", forbidden, verdict::open},
    {429, "RESOURCE_EXHAUSTED", "429",
     "You exceeded your current quota, please check your plan and billing details. Please retry in 34.07s.",
     rate_limited, verdict::rest},
    {429, "RESOURCE_EXHAUSTED", "429",
     "You exceeded your current quota, please check your plan and billing details.", quota, verdict::open},
    {503, "UNAVAILABLE", "503", "The model is overloaded. Please try again later.", server_error, verdict::next},
    // llama-server
    {400, "exceed_context_size_error", "400", "the request exceeds the available context size, try increasing it",
     context_length, verdict::unfit},
    {500, "server_error", "500", "tools param requires --jinja flag", unsupported, verdict::unfit},
    {500, "server_error", "500", "image input is not supported - hint: provide the mmproj", unsupported,
     verdict::unfit},
    {501, "not_supported_error", "501", "This server does not support embeddings. Start it with `--embeddings`",
     unsupported, verdict::unfit},
    {503, "unavailable_error", "503", "Loading model", server_error, verdict::next},
    // vLLM
    {400, "BadRequestError", "400",
     "The decoder prompt (length 5000) is longer than the maximum model length of 4096.", context_length,
     verdict::unfit},
    {400, "BadRequestError", "400",
     "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set", unsupported,
     verdict::unfit},
    {400, "BadRequestError", "400", "/models/x is not a multimodal model", unsupported, verdict::unfit},
    {404, "NotFoundError", "404", "The model `x` does not exist.", model_missing, verdict::open},
    // Ollama
    {400, "api_error", "", "the input length exceeds the context length", context_length, verdict::unfit},
    {400, "api_error", "", "registry.ollama.ai/library/gemma:2b does not support tools", unsupported,
     verdict::unfit},
    {404, "api_error", "", "model 'x' not found", model_missing, verdict::open},
    // others
    {402, "", "", "Insufficient Balance", quota, verdict::open},
    {400, "", "", "openai/gpt-9 is not a valid model ID", model_missing, verdict::open},
};

chat::provider_error said(const row& r) {
  return {.status = r.status, .type = r.type, .code = r.code, .param = "p", .message = r.message};
}

TEST(fault, the_table_of_verdicts) {
  for (const auto& r : rows) {
    const auto got = status_fault("n", said(r), std::nullopt);
    EXPECT_EQ(to_string(got.kind), to_string(r.kind)) << r.status << ' ' << r.code << ' ' << r.message;
    EXPECT_EQ(verdict_of(got.kind), r.then) << r.status << ' ' << r.message;
    EXPECT_GE(got.told.status, 400);
    EXPECT_FALSE(got.told.type.empty());
    EXPECT_FALSE(got.told.code.empty());
    EXPECT_FALSE(got.told.message.empty());
    EXPECT_FALSE(got.told.hint.empty());
  }
}

TEST(fault, connections_and_bytes_lead_to_the_next_candidate) {
  struct {
    fault what;
    fault_kind kind;
    int status;
  } cases[] = {
      {transport_fault("n", {error_kind::unreachable, "refused"}), unreachable, 503},
      {transport_fault("n", {error_kind::denied, "certificate"}), unreachable, 503},
      {transport_fault("n", {error_kind::refused, "no"}), unreachable, 503},
      {transport_fault("n", {error_kind::timeout, "late"}), timeout, 504},
      {transport_fault("n", {error_kind::malformed, "bytes"}), malformed, 502},
      {transport_fault("n", {error_kind::exhausted, "long"}), malformed, 502},
      {malformed_fault("n", "an HTML page"), malformed, 502},
      {cut_fault("n"), cut, 502},
      {redirect_fault("n", 302), server_error, 502},
      {timeout_fault("n", "idle_timeout", 60s), timeout, 504},
  };
  for (const auto& [what, kind, status] : cases) {
    EXPECT_EQ(to_string(what.kind), to_string(kind)) << what.told.message;
    EXPECT_EQ(verdict_of(what.kind), verdict::next);
    EXPECT_EQ(what.told.status, status);
    EXPECT_TRUE(what.told.message.contains("\"n\"")) << what.told.message;
    EXPECT_TRUE(what.asked);
  }
  const auto here = transport_fault("n", {error_kind::unavailable, "the link is down on this machine"});
  EXPECT_EQ(to_string(here.kind), to_string(unreachable));
  EXPECT_FALSE(here.asked) << "nothing is held against a node that nobody reached for";
}

TEST(fault, an_error_in_a_stream_or_with_200_is_the_next_candidates_unless_it_says_more) {
  struct {
    const char* type;
    const char* message;
    fault_kind kind;
  } cases[] = {
      {"overloaded_error", "Overloaded", server_error},
      {"api_error", "Internal server error", server_error},
      {"server_error", "The server had an error", server_error},
      {"invalid_request_error", "something", server_error},
      {"rate_limit_error", "slow down", rate_limited},
      {"RESOURCE_EXHAUSTED", "Please retry in 2s", rate_limited},
      {"insufficient_quota", "pay", quota},
      {"authentication_error", "no", key_refused},
      {"context_length_exceeded", "", context_length},
  };
  for (const auto& [type, message, kind] : cases) {
    const auto got = event_fault("n", {.status = 0, .type = type, .code = {}, .param = {}, .message = message});
    EXPECT_EQ(to_string(got.kind), to_string(kind)) << type;
  }
  EXPECT_EQ(
      event_fault(
          "n",
          {.status = 0, .type = "RESOURCE_EXHAUSTED", .code = {}, .param = {}, .message = "Please retry in 2s"})
          .rest,
      2s);
}

TEST(fault, the_caller_hears_the_provider_where_it_knows_best) {
  const auto bad = status_fault(
      "openai",
      {.status = 400, .type = "invalid_request_error", .code = "bad_thing", .param = "messages", .message = "No."},
      {});
  EXPECT_EQ(bad.told.status, 400);
  EXPECT_EQ(bad.told.message, "No.");
  EXPECT_EQ(bad.told.param, "messages");
  EXPECT_EQ(bad.told.code, "bad_thing");
  EXPECT_EQ(
      status_fault("n", {.status = 413, .type = {}, .code = {}, .param = {}, .message = "big"}, {}).told.status,
      413);
  EXPECT_EQ(
      status_fault("n", {.status = 422, .type = {}, .code = {}, .param = {}, .message = "odd"}, {}).told.status,
      422);
  // A provider that refuses *our* key must not look like a caller whose key is wrong.
  const auto key =
      status_fault("openai", {.status = 401, .type = {}, .code = {}, .param = {}, .message = "bad key"}, {});
  EXPECT_EQ(key.told.status, 502);
  EXPECT_EQ(key.told.code, "node_key_refused");
  EXPECT_EQ(status_fault("n", {.status = 503, .type = {}, .code = {}, .param = {}, .message = {}}, {}).told.status,
            503);
  EXPECT_EQ(status_fault("n", {.status = 500, .type = {}, .code = {}, .param = {}, .message = {}}, {}).told.status,
            502);
}

TEST(fault, rests_as_long_as_it_was_told) {
  const chat::provider_error busy{
      .status = 429, .type = {}, .code = {}, .param = {}, .message = "try again in 6m0s"};
  EXPECT_EQ(status_fault("n", busy, 3s).rest, 3s);
  EXPECT_EQ(status_fault("n", busy, std::nullopt).rest, 6min);
  EXPECT_EQ(status_fault("n", {.status = 503, .type = {}, .code = {}, .param = {}, .message = {}}, 60s).rest, 60s);
  EXPECT_EQ(status_fault("n", {.status = 401, .type = {}, .code = {}, .param = {}, .message = {}}, 60s).rest,
            std::nullopt);
}

TEST(fault, a_request_that_was_never_sent_is_nobodys_attempt) {
  const auto never =
      unsupported_fault({.status = 400, .type = "t", .code = "c", .param = "p", .message = "m", .hint = "h"});
  EXPECT_FALSE(never.asked);
  EXPECT_EQ(never.kind, unsupported);
  EXPECT_EQ(never.told.param, "p");
}

// ---- how long to rest

constexpr wall_time now = std::chrono::sys_days(std::chrono::year(2025) / 1 / 30) + 12h;

struct said_wait {
  std::vector<header> headers;
  std::optional<std::chrono::milliseconds> wait;
};

TEST(retry_after, reads_every_form) {
  const said_wait cases[] = {
      {{}, std::nullopt},
      {{{"Retry-After", "3"}}, 3s},
      {{{"retry-after", " 1.5 "}}, 1500ms},
      {{{"retry-after", "0"}}, 0ms},
      {{{"Retry-After", "Thu, 30 Jan 2025 12:00:10 GMT"}}, 10s},
      {{{"Retry-After", "Thursday, 30-Jan-25 12:00:10 GMT"}}, 10s},
      {{{"Retry-After", "Thu Jan 30 12:00:10 2025"}}, 10s},
      {{{"Retry-After", "Thu, 30 Jan 2025 11:00:00 GMT"}}, 0ms},  // past
      {{{"retry-after-ms", "250"}, {"retry-after", "1"}}, 250ms},
      {{{"x-ratelimit-reset-requests", "1s"}, {"x-ratelimit-remaining-requests", "0"}}, 1s},
      {{{"x-ratelimit-reset-tokens", "6m0s"}, {"x-ratelimit-remaining-tokens", "0"}}, 6min},
      {{{"x-ratelimit-reset-requests", "8.64s"},
        {"x-ratelimit-remaining-requests", "5"},
        {"x-ratelimit-reset-tokens", "17ms"},
        {"x-ratelimit-remaining-tokens", "0"}},
       17ms},
      {{{"x-ratelimit-reset-requests", "1h2m3.5s"}}, 1h},  // never more than an hour
      {{{"x-ratelimit-reset-requests", "2m3.5s"}, {"x-ratelimit-reset-tokens", "5s"}}, 5s},
      {{{"anthropic-ratelimit-requests-reset", "2025-01-30T12:00:20Z"},
        {"anthropic-ratelimit-requests-remaining", "0"}},
       20s},
      {{{"anthropic-ratelimit-tokens-reset", "2025-01-30T13:00:20+01:00"}}, 20s},
      {{{"anthropic-ratelimit-tokens-reset", "2025-01-30T12:00:20.5Z"}}, 21s},
      {{{"X-RateLimit-Reset", "1738238410000"}}, 10s},  // milliseconds since 1970
      {{{"X-RateLimit-Reset", "1738238410"}}, 10s},     // seconds since 1970
      {{{"retry-after", "soon"}}, std::nullopt},
      {{{"retry-after", "-5"}}, 0ms},
      {{{"retry-after", ""}}, std::nullopt},
      {{{"retry-after", "99999999999999999999999"}}, 1h},
      {{{"retry-after", "Thu, 32 Foo 2025 12:00:10 GMT"}}, std::nullopt},
      {{{"retry-after", "2025-13-30T12:00:10Z"}}, std::nullopt},
      {{{"x-ratelimit-reset-tokens", "6m0"}}, std::nullopt},
      {{{"x-request-id", "5"}}, std::nullopt},
  };
  for (const auto& [headers, wait] : cases) {
    const auto got = retry_after(headers, now);
    EXPECT_EQ(got.has_value(), wait.has_value()) << (headers.empty() ? "" : headers[0].value);
    if (got && wait) {
      EXPECT_EQ(*got, *wait) << headers[0].value;
    }
  }
}

TEST(retry_after, reads_geminis_details) {
  EXPECT_EQ(retry_after_in_body(R"({"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[
      {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{}]},
      {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.074824224s"}]}})"),
            34075ms);
  EXPECT_EQ(retry_after_in_body(R"([{"error":{"details":[{"retryDelay" : "7s"}]}}])"), 7s);
  EXPECT_EQ(retry_after_in_body(R"({"retryDelay":"999999s"})"), 1h);
  for (const auto* body : {"", "{}", R"({"retryDelay":7})", R"({"retryDelay":"soon"})", R"({"retryDelay":"7s)",
                           R"({"retryDelay")", R"({"message":"they say \"retryDelay\": \"7s\""})"}) {
    EXPECT_EQ(retry_after_in_body(body), std::nullopt) << body;
  }
}

TEST(retry_after, reads_words) {
  EXPECT_EQ(retry_after_in_words("Rate limit reached. Please try again in 20s. Visit..."), 20s);
  EXPECT_EQ(retry_after_in_words("Please try again in 6m0s."), 6min);
  EXPECT_EQ(retry_after_in_words("please retry in 34.074824224s."), 34075ms);
  EXPECT_EQ(retry_after_in_words("Please try again in 150ms"), 150ms);
  EXPECT_EQ(retry_after_in_words("retry after 7 seconds"), 7s);
  EXPECT_EQ(retry_after_in_words("try again in a while"), std::nullopt);
  EXPECT_EQ(retry_after_in_words(""), std::nullopt);
}

}  // namespace
}  // namespace meshai::route
