// meshai ask: one question, its answer streamed.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <iostream>
#include <iterator>

#include "app/commands.hpp"
#include "app/owner.hpp"
#include "app/terminal.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;

constexpr std::size_t max_question = 16 << 20;

std::string read_standard_input() {
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

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
  if (!of.problem.empty()) out["error"] = {{"message", of.problem}, {"hint", of.hint}};
  return json::serialize(out) + "\n";
}

int report(const ask_options& how, const result<spoken>& came) {
  if (!came) {
    print(fmt::format("meshai: {}\n", came.error().detail), 2);
    return exit_failed;
  }
  if (how.json) {
    print(write_json(*came));
  } else {
    if (!came->text.empty() && !came->text.ends_with('\n')) print("\n");
    if (!came->problem.empty()) print(fmt::format("meshai: {} {}\n", came->problem, came->hint), 2);
    if (how.explain && !came->node.empty()) print(paint(describe_route(*came), style::dim, 2) + "\n", 2);
  }
  return came->whole() ? exit_ok : exit_no_answer;
}

task<void> ask_once(env::world world, const paths& where, const ask_options& how, const question& what,
                    int& code) {
  owner_client node(world, where);
  const bool silent = how.json;
  const auto show = [silent](std::string_view text) {
    if (!silent) print(printable(text));
  };
  const auto came = co_await node.ask(what, show);
  code = report(how, came);
}

}  // namespace

int ask(const ask_options& how) {
  const auto where = find_paths();
  if (!where) {
    print(fmt::format("meshai: {}\n", where.error().detail), 2);
    return exit_configuration;
  }
  if (const auto missing = missing_node(*where)) return *missing;
  question what{.model = how.model,
                .reach = how.reach,
                .temperature = how.temperature,
                .max_tokens = how.max_tokens,
                .fallback = !how.no_fallback};
  if (!how.system.empty()) what.lines.push_back({"system", how.system});
  what.lines.push_back({"user", how.question == "-" ? read_standard_input() : how.question});
  if (what.lines.back().text.empty() || what.lines.back().text.size() > max_question) {
    print("meshai: there is no question, or it is larger than 16 MB\n", 2);
    return exit_usage;
  }
  int code = exit_failed;
  run_to_end([&](env::world world) { return ask_once(world, *where, how, what, code); });
  return code;
}

}  // namespace meshai::app
