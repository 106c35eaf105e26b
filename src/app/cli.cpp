#include "app/cli.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/commands.hpp"
#include "app/manual.hpp"
#include "app/terminal.hpp"
#include "app/version.hpp"
#include "route/route.hpp"

namespace meshai::app {
namespace {

// A command sets this while it is parsed; it runs once the whole line has proved right.
using chosen = std::function<int()>;

CLI::App* add(CLI::App& to, const std::string& name, const std::string& what, const std::string& examples) {
  auto* command = to.add_subcommand(name, what);
  if (!examples.empty()) command->footer("Examples:\n" + examples);
  return command;
}

void add_service_command(CLI::App& app, chosen& run) {
  static service_options keeping;
  auto* word = add(app, "service", "A node that systemd keeps.",
                   "  meshai service install\n  meshai service install --print\n  meshai service uninstall");
  auto* below = word->add_subcommand("install", "Write the unit, for this user or, as root, for the machine.");
  below->add_option("--config", keeping.config, "Configuration file (default: the usual place)");
  below->add_flag("--print", keeping.only_print, "Print it instead");
  below->add_flag("--json", keeping.json, "Print the result as JSON");
  below->callback([&run] { run = [] { return service(keeping); }; });
  below = word->add_subcommand("uninstall", "Remove it.");
  below->add_flag("--json", keeping.json, "Print the result as JSON");
  below->callback([&run] {
    keeping.what = service_options::verb::uninstall;
    run = [] { return service(keeping); };
  });
  word->require_subcommand(1);
}

void add_node_commands(CLI::App& app, chosen& run) {
  static serve_options serving;
  auto* word = add(app, "serve", "Run a node in the foreground; its log goes to standard error.",
                   "  meshai serve --config meshai.toml");
  word->add_option("--config", serving.config, "Configuration file (default: $XDG_CONFIG_HOME/meshai/meshai.toml)")
      ->type_name("FILE");
  word->add_flag("--json-log", serving.json_log, "Log one JSON object a line");
  word->add_flag("--verbose", serving.verbose, "Log debug events too");
  word->callback([&run] { run = [] { return serve(serving); }; });

  static serve_options supervising;
  word = add(app, "supervise", "Keep a node running; meshai up starts this.", "");
  word->add_option("--config", supervising.config, "Configuration file (default: the usual place)");
  word->group("");  // nobody types it
  word->callback([&run] { run = [] { return supervise(supervising); }; });

  static up_options starting;
  word = add(app, "up", "Start a node in the background and ask it one question.",
             "  meshai up\n  meshai up --config meshai.toml");
  word->add_option("--config", starting.config, "Configuration file; the usual one is written where there is none")
      ->type_name("FILE");
  word->add_flag("--quiet", starting.quiet, "Only start; ask nothing");
  word->add_flag("--json", starting.json, "Print the result as JSON");
  word->callback([&run] { run = [] { return up(starting); }; });

  static bool json = false;
  word = add(app, "down", "Stop the node.", "  meshai down");
  word->add_flag("--json", json, "Print the result as JSON");
  word->callback([&run] { run = [] { return down(json); }; });

  word =
      add(app, "reload", "Read the configuration again: it is swapped whole, or not at all.", "  meshai reload");
  word->add_flag("--json", json, "Print the result as JSON");
  word->callback([&run] { run = [] { return reload(json); }; });

  add_service_command(app, run);

  static status_options looking;
  word = add(app, "status", "Show the node, its models and the nodes it knows.", "  meshai status --watch");
  word->add_flag("--watch", looking.watch, "Show it anew every second until Ctrl-C");
  word->add_flag("--json", looking.json, "Print it as JSON");
  word->callback([&run] { run = [] { return status(looking); }; });
}

void add_route_command(CLI::App& app, chosen& run) {
  static route_options looking;
  auto* word = add(app, "route", "Say who would be asked, in which order, and why; nobody is.",
                   "  meshai route \"What is 2+2?\"\n  meshai route --reach site --json - < letter.txt\n"
                   "  meshai route --config other.toml \"Write a business plan\"");
  word->add_option("question", looking.words, "The question, as of meshai ask");
  word->add_option("--model", looking.model, "A model, NODE/MODEL or auto")
      ->type_name("NAME")
      ->capture_default_str();
  word->add_option("--reach", looking.reach, "How far it may travel")
      ->type_name("REACH")
      ->check(CLI::IsMember({"device", "site", "mesh", "cloud"}));
  word->add_option("--prefer", looking.prefer, "What matters most; else what the question needs")
      ->type_name("WISH")
      ->check(CLI::IsMember({"speed", "quality", "price", "private"}));
  word->add_option("--system", looking.system, "A system prompt");
  word->add_option("--config", looking.config,
                   "Go by this file, as a node would that has just begun; none needs to run")
      ->type_name("FILE");
  word->add_flag("--json", looking.json, "Print it as JSON");
  word->callback([&run] { run = [] { return route(looking); }; });
}

void add_talk_commands(CLI::App& app, chosen& run) {
  static ask_options asking;
  auto* word = add(app, "ask", "Ask one question; the answer streams to standard output.",
                   "  meshai ask \"What is 2+2?\"\n  meshai ask --explain --reach device \"What is 2+2?\"\n"
                   "  meshai ask - < letter.txt");
  word->add_option("question", asking.words,
                   "The question; - among its words is standard input, and so is no word where input is piped");
  word->add_option("--model", asking.model, "A model, NODE/MODEL or auto")
      ->type_name("NAME")
      ->capture_default_str();
  word->add_option("--reach", asking.reach, "How far it may travel")
      ->type_name("REACH")
      ->check(CLI::IsMember({"device", "site", "mesh", "cloud"}));
  word->add_option("--prefer", asking.prefer, "What matters most; else what the question needs")
      ->type_name("WISH")
      ->check(CLI::IsMember({"speed", "quality", "price", "private"}));
  word->add_option("--system", asking.system, "A system prompt");
  word->add_option("--temperature", asking.temperature, "Sampling temperature")
      ->type_name("T")
      ->check(CLI::Range(0.0, 2.0));
  word->add_option("--max-tokens", asking.max_tokens, "The longest answer, in tokens")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  word->add_flag("--no-fallback", asking.no_fallback, "Take the first candidate's answer or none");
  word->add_flag("--explain", asking.explain, "Say who answered, in what time, and why who was asked");
  word->add_flag("--json", asking.json, "Print answer and route as one JSON object");
  word->callback([&run] { run = [] { return ask(asking); }; });

  static chat_options talking;
  word = add(app, "chat", "Talk with the model; /help shows what can be typed.", "  meshai chat --reach device");
  word->add_option("--model", talking.model, "A model, NODE/MODEL or auto")
      ->type_name("NAME")
      ->capture_default_str();
  word->add_option("--reach", talking.reach, "How far it may travel")
      ->type_name("REACH")
      ->check(CLI::IsMember({"device", "site", "mesh", "cloud"}));
  word->add_option("--system", talking.system, "A system prompt");
  word->callback([&run] { run = [] { return chat(talking); }; });
}

void add_models_command(CLI::App& app, chosen& run) {
  static models_options models_how;
  using verb = models_options::verb;
  auto* word = add(app, "models", "The models on this device.",
                   "  meshai models\n  meshai models add ~/qwen2.5-7b-q4_k_m.gguf --default\n  meshai models use "
                   "smollm2-135m-instruct-q4_1");
  word->add_flag("--json", models_how.json, "Print the result as JSON");
  word->callback([&run] { run = [] { return models(models_how); }; });
  const auto sub = [&](const char* name, const char* what, const char* takes, verb does) {
    auto* below = word->add_subcommand(name, what);
    below->add_flag("--json", models_how.json, "Print the result as JSON");
    if (takes)
      below->add_option(takes, models_how.name)
          ->required()
          ->type_name(std::string_view(takes) == "file" ? "FILE" : "MODEL");
    below->callback([&run, does] {
      models_how.what = does;
      run = [] { return models(models_how); };
    });
    return below;
  };
  sub("list", "List them.", nullptr, verb::list)
      ->add_flag("--names", models_how.names, "Only their names, one a line");
  auto* adding = sub("add", "Check a GGUF file and take it in.", "file", verb::add);
  adding->add_option("--as", models_how.as, "The name to list it under (default: the file's)")->type_name("NAME");
  adding->add_flag("--default", models_how.make_default, "Make it the default too");
  sub("show", "Show the card of one.", "name", verb::show);
  sub("use", "Make one the default.", "name", verb::use);
  word->require_subcommand(0, 1);
}

void add_key_command(CLI::App& app, chosen& run) {
  static key_options chosen_key;
  using verb = key_options::verb;
  auto* word = add(app, "key", "Keys for programs and people who may ask.",
                   "  meshai key new --name phone --reach site --rate 60\n"
                   "  meshai key new --name work --budget 2.5 --models gpt-4o-mini,auto\n"
                   "  meshai key list\n  meshai key revoke phone");
  auto* below = word->add_subcommand("new", "Make one and print it, this once.");
  below->add_option("--name", chosen_key.name, "What it is called")->required()->type_name("NAME");
  below->add_option("--reach", chosen_key.reach, "How far its questions may travel")
      ->type_name("REACH")
      ->check(CLI::IsMember({"device", "site", "mesh", "cloud"}));
  below->add_option("--models", chosen_key.models, "The models that it may name (default: all)")
      ->delimiter(',')
      ->type_name("NAMES");
  below
      ->add_option("--budget", chosen_key.budget, "Money that it may spend a day (UTC), in the unit of the prices")
      ->type_name("MONEY")
      ->check(CLI::Range(1e-9, 1e9));
  const auto whole = [&](const char* name, std::optional<std::int64_t>& into, const char* what) {
    below->add_option(name, into, what)
        ->type_name("N")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}));
  };
  whole("--budget-tokens", chosen_key.budget_tokens, "Tokens that it may use a day (UTC)");
  whole("--rate", chosen_key.rate, "Requests a minute");
  whole("--rate-tokens", chosen_key.rate_tokens, "Tokens a minute");
  below->add_flag("--json", chosen_key.json, "Print the result as JSON");
  below->callback([&run] {
    chosen_key.what = verb::make;
    run = [] { return keys(chosen_key); };
  });
  below = word->add_subcommand("list", "List those that were made, without their secret.");
  below->add_flag("--json", chosen_key.json, "Print the result as JSON");
  below->callback([&run] { run = [] { return keys(chosen_key); }; });
  below = word->add_subcommand("revoke", "Refuse one from now on.");
  below->add_option("name", chosen_key.name, "The name of the key")->required()->type_name("NAME");
  below->add_flag("--json", chosen_key.json, "Print the result as JSON");
  below->callback([&run] {
    chosen_key.what = verb::revoke;
    run = [] { return keys(chosen_key); };
  });
  word->require_subcommand(1);
}

