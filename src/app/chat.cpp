// meshai chat: a conversation in the terminal.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/this_coro.hpp>
#include <iostream>
#include <string>
#include <utility>

#include "app/commands.hpp"
#include "app/owner.hpp"
#include "app/terminal.hpp"
#include "base/reach.hpp"
#include "env/event.hpp"
#include "env/scope.hpp"
#include "os/os.hpp"

namespace meshai::app {
namespace {

constexpr std::string_view help =
    "  /model NAME   ask another model (auto chooses)\n"
    "  /reach R      device, site, mesh or cloud; nothing lifts the bound\n"
    "  /system TEXT  a system prompt for what follows\n"
    "  /new          forget the conversation\n"
    "  /retry        ask the last question again\n"
    "  /help         this\n"
    "  /quit         leave (Ctrl-D too; Ctrl-C stops an answer)\n"
    "  A line that ends with \\ goes on in the next one.\n";

// One answer; Ctrl-C ends it and not the program.
task<void> answer(env::world world, const paths& where, const question& what, result<spoken>& out,
                  env::event& over) {
  owner_client node(world, where);
  out = co_await node.ask(what, [](std::string_view text) { print(printable(text)); });
  over.set();
}

task<void> stop_at_interrupt(env::world world, env::event& over) {
  os::signals arriving(world.loop, {SIGINT});
  (void)co_await arriving.next();
  over.set();
}

task<void> answer_or_interrupt(env::world world, const paths& where, const question& what, result<spoken>& out) {
  env::event over(world.loop);
  env::scope both(world.loop);
  both.spawn(answer(world, where, what, out, over));
  both.spawn(stop_at_interrupt(world, over));
  co_await over.wait();
  co_await both.close();
}

class conversation {
 public:
  conversation(const chat_options& how, paths where) : where_(std::move(where)) {
    now_.model = how.model;
    now_.reach = how.reach;
    if (!how.system.empty()) now_.lines.push_back({"system", how.system});
  }

  int run() {
    const bool terminal = ::isatty(0) == 1;
    if (terminal) print(paint("meshai chat, /help for help\n", style::dim));
    std::string typed;
    while (read_line(typed, terminal)) {
      if (typed.empty()) continue;
      if (typed.front() == '/') {
        if (!command(typed)) break;
      } else {
        now_.lines.push_back({"user", typed});
        ask();
      }
      if (missing_node(where_)) return exit_not_running;
    }
    if (terminal) print("\n");
    return failed_ ? exit_no_answer : exit_ok;
  }

 private:
  static bool read_line(std::string& into, bool terminal) {
    into.clear();
    for (;;) {
      if (terminal) print(paint(into.empty() ? "you> " : "...> ", style::cyan));
      std::string part;
      if (!std::getline(std::cin, part)) return !into.empty();
      const bool more = part.ends_with('\\');
      if (more) part.back() = '\n';
      into += part;
      if (!more) return true;
    }
  }

  void ask() {
    result<spoken> came = fail(error_kind::unavailable, "stopped");
    run_to_end([&](env::world world) { return answer_or_interrupt(world, where_, now_, came); });
    print("\n");
    failed_ = !came || !came->whole();
    if (!came) {
      print(paint(came.error().detail, style::yellow, 2) + "\n", 2);
    } else if (!came->whole()) {
      print(paint(fmt::format("{} {}", came->problem, came->hint), style::red, 2) + "\n", 2);
    } else {
      now_.lines.push_back({"assistant", came->text});
      print(paint(describe_route(*came), style::dim, 2) + "\n", 2);
      return;
    }
    now_.lines.pop_back();  // a question without an answer is not part of the conversation
  }

  void set_system(std::string text) {
    std::erase_if(now_.lines, [](const line& one) { return one.role == "system"; });
    if (!text.empty()) now_.lines.insert(now_.lines.begin(), {"system", std::move(text)});
  }

  void retry() {
    if (!now_.lines.empty() && now_.lines.back().role == "assistant") now_.lines.pop_back();
    if (now_.lines.empty() || now_.lines.back().role != "user") {
      print("there is no question yet\n");
      return;
    }
    ask();
  }

  // False to leave.
  bool command(const std::string& typed) {
    const auto blank = typed.find(' ');
    const auto word = typed.substr(0, blank);
    const auto rest = blank == std::string::npos ? std::string() : typed.substr(blank + 1);
    if (word == "/quit" || word == "/exit") return false;
    if (word == "/new") {
      std::erase_if(now_.lines, [](const line& one) { return one.role != "system"; });
    } else if (word == "/model" && !rest.empty()) {
      now_.model = rest;
    } else if (word == "/reach" && parse_reach(rest)) {
      now_.reach = rest;
    } else if (word == "/system") {
      set_system(rest);
    } else if (word == "/retry") {
      retry();
    } else {
      print(help);
    }
    return true;
  }

  paths where_;
  question now_;
  bool failed_ = false;
};

}  // namespace

int chat(const chat_options& how) {
  const auto where = find_paths();
  if (!where) {
    print(fmt::format("meshai: {}\n", where.error().detail), 2);
    return exit_configuration;
  }
  if (const auto missing = missing_node(*where)) return *missing;
  return conversation(how, *where).run();
}

}  // namespace meshai::app
