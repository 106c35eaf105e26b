// meshai chat: a conversation in the terminal. It lives in memory; only /save writes it down.
#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <csignal>
#include <string>
#include <utility>

#include "app/commands.hpp"
#include "app/conversation.hpp"
#include "app/fields.hpp"
#include "app/owner.hpp"
#include "app/prompt.hpp"
#include "app/terminal.hpp"
#include "base/reach.hpp"
#include "env/event.hpp"
#include "env/scope.hpp"
#include "os/os.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr std::string_view help =
    "  /model [NAME]   ask another model (auto chooses); without a name: which there are\n"
    "  /reach R        device, site, mesh or cloud: how far questions may travel\n"
    "  /system [TEXT]  a system prompt for what follows; without a text: none\n"
    "  /clear          forget the conversation\n"
    "  /retry          ask the last question again\n"
    "  /save FILE      write the conversation down, as JSON where FILE ends in .json, else as Markdown\n"
    "  /load FILE      go on with a conversation that was saved as JSON\n"
    "  /help           this\n"
    "  /quit           leave (Ctrl-D too; Ctrl-C stops an answer)\n"
    "  Enter sends. Alt-Enter or Ctrl-J begins a new line, and so do a backslash at the end of one and\n"
    "  Enter between \"\"\" and \"\"\". The arrow keys bring back what you asked.\n";

constexpr std::array<std::string_view, 10> commands{"/clear", "/help",  "/load",  "/model", "/new",
                                                    "/quit",  "/reach", "/retry", "/save",  "/system"};

std::vector<std::string> complete(std::string_view beginning) {
  std::vector<std::string> out;
  for (const auto one : commands) {
    if (one.starts_with(beginning)) out.emplace_back(one);
  }
  return out;
}

// An answer on its way to the terminal, and how much of it came.
class voice {
 public:
  explicit voice(bool at_terminal) : at_terminal_(at_terminal) {
    if (at_terminal_) print(paint("...", style::dim));
  }

  hearing ears() {
    return {.text = [this](std::string_view text) { say(text); },
            .thought = [this](std::string_view text) { think(text); }};
  }
  const std::string& said() const { return said_; }

  // Leaves the cursor at the beginning of a line.
  void end() {
    wipe_dots();
    if (!at_line_start_) print("\n");
  }

 private:
  void say(std::string_view text) {
    wipe_dots();
    if (std::exchange(thinking_, false)) print("\n\n");
    show(printable(text));
    said_ += text;
  }
  // Thoughts are for who watches: piped, only the answer counts.
  void think(std::string_view text) {
    if (!at_terminal_) return;
    wipe_dots();
    thinking_ = true;
    at_line_start_ = false;
    print(paint(printable(text), style::dim));
  }
  void show(const std::string& text) {
    if (text.empty()) return;
    at_line_start_ = text.ends_with('\n');
    print(text);
  }
  void wipe_dots() {
    if (std::exchange(waiting_, false) && at_terminal_) print("\r\033[K");
  }

  bool at_terminal_, waiting_ = true, thinking_ = false, at_line_start_ = true;
  std::string said_;
};

struct outcome {
  result<spoken> came = fail(error_kind::unavailable, "stopped");
  std::string trouble;  // what keeps the engines from answering
  bool stopped = true;  // by Ctrl-C
};

task<void> answer(env::world world, const paths& where, const question& what, voice& aloud, outcome& out,
                  env::event& over) {
  owner_client node(world, where);
  out.came = co_await node.ask(what, aloud.ears());
  if (out.came && !out.came->whole()) out.trouble = co_await node.engine_trouble();
  out.stopped = false;
  over.set();
}

task<void> stop_at_interrupt(env::world world, env::event& over) {
  os::signals arriving(world.loop, {SIGINT});
  (void)co_await arriving.next();
  over.set();
}

// One answer; Ctrl-C ends it and not the program.
task<void> answer_or_interrupt(env::world world, const paths& where, const question& what, voice& aloud,
                               outcome& out) {
  env::event over(world.loop);
  env::scope both(world.loop);
  both.spawn(answer(world, where, what, aloud, out, over));
  both.spawn(stop_at_interrupt(world, over));
  co_await over.wait();
  co_await both.close();
}

task<void> list_models(env::world world, const paths& where, result<reply>& out) {
  owner_client node(world, where);
  out = co_await node.get("/v1/models", 5s);
}

std::string model_names(const std::string& body) {
  boost::system::error_code wrong;
  const auto all = json::parse(body, wrong);
  std::string out;
  for (const auto& one : fields(all).list("data")) {
    if (const auto id = fields(one).text("id"); !id.empty()) out += fmt::format("  {}\n", id);
  }
  return out;
}

class talk {
 public:
  talk(const chat_options& how, paths where) : where_(std::move(where)), prompt_(complete) {
    now_.model = how.model;
    now_.reach = how.reach;
    set_system(now_.lines, how.system);
  }

