#include "engine/program.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <ranges>
#include <system_error>

namespace meshai::engine {
namespace fs = std::filesystem;
namespace {

#if defined(__x86_64__)
constexpr std::string_view triplet = "x86_64-linux-gnu", linker = "usr/lib64/ld-linux-x86-64.so.2";
#elif defined(__aarch64__)
constexpr std::string_view triplet = "aarch64-linux-gnu", linker = "usr/lib/ld-linux-aarch64.so.1";
#else
constexpr std::string_view triplet = "none", linker = "none";  // no such prefix is ever whole
#endif

constexpr std::string_view advice =
    "run make up, which installs it, or install llama.cpp so that llama-server is on PATH";

bool runs(const fs::path& file) {
  std::error_code none;
  return fs::is_regular_file(file, none) && ::access(file.c_str(), X_OK) == 0;
}

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line.substr(0, 100);
}

}  // namespace

env::command program::command(std::vector<std::string> flags) const {
  env::command out;
  out.program = run;
  out.arguments = arguments;
  std::ranges::move(flags, std::back_inserter(out.arguments));
  out.directory = directory;
  return out;
}

result<program> find_program(const fs::path& data_folder, std::string_view search_path) {
  // Debian testing's llama-server beside every library it needs, libc included: only its own dynamic linker can
  // start it, and it finds its CPU backends only from their folder.
  const auto root = data_folder / "engine" / "root";
  const auto libraries = root / "usr/lib" / triplet;
  const auto server = root / "usr/bin/llama-server";
  if (runs(root / linker) && runs(server)) {
    const auto backends = libraries / "ggml/backends0";
    return program{.name = server.string(),
                   .run = (root / linker).string(),
                   .arguments = {"--library-path",
                                 fmt::format("{}:{}:{}", libraries.string(), (libraries / "llama").string(),
                                             backends.string()),
                                 server.string()},
                   .directory = backends.string(),
                   .version = first_line(data_folder / "engine" / "version"),
                   .own_prefix = true};
  }
  for (const auto part : std::views::split(search_path, ':')) {
    const fs::path file = fs::path(std::string_view(part)) / "llama-server";
    if (file.is_absolute() && runs(file))
      return program{.name = file.string(), .run = file.string(), .arguments = {}, .directory = {}, .version = {}};
  }
  return fail(error_kind::refused,
              fmt::format("there is no llama-server in {} and none on PATH; {}", root.string(), advice));
}

std::set<std::string> parse_help(std::string_view text) {
  // A line that explains options begins with one, at the left or after spaces: "-np,   --parallel N    number of
  // slots". Where the words of the explanation begin, after two spaces or more, names of other options may stand.
  std::set<std::string> out;
  for (const auto line : std::views::split(text, '\n')) {
    std::string_view rest(line);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (!rest.starts_with('-')) continue;
    while (rest.starts_with('-')) {
      const auto end = std::min(rest.find_first_of(" ,"), rest.size());
      const auto option = rest.substr(0, end);
      if (option.starts_with("--") && option.size() > 2 && option[2] != '-' && !option.ends_with(')'))
        out.emplace(option);
      rest.remove_prefix(end);
      if (!rest.starts_with(',')) break;
      rest.remove_prefix(std::min(rest.find_first_not_of(", "), rest.size()));
    }
  }
  return out;
}

result<void> check_flags(const program& which, const std::set<std::string>& flags) {
  // Without these it would keep prompts, show them, reach out or listen where it must not.
  constexpr std::string_view needed[] = {"--model",     "--host",     "--ctx-size", "--parallel",    "--threads",
                                         "--cache-ram", "--no-slots", "--offline",  "--log-disable", "--metrics"};
  std::vector<std::string_view> missing;
  for (const auto flag : needed) {
    if (!flags.contains(std::string(flag))) missing.push_back(flag);
  }
  if (missing.empty()) return {};
  return fail(error_kind::unavailable,
              fmt::format("{} does not know {}: it is too old; {}", which.name, fmt::join(missing, ", "), advice));
}

}  // namespace meshai::engine
