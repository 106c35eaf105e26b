// meshai status: the node as its owner sees it.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <map>
#include <string>

#include "app/commands.hpp"
#include "app/fields.hpp"
#include "app/owner.hpp"
#include "app/supervision.hpp"
#include "app/terminal.hpp"
#include "env/clock.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

std::string duration(double seconds) {
  const auto all = static_cast<long long>(seconds);
  if (all < 60) return fmt::format("{} s", all);
  if (all < 3600) return fmt::format("{} min", all / 60);
  if (all < 86400) return fmt::format("{} h {} min", all / 3600, all % 3600 / 60);
  return fmt::format("{} d {} h", all / 86400, all % 86400 / 3600);
}

using engine_states = std::map<std::string, std::string>;  // by node

// What a person wants to know first: is it asked, and if not, why and until when?
std::string health(const fields& node, const engine_states& engines) {
  if (const auto off = node.text("off"); !off.empty()) return paint("off: " + off, style::dim);
  const auto engine = engines.find(node.text("name"));
  if (engine != engines.end() && engine->second != "ready") {
    return paint("engine " + engine->second, engine->second == "resting" ? style::red : style::yellow);
  }
  const auto again = fmt::format(", again in {}", duration(node.number("again_in_ms") / 1000));
  const auto last = node.text("last_fault");
  if (node.text("breaker") == "open") return paint("down (" + last + ")" + again, style::red);
  if (node.flag("resting")) return paint("rests" + again, style::yellow);
  if (node.text("breaker") == "half_open") return paint("being tried again", style::yellow);
  if (node.list("models").empty()) return paint("its list of models has not come yet", style::yellow);
  return paint("ok", style::green);
}

std::string show_node(const fields& node, const engine_states& engines) {
  std::string models;
  for (const auto& one : node.list("models")) {
    if (!one.is_string()) continue;
    if (models.size() > 60) {
      models += ", ...";
      break;
    }
    models.append(models.empty() ? "" : ", ").append(printable(one.get_string()));
  }
  auto out = fmt::format("  {:<16} {:<10} {}  {}\n", node.text("name"), node.text("tier"), health(node, engines),
                         paint(models, style::dim));
  if (node.number("answers") + node.number("faults") > 0) {
    auto more = fmt::format("{} answers, {} faults", node.number("answers"), node.number("faults"));
    if (const auto first = node.number("first_token_ms"); first > 0)
      more += fmt::format(", first token {:.0f} ms", first);
    out += paint(fmt::format("  {:<27} {}\n", "", more), style::dim);
  }
  return out;
}

std::string show_engine(const fields& engine) {
  const auto state = engine.text("state");
  auto out = fmt::format("  {:<16} {}", engine.text("node"),
                         paint(state, state == "ready" ? style::green : style::yellow));
  if (const auto model = engine.text("model"); !model.empty())
    out += fmt::format("  {} {}", model, engine.text("form"));
  if (engine.number("pid") > 0) {
    out += fmt::format(", process {}, {:.0f} MB, {} slots of {} tokens", engine.number("pid"),
                       engine.number("memory") / 1e6, engine.number("slots"), engine.number("context"));
  }
  if (engine.number("restarts") > 0) out += fmt::format(", {} restarts", engine.number("restarts"));
  if (const auto reason = engine.text("reason"); !reason.empty()) out += "\n  " + paint(reason, style::red);
  return out + "\n";
}

std::string show(const std::string& body) {
  boost::system::error_code wrong;
  const auto parsed = json::parse(body, wrong);
  const fields all(parsed);
  std::string listen;
  for (const auto& at : all.list("listen")) {
    if (at.is_string()) listen.append(listen.empty() ? "" : ", ").append(printable(at.get_string()));
  }
  auto out = fmt::format("{} {}, up {}, listens at {}, {} connections, reach {}\n", paint("meshai", style::bold),
                         all.text("version"), duration(all.number("uptime_s")), listen, all.number("connections"),
                         all.text("reach"));
  engine_states engines;
  for (const auto& one : all.list("engines")) engines[fields(one).text("node")] = fields(one).text("state");
  out += "nodes\n";
  for (const auto& node : all.list("nodes")) out += show_node(fields(node), engines);
  if (!engines.empty()) out += "engines\n";
  for (const auto& engine : all.list("engines")) out += show_engine(fields(engine));
  return out;
}

// The supervisor's part is added here: the node itself knows nothing of its lives before.
std::string with_supervision(const std::string& body, const paths& where) {
  boost::system::error_code wrong;
  auto parsed = json::parse(body, wrong);
  const auto runs = read_supervision(where);
  if (wrong || !parsed.is_object() || !runs) return body + "\n";
  parsed.as_object()["supervisor"] = {
      {"pid", runs->supervisor}, {"node", runs->node}, {"restarts", runs->restarts}, {"last_end", runs->last_end}};
  return json::serialize(parsed) + "\n";
}

std::string show_supervision(const paths& where) {
  const auto runs = read_supervision(where);
  if (!runs) return "";
  auto out = fmt::format("supervisor\n  process {} keeps process {}", runs->supervisor, runs->node);
  if (runs->restarts > 0) {
    out += paint(fmt::format(", started it again {} times; it last ended by {}", runs->restarts, runs->last_end),
                 style::yellow);
  }
  return out + "\n";
}

// While the supervisor waits to start it again.
std::string describe_fall(const supervision& runs) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto left = runs.next_start - std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  return fmt::format("the node ended by {} and is started again in {} s, for the {}. time", runs.last_end,
                     std::max<std::int64_t>((left + 999) / 1000, 0), runs.restarts);
}

task<void> look(env::world world, const paths& where, const status_options& how, int& code) {
  owner_client node(world, where);
  for (;;) {
    if (const auto runs = read_supervision(where); runs && runs->node == 0) {
      const auto fall = fmt::format("{}; its log tells why: {}", describe_fall(*runs), where.log_file().string());
      if (!how.watch) {
        code = complain(fall, exit_failed, how.json);
        co_return;
      }
      if (!print(fall + "\n")) co_return;
      co_await world.clock.sleep_until(world.clock.now() + 1s);
      continue;
    }
    const auto came = co_await node.get("/mesh/status", 5s);
    if (!came || came->status != 200) {
      // A watched node may well end.
      const auto missing = how.watch ? missing_node(where, how.json) : std::nullopt;
      const auto why = came ? fmt::format("status {}", came->status) : came.error().detail;
      code = missing ? *missing
                     : complain(fmt::format("the node does not say how it is ({}); its log tells more: {}", why,
                                            where.log_file().string()),
                                exit_failed, how.json);
      co_return;
    }
    auto text = how.json ? with_supervision(came->body, where) : show(came->body) + show_supervision(where);
    if (how.watch && takes_colour(1)) text.insert(0, "\033[H\033[J");
    if (!print(text) || !how.watch) co_return;
    co_await world.clock.sleep_until(world.clock.now() + 1s);
  }
}

}  // namespace

int status(const status_options& how) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration, how.json);
  if (const auto missing = missing_node(*where, how.json)) return *missing;
  int code = exit_ok;
  run_to_end([&](env::world world) { return look(world, *where, how, code); });
  return code;
}

}  // namespace meshai::app
