#include "front/visit.hpp"

#include <fmt/format.h>

#include "env/random.hpp"

namespace meshai::front {

std::vector<wire::header> visit::headers(std::string_view content_type,
                                         std::initializer_list<wire::header> more) const {
  std::vector<wire::header> all;
  all.reserve(10);
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
    all.push_back({"Access-Control-Expose-Headers", "x-mesh-route, x-mesh-request-id, retry-after"});
    all.push_back({"Vary", "Origin"});
  }
  all.insert(all.end(), more);
  return all;
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
  std::string id(prefix);
  for (int half = 0; half < 2; ++half) {
    const auto bits = world.random.next();
    for (int shift = 60; shift >= 0; shift -= 4) id += digits[bits >> shift & 15];
  }
  return id;
}

}  // namespace meshai::front