void add_usage_command(CLI::App& app, chosen& run) {
  static usage_options spent;
  auto* word = add(app, "usage", "Tokens and money spent, by day (UTC), key and node.",
                   "  meshai usage\n  meshai usage --since 2026-11-01 --json");
  auto* day = word->add_option("--day", spent.day, "That day (default: today)")->type_name("DATE");
  word->add_option("--since", spent.since, "From that day until today")->type_name("DATE")->excludes(day);
  word->add_flag("--json", spent.json, "Print it as JSON");
  word->callback([&run] { run = [] { return usage(spent); }; });
}

void add_classify_command(CLI::App& app, chosen& run) {
  static classify_options classifying;
  auto* word = add(
      app, "classify", "Say how hard prompts look: JSON lines in, as many out, in order. Needs no node.",
      "  meshai classify prompts.jsonl > out.jsonl\n  echo '{\"prompt\": \"What is 2+2?\"}' | meshai classify");
  word->add_option("file", classifying.file, "Lines like {\"prompt\": \"text\"} (default, and -: standard input)")
      ->type_name("FILE");
  word->add_flag("--care", classifying.care, "Say also what a prompt holds: secrets, personal data, health, law");
  word->footer(
      word->get_footer() +
      "\n\nA line out: {\"complexity\": 0 to 1, \"class\": \"simple\", \"medium\" or \"hard\", \"features\": "
      "{...}}.\n"
      "With --care also \"care\": {\"classes\": what a [[care]] rule would keep near, \"kinds\": how many of "
      "each},\n"
      "never what was found.\n"
      "For a line that cannot be read: {\"error\": {\"line\": its number, \"message\": why}}; the others are\n"
      "answered all the same, and the exit code is 1. A line may have 8 MiB.");
  word->callback([&run] { run = [] { return classify(classifying); }; });
}

