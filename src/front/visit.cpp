#include "front/visit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "env/clock.hpp"
#include "env/random.hpp"

namespace meshai::front {
namespace {

constexpr std::string_view exposed =
    "x-mesh-route, x-mesh-request-id, retry-after, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, "
    "x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, "
    "x-ratelimit-reset-tokens, x-mesh-budget-tokens, x-mesh-budget-tokens-left, x-mesh-budget-money, "
    "x-mesh-budget-money-left";

// As OpenAI writes it: "0s", "20ms", "1.5s", "1m0s".
std::string span_text(std::chrono::milliseconds span) {
  if (span.count() == 0) return "0s";
  if (span < std::chrono::seconds(1)) return fmt::format("{}ms", span.count());
  const auto minutes = span.count() / 60'000;
  const auto seconds = fmt::format("{}s", static_cast<double>(span.count() % 60'000) / 1000);
  return minutes > 0 ? fmt::format("{}m{}", minutes, seconds) : seconds;
}

}  // namespace

std::vector<wire::header> visit::headers(std::string_view content_type,
                                         std::initializer_list<wire::header> more) const {
  std::vector<wire::header> all;
  all.reserve(10 + rate.size());
  all.push_back({"Content-Type", content_type});
  all.push_back({"Cache-Control", "no-store"});
  all.push_back({"X-Content-Type-Options", "nosniff"});
  all.push_back({"x-mesh-request-id", request_id});
  // The names under which the official clients look for it.
  const bool anthropic = door == chat::endpoint::messages || door == chat::endpoint::count_tokens;
  all.push_back({anthropic ? "request-id" : "x-request-id", request_id});
  all.push_back({"x-mesh-route", route});
  if (!allowed_origin.empty()) {
    all.push_back({"Access-Control-Allow-Origin", allowed_origin});
    all.push_back({"Access-Control-Expose-Headers", exposed});
    all.push_back({"Vary", "Origin"});
  }
  for (const auto& [name, value] : rate) all.push_back({name, value});
  all.insert(all.end(), more);
  return all;
}

void visit::tell_rate() {
  rate.clear();
  if (!who || !who->limits.any()) return;
  const auto stands = now->accounts->look(who->name, {.now = world.clock.now(), .wall = world.clock.wall()});
  if (!stands) return;
  const auto tell = [&](std::string_view limit, std::string_view left, std::optional<std::int64_t> all,
                        std::int64_t used) {
    if (!all) return;
    rate.emplace_back(limit, fmt::format("{}", *all));
    rate.emplace_back(left, fmt::format("{}", std::max<std::int64_t>(0, *all - used)));
  };
  const auto& most = stands->limits;
  tell("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", most.requests_a_minute, stands->requests);
  if (most.requests_a_minute) rate.emplace_back("x-ratelimit-reset-requests", span_text(stands->requests_reset));
  tell("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", most.tokens_a_minute, stands->tokens);
  if (most.tokens_a_minute) rate.emplace_back("x-ratelimit-reset-tokens", span_text(stands->tokens_reset));
  tell("x-mesh-budget-tokens", "x-mesh-budget-tokens-left", most.tokens,
       stands->spent.tokens + stands->held.tokens);
  if (!most.money) return;
  const auto left = std::max<std::int64_t>(0, *most.money - stands->spent.money - stands->held.money);
  rate.emplace_back("x-mesh-budget-money", ledger::money_text(*most.money));
  rate.emplace_back("x-mesh-budget-money-left", ledger::money_text(left));
}

task<void> visit::send(int status, std::string_view content_type, std::string_view body) {
  const auto with = headers(content_type);
  // A caller that cannot be reached any more is not our fault: the connection ends, nothing else is lost.
  (void)co_await out.send(status, with, body);
}

task<void> visit::refuse(const chat::problem& why, std::optional<std::chrono::milliseconds> retry_after) {
  auto with = headers("application/json");
  std::string seconds;
  if (retry_after) {
    seconds = fmt::format("{}", std::max<std::int64_t>(1, (retry_after->count() + 999) / 1000));
    with.push_back({"Retry-After", seconds});
  }
  if (why.status == 401) with.push_back({"WWW-Authenticate", "Bearer realm=\"meshai\""});
  const auto body = chat::write_problem(door, why, request_id);
  (void)co_await out.send(why.status, with, body);
}

task<void> visit::refuse_method(std::string_view allowed) {
  const chat::problem why{.status = 405,
                          .type = "invalid_request_error",
                          .code = "method_not_allowed",
                          .message = "This path does not take that method.",
                          .hint = fmt::format("Use {}.", allowed)};
  const auto with = headers("application/json", {{"Allow", allowed}});
  const auto body = chat::write_problem(door, why, request_id);
  (void)co_await out.send(why.status, with, body);
}

std::string make_id(env::world& world, std::string_view prefix) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<char, 32> number;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < number.size(); ++i, bits <<= 4) {
    if (i % 16 == 0) bits = world.random.next();
    number[i] = digits[bits >> 60];
  }
  std::string id;
  id.reserve(prefix.size() + number.size());
  return id.append(prefix).append(number.data(), number.size());
}

}  // namespace meshai::front
