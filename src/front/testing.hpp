// front: a door in the pretend world, with dispatch's mesh of fake providers behind it and a caller before it who
// says raw bytes.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "caller.hpp"
#include "dispatch/testing.hpp"
#include "env/scope.hpp"
#include "front/front.hpp"

namespace meshai::front::testing {

using namespace std::chrono_literals;
using fake::heard;

// What the node above would answer; counts what was asked of it.
struct desk final : office {
  bool ready() const override { return true; }
  std::string metrics() const override { return "meshai_connections 1\n"; }
  std::string status() const override { return "{}"; }
  task<result<void>> reload() override {
    ++reloads;
    co_return result<void>{};
  }
  task<void> read_keys() override {
    ++looks;
    co_return;
  }
  int reloads = 0, looks = 0;
};

inline caller make_caller(std::string name, std::string key) {
  return {.name = std::move(name), .key = secret(key), .models = {}};
}

struct pretend_door {
  static constexpr std::uint16_t port = 9437, owner_port = 9438;

  pretend_door() = default;
  pretend_door(const pretend_door&) = delete;
  pretend_door& operator=(const pretend_door&) = delete;
  // Its connections refer to what goes before the pretend world.
  ~pretend_door() {
    if (!entrance) return;
    for (auto& each : doors) each->close();
    bool done = false;
    m.pretend.spawn([](front& at, bool& over) -> task<void> {
      co_await at.close({});
      over = true;
    }(*entrance, done));
    m.pretend.run([&] { return done; });
  }

  // Call after the providers were added and the rules were set.
  void open() {
    now->setup = m.setup ? m.setup : m.build();
    now->rules = std::make_shared<const admission_rules>(std::move(rules));
    others = std::make_unique<crowd>(most_callers, most_bodies);
    entrance = std::make_unique<front>(ours, m.asks, *others, above, now);
    for (const auto& [at, owner] : {std::pair(port, false), std::pair(owner_port, true)}) {
      doors.push_back(*m.us.world().network.listen({.ip = "0.0.0.0", .port = at, .path = {}}, false));
      m.pretend.spawn(entrance->serve(*doors.back(), owner, {}));
    }
  }

  heard say(std::string raw, std::uint16_t to = port) {
    if (!entrance) open();
    heard out;
    bool done = false;
    m.pretend.spawn(fake::converse(outside.world(), {.ip = "10.0.0.1", .port = to}, std::move(raw), out, done));
    EXPECT_EQ(m.pretend.run([&] { return done; }), sim::outcome::done);
    return out;
  }

  // With the key, where `more` does not say otherwise.
  std::string request(std::string_view method, std::string_view path, std::string_view body,
                      std::string_view more = {}) const {
    std::string headers(more);
    if (!key.empty() && !fake::lower(more).contains("authorization:"))
      headers += "Authorization: Bearer " + key + "\r\n";
    return fake::request_text(method, path, body, headers);
  }
  heard post(std::string_view path, std::string_view body, std::string_view more = {}) {
    return say(request("POST", path, body, more));
  }
  heard get(std::string_view path, std::string_view more = {}) { return say(request("GET", path, {}, more)); }
  heard chat(std::string_view body, std::string_view more = {}) {
    return post("/v1/chat/completions", body, more);
  }

  // Lets time pass.
  void pass(std::chrono::nanoseconds span) {
    bool over = false;
    m.pretend.spawn([](env::world in, std::chrono::nanoseconds time, bool& flag) -> task<void> {
      co_await in.clock.sleep_until(in.clock.now() + time);
      flag = true;
    }(outside.world(), span, over));
    m.pretend.run([&] { return over; });
  }

  // Questions that any provider was asked so far.
  std::size_t asked() const {
    std::size_t sum = 0;
    for (const auto& each : m.providers) sum += each->requests().size();
    return sum;
  }

  dispatch::testing::mesh m;
  sim::host& outside = m.pretend.add_host("outside", "10.0.0.9");
  fake::counting_pool counted{m.world.pool};
  env::world ours{m.world.loop,    m.world.clock, m.world.random, m.world.entropy, m.world.network,
                  m.world.process, counted,       m.world.log,    m.world.metrics};
  std::size_t most_callers = 1000, most_bodies = 256 << 20;  // until open()
  std::unique_ptr<crowd> others;
  desk above;
  admission_rules rules;  // until open()
  std::shared_ptr<settings> now = std::make_shared<settings>();
  std::string key;  // sent where it is not empty
  std::unique_ptr<front> entrance;
  std::vector<std::unique_ptr<env::listener>> doors;
};

struct door_fixture : ::testing::Test, pretend_door {};

// Bodies that ask "What is 2+2?", one for each door.
inline const std::string hello = R"({"model":"auto","messages":[{"role":"user","content":"What is 2+2?"}]})";
inline const std::string hello_stream =
    R"({"model":"auto","stream":true,"messages":[{"role":"user","content":"What is 2+2?"}]})";
inline const std::string hello_claude =
    R"({"model":"auto","max_tokens":9,"messages":[{"role":"user","content":"What is 2+2?"}]})";
inline const std::string some_input = R"({"model":"auto","input":"What is 2+2?"})";

}  // namespace meshai::front::testing
