// meshai up, down, reload: a node in the background.
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <boost/json.hpp>
#include <filesystem>
#include <thread>

#include "app/background.hpp"
#include "app/commands.hpp"
#include "app/daemon.hpp"
#include "app/instance.hpp"
#include "app/owner.hpp"
#include "app/terminal.hpp"
#include "env/clock.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto patience_to_start = 300s;  // a large model is read from a slow disk
constexpr auto patience_to_stop = 20s;
constexpr std::string_view first_question = "What is 2+2?";

std::string tell(const json::value& status, std::string_view member) {
  const auto* object = status.if_object();
  const auto* found = object ? object->if_contains(member) : nullptr;
  if (!found || !found->is_array()) return {};
  std::string out;
  for (const auto& one : found->get_array()) {
    if (one.is_string()) out.append(out.empty() ? "" : " ").append(one.get_string());
  }
  return out;
}

struct start_facts {
  bool ready = false;
  std::string listen;
  spoken answer;
};

// Waits until the node can answer, then asks it.
task<void> greet(env::world world, const paths& where, bool quiet, start_facts& out) {
  owner_client node(world, where);
  const auto until = world.clock.now() + patience_to_start;
  while (world.clock.now() < until && running_node(where)) {
    const auto ready = co_await node.get("/readyz", 2s);
    if (ready && ready->status == 200) {
      out.ready = true;
      break;
    }
    co_await world.clock.sleep_until(world.clock.now() + 20ms);
  }
  boost::system::error_code wrong;
  if (const auto status = co_await node.get("/mesh/status", 2s))
    out.listen = tell(json::parse(status->body, wrong), "listen");
  if (!out.ready || quiet) co_return;
  question what;
  what.lines.push_back({"user", std::string(first_question)});
  what.max_tokens = 64;
  if (auto came = co_await node.ask(what, {})) out.answer = *std::move(came);
}

// A child that ended says so before it holds the lock; a node that holds it is up.
bool wait_for_lock(const paths& where, int child) {
  for (;;) {
    if (running_node(where)) return true;
    if (::waitpid(child, nullptr, WNOHANG) == child) return false;
    std::this_thread::sleep_for(5ms);
  }
}

std::string key_line(const config& of) {
  if (of.keys.empty()) return "none: open to programs on this device";
  return fmt::format("[[key]] \"{}\", {}", of.keys.front().name, of.keys.front().secret.text());
}

int report(const up_options& how, const paths& where, const config& of, const start_facts& facts) {
  const auto address = facts.listen.substr(0, facts.listen.find(' '));
  const auto url = fmt::format("{}://{}/v1", of.api.tls_cert.empty() ? "http" : "https", address);
  if (how.json) {
    print(json::serialize(json::object{{"ready", facts.ready},
                                       {"url", url},
                                       {"key", key_line(of)},
                                       {"question", first_question},
                                       {"answer", facts.answer.text},
                                       {"node", facts.answer.node},
                                       {"model", facts.answer.model},
                                       {"total_ms", facts.answer.total.count()}}) +
          "\n");
  } else {
    if (!facts.answer.text.empty()) {
      print(fmt::format("{} {}\n{}\n{}\n\n", paint(">", style::cyan), first_question, printable(facts.answer.text),
                        paint(describe_route(facts.answer), style::dim)));
    }
    print(fmt::format("API   {}\nkey   {}\nlog   {}\nstop  meshai down\n", paint(url, style::bold), key_line(of),
                      where.log_file().string()));
  }
  if (!facts.ready)
    return complain("the node runs, but nobody could answer in time; type: meshai doctor", exit_no_answer);
  if (!how.quiet && !facts.answer.whole()) {
    return complain(fmt::format("nobody answered: {} {}", facts.answer.problem, facts.answer.hint),
                    exit_no_answer);
  }
  return exit_ok;
}

}  // namespace

int up(const up_options& how) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration);
  std::error_code ignored;
  auto file = how.config.empty() ? where->config_file() : std::filesystem::absolute(how.config);
  if (how.config.empty() && !std::filesystem::exists(file, ignored)) {
    const auto first = write_first_config(*where);
    if (!first) return complain(first.error().detail, exit_configuration);
    if (!how.json) print(fmt::format("wrote {}\n", file.string()));
    if (!first->key_file.empty() && !how.json)
      print(fmt::format("wrote the key of the API into {}\n", first->key_file));
  }
  const auto of = load_config(file.string(), *where);
  if (!of) return complain(of.error().detail, exit_configuration);
  if (!running_node(*where)) {
    const auto child = start_in_background(*where, file.string());
    if (!child) return complain(child.error().detail, exit_failed);
    if (!wait_for_lock(*where, *child)) {
      return complain(fmt::format("the node did not start:\n{}", last_words(*where)), exit_failed);
    }
  }
  start_facts facts;
  run_to_end([&](env::world world) { return greet(world, *where, how.quiet, facts); });
  if (!running_node(*where)) return complain(fmt::format("the node ended:\n{}", last_words(*where)), exit_failed);
  return report(how, *where, *of, facts);
}

int down(bool json_wanted) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration);
  const auto pid = running_node(*where);
  if (pid) {
    ::kill(*pid, SIGTERM);
    if (!wait_until_gone(*where, patience_to_stop)) {
      ::kill(*pid, SIGKILL);
      if (!wait_until_gone(*where, 2s)) return complain(fmt::format("process {} does not end", *pid), exit_failed);
    }
  }
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
  if (const auto* error = wrong ? nullptr : parsed.as_object().if_contains("error"); error && error->is_object()) {
    if (const auto* message = error->get_object().if_contains("message"); message && message->is_string()) {
      return std::string(message->get_string());
    }
  }
  return "the node gave no reason";
}

}  // namespace

int reload(bool json_wanted) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration);
  if (const auto missing = missing_node(*where)) return *missing;
  result<reply> came = fail(error_kind::unavailable, "");
  run_to_end([&](env::world world) { return ask_to_reload(world, *where, came); });
  if (!came) return complain(came.error().detail, exit_failed);
  const bool swapped = came->status == 200;
  if (json_wanted) {
    json::object out{{"reloaded", swapped}};
    if (!swapped) out["error"] = reason(came->body);
    print(json::serialize(out) + "\n");
  } else if (swapped) {
    print("reloaded\n");
  } else {
    print(fmt::format("meshai: not reloaded, the node goes on with what it has: {}\n", reason(came->body)), 2);
  }
  return swapped ? exit_ok : exit_configuration;
}

}  // namespace meshai::app
