#include "app/manual.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <utility>

namespace meshai::app {
namespace {

using words = std::vector<std::string>;

std::string join(const words& all, std::string_view between) {
  std::string out;
  for (const auto& one : all) out.append(out.empty() ? "" : between).append(one);
  return out;
}

words options_of(const CLI::App& app) {
  words out;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) out.push_back("--" + name);
  }
  return out;
}

words subcommands_of(const CLI::App& app) {
  words out;
  for (const auto* below : app.get_subcommands({})) out.push_back(below->get_name());
  return out;
}

// Calls `with` for the program and everything below it; `path` is how it is typed after the program's name.
void walk(const CLI::App& app, const std::string& path,
          const std::function<void(const std::string&, const CLI::App&)>& with) {
  with(path, app);
  for (const auto* below : app.get_subcommands({})) {
    walk(*below, path.empty() ? below->get_name() : path + " " + below->get_name(), with);
  }
}

// What an option may be given, where it is one of few words: CLI11 tells them as "TEXT:{a,b}".
words values_of(const CLI::Option& option) {
  const auto told = option.get_type_name();
  const auto from = told.find('{'), to = told.rfind('}');
  words out;
  if (from == std::string::npos || to == std::string::npos || to < from) return out;
  std::string one;
  for (const char c : told.substr(from + 1, to - from - 1) + ",") {
    if (c != ',') {
      one += c;
    } else {
      out.push_back(std::exchange(one, {}));
    }
  }
  return out;
}

bool takes_file(const CLI::Option& option) {
  return option.get_type_name().starts_with("FILE");
}

// Names of models on this device: only the program itself knows them.
bool takes_model(const CLI::Option& option) {
  return option.get_type_name().starts_with("MODEL");
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

// What bash and zsh have in common: `known` paths of commands, and by path (`at`) the words that may follow
// (`some`). `program` is how the program was typed. `path` and `words` themselves are taken in zsh.
struct shell_cases {
  std::string known = "|", by_path, by_option;
};

shell_cases cases_of(const CLI::App& app) {
  shell_cases out;
  walk(app, "", [&](const std::string& path, const CLI::App& at) {
    out.known += path + "|";
    auto all = subcommands_of(at);
    for (auto& option : options_of(at)) all.push_back(std::move(option));
    for (const auto* option : at.get_options()) {
      const auto some = values_of(*option);
      if (option->get_lnames().empty()) all.insert(all.end(), some.begin(), some.end());
      if (takes_model(*option)) all.emplace_back("$(\"$program\" models list --names 2>/dev/null)");
      if (some.empty() && !takes_file(*option)) continue;
      for (const auto& name : option->get_lnames())
        out.by_option += fmt::format("    \"{} --{}\") some=\"{}\" ;;\n", path, name, join(some, " "));
    }
    out.by_path += fmt::format("    \"{}\") some=\"{}\" ;;\n", path, join(all, " "));
  });
  return out;
}

std::string bash_completion(const CLI::App& app) {
  const auto cases = cases_of(app);
  return "# bash completion of meshai\n"
         "_meshai() {\n"
         "  local program=\"${COMP_WORDS[0]}\" at=\"\" some=\"\" here=\"${COMP_WORDS[COMP_CWORD]}\" i\n"
         "  local known=\"" +
         cases.known +
         "\"\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    [[ $known == *\"|${at:+$at }${COMP_WORDS[i]}|\"* ]] && at=\"${at:+$at }${COMP_WORDS[i]}\"\n"
         "  done\n"
         "  case \"$at\" in\n" +
         cases.by_path + "  esac\n  case \"$at ${COMP_WORDS[COMP_CWORD-1]}\" in\n" + cases.by_option +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$some\" -- \"$here\"))\n"
         "  [[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- \"$here\"))\n"
         "}\n"
         "complete -F _meshai meshai\n";
}

// Works from a folder of $fpath as well as sourced.
std::string zsh_completion(const CLI::App& app) {
  const auto cases = cases_of(app);
  return "#compdef meshai\n"
         "_meshai() {\n"
         "  local program=\"${words[1]}\" at=\"\" some=\"\" i\n"
         "  local known=\"" +
         cases.known +
         "\"\n"
         "  for ((i = 2; i < CURRENT; i++)); do\n"
         "    [[ $known == *\"|${at:+$at }${words[i]}|\"* ]] && at=\"${at:+$at }${words[i]}\"\n"
         "  done\n"
         "  case \"$at\" in\n" +
         cases.by_path + "  esac\n  case \"$at ${words[CURRENT-1]}\" in\n" + cases.by_option +
         "  esac\n"
         "  compadd -- ${=some} || _files\n"
         "}\n"
         "if [[ $funcstack[1] == _meshai ]]; then _meshai \"$@\"; else compdef _meshai meshai; fi\n";
}

std::string fish_word(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c));
  return out + "'";
}

