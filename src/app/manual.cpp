#include "app/manual.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>

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

std::string bash_completion(const CLI::App& app) {
  std::string cases;
  walk(app, "", [&](const std::string& path, const CLI::App& at) {
    auto all = subcommands_of(at);
    for (auto& option : options_of(at)) all.push_back(std::move(option));
    cases += fmt::format("    \"{}\") words=\"{}\" ;;\n", path, join(all, " "));
  });
  return "# bash completion of meshai\n"
         "_meshai() {\n"
         "  local path=\"\" word words=\"\" i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=${COMP_WORDS[i]}\n"
         "    [[ $word == -* ]] || path=\"${path:+$path }$word\"\n"
         "  done\n"
         "  case \"$path\" in\n" +
         cases +
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
         "  [[ ${#COMPREPLY[@]} -gt 0 ]] || mapfile -t COMPREPLY < <(compgen -f -- "
         "\"${COMP_WORDS[COMP_CWORD]}\")\n"
         "}\n"
         "complete -F _meshai meshai\n";
}

std::string zsh_completion(const CLI::App& app) {
  return "#compdef meshai\nautoload -U +X bashcompinit && bashcompinit\n" + bash_completion(app);
}

std::string fish_word(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? "\\'" : std::string(1, c));
  return out + "'";
}

std::string fish_completion(const CLI::App& app) {
  std::string out = "# fish completion of meshai\ncomplete -c meshai -f\n";
  walk(app, "", [&](const std::string& path, const CLI::App& at) {
    const auto here = path.empty() ? std::string("__fish_use_subcommand")
                                   : "__fish_seen_subcommand_from " + path.substr(path.rfind(' ') + 1);
    for (const auto* below : at.get_subcommands({})) {
      out += fmt::format("complete -c meshai -n {} -a {} -d {}\n", fish_word(here), below->get_name(),
                         fish_word(below->get_description()));
    }
    for (const auto* option : at.get_options()) {
      for (const auto& name : option->get_lnames()) {
        out += fmt::format("complete -c meshai -n {} -l {} -d {}\n", fish_word(here), name,
                           fish_word(option->get_description()));
      }
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
    out += fmt::format(".TP\n.B {}\n{}\n", roff(option->get_name(true, true)), roff(option->get_description()));
  }
  if (const auto footer = at.get_footer(); !footer.empty()) {
    out += fmt::format(".PP\n.nf\n{}\n.fi\n", roff(footer));
  }
}

}  // namespace

std::string completion(const CLI::App& app, std::string_view shell) {
  if (shell == "bash") return bash_completion(app);
  if (shell == "zsh") return zsh_completion(app);
  return fish_completion(app);
}

std::string manual_page(const CLI::App& app) {
  std::string out = fmt::format(".TH MESHAI 1 \"\" \"meshai {}\"\n.SH NAME\nmeshai \\- {}\n", MESHAI_VERSION,
                                roff("an AI endpoint on your own machine that keeps answering"));
  out += ".SH SYNOPSIS\n.B meshai\n.I COMMAND\n[\\fIOPTIONS\\fR]\n.SH COMMANDS\n";
  walk(app, "", [&](const std::string& path, const CLI::App& at) {
    if (!path.empty()) describe(out, path, at);
  });
  out += fmt::format(".SH NOTES\n.nf\n{}\n.fi\n", roff(app.get_footer()));
  return out;
}

}  // namespace meshai::app
