// meshai up, down, reload: a node in the background.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <boost/json.hpp>
#include <csignal>
#include <filesystem>
#include <thread>
#include <vector>

#include "app/background.hpp"
#include "app/commands.hpp"
#include "app/daemon.hpp"
#include "app/fields.hpp"
#include "app/greeting.hpp"
#include "app/instance.hpp"
#include "app/local_servers.hpp"
#include "app/owner.hpp"
#include "app/supervision.hpp"
#include "app/terminal.hpp"
#include "env/clock.hpp"
#include "os/descriptor.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto patience_to_stop = 20s;
constexpr auto patience_for_turn = 340s;  // longer than a node takes to replace another

// A child that ended says so before it holds the lock; a node that holds it is up.
bool wait_for_lock(const paths& where, int child) {
  for (;;) {
    if (running_node(where)) return true;
    if (::waitpid(child, nullptr, WNOHANG) == child) return false;
    std::this_thread::sleep_for(5ms);
  }
}

// One `up` at a time decides whether a node runs and starts one; another waits until that is settled.
result<os::descriptor> take_turn(const paths& where) {
  if (auto made = make_private(where.runtime); !made) return std::unexpected(made.error());
  const auto file = where.runtime / "up.lock";
  os::descriptor turn(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  const auto until = std::chrono::steady_clock::now() + patience_for_turn;
  while (turn && ::flock(turn.get(), LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() > until)
      return fail(error_kind::timeout, "another meshai up has been at work for minutes; type: meshai status");
    std::this_thread::sleep_for(10ms);
  }
  if (!turn) return fail(error_kind::refused, fmt::format("cannot open {}", file.string()));
  return turn;
}

task<void> ask_for_print(env::world world, const paths& where, std::string& print) {
  owner_client node(world, where);
  const auto status = co_await node.get("/mesh/status", 2s);
  if (!status) co_return;
  boost::system::error_code wrong;
  print = fields(json::parse(status->body, wrong)).text("config");
}

// A reload may have given the node another configuration than it was started with: it is asked, where it answers.
bool has_changed(const supervision& runs, const paths& where, const std::filesystem::path& program,
                 const config& wanted) {
  if (runs.program != print_of_program(program)) return true;
  std::string print;
  run_to_end([&](env::world world) { return ask_for_print(world, where, print); });
  return (print.empty() ? runs.config : print) != wanted.print;
}

// A node whose supervisor was killed: it answers, and nobody would start it again.
bool is_orphan(const paths& where) {
  const auto found = running_instance(where);
  const auto runs = running_node(where);
  return found && runs && *runs == found->node && *runs != found->pid;
}

bool end_node(const paths& where) {
  const auto pid = running_node(where);
  if (!pid) return true;
  ::kill(*pid, SIGTERM);
  if (wait_until_gone(where, patience_to_stop)) return true;
  // Whoever holds the lock: the supervisor, its node and those that still finish what they began.
  for (auto left = running_instance(where); left; left = running_instance(where)) {
    ::kill(left->pid, SIGKILL);
    if (left->node > 0) ::kill(left->node, SIGKILL);
    if (wait_until_gone(where, 2s)) return true;
    if (running_node(where) == *pid) return false;
  }
  return true;
}

std::string key_line(const config& of) {
  if (of.keys.empty()) return "none: open to programs on this device";
  return fmt::format("[[key]] \"{}\", {}", of.keys.front().name, of.keys.front().secret.text());
}

int report(const up_options& how, const paths& where, const config& of, const greeting& facts) {
  const auto url = fmt::format("{}://{}/v1", of.api.tls_cert.empty() ? "http" : "https", facts.address);
  std::string wrong;
  if (!facts.ready) {
    wrong = fmt::format("the node runs, but nobody can answer yet; type: meshai doctor\n{}", facts.trouble);
  } else if (!how.quiet && !facts.answer.whole()) {
    wrong = fmt::format("nobody answered: {}\n{}", describe_problem(facts.answer), facts.trouble);
  }
  if (how.json) {
    json::object out{{"ready", facts.ready},        {"url", url},
                     {"key", key_line(of)},         {"question", first_question},
                     {"answer", facts.answer.text}, {"node", facts.answer.node},
                     {"model", facts.answer.model}, {"total_ms", facts.answer.total.count()}};
    if (!wrong.empty()) out["error"] = json::object{{"message", wrong}};
    print(json::serialize(out) + "\n");
    return wrong.empty() ? exit_ok : exit_no_answer;
  }
  if (!facts.answer.text.empty()) {
    print(fmt::format("{} {}\n{}\n{}\n\n", paint(">", style::cyan), first_question, printable(facts.answer.text),
                      paint(describe_route(facts.answer), style::dim)));
  }
  print(fmt::format("API   {}\nkey   {}\nlog   {}\nstop  meshai down\n", paint(url, style::bold), key_line(of),
                    where.log_file().string()));
  if (!wrong.empty()) return complain(wrong, exit_no_answer);
  if (!facts.trouble.empty()) print(paint(facts.trouble, style::yellow, 2), 2);  // of others than who answered
  return exit_ok;
}

task<void> look_for_servers(env::world world, std::vector<local_server>& out) {
  out = co_await find_local_servers(world, {});
}

// An Ollama that runs already is worth knowing of, and not ours to take.
void offer_servers() {
  std::vector<local_server> found;
  run_to_end([&](env::world world) { return look_for_servers(world, found); });
  for (const auto& one : found) {
    print(fmt::format("found {} at {} with {} models; meshai doctor says how to use it\n", one.name, one.url,
                      one.models));
  }
}

}  // namespace

