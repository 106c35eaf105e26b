#include "app/paths.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace meshai::app {
namespace fs = std::filesystem;
namespace {

// The specification: a relative path in such a variable is invalid and ignored.
fs::path from_variable(const char* name) {
  const char* value = std::getenv(name);
  if (!value || value[0] != '/') return {};
  return fs::path(value) / "meshai";
}

error os_error(std::string what, const fs::path& where) {
  return {error_kind::refused, fmt::format("{} {}: {}", what, where.string(), std::strerror(errno))};
}

// Closes what it holds.
class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

result<paths> find_paths() {
  const char* home = std::getenv("HOME");
  const auto below_home = [&](const char* variable, const char* otherwise) {
    auto path = from_variable(variable);
    return path.empty() && home && *home ? fs::path(home) / otherwise / "meshai" : path;
  };
  paths out{
      .config = below_home("XDG_CONFIG_HOME", ".config"),
      .data = below_home("XDG_DATA_HOME", ".local/share"),
      .state = below_home("XDG_STATE_HOME", ".local/state"),
      .runtime = from_variable("XDG_RUNTIME_DIR"),
  };
  if (out.config.empty() || out.data.empty() || out.state.empty()) {
    return fail(error_kind::refused, "HOME is not set; type: export HOME=/path/to/your/folder");
  }
  // XDG_RUNTIME_DIR is often inherited over su or sudo and then somebody else's.
  std::error_code ignored;
  if (out.runtime.empty() || !fs::is_directory(out.runtime.parent_path(), ignored) ||
      ::access(out.runtime.parent_path().c_str(), W_OK) != 0) {
    out.runtime = fs::path("/tmp") / fmt::format("meshai-{}", ::getuid());
  }
  return out;
}

result<fs::path> own_program() {
  std::error_code wrong;
  auto found = fs::read_symlink("/proc/self/exe", wrong);
  if (wrong) return fail(error_kind::refused, "cannot find this program in /proc/self/exe; is /proc mounted?");
  return found;
}

result<void> make_private(const fs::path& folder) {
  std::error_code wrong;
  fs::create_directories(folder.parent_path(), wrong);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return std::unexpected(os_error("cannot make the folder", folder));
  }
  struct stat is{};
  if (::lstat(folder.c_str(), &is) != 0) return std::unexpected(os_error("cannot look at", folder));
  if (!S_ISDIR(is.st_mode) || is.st_uid != ::getuid()) {
    return fail(error_kind::refused, fmt::format("{} is not a folder of yours; remove it", folder.string()));
  }
  if ((is.st_mode & 077) != 0 && ::chmod(folder.c_str(), 0700) != 0) {
    return std::unexpected(os_error("cannot close to others", folder));
  }
  return {};
}

result<void> write_file(const fs::path& file, std::string_view text, unsigned mode) {
  auto beside = file;
  beside += fmt::format(".new-{}", ::getpid());
  const descriptor to(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode));
  if (to.get() < 0) return std::unexpected(os_error("cannot write", beside));
  while (!text.empty()) {
    const auto written = ::write(to.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      auto wrong = os_error("cannot write", beside);
      ::unlink(beside.c_str());
      return std::unexpected(std::move(wrong));
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fchmod(to.get(), mode) != 0 || ::fsync(to.get()) != 0 || ::rename(beside.c_str(), file.c_str()) != 0) {
    auto wrong = os_error("cannot put in place", file);
    ::unlink(beside.c_str());
    return std::unexpected(std::move(wrong));
  }
  return {};
}

result<std::string> read_file(const fs::path& file, std::size_t limit) {
  const descriptor from(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (from.get() < 0) return std::unexpected(os_error("cannot read", file));
  std::string out;
  char piece[16384];
  for (;;) {
    const auto got = ::read(from.get(), piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(os_error("cannot read", file));
    if (got == 0) return out;
    out.append(piece, static_cast<std::size_t>(got));
    if (out.size() > limit) {
      return fail(error_kind::exhausted, fmt::format("{} is larger than {} bytes", file.string(), limit));
    }
  }
}

}  // namespace meshai::app
