// meshai ask: one question, its answer streamed.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/commands.hpp"
#include "app/owner.hpp"
#include "app/question.hpp"
#include "app/route_text.hpp"
#include "app/terminal.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;

std::string write_json(const spoken& of) {
  json::object out{{"answer", of.text},
                   {"finish", of.finish},
                   {"node", of.node},
                   {"model", of.model},
                   {"tier", of.tier},
                   {"attempts", of.attempts},
                   {"first_token_ms", of.first_token.count()},
                   {"total_ms", of.total.count()},
                   {"usage", {{"input_tokens", of.input_tokens}, {"output_tokens", of.output_tokens}}}};
  if (!of.failed.empty()) {
    auto& failed = out["failed"].emplace_array();
    for (const auto& one : of.failed) {
      failed.push_back(
          {{"node", one.node}, {"model", one.model}, {"fault", one.fault}, {"streamed", one.streamed}});
    }
  }
  if (!of.doubted.empty()) {
    auto& doubted = out["doubted"].emplace_array();
    for (const auto& one : of.doubted) {
      doubted.push_back({{"node", one.node},
                         {"model", one.model},
                         {"confidence", one.confidence},
                         {"unknowing", one.unknowing}});
    }
  }
  if (const auto* route = of.route.if_object()) out["route"] = *route;
  if (!of.problem.empty()) out["error"] = {{"message", of.problem}, {"hint", of.hint}};
  return json::serialize(out) + "\n";
}

int report(const ask_options& how, const result<spoken>& came, const std::string& trouble) {
  if (!came) return complain(came.error().detail, exit_failed, how.json);
  if (how.json) {
    print(write_json(*came));
    return came->whole() ? exit_ok : exit_no_answer;
  }
  if (!came->text.empty() && !came->text.ends_with('\n')) print("\n");
  if (!came->problem.empty()) print(fmt::format("meshai: {}\n{}", describe_problem(*came), trouble), 2);
  if (came->finish == "length") {
    print(paint("(cut off at the longest answer allowed; --max-tokens sets it)", style::dim, 2) + "\n", 2);
  }
  if (how.explain && (!came->node.empty() || !came->failed.empty()))
    print(paint(describe_route(*came), style::dim, 2) + "\n" + show_route(came->route, 2), 2);
  return came->whole() ? exit_ok : exit_no_answer;
}

task<void> ask_once(env::world world, const paths& where, const ask_options& how, const question& what,
                    int& code) {
  owner_client node(world, where);
  hearing aloud;
  if (!how.json) aloud.text = [](std::string_view text) { print(printable(text)); };
  const auto came = co_await node.ask(what, aloud);
  std::string trouble;
  if (came && !came->whole()) trouble = co_await node.engine_trouble();
  code = report(how, came, trouble);
}

}  // namespace

int ask(const ask_options& how) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration, how.json);
  if (const auto missing = missing_node(*where, how.json)) return *missing;
  question what{.model = how.model,
                .reach = how.reach,
                .temperature = how.temperature,
                .max_tokens = how.max_tokens,
                .fallback = !how.no_fallback,
                .prefer = how.prefer,
                .explain = how.explain};
  if (!how.system.empty()) what.lines.push_back({"system", how.system});
  auto text = read_question(how.words, "ask");
  if (!text) return complain(text.error().detail, exit_usage, how.json);
  what.lines.push_back({"user", *std::move(text)});
  int code = exit_failed;
  run_to_end([&](env::world world) { return ask_once(world, *where, how, what, code); });
  return code;
}

}  // namespace meshai::app
