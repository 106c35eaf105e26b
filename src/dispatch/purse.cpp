#include "dispatch/purse.hpp"

#include <fmt/format.h>

namespace meshai::dispatch {
namespace {

using kind = ledger::shortage::kind;

std::string number(kind of, std::int64_t n) {
  return of == kind::money ? ledger::money_text(n) : fmt::format("{} tokens", n);
}

failure too_large(const ledger::shortage& of) {
  const bool rate = of.of == kind::tokens_a_minute;
  return {.why = {.status = 400,
                  .type = "invalid_request_error",
                  .code = rate ? "request_over_rate" : "request_over_budget",
                  .param = "max_tokens",
                  .message =
                      fmt::format("this request may come to {}, and {} of its key is {}", number(of.of, of.wanted),
                                  rate ? "the rate a minute" : "the budget a day", number(of.of, of.limit)),
                  .hint = "Lower max_tokens or n, or send less; or give the key more."},
          .retry_after = {}};
}

chat::problem too_much(std::string code, std::string message, std::string hint) {
  return {.status = 429,
          .type = "rate_limit_error",
          .code = std::move(code),
          .param = {},
          .message = std::move(message),
          .hint = std::move(hint)};
}

chat::problem over_budget(const ledger::shortage& of) {
  const auto wants = fmt::format("this request may come to {}, and of today's budget of its key, {}, {} is left",
                                 number(of.of, of.wanted), number(of.of, of.limit), number(of.of, of.left));
  if (of.held) {
    return too_much("budget_held", wants + ", some of it held for requests that run",
                    "Try again when they have ended, or lower max_tokens.");
  }
  return too_much(
      "budget_spent", wants,
      "It comes back at 00:00 UTC. Until then lower max_tokens, name a model that costs nothing, or give "
      "the key more.");
}

}  // namespace

failure describe(const ledger::shortage& of) {
  if (of.of == kind::unwritten) {
    return {
        .why = {.status = 503,
                .type = "api_error",
                .code = "ledger_unavailable",
                .param = {},
                .message = "what this key spends cannot be written down, and a budget that is not kept is none",
                .hint =
                    "Try again in a moment; where it lasts, `meshai doctor` says what is wrong with the ledger."},
        .retry_after = std::chrono::milliseconds(1000)};
  }
  if (!of.again) return too_large(of);
  switch (of.of) {
    case kind::requests_a_minute:
      return {.why = too_much("rate_limited", fmt::format("this key may ask {} times a minute", of.limit),
                              "Wait as Retry-After says, or give the key a higher rate."),
              .retry_after = of.again};
    case kind::tokens_a_minute:
      return {
          .why = too_much("rate_limited",
                          fmt::format("this request may come to {} tokens, and of the {} that its key may use a "
                                      "minute {} are left",
                                      of.wanted, of.limit, of.left),
                          "Wait as Retry-After says, lower max_tokens, or give the key a higher rate."),
          .retry_after = of.again};
    case kind::tokens:
    case kind::money:
    case kind::unwritten:
      break;
  }
  return {.why = over_budget(of), .retry_after = of.again};
}

}  // namespace meshai::dispatch
