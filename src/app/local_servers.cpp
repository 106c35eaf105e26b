#include "app/local_servers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "env/clock.hpp"
#include "http/http.hpp"
#include "upstream/upstream.hpp"

namespace meshai::app {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 1s;

struct habit {
  const char* name;
  int port;
};
constexpr habit habits[] = {{"ollama", 11434}, {"lmstudio", 1234}, {"llama-server", 8080}, {"vllm", 8000}};

// http://localhost:11434/v1/ is the same as http://127.0.0.1:11434/v1 here.
bool same_port(const std::string& url, int port) {
  const auto base = http::parse_origin(url);
  return base && !base->origin.is_unix() && base->origin.port == port;
}

}  // namespace

task<std::vector<local_server>> find_local_servers(env::world world, std::vector<std::string> known) {
  std::vector<local_server> out;
  std::vector<upstream::node_options> asked;
  for (const auto& [name, port] : habits) {
    if (std::ranges::any_of(known, [port](const auto& url) { return same_port(url, port); })) continue;
    upstream::node_options one;
    one.node = name;
    one.where = tier::local;
    one.url = fmt::format("http://127.0.0.1:{}/v1", port);
    out.push_back({.name = name, .url = one.url});
    asked.push_back(std::move(one));
  }
  const auto reached = upstream::endpoints::make(std::move(asked));
  if (!reached) co_return std::vector<local_server>();
  route::health health;
  http::client http(world);
  upstream::client asks(world, http, health);
  for (auto& one : out) {
    const auto listed = co_await asks.models(*(*reached)->find(one.name), world.clock.now() + patience);
    one.models = listed ? listed->size() : 0;
  }
  std::erase_if(out, [](const auto& one) { return one.models == 0; });
  co_return out;
}

std::string node_for(const local_server& found) {
  return fmt::format(
      "[[node]]\nname = \"{}\"\ntier = \"local\"\nkind = \"openai-compatible\"\nurl = \"{}\"\nmodels = [\"*\"]\n",
      found.name, found.url);
}

}  // namespace meshai::app
