// A caller who says raw bytes to a door and hears one answer, in either world. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "env/clock.hpp"
#include "env/network.hpp"
#include "env/pool.hpp"
#include "env/world.hpp"
#include "wire/wire.hpp"

namespace meshai::fake {

// One answer as its caller heard it. Times are since the question was sent.
struct heard {
  int status = 0;                              // 0: the connection ended without an answer
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  bool whole = false;  // it ended where it said it would
  std::chrono::nanoseconds head_at{}, took{};
  std::vector<std::pair<std::chrono::nanoseconds, std::string>> pieces;  // of the body, as they came

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
  boost::json::value parsed() const {
    boost::system::error_code wrong;
    auto out = boost::json::parse(body, wrong);
    EXPECT_FALSE(wrong) << body;
    return out;
  }
  // A member of the error object, in either dialect.
  std::string error(std::string_view member) const {
    const auto all = parsed();
    const auto* of = all.is_object() ? all.get_object().if_contains("error") : nullptr;
    const auto* said = of && of->is_object() ? of->get_object().if_contains(member) : nullptr;
    return said && said->is_string() ? std::string(said->get_string()) : "";
  }
};

inline std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// A request with Host and length where `more` does not say otherwise; "Name: value\r\n" each.
inline std::string request_text(std::string_view method, std::string_view path, std::string_view body,
                                std::string_view more = {}) {
  std::string out = std::string(method) + " " + std::string(path) + " HTTP/1.1\r\n";
  const auto names = lower(more);
  if (!names.contains("host:")) out += "Host: localhost\r\n";
  if (!body.empty() && !names.contains("content-length:"))
    out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return out + std::string(more) + "\r\n" + std::string(body);
}

// Says `raw` to whoever listens at `to` and hears one answer; `done` is set at its end.
inline task<void> converse(env::world world, env::address to, std::string raw, heard& out, bool& done) {
  struct mark {
    bool& flag;
    ~mark() { flag = true; }
  } at_end{done};
  auto on = co_await world.network.dial(std::move(to), never);
  if (!on) co_return;
  const auto begun = world.clock.now();
  const std::string_view pieces[] = {raw};
  (void)co_await (*on)->write_all(pieces);
  (*on)->read_by(begun + std::chrono::minutes(30));
  wire::response_parser parser;
  parser.reset(raw.starts_with("HEAD ") ? wire::asked::head : wire::asked::other);
  std::string bytes;
  for (char more[16 * 1024];;) {
    const auto got = parser.feed(bytes);
    if (!got) co_return;
    if (got->what == wire::progress::head) {
      out.status = parser.head().status;
      out.head_at = world.clock.now() - begun;
      for (const auto& [name, value] : parser.head().headers) out.headers[lower(name)] = value;
    }
    if (!got->body.empty()) out.pieces.emplace_back(world.clock.now() - begun, got->body);
    out.body += got->body;
    bytes.erase(0, got->consumed);
    out.took = world.clock.now() - begun;
    out.whole = parser.ended();
    if (out.whole) co_return;
    if (got->what != wire::progress::need_more) continue;
    const auto size = co_await (*on)->read_some(more);
    if (!size || *size == 0) co_return;
    bytes.append(more, *size);
  }
}

// A pool, and how often it was used.
struct counting_pool final : env::pool {
  explicit counting_pool(env::pool& of) : inner(of) {}
  task<void> run(std::move_only_function<void()> work) override {
    ++runs;
    co_await inner.run(std::move(work));
  }
  env::pool& inner;
  int runs = 0;
};

}  // namespace meshai::fake
