#include "app/instance.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace meshai::app {
namespace {

std::filesystem::path lock_file(const paths& where) {
  return where.runtime / "node.lock";
}

// "PID\nCONFIGURATION\n"
std::optional<instance> written_in(int fd) {
  char text[4352] = {};
  const auto size = ::pread(fd, text, sizeof text - 1, 0);
  instance out;
  if (size <= 0) return std::nullopt;
  const auto [rest, wrong] = std::from_chars(text, text + size, out.pid);
  if (wrong != std::errc() || out.pid <= 0) return std::nullopt;
  std::string_view config(rest, static_cast<std::size_t>(text + size - rest));
  if (config.starts_with('\n')) config.remove_prefix(1);
  out.config = config.substr(0, config.find('\n'));
  return out;
}

}  // namespace

result<instance_lock> instance_lock::take(const paths& where, const std::filesystem::path& config) {
  if (auto made = make_private(where.runtime); !made) return std::unexpected(made.error());
  const auto file = lock_file(where);
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail(error_kind::refused, fmt::format("cannot open {}: {}", file.string(), std::strerror(errno)));
  instance_lock held(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const auto other = written_in(fd);
    return fail(error_kind::unavailable, fmt::format("a node runs already{}; type: meshai down",
                                                     other ? fmt::format(" (process {})", other->pid) : ""));
  }
  const auto text = fmt::format("{}\n{}\n", ::getpid(), config.string());
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return fail(error_kind::refused, fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)));
  }
  return held;
}

instance_lock::~instance_lock() {
  if (fd_ >= 0) ::close(fd_);
}

instance_lock::instance_lock(instance_lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

std::optional<instance> running_instance(const paths& where) {
  const int fd = ::open(lock_file(where).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  // A shared lock is refused while a node holds its own, and does not get in the way of another look like this
  // one.
  const bool held = ::flock(fd, LOCK_SH | LOCK_NB) != 0;
  auto found = held ? written_in(fd) : std::nullopt;
  ::close(fd);
  return found;
}

std::optional<int> running_node(const paths& where) {
  const auto found = running_instance(where);
  return found ? std::optional(found->pid) : std::nullopt;
}

bool wait_until_gone(const paths& where, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (running_node(where)) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

std::filesystem::path owner_socket(const paths& where) {
  return where.runtime / "node.sock";
}

}  // namespace meshai::app
