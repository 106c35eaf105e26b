// http: what its tests share: two hosts, raw ends of connections, and a server that follows a script.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "env/scope.hpp"
#include "http/http.hpp"
#include "sim/sim.hpp"

namespace meshai::http {
using namespace std::chrono_literals;

inline task<result<void>> say(env::stream& to, std::string_view text) {
  const std::string_view pieces[] = {text};
  co_return co_await to.write_all(pieces);
}

// All that comes until the end, or until `enough` holds. "<reset>" and "<timeout>" stand for how it ended
// otherwise.
inline task<std::string> hear(env::stream& from, std::function<bool(const std::string&)> enough = {}) {
  std::string out;
  char bytes[64 * 1024];
  while (!enough || !enough(out)) {
    const auto size = co_await from.read_some(bytes);
    if (!size) co_return out + "<" + std::string(to_string(size.error().kind)) + ">";
    if (*size == 0) co_return out + "<end>";
    out.append(bytes, *size);
  }
  co_return out;
}

inline std::function<bool(const std::string&)> until(std::string last) {
  return [last = std::move(last)](const std::string& heard) { return heard.ends_with(last); };
}

// What a scripted server does with one request.
struct reply {
  std::string text;
  bool closes = false;  // after the text
};

// Each connection, in the order of their coming, answers its requests with its replies; after the last it only
// listens.
struct script {
  std::deque<std::deque<reply>> connections;
  std::vector<std::string> requests;  // "1: POST / HTTP/1.1..." as they came, with the number of their connection
  int opened = 0;
  int closed = 0;  // by the other side
};

inline task<void> follow(std::unique_ptr<env::stream> on, script& what, int number) {
  auto replies = what.connections.empty() ? std::deque<reply>{} : std::move(what.connections.front());
  if (!what.connections.empty()) what.connections.pop_front();
  wire::request_parser parser;
  std::string bytes, request;
  char more[4096];
  for (;;) {
    if (parser.ended()) {
      what.requests.push_back(std::to_string(number) + ": " + std::exchange(request, {}));
      parser.reset();
      if (!replies.empty()) {
        const auto now = std::move(replies.front());
        replies.pop_front();
        if (!now.text.empty()) (void)co_await say(*on, now.text);
        if (now.closes) co_return;
      }
    }
    const auto got = parser.feed(bytes);
    if (!got) co_return;
    request += bytes.substr(0, got->consumed);
    bytes.erase(0, got->consumed);
    if (got->what != wire::progress::need_more) continue;
    const auto size = co_await on->read_some(more);
    if (!size || *size == 0) {
      ++what.closed;
      co_return;
    }
    bytes.append(more, *size);
  }
}

inline task<void> follow_all(env::world world, env::address at, script& what) {
  env::scope each(world.loop);
  const auto door = world.network.listen(at, false);
  while (auto next = co_await (*door)->accept()) each.spawn(follow(std::move(*next), what, ++what.opened));
}

struct fixture : testing::Test {
  explicit fixture(std::uint64_t seed = 1) : sim({.seed = seed}) {
    sim.set_links(here, there, {.latency_min = 1ms, .latency_max = 1ms});
  }

  // Runs `work` to its end; what else happens goes on beside it.
  void finish(task<void> work) {
    bool done = false;
    sim.spawn(mark_done(std::move(work), done));
    ASSERT_EQ(sim.run([&] { return done; }), sim::outcome::done);
  }
  // Lets time pass.
  void pass(std::chrono::nanoseconds span) { finish(sleep(here.world(), span)); }

  static task<void> sleep(env::world world, std::chrono::nanoseconds span) {
    co_await world.clock.sleep_until(world.clock.now() + span);
  }
  static task<void> mark_done(task<void> work, bool& done) {
    co_await std::move(work);
    done = true;
  }

  sim::simulation sim;
  sim::host& here = sim.add_host("here", "10.0.0.1");
  sim::host& there = sim.add_host("there", "10.0.0.2");
};

}  // namespace meshai::http