void add_care_commands(CLI::App& app, chosen& run) {
  static bool json = false;
  static std::string file;
  static doctor_options examining;
  auto* word = add(app, "config", "The configuration.", "  meshai config check\n  meshai config check other.toml");
  auto* checking = word->add_subcommand("check", "Read it and say what is wrong.");
  checking->add_option("file", file, "Configuration file (default: the usual place)")->type_name("FILE");
  checking->add_flag("--json", json, "Print the result as JSON");
  checking->callback([&run] { run = [] { return config_check(file, json); }; });
  word->require_subcommand(1);

  word = add(app, "doctor", "Look for what is wrong on this device and say how to mend it.", "  meshai doctor");
  word->add_option("--config", examining.config, "Configuration file (default: the running node's)")
      ->type_name("FILE");
  word->add_flag("--json", examining.json, "Print the findings as JSON");
  word->callback([&run] { run = [] { return doctor(examining); }; });

  static std::string shell;
  word = add(app, "completion", "Print the completion script of a shell.",
             "  meshai completion bash > ~/.local/share/bash-completion/completions/meshai");
  word->add_option("shell", shell, "The shell")->required()->check(CLI::IsMember({"bash", "zsh", "fish"}));
  word->callback([&run, &app] { run = [&app] { return print(completion(app, shell)) ? exit_ok : exit_failed; }; });

  word = add(app, "man", "Print the manual page (roff).", "  meshai man | man -l -");
  word->callback([&run, &app] { run = [&app] { return print(manual_page(app)) ? exit_ok : exit_failed; }; });

  word = add(app, "version", "Print the version.", "");
  word->add_flag("--json", json, "Print it as JSON");
  word->callback([&run] { run = [] { return print(version_text(json)) ? exit_ok : exit_failed; }; });
}

