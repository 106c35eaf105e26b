#include "app/instance.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "app/supervision.hpp"

namespace meshai::app {
namespace {

std::filesystem::path lock_file(const paths& where) {
  return where.runtime / "node.lock";
}

// The line at the beginning of `text`, which is taken off it.
std::string_view take_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::optional<int> parse_pid(std::string_view text) {
  int out = -1;
  const auto [rest, wrong] = std::from_chars(text.data(), text.data() + text.size(), out);
  return wrong == std::errc() && rest == text.data() + text.size() && out >= 0 ? std::optional(out) : std::nullopt;
}

// "PID\nNODE\nCONFIGURATION\n"
std::optional<instance> written_in(int fd) {
  char bytes[4352];
  const auto size = ::pread(fd, bytes, sizeof bytes, 0);
  if (size <= 0) return std::nullopt;
  std::string_view text(bytes, static_cast<std::size_t>(size));
  const auto pid = parse_pid(take_line(text));
  const auto node = parse_pid(take_line(text));
  if (!pid || *pid == 0 || !node) return std::nullopt;
  return instance{.pid = *pid, .node = *node, .config = take_line(text)};
}

}  // namespace

bool lock_alone(int fd) {
  constexpr auto a_look_is_over = std::chrono::milliseconds(50);
  const auto until = std::chrono::steady_clock::now() + a_look_is_over;
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

result<instance_lock> instance_lock::take(const paths& where, const std::filesystem::path& config) {
  if (auto made = make_private(where.runtime); !made) return std::unexpected(made.error());
  const auto file = lock_file(where);
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail(error_kind::refused, fmt::format("cannot open {}: {}", file.string(), std::strerror(errno)));
  instance_lock held(fd, config);
  if (!lock_alone(fd)) {
    const auto other = written_in(fd);
    return fail(error_kind::unavailable, fmt::format("a node runs already{}; type: meshai down",
                                                     other ? fmt::format(" (process {})", other->pid) : ""));
  }
  if (auto told = held.tell_node(::getpid()); !told) return std::unexpected(told.error());
  return held;
}

result<void> instance_lock::tell_node(int pid) const {
  const auto text = fmt::format("{}\n{}\n{}\n", ::getpid(), pid, config_.string());
  // Written over, then cut: who looks at this moment finds one text or the other, never none.
  const auto size = static_cast<ssize_t>(text.size());
  if (::pwrite(fd_, text.data(), text.size(), 0) != size || ::ftruncate(fd_, size) != 0)
    return fail(error_kind::refused, fmt::format("cannot write the lock of the node: {}", std::strerror(errno)));
  return {};
}

instance_lock::~instance_lock() {
  if (fd_ >= 0) ::close(fd_);
}

instance_lock::instance_lock(instance_lock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), config_(std::move(other.config_)) {}

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
  if (!found) return std::nullopt;
  const bool orphan = found->node > 0 && found->node != found->pid && !supervisor_lives(where);
  return orphan ? found->node : found->pid;
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
