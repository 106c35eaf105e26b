#include "engine/talk.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <utility>

#include "wire/wire.hpp"

namespace meshai::engine {
namespace json = boost::json;
namespace {

constexpr std::size_t max_reply = 1 << 20;  // a vector of a large model is some 100 KB

const json::value* member(const json::value& of, std::string_view name) {
  const auto* object = of.if_object();
  return object ? object->if_contains(name) : nullptr;
}

std::optional<double> gauge(std::string_view text, std::string_view name) {
  for (auto at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    const auto after = at + name.size();
    if ((at != 0 && text[at - 1] != '\n') || after >= text.size() || text[after] != ' ') continue;
    double out = 0;
    const auto* start = text.data() + after + 1;
    if (std::from_chars(start, text.data() + text.size(), out).ec == std::errc() && out >= 0 && out < 1e9)
      return out;
  }
  return std::nullopt;
}

}  // namespace

talk::talk(const env::world& world, std::string socket) : client_(world) {
  origin_.socket_path = std::move(socket);
  origin_.make_key();
}

task<result<void>> talk::health(instant by) {
  const auto said = co_await exchange("GET", "/health", {}, by);
  if (!said) co_return std::unexpected(said.error());
  if (said->status != 200) co_return fail(error_kind::unavailable, fmt::format("it answers {}", said->status));
  co_return result<void>();
}

task<result<void>> talk::first_token(int slot, std::string_view system, instant by) {
  json::array messages;
  if (!system.empty()) messages.push_back({{"role", "system"}, {"content", system}});
  messages.push_back({{"role", "user"}, {"content", "Hi"}});
  const auto body = json::serialize(json::object{{"messages", std::move(messages)},
                                                 {"max_tokens", 1},
                                                 {"id_slot", slot},
                                                 {"cache_prompt", true},
                                                 {"stream", false}});
  const auto said = co_await exchange("POST", "/v1/chat/completions", body, by);
  if (!said) co_return std::unexpected(said.error());
  if (said->status != 200 || !has_token(said->body))
    co_return fail(error_kind::malformed,
                   fmt::format("its first answer holds no token (status {})", said->status));
  co_return result<void>();
}

task<result<void>> talk::first_vector(instant by) {
  const auto said = co_await exchange("POST", "/v1/embeddings", R"({"input":"Hi"})", by);
  if (!said) co_return std::unexpected(said.error());
  if (said->status != 200 || !has_vector(said->body))
    co_return fail(error_kind::malformed,
                   fmt::format("its first answer holds no vector (status {})", said->status));
  co_return result<void>();
}

task<result<std::uint64_t>> talk::busy(instant by) {
  const auto said = co_await exchange("GET", "/metrics", {}, by);
  if (!said) co_return std::unexpected(said.error());
  const auto count = said->status == 200 ? parse_busy(said->body) : std::nullopt;
  if (!count) co_return fail(error_kind::malformed, "its metrics cannot be read");
  co_return *count;
}

task<result<talk::reply>> talk::exchange(std::string_view method, std::string_view target, std::string_view body,
                                         instant by) {
  const std::array headers = {wire::header{"Content-Type", "application/json"}};
  const http::call what{
      .method = method, .target = target, .headers = std::span(headers).first(body.empty() ? 0 : 1), .body = body};
  auto answer = co_await client_.send(origin_, what, {.headers_by = by});
  if (!answer) co_return std::unexpected(answer.error());
  answer->read_by(by);
  auto text = co_await answer->read_all(max_reply);
  if (!text) co_return std::unexpected(text.error());
  co_return reply{answer->status(), std::move(*text)};
}

std::optional<std::uint64_t> parse_busy(std::string_view metrics) {
  const auto processing = gauge(metrics, "llamacpp:requests_processing");
  const auto deferred = gauge(metrics, "llamacpp:requests_deferred");
  if (!processing || !deferred) return std::nullopt;
  return static_cast<std::uint64_t>(*processing + *deferred);
}

bool has_token(std::string_view body) {
  boost::system::error_code bad;
  const auto parsed = json::parse(body, bad);
  if (bad) return false;
  const auto* usage = member(parsed, "usage");
  const auto* count = usage ? member(*usage, "completion_tokens") : nullptr;
  return count && count->is_int64() && count->get_int64() >= 1;
}

bool has_vector(std::string_view body) {
  boost::system::error_code bad;
  const auto parsed = json::parse(body, bad);
  if (bad) return false;
  const auto* data = member(parsed, "data");
  const auto* list = data ? data->if_array() : nullptr;
  const auto* vector = list && !list->empty() ? member(list->front(), "embedding") : nullptr;
  return vector && vector->is_array() && !vector->get_array().empty();
}

}  // namespace meshai::engine