constexpr std::string_view notes =
    "Start with: meshai up\n"
    "Help on one command: meshai COMMAND --help\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no node runs, 4 wrong configuration, 5 nobody answered";

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> out;
  for (const auto* below : app.get_subcommands({})) out.push_back(below->get_name());
  return out;
}

// The first word that names no command, and what was meant instead.
std::string describe_unknown(const CLI::App& at, const std::string& path, const std::string& word) {
  const auto near = route::near_names(word, commands_of(at), 1);
  return fmt::format("there is no command {} {}{}", path, word,
                     near.empty() ? "" : fmt::format("; did you mean {} {}?", path, near.front()));
}

int refuse(const CLI::App& app, const CLI::ParseError& wrong, const std::vector<std::string>& typed) {
  const auto* at = &app;
  auto path = app.get_name();
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    path += " " + at->get_name();
  }
  const bool json = std::ranges::contains(typed, "--json");
  std::string what = wrong.what();
  const auto word = std::ranges::find_if(typed, [&](const auto& one) { return !one.starts_with('-'); });
  if (at == &app && word != typed.end()) {
    what = describe_unknown(app, path, *word);
  } else if (!commands_of(*at).empty()) {
    const auto after = std::ranges::find(typed, at->get_name());
    const bool named =
        at != &app && after != typed.end() && after + 1 != typed.end() && !(after + 1)->starts_with('-');
    what = named ? describe_unknown(*at, path, *(after + 1)) : fmt::format("{} wants a command behind it", path);
  }
  return complain(fmt::format("{}\n  type: {} --help", what, path), exit_usage, json);
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app("meshai: an AI endpoint on your own machine that keeps answering.", "meshai");
  app.require_subcommand(1);
  app.footer(std::string(notes));
  auto version = version_text(false);
  version.pop_back();  // CLI11 ends the line
  app.set_version_flag("--version", version);
  chosen run;
  add_node_commands(app, run);
  add_talk_commands(app, run);
  add_route_command(app, run);
  add_models_command(app, run);
  add_key_command(app, run);
  add_usage_command(app, run);
  add_classify_command(app, run);
  add_care_commands(app, run);
  const std::vector<std::string> typed(argv + 1, argv + argc);
  if (typed.empty()) {
    print(app.help(), 2);
    return exit_usage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked_for_help) {
    return app.exit(asked_for_help);
  } catch (const CLI::ParseError& wrong) {
    return refuse(app, wrong, typed);
  }
  return run();
}

}  // namespace meshai::app
