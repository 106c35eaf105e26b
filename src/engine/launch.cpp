#include "engine/launch.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <system_error>

#include "engine/catalogue.hpp"
#include "engine/usage.hpp"

namespace meshai::engine {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view prefix = "engine-", suffix = ".sock";

std::string stamp_file(const fs::path& file) {
  struct stat what{};
  if (::stat(file.c_str(), &what) != 0) return {};
  return fmt::format("{}:{}:{}.{:09}", what.st_ino, what.st_size, what.st_mtim.tv_sec, what.st_mtim.tv_nsec);
}

std::string stamp_model(const fs::path& file) {
  auto about = file;
  about.replace_extension(".toml");
  return fmt::format("{} {} {} {}", file.string(), stamp_file(file), stamp_file(about),
                     stamp_file(adapter_of(file)));
}

// The process in "engine-<anything>-<pid>-<number>..."; 0 where it is another kind of name.
int owner_of(std::string_view name) {
  const auto last = name.rfind('-');
  const auto before = last == name.npos || last == 0 ? name.npos : name.rfind('-', last - 1);
  if (!name.starts_with(prefix) || before == name.npos) return 0;
  int pid = 0;
  const auto digits = name.substr(before + 1, last - before - 1);
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
  return failed == std::errc() && end == digits.data() + digits.size() ? pid : 0;
}

}  // namespace

result<launch> prepare(const options& how) {
  // The longest name that socket_path can make must fit.
  if (constexpr std::size_t name = 64, most = sizeof(sockaddr_un::sun_path);
      how.runtime_folder.string().size() + name > most)
    return fail(error_kind::refused,
                fmt::format("{} is too long a folder for a socket (at most {} bytes); set XDG_RUNTIME_DIR "
                            "to a shorter one",
                            how.runtime_folder.string(), most - name));
  if (auto ok = prepare_runtime(how.runtime_folder); !ok) return std::unexpected(ok.error());
  auto program = find_program(how.data_folder, how.search_path);
  if (!program) return std::unexpected(program.error());
  const auto file = catalogue(how.data_folder).resolve(how.model);
  if (!file) return std::unexpected(file.error());
  launch out;
  out.file = *file;
  out.stamp = stamp_model(*file);
  out.program_stamp = program->name + " " + stamp_file(program->name);
  out.program = std::move(*program);
  auto model = read_gguf(*file);
  if (!model) return std::unexpected(model.error());
  auto about = read_profile(*file);
  if (!about) return std::unexpected(about.error());
  auto adapter = read_adapter(*file, *model);
  if (!adapter) return std::unexpected(adapter.error());
  out.adapter = std::move(*adapter);
  const wishes wish{how.context, how.slots, how.threads, how.embeddings, how.growth};
  auto plan = make_plan(*model, out.adapter, *about, wish, this_machine());
  if (!plan) return std::unexpected(plan.error());
  out.model = std::move(*model);
  out.profile = std::make_shared<engine::profile>(std::move(*about));
  out.plan = *plan;
  return out;
}

std::string stamp_of(const options& how) {
  const auto file = catalogue(how.data_folder).resolve(how.model);
  return file ? stamp_model(*file) : std::string();
}

std::string socket_path(const options& how, unsigned number) {
  const auto name = fmt::format("{}{}-{}-{}{}", prefix, how.name.substr(0, 24), ::getpid(), number, suffix);
  return (how.runtime_folder / name).string();
}

result<void> prepare_runtime(const fs::path& folder) {
  struct stat what{};
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(error_kind::refused, fmt::format("cannot make {}: {}", folder.string(), std::strerror(errno)));
  // In a shared folder like /tmp somebody else may have been quicker: a link or an open folder is not used.
  if (::lstat(folder.c_str(), &what) != 0 || !S_ISDIR(what.st_mode) || what.st_uid != ::geteuid() ||
      (what.st_mode & 077) != 0)
    return fail(error_kind::refused,
                fmt::format("{} must be a folder of yours that nobody else may enter; remove it, or run "
                            "chmod 700 on it",
                            folder.string()));
  std::error_code ended;
  for (fs::directory_iterator at(folder, ended), end; !ended && at != end; at.increment(ended)) {
    const int owner = owner_of(at->path().filename().string());
    if (owner > 0 && ::kill(owner, 0) != 0 && errno == ESRCH) ::unlink(at->path().c_str());
  }
  return {};
}

}  // namespace meshai::engine
