// dispatch: a mesh of fake providers in the pretend world, and one who asks it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dispatch/dispatch.hpp"
#include "env/network.hpp"
#include "fake.hpp"
#include "http/http.hpp"
#include "sim/sim.hpp"

namespace meshai::dispatch::testing {

using namespace std::chrono_literals;

// What came of one request.
struct outcome {
  std::string text;
  int tokens = 0, batches = 0, quiet = 0;
  int finishes = 0;
  chat::finish finish = chat::finish::none;
  std::optional<progress> ended;
  chat::problem problem;
  std::optional<std::chrono::milliseconds> retry_after;
  chat::usage usage;
  chat::story story;
  head facts;
  std::chrono::nanoseconds first_token{0}, took{0};
};

class mesh {
 public:
  explicit mesh(std::uint64_t seed = 1, sim::link between = {.latency_min = 1ms, .latency_max = 1ms},
                std::size_t most_waiting = 256)
      : mesh(sim::options{.seed = seed, .between = between, .within = {}, .keep_log = false}, most_waiting) {}
  explicit mesh(sim::options how, std::size_t most_waiting = 256, std::shared_ptr<purse> pays = nullptr)
      : pretend(how),
        us(pretend.add_host("us", "10.0.0.1")),
        world(us.world()),
        over(world),
        client(world, over, known),
        asks(world, client, known, std::make_shared<turnstiles>(most_waiting), std::move(pays), remembers) {}

  // A provider at http://10.0.1.N, that node `name` leads to; a local one at 127.0.0.1:8001 and on.
  fake::provider& add(std::string name, tier where = tier::cloud, fake::options how = {}) {
    const bool here = where == tier::local;
    const auto number = static_cast<std::uint16_t>(providers.size() + 1);
    const auto ip = here ? "127.0.0.1" : "10.0.1." + std::to_string(number);
    const std::uint16_t port = here ? 8000 + number : 80;
    auto& host = here ? us : pretend.add_host(name, ip);
    hosts.push_back(&host);
    worlds.push_back(std::make_unique<env::world>(host.world()));
    const auto dialect = how.speaks == fake::protocol::openai      ? chat::dialect::openai
                         : how.speaks == fake::protocol::anthropic ? chat::dialect::anthropic
                                                                   : chat::dialect::gemini;
    route::node node;
    node.name = name;
    node.where = where;
    node.dialect = dialect;
    for (const auto& m : how.models) node.models.emplace_back().name = m;
    nodes.push_back(node);
    upstream::node_options to;
    to.node = name;
    to.where = where;
    to.dialect = dialect;
    to.url = "http://" + ip + ":" + std::to_string(port) + (dialect == chat::dialect::gemini ? "/v1beta" : "/v1");
    ways.push_back(std::move(to));
    auto& made = *providers.emplace_back(std::make_unique<fake::provider>(*worlds.back(), std::move(how)));
    auto listener = worlds.back()->network.listen({.ip = ip, .port = port, .path = {}}, false);
    listeners.push_back(std::move(*listener));
    pretend.spawn(made.serve(*listeners.back()));
    return made;
  }

  std::shared_ptr<const snapshot> build() {
    auto made = std::make_shared<snapshot>();
    made->directory = *route::directory::make(nodes, routes, false);
    made->endpoints = *upstream::endpoints::make(std::move(ways));
    made->limits = limits;
    return setup = made;
  }

  query make_query(const chat::request& what) {
    if (!setup) build();
    query asked;
    asked.request = std::make_shared<const chat::request>(what);
    asked.setup = setup;
    asked.request_id = "req-1";
    asked.headers = headers;
    return asked;
  }

  static chat::request say(std::string_view text, bool stream = true, std::string_view model = "auto") {
    const auto body = std::string(R"({"model":")") + std::string(model) +
                      R"(","messages":[{"role":"user","content":")" + std::string(text) + R"("}])" +
                      (stream ? R"(,"stream":true})" : "}");
    return *chat::parse_request(chat::endpoint::chat_completions, body);
  }

  task<void> run(query what, outcome& out, std::chrono::nanoseconds pause = 0ns) {
    const auto begun = world.clock.now();
    const auto exchange = asks.complete(std::move(what));
    std::vector<chat::delta> steps;
    for (;;) {
      const auto came = co_await exchange->next(steps, world.clock.now() + limits.headers_after);
      ++out.batches;
      for (const auto& step : steps) {
        if (step.is_token()) {
          if (out.tokens++ == 0) out.first_token = world.clock.now() - begun;
        }
        out.text += step.text;
        if (step.finish != chat::finish::none) {
          ++out.finishes;
          out.finish = step.finish;
        }
      }
      if (pause > 0ns) co_await world.clock.sleep_until(world.clock.now() + pause);
      if (came == progress::quiet) ++out.quiet;
      if (came == progress::quiet || came == progress::deltas) continue;
      out.took = world.clock.now() - begun;
      if (came == progress::answer) {
        for (const auto& part : exchange->answer().choices.at(0).parts) out.text += part.text;
        out.finish = exchange->answer().choices.at(0).finish;
      }
      if (came == progress::failed) {
        out.problem = exchange->why().why;
        out.retry_after = exchange->why().retry_after;
      }
      out.usage = exchange->usage();
      out.story = exchange->story();
      out.facts = exchange->facts();
      out.ended = came;
      co_return;
    }
  }

  outcome ask(const chat::request& what) {
    outcome out;
    pretend.spawn(run(make_query(what), out));
    pretend.run([&] { return out.ended.has_value(); });
    return out;
  }
  outcome ask(std::string_view text, bool stream = true) { return ask(say(text, stream)); }

  route::limits limits;
  std::vector<route::node> nodes;
  std::vector<route::model_route> routes;
  std::vector<upstream::node_options> ways;
  upstream::pass_through headers;
  route::health known;
  std::shared_ptr<route::memory> remembers = std::make_shared<route::memory>(7);
  std::shared_ptr<const snapshot> setup;

  sim::simulation pretend;
  sim::host& us;
  std::vector<sim::host*> hosts;
  std::vector<std::unique_ptr<env::world>> worlds;
  std::vector<std::unique_ptr<env::listener>> listeners;
  std::vector<std::unique_ptr<fake::provider>> providers;
  env::world world;
  http::client over;
  upstream::client client;
  dispatcher asks;
};

}  // namespace meshai::dispatch::testing
