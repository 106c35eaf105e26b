// meshai ask: one question, its answer streamed.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>

#include "app/commands.hpp"
#include "app/owner.hpp"
#include "app/terminal.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;

constexpr std::size_t max_question = 16 << 20;

// One byte more than is allowed, at most: who pipes without end is told so.
std::string read_standard_input() {
  if (::isatty(0) == 1) print(paint("type the question; Ctrl-D ends it\n", style::dim, 2), 2);
  std::string text;
  char piece[65536];
  while (text.size() <= max_question) {
    const auto got = ::read(0, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(piece, static_cast<std::size_t>(got));
  }
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// The words as they were typed; "-" among them is standard input, on lines of its own.
std::string read_question(const std::vector<std::string>& words) {
  std::string out;
  bool after_input = false;
  for (const auto& word : words) {
    const bool is_input = word == "-";
    if (!out.empty()) out += is_input || after_input ? "\n\n" : " ";
    out += is_input ? read_standard_input() : word;
    after_input = is_input;
  }
  return out;
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
  if (!of.failed.empty()) {
    auto& failed = out["failed"].emplace_array();
    for (const auto& one : of.failed) {
      failed.push_back(
          {{"node", one.node}, {"model", one.model}, {"fault", one.fault}, {"streamed", one.streamed}});
    }
  }
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
    print(paint(describe_route(*came), style::dim, 2) + "\n", 2);
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
  if (std::ranges::count(how.words, "-") > 1)
    return complain("standard input can be read only once; write - once", exit_usage, how.json);
  question what{.model = how.model,
                .reach = how.reach,
                .temperature = how.temperature,
                .max_tokens = how.max_tokens,
                .fallback = !how.no_fallback};
  if (!how.system.empty()) what.lines.push_back({"system", how.system});
  // `meshai ask < letter.txt`: no word is needed where the question comes by a pipe.
  auto text = read_question(how.words.empty() && ::isatty(0) != 1 ? std::vector<std::string>{"-"} : how.words);
  if (text.find_first_not_of(" \t\n\r") == std::string::npos)
    return complain("there is no question; type: meshai ask \"What is 2+2?\"", exit_usage, how.json);
  if (text.size() > max_question) return complain("the question is larger than 16 MB", exit_usage, how.json);
  what.lines.push_back({"user", std::move(text)});
  int code = exit_failed;
  run_to_end([&](env::world world) { return ask_once(world, *where, how, what, code); });
  return code;
}

}  // namespace meshai::app