int up(const up_options& how) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration, how.json);
  std::error_code ignored;
  auto file = how.config.empty() ? where->config_file() : std::filesystem::absolute(how.config);
  if (how.config.empty() && !std::filesystem::exists(file, ignored)) {
    const auto first = write_first_config(*where);
    if (!first) return complain(first.error().detail, exit_configuration, how.json);
    if (!how.json) print(fmt::format("wrote {}\n", file.string()));
    if (!first->key_file.empty() && !how.json)
      print(fmt::format("wrote the key of the API into {}\n", first->key_file));
    if (!how.json) offer_servers();
  }
  const auto of = load_config(file.string(), *where);
  if (!of) return complain(of.error().detail, exit_configuration, how.json);
  const auto program = own_program();
  if (!program) return complain(program.error().detail, exit_failed, how.json);
  auto turn = take_turn(*where);
  if (!turn) return complain(turn.error().detail, exit_failed, how.json);
  if (is_orphan(*where) && !end_node(*where))
    return complain("the node that lost its supervisor does not end; type: meshai down", exit_failed, how.json);
  if (!running_node(*where)) {
    const auto child = start_in_background(*where, file.string());
    if (!child) return complain(child.error().detail, exit_failed, how.json);
    if (!wait_for_lock(*where, *child)) {
      return complain(fmt::format("the node did not start:\n{}", last_words(*where)), exit_failed, how.json);
    }
  } else if (const auto runs = read_supervision(*where); runs && has_changed(*runs, *where, *program, *of)) {
    if (!how.json) print("the program or its configuration has changed: a new node takes over\n");
    if (auto replaced = ask_to_replace(*where, *program, file); !replaced) {
      return complain(fmt::format("the node that runs goes on, a new one could not take over: {}\n{}",
                                  replaced.error().detail, last_words(*where)),
                      exit_failed, how.json);
    }
  }
  *turn = {};
  greeting facts;
  run_to_end([&](env::world world) { return greet(world, *where, how.quiet, facts); });
  if (!running_node(*where))
    return complain(fmt::format("the node ended:\n{}", last_words(*where)), exit_failed, how.json);
  return report(how, *where, *of, facts);
}

int down(bool json_wanted) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration, json_wanted);
  const auto pid = running_node(*where);
  if (!end_node(*where)) return complain(fmt::format("process {} does not end", *pid), exit_failed, json_wanted);
  if (json_wanted) {
    print(json::serialize(json::object{{"stopped", pid.has_value()}}) + "\n");
  } else {
    print(pid ? "stopped\n" : "no node ran\n");
  }
  return exit_ok;
}

namespace {

task<void> ask_to_reload(env::world world, const paths& where, result<reply>& came) {
  owner_client node(world, where);
  came = co_await node.post("/mesh/reload", "{}", 30s);
}

std::string reason(const std::string& body) {
  boost::system::error_code wrong;
  const auto parsed = json::parse(body, wrong);
  const auto told = fields(parsed).in("error").text("message");
  return told.empty() ? "the node gave no reason" : told;
}

}  // namespace

int reload(bool json_wanted) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration, json_wanted);
  if (const auto missing = missing_node(*where, json_wanted)) return *missing;
  result<reply> came = fail(error_kind::unavailable, "");
  run_to_end([&](env::world world) { return ask_to_reload(world, *where, came); });
  if (!came) return complain(came.error().detail, exit_failed, json_wanted);
  const bool swapped = came->status == 200;
  if (json_wanted) {
    json::object out{{"reloaded", swapped}};
    if (!swapped) out["error"] = json::object{{"message", reason(came->body)}};
    print(json::serialize(out) + "\n");
  } else if (swapped) {
    print("reloaded\n");
  } else {
    print(fmt::format("meshai: not reloaded, the node goes on with what it has: {}\n", reason(came->body)), 2);
  }
  return swapped ? exit_ok : exit_configuration;
}

}  // namespace meshai::app
