#include "app/background.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "env/random.hpp"
#include "os/descriptor.hpp"
#include "os/os.hpp"

namespace meshai::app {
namespace {

struct provider {
  const char* variable;
  const char* name;
};
constexpr std::array<provider, 3> providers{{
    {"OPENAI_API_KEY", "openai"},
    {"ANTHROPIC_API_KEY", "anthropic"},
    {"GEMINI_API_KEY", "gemini"},
}};

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

std::string make_key() {
  std::array<std::byte, 24> bytes{};
  os::runtime runtime({.log_level = env::log_level::error, .pool_threads = 1});
  runtime.make_worker()->world().entropy.fill(bytes);
  std::string key = "mesh-";
  for (const auto b : bytes) key += fmt::format("{:02x}", static_cast<unsigned>(b));
  return key;
}

}  // namespace

result<first_config> write_first_config(const paths& where) {
  first_config out;
  out.text =
      "# Written by meshai up. docs/operating/configuration.md explains every key.\n\n[api]\n"
      "unknown_model = \"auto\"  # a client that asks for a model we do not have gets an answer all the same\n\n";
  std::string nodes =
      "[[node]]  # the model on this device\nname = \"here\"\ntier = \"local\"\nkind = \"engine\"\nmodel = "
      "\"default\"\n";
  bool paid = false;
  for (const auto& [variable, name] : providers) {
    if (!is_set(variable)) continue;
    paid = true;
    nodes += fmt::format(
        "\n[[node]]\nname = \"{}\"\ntier = \"cloud\"\nkind = \"{}\"\nkey = \"env:{}\"\nmodels = [\"*\"]\n", name,
        name, variable);
  }
  if (auto made = make_private(where.config); !made) return std::unexpected(made.error());
  if (paid) {
    out.key_file = (where.config / "key").string();
    if (auto written = write_file(out.key_file, make_key() + "\n", 0600); !written)
      return std::unexpected(written.error());
    out.text += fmt::format(
        "[[key]]  # without it every program on this device could spend the providers' credit\n"
        "name = \"me\"\nsecret = \"file:{}\"\n\n",
        out.key_file);
  }
  out.text += nodes;
  if (auto written = write_file(where.config_file(), out.text, 0600); !written)
    return std::unexpected(written.error());
  return out;
}

result<int> start_in_background(const paths& where, const std::string& config) {
  if (auto made = make_private(where.state); !made) return std::unexpected(made.error());
  const os::descriptor log(
      ::open(where.log_file().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!log) {
    return fail(error_kind::refused,
                fmt::format("cannot write {}: {}", where.log_file().string(), std::strerror(errno)));
  }
  const os::descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto self = own_program();
  if (!self) return std::unexpected(self.error());
  const pid_t child = ::fork();
  if (child < 0)
    return fail(error_kind::exhausted, fmt::format("cannot start a process: {}", std::strerror(errno)));
  if (child == 0) {
    ::setsid();
    ::dup2(nothing.get(), 0);
    ::dup2(log.get(), 1);
    ::dup2(log.get(), 2);
    (void)::chdir("/");
    ::execl(self->c_str(), "meshai", "supervise", "--config", config.c_str(), nullptr);
    ::_exit(127);
  }
  return child;
}

std::string last_words(const paths& where) {
  auto text = read_file(where.log_file(), 64 << 20);
  if (!text) return {};
  constexpr std::size_t enough = 2000;
  if (text->size() > enough) {
    const auto line = text->find('\n', text->size() - enough);
    *text = text->substr(line == std::string::npos ? text->size() - enough : line + 1);
  }
  return *text;
}

}  // namespace meshai::app