  int run() {
    const bool terminal = prompt_.at_terminal();
    if (terminal) print(paint("meshai chat. /help shows what can be typed, Ctrl-D leaves.\n", style::dim));
    while (auto typed = prompt_.read()) {
      if (typed->find_first_not_of(" \t\n") == std::string::npos) continue;
      if (typed->front() == '/') {
        if (!command(*typed)) break;
      } else {
        now_.lines.push_back({"user", *std::move(typed)});
        ask();
      }
      if (left_) return 128 + SIGINT;
      if (const auto missing = missing_node(where_)) return *missing;
    }
    return failed_ ? exit_no_answer : exit_ok;
  }

 private:
  void ask() {
    outcome out;
    voice aloud(prompt_.at_terminal());
    run_to_end([&](env::world world) { return answer_or_interrupt(world, where_, now_, aloud, out); });
    if (prompt_.at_terminal()) ::signal(SIGINT, SIG_IGN);  // one that comes late is not meant for us
    aloud.end();
    last_ = now_.lines.back().text;
    // What was said stays part of the conversation, so that "go on" has something to go on from.
    if (aloud.said().empty()) {
      now_.lines.pop_back();
    } else {
      now_.lines.push_back({"assistant", aloud.said()});
    }
    failed_ = !out.came || !out.came->whole();
    if (out.stopped) {
      left_ = !prompt_.at_terminal();
      print(paint("(stopped)", style::dim, 2) + "\n", 2);
    } else if (!out.came) {
      print(paint(out.came.error().detail, style::red, 2) + "\n", 2);
    } else if (failed_) {
      print(paint(describe_problem(*out.came), style::red, 2) + "\n" + out.trouble, 2);
    } else if (prompt_.at_terminal()) {
      print(paint(describe_route(*out.came), style::dim) + "\n");
    }
  }

  void retry() {
    if (!last_) return void(print("there is no question yet\n", 2));
    if (!now_.lines.empty() && now_.lines.back().role == "assistant") {
      now_.lines.pop_back();
      now_.lines.pop_back();
    }
    now_.lines.push_back({"user", *last_});
    ask();
  }

  void choose_model(const std::string& name) {
    if (!name.empty()) {
      now_.model = name;
      return say(fmt::format("asking {}", name));
    }
    result<reply> came = fail(error_kind::unavailable, "");
    run_to_end([&](env::world world) { return list_models(world, where_, came); });
    print(fmt::format("asking {}; there are\n{}", now_.model, came ? model_names(came->body) : ""));
  }

  void load(const std::string& file) {
    auto lines = load_conversation(file);
    if (!lines) return void(print(fmt::format("{}\n", lines.error().detail), 2));
    now_.lines = *std::move(lines);
    last_.reset();
    say(fmt::format("{} messages", now_.lines.size()));
  }

  void save(const std::string& file) {
    const auto saved = save_conversation(now_.lines, file);
    if (!saved) return void(print(fmt::format("{}\n", saved.error().detail), 2));
    say(fmt::format("wrote {}", file));
  }

  void bound(const std::string& to) {
    if (!parse_reach(to)) return void(print("write /reach device, site, mesh or cloud\n", 2));
    now_.reach = to;
    say(fmt::format("questions travel as far as {}", to));
  }

  // For who watches; a pipe gets answers only.
  void say(std::string_view what) {
    if (prompt_.at_terminal()) print(paint(what, style::dim) + "\n");
  }

  // False to leave.
  bool command(const std::string& typed) {
    const auto [word, rest] = split_command(typed);
    if (word == "/quit" || word == "/exit" || word == "/bye") return false;
    if (word == "/clear" || word == "/new") {
      std::erase_if(now_.lines, [](const line& one) { return one.role != "system"; });
      last_.reset();
      say("forgotten");
    } else if (word == "/model") {
      choose_model(rest);
    } else if (word == "/reach") {
      bound(rest);
    } else if (word == "/system") {
      set_system(now_.lines, rest);
      say(rest.empty() ? "no system prompt" : "from now on with this system prompt");
    } else if (word == "/retry") {
      retry();
    } else if (word == "/save") {
      save(rest);
    } else if (word == "/load") {
      load(rest);
    } else if (word == "/help") {
      print(help);
    } else {
      print(fmt::format("{} is no command; /help lists them. A question that begins with / needs a blank before "
                        "it.\n",
                        printable(word)),
            2);
    }
    return true;
  }

  paths where_;
  prompt prompt_;
  question now_;
  std::optional<std::string> last_;  // the last question, answered or not
  bool failed_ = false;              // the last answer
  bool left_ = false;                // Ctrl-C, where there is no terminal to go on at
};

}  // namespace

int chat(const chat_options& how) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration);
  if (const auto missing = missing_node(*where)) return *missing;
  return talk(how, *where).run();
}

}  // namespace meshai::app
