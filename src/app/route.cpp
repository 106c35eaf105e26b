// meshai route: who would be asked, and why.
#include <boost/json.hpp>

#include "app/assemble.hpp"
#include "app/commands.hpp"
#include "app/daemon.hpp"
#include "app/owner.hpp"
#include "app/question.hpp"
#include "app/route_text.hpp"
#include "app/terminal.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

int show(const std::string& told, bool json_wanted) {
  boost::system::error_code wrong;
  const auto route = json::parse(told, wrong);
  print(json_wanted ? told + "\n" : show_route(route, 1));
  const auto* object = route.if_object();
  return object && object->contains("refused") ? exit_no_answer : exit_ok;
}

task<void> ask_node(env::world world, const paths& where, const std::string& body, bool json_wanted, int& code) {
  owner_client node(world, where);
  const auto came = co_await node.post("/mesh/route", body, 10s);
  if (!came) {
    code = complain(came.error().detail, exit_failed, json_wanted);
  } else if (came->status != 200) {
    spoken refused;
    take_problem(came->body, refused);
    code = complain(describe_problem(refused), exit_failed, json_wanted);
  } else {
    code = show(came->body, json_wanted);
  }
}

// As a node sees it that has just begun and asked nobody for its models.
int evaluate(const std::string& file, const paths& where, const std::string& body, bool json_wanted) {
  const auto read = load_config(file, where);
  if (!read) return complain(read.error().detail, exit_configuration, json_wanted);
  auto plan = assemble(*read, where);
  if (!plan) return complain(plan.error().detail, exit_configuration, json_wanted);
  auto of = route::directory::make(std::move(plan->nodes), std::move(plan->routes), plan->unknown_model_auto);
  if (!of) return complain(of.error().detail, exit_configuration, json_wanted);
  const auto asked = chat::parse_request(chat::endpoint::chat_completions, body);
  if (!asked) return complain(asked.error().message, exit_usage, json_wanted);
  const route::health nothing_known;
  const instant now{};
  const auto made = route::rank(*asked, {.api = plan->api, .care = plan->care}, *std::move(of), nothing_known,
                                plan->limits, now, 0);
  return show(route::explain(made, *asked, nothing_known, now, true), json_wanted);
}

}  // namespace

int route(const route_options& how) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration, how.json);
  if (how.config.empty()) {
    if (const auto missing = missing_node(*where, how.json)) return *missing;
  }
  question what{.model = how.model, .reach = how.reach, .prefer = how.prefer};
  if (!how.system.empty()) what.lines.push_back({"system", how.system});
  auto text = read_question(how.words, "route");
  if (!text) return complain(text.error().detail, exit_usage, how.json);
  what.lines.push_back({"user", *std::move(text)});
  const auto body = write_question(what);
  if (!how.config.empty()) return evaluate(how.config, *where, body, how.json);
  int code = exit_failed;
  run_to_end([&](env::world world) { return ask_node(world, *where, body, how.json, code); });
  return code;
}

}  // namespace meshai::app
