// route: what can go wrong with an attempt, and what then. The table of verdicts is data: verdict_of().
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "chat/chat.hpp"
#include "env/clock.hpp"

namespace meshai::route {

enum class fault_kind {
  unreachable,     // refused, reset, no route, no such name, TLS failure
  timeout,         // ours: connect, first token, idle, request; or the provider's 408
  server_error,    // 409, 425, 5xx, 529, an error body or event without a better name, a redirect
  malformed,       // HTML, garbage or a truncated event where an answer should be
  cut,             // an end without a finish reason
  rate_limited,    // 429
  quota,           // insufficient_quota, out of credit; 402
  key_refused,     // 401
  forbidden,       // 403
  model_missing,   // 404 for a model
  context_length,  // the prompt does not fit
  unsupported,     // a parameter, a modality or a dialect that cannot express the request
  content_policy,
  bad_request,  // other 400, 413, 422
  internal,     // ours: no room, shutting down
  misfit,       // the rest of a broken answer that does not fit what was sent
  busy,         // it answers as many as it may, and the line before it is full
};
inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(fault_kind::busy) + 1;
std::string_view to_string(fault_kind kind);

enum class verdict {
  next,   // the next candidate at once; the same node only when none is left
  rest,   // the next candidate; this node rests
  open,   // the next candidate; the breaker opens for minutes
  unfit,  // only a candidate that takes it
  tell,   // the caller gets it; no other model is asked
};
verdict verdict_of(fault_kind kind);

// What a fault says about: the whole node or one model of it.
enum class blame { node, model, nobody };
blame blame_of(fault_kind kind);

struct fault {
  fault_kind kind = fault_kind::server_error;
  std::optional<std::chrono::milliseconds> rest;  // what the provider asked for (429, 503)
  bool another_key = false;                       // the same node has another key that may do
  bool another_way = false;                       // the same node may be asked otherwise (it takes no prefill)
  bool asked = true;   // false: nothing was sent, so it counts neither as an attempt nor against the node
  chat::problem told;  // what the caller hears when this is the end of it
};

// ---- classify: what came -> fault. `node` is the name that the caller is told.

// A connection that failed: error_kind says how.
fault transport_fault(std::string_view node, const error& why);
// An HTTP status other than 200, with the error object of its body.
fault status_fault(std::string_view node, const chat::provider_error& said,
                   std::optional<std::chrono::milliseconds> retry_after);
// An error object with status 200 or as an event of a stream.
fault event_fault(std::string_view node, const chat::provider_error& said);
fault malformed_fault(std::string_view node, std::string_view what);
fault cut_fault(std::string_view node);
fault redirect_fault(std::string_view node, int status);
// One of our own deadlines, by its name in `[limits]`.
fault timeout_fault(std::string_view node, std::string_view limit, std::chrono::milliseconds after);
// A continuation that cannot stand behind what was sent.
fault misfit_fault(std::string_view node);
// Nobody asked it: all its places are taken. Another may do.
fault busy_fault(std::string_view node);
// Nobody asked it: its engine could not be waited for.
fault gone_fault(std::string_view node, const error& why);
// The target's dialect cannot express the request.
fault unsupported_fault(chat::problem why);

// ---- how long to rest

struct header {
  std::string_view name, value;  // names in any case
};
// Retry-After (seconds or HTTP date, RFC 9110 10.2.3), retry-after-ms, x-ratelimit-reset-* ("1s", "6m0s") and
// anthropic-ratelimit-*-reset (RFC 3339). The most exact one counts; never more than an hour.
std::optional<std::chrono::milliseconds> retry_after(std::span<const header> of, wall_time now);
// "Please try again in 6m0s", "Please retry in 34.07s": where providers say it only in words.
std::optional<std::chrono::milliseconds> retry_after_in_words(std::string_view message);
// Gemini's error object: google.rpc.RetryInfo among its details, {"retryDelay": "34.074824224s"}.
std::optional<std::chrono::milliseconds> retry_after_in_body(std::string_view body);

}  // namespace meshai::route
