#include "app/supervision.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstring>

#include "app/fields.hpp"
#include "app/instance.hpp"
#include "base/hash.hpp"
#include "os/line.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;

constexpr int patience_to_replace_ms = 330'000;  // longer than the supervisor waits for a new node

std::filesystem::path file_of(const paths& where) {
  return where.runtime / "supervisor.json";
}

std::filesystem::path lock_of(const paths& where) {
  return where.runtime / "supervisor.lock";
}

}  // namespace

std::string print_of_text(const std::filesystem::path& file) {
  const auto text = read_file(file, 1 << 20);
  return text ? print_of(*text) : "";
}

std::string print_of(std::string_view text) {
  return fmt::format("{:016x}", fnv1a(text));
}

std::string print_of_program(const std::filesystem::path& file) {
  struct stat is{};
  if (::stat(file.c_str(), &is) != 0) return {};
  return fmt::format("{}.{}.{}.{}.{}", is.st_dev, is.st_ino, is.st_size, is.st_mtim.tv_sec, is.st_mtim.tv_nsec);
}

result<void> write_supervision(const paths& where, const supervision& now) {
  const json::object out{{"supervisor", now.supervisor}, {"node", now.node},
                         {"restarts", now.restarts},     {"last_end", now.last_end},
                         {"next_start", now.next_start}, {"program", now.program},
                         {"config", now.config}};
  return write_file(file_of(where), json::serialize(out) + "\n", 0600);
}

std::optional<supervision> read_supervision(const paths& where) {
  if (!supervisor_lives(where)) return std::nullopt;
  const auto text = read_file(file_of(where), 64 << 10);
  if (!text) return std::nullopt;
  boost::system::error_code wrong;
  const auto parsed = json::parse(*text, wrong);
  if (wrong || !parsed.is_object()) return std::nullopt;
  const fields all(parsed);
  return supervision{.supervisor = static_cast<int>(all.number("supervisor")),
                     .node = static_cast<int>(all.number("node")),
                     .restarts = static_cast<int>(all.number("restarts")),
                     .last_end = all.text("last_end"),
                     .next_start = static_cast<std::int64_t>(all.number("next_start")),
                     .program = all.text("program"),
                     .config = all.text("config")};
}

result<os::descriptor> hold_supervision(const paths& where) {
  const auto file = lock_of(where);
  os::descriptor held(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!held || !lock_alone(held.get()))
    return fail(error_kind::unavailable, fmt::format("cannot lock {}: {}", file.string(), std::strerror(errno)));
  return held;
}

bool supervisor_lives(const paths& where) {
  const os::descriptor look(::open(lock_of(where).c_str(), O_RDONLY | O_CLOEXEC));
  return look && ::flock(look.get(), LOCK_SH | LOCK_NB) != 0;
}

std::filesystem::path supervisor_socket(const paths& where) {
  return where.runtime / "supervisor.sock";
}

std::string replacement::text() const {
  auto out = fmt::format("replace\n{}\n{}", program.string(), config.string());
  out += '\0';
  for (const auto& variable : environment) out.append(variable) += '\0';
  return out;
}

std::optional<replacement> parse_replacement(std::string_view text) {
  const auto first = text.find('\n'), second = text.find('\n', first + 1);
  if (!text.starts_with("replace\n") || second == text.npos) return std::nullopt;
  const auto end = std::min(text.find('\0'), text.size());
  if (end < second) return std::nullopt;
  replacement out{.program = text.substr(first + 1, second - first - 1),
                  .config = text.substr(second + 1, end - second - 1),
                  .environment = {}};
  for (text.remove_prefix(std::min(end + 1, text.size())); !text.empty();) {
    const auto next = text.find('\0');
    if (next == text.npos) return std::nullopt;  // it was cut
    out.environment.emplace_back(text.substr(0, next));
    text.remove_prefix(next + 1);
  }
  return out;
}

std::vector<std::string> own_environment() {
  std::vector<std::string> out;
  for (char** each = environ; *each; ++each) out.emplace_back(*each);
  return out;
}

result<void> ask_to_replace(const paths& where, const std::filesystem::path& program,
                            const std::filesystem::path& config) {
  auto called = os::line::call(supervisor_socket(where).string());
  if (!called) return std::unexpected(called.error());
  const auto wish = replacement{.program = program, .config = config, .environment = own_environment()}.text();
  if (wish.size() > os::line::longest) {
    return fail(
        error_kind::refused,
        fmt::format("the environment is larger than {} bytes; type: meshai down && meshai up", os::line::longest));
  }
  if (!called->send(wish))
    return fail(error_kind::unreachable, "the supervisor does not listen; type: meshai down && meshai up");
  if (!called->wait(patience_to_replace_ms))
    return fail(error_kind::timeout, "the supervisor does not answer; type: meshai status");
  const auto answer = called->receive();
  if (!answer) return fail(error_kind::unreachable, "the supervisor ended; type: meshai status");
  if (*answer == "replaced") return {};
  return fail(error_kind::refused, *answer);
}

}  // namespace meshai::app
