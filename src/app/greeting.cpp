#include "app/greeting.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "app/fields.hpp"
#include "app/instance.hpp"
#include "app/terminal.hpp"
#include "env/clock.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto patience_to_load = 300s;  // a large model is read from a slow disk
constexpr auto patience_with_others = 500ms;
constexpr auto worth_telling = 1s;
constexpr int enough_starts = 2;  // an engine that rests after so many will not come by itself

// Whether waiting for it may help.
bool on_its_way(const json::value& engine) {
  if (!engine.is_object()) return false;
  const fields one(engine);
  const auto state = one.text("state");
  return state == "resting" ? one.number("restarts") < enough_starts : state != "ready";
}

// Why the other nodes do not answer, a line each.
std::string trouble_of_nodes(const std::string& status) {
  boost::system::error_code wrong;
  const auto parsed = json::parse(status, wrong);
  std::string out;
  for (const auto& one : fields(parsed).list("nodes")) {
    const fields node(one);
    if (const auto off = node.text("off"); !off.empty()) {
      out += fmt::format("node \"{}\" is off: {}\n", node.text("name"), off);
    } else if (const auto breaker = node.text("breaker"); !breaker.empty() && breaker != "closed") {
      out += fmt::format("node \"{}\" is down: {}\n", node.text("name"), node.text("last_fault"));
    }
  }
  return out;
}

// Whether an engine is still on its way; also notes where the node listens.
bool still_loading(const std::string& status, greeting& out) {
  boost::system::error_code wrong;
  const auto parsed = json::parse(status, wrong);
  if (!parsed.is_object()) return true;
  const fields all(parsed);
  const auto& listen = all.list("listen");
  if (!listen.empty() && listen.front().is_string()) out.address = listen.front().get_string();
  return std::ranges::any_of(all.list("engines"), on_its_way);
}

}  // namespace

task<void> greet(env::world world, const paths& where, bool quiet, greeting& out) {
  owner_client node(world, where);
  const auto begun = world.clock.now();
  auto until = begun + patience_to_load;
  bool loading = true, told = false;
  std::string trouble;
  while (world.clock.now() < until && running_node(where)) {
    const auto status = co_await node.get("/mesh/status", 2s);
    const bool was_loading = std::exchange(loading, !status || still_loading(status->body, out));
    if (!loading) {
      const auto ready = co_await node.get("/readyz", 2s);
      out.ready = ready && ready->status == 200;
      if (out.ready) break;
      if (was_loading) {
        until = world.clock.now() + patience_with_others;
        trouble = co_await node.engine_trouble();  // now: an engine that rests begins again in a moment
      }
    } else if (!told && ::isatty(2) == 1 && world.clock.now() - begun > worth_telling) {
      told = true;
      print(paint("loading the model ...\n", style::dim, 2), 2);
    }
    co_await world.clock.sleep_until(world.clock.now() + 20ms);
  }
  out.trouble = trouble.empty() ? co_await node.engine_trouble() : trouble;
  if (const auto status = co_await node.get("/mesh/status", 2s)) out.trouble += trouble_of_nodes(status->body);
  if (!out.ready || quiet) co_return;
  question what;
  what.lines.push_back({"user", std::string(first_question)});
  what.max_tokens = 64;
  if (auto came = co_await node.ask(what, {})) out.answer = *std::move(came);
}

}  // namespace meshai::app