// How fish is told what stands behind an option or a command.
std::string fish_values(const CLI::Option& option) {
  if (takes_file(option)) return " -r -F";
  if (takes_model(option)) return " -x -a '(meshai models list --names 2>/dev/null)'";
  const auto some = values_of(option);
  if (!some.empty()) return " -x -a " + fish_word(join(some, " "));
  return takes_value(option) ? " -x" : "";
}

std::string fish_completion(const CLI::App& app) {
  std::string out = "# fish completion of meshai\ncomplete -c meshai -f\n";
  walk(app, "", [&](const std::string& path, const CLI::App& at) {
    const auto here = path.empty() ? std::string("__fish_use_subcommand")
                                   : "__fish_seen_subcommand_from " + path.substr(path.rfind(' ') + 1);
    const auto begin = "complete -c meshai -n " + fish_word(here);
    for (const auto* below : at.get_subcommands({}))
      out += fmt::format("{} -a {} -d {}\n", begin, below->get_name(), fish_word(below->get_description()));
    for (const auto* option : at.get_options()) {
      if (option->get_lnames().empty()) {
        const auto values = fish_values(*option);
        if (values.size() > 3) out += begin + values + "\n";  // more than "-x": free text
        continue;
      }
      for (const auto& name : option->get_lnames())
        out += fmt::format("{} -l {}{} -d {}\n", begin, name, fish_values(*option),
                           fish_word(option->get_description()));
    }
  });
  return out;
}

// roff takes a leading dot or quote as a request and a backslash as an escape.
std::string roff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    line_begins = c == '\n';
  }
  return out;
}

void describe(std::string& out, const std::string& path, const CLI::App& at) {
  out += fmt::format(".SS meshai {}\n{}\n", roff(path), roff(at.get_description()));
  for (const auto* option : at.get_options()) {
    if (option->get_name() == "--help") continue;
    const auto name = option->get_name(true, true);
    const auto value = option->get_lnames().empty() || !takes_value(*option) ? "" : " " + option->get_type_name();
    out += fmt::format(".TP\n.B {}{}\n{}\n", roff(name.substr(0, name.find(','))), roff(value),
                       roff(option->get_description()));
  }
  if (const auto footer = at.get_footer(); !footer.empty()) {
    out += fmt::format(".PP\n.nf\n{}\n.fi\n", roff(footer));
  }
}

constexpr std::string_view files =
    ".SH FILES\n"
    ".TP\n.I $XDG_CONFIG_HOME/meshai/meshai.toml\nthe configuration\n"
    ".TP\n.I $XDG_DATA_HOME/meshai\nengine and models\n"
    ".TP\n.I $XDG_STATE_HOME/meshai/meshai.log\nthe log of a node in the background\n"
    ".TP\n.I $XDG_STATE_HOME/meshai/ledger.db\nkeys that were made, as hashes, and what was spent\n"
    ".TP\n.I $XDG_RUNTIME_DIR/meshai\nthe running node\\(aqs lock and its owner\\(aqs socket\n"
    ".PP\nWithout these variables: ~/.config, ~/.local/share, ~/.local/state and /tmp/meshai\\-UID.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY\n"
    "meshai up makes a node for each that is set when it writes the first configuration\n"
    ".TP\n.B HTTPS_PROXY, https_proxy, http_proxy, NO_PROXY, no_proxy\nthe way to regional and cloud nodes\n"
    ".TP\n.B NO_COLOR\nno colour, whatever it holds\n";

constexpr std::string_view exit_status =
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\ndone\n"
    ".TP\n.B 1\ntried, and could not\n"
    ".TP\n.B 2\nthe command line itself is wrong\n"
    ".TP\n.B 3\nno node runs\n"
    ".TP\n.B 4\nthe configuration is wrong\n"
    ".TP\n.B 5\na node runs, and nobody answered\n";

}  // namespace

std::string completion(const CLI::App& app, std::string_view shell) {
  if (shell == "bash") return bash_completion(app);
  if (shell == "zsh") return zsh_completion(app);
  return fish_completion(app);
}

std::string manual_page(const CLI::App& app) {
  std::string out = fmt::format(".TH MESHAI 1 2026-11-26 \"meshai {}\"\n.SH NAME\nmeshai \\- {}\n", MESHAI_VERSION,
                                roff("an AI endpoint on your own machine that keeps answering"));
  out += ".SH SYNOPSIS\n.B meshai\n.I COMMAND\n[\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n";
  out += roff(
      "One program that answers the clients of OpenAI and Anthropic from a model on this device or from other "
      "nodes, by how hard the question is, how far it may travel and what works now.\n"
      "Start with: meshai up\n");
  out += ".SH COMMANDS\n";
  walk(app, "", [&](const std::string& path, const CLI::App& at) {
    if (!path.empty()) describe(out, path, at);
  });
  return out.append(exit_status).append(files);
}

}  // namespace meshai::app
