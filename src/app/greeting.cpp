#include "app/greeting.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

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
constexpr std::int64_t enough_starts = 2;  // an engine that rests after so many will not come by itself

std::string text_of(const json::object& in, std::string_view name) {
  const auto* found = in.if_contains(name);
  return found && found->is_string() ? std::string(found->get_string()) : "";
}

// Whether waiting for it may help.
bool on_its_way(const json::value& engine) {
  const auto* one = engine.if_object();
  if (!one) return false;
  const auto state = text_of(*one, "state");
  const auto* restarts = one->if_contains("restarts");
  const auto starts = restarts && restarts->is_int64() ? restarts->get_int64() : 0;
  return state == "resting" ? starts < enough_starts : state != "ready";
}

// Why the other nodes do not answer, a line each.
std::string trouble_of_nodes(const std::string& status) {
  boost::system::error_code wrong;
  const auto parsed = json::parse(status, wrong);
  const auto* all = parsed.if_object();
  const auto* nodes = all ? all->if_contains("nodes") : nullptr;
  std::string out;
  if (!nodes || !nodes->is_array()) return out;
  for (const auto& one : nodes->get_array()) {
    const auto* node = one.if_object();
    if (!node) continue;
    if (const auto off = text_of(*node, "off"); !off.empty()) {
      out += fmt::format("node \"{}\" is off: {}\n", text_of(*node, "name"), off);
    } else if (text_of(*node, "breaker") != "closed") {
      out += fmt::format("node \"{}\" is down: {}\n", text_of(*node, "name"), text_of(*node, "last_fault"));
    }
  }
  return out;
}

// Whether an engine is still on its way; also notes where the node listens.
bool still_loading(const std::string& status, greeting& out) {
  boost::system::error_code wrong;
  const auto parsed = json::parse(status, wrong);
  const auto* all = parsed.if_object();
  if (!all) return true;
  if (const auto* listen = all->if_contains("listen"); listen && listen->is_array()) {
    const auto& first = listen->get_array();
    if (!first.empty() && first.front().is_string()) out.address = first.front().get_string();
  }
  const auto* engines = all->if_contains("engines");
  return engines && engines->is_array() && std::ranges::any_of(engines->get_array(), on_its_way);
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
