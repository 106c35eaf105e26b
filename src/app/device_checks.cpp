#include "app/device_checks.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/engine.hpp"

namespace meshai::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mb = 1'000'000;
constexpr std::uint64_t for_a_node = 100 * mb;

// The inode of the socket that listens at `port`, out of one of the kernel's tables; empty where there is none.
std::string listening_inode(const char* table, std::uint16_t port) {
  constexpr std::string_view listening = "0A";
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);  // names of the columns
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string number, local, remote, state, skipped, inode;
    words >> number >> local >> remote >> state;
    for (int i = 0; i < 5; ++i) words >> skipped;  // queues, timer, retransmits, user, timeout
    words >> inode;
    const auto colon = local.rfind(':');
    if (state != listening || colon == std::string::npos) continue;
    std::uint16_t at = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), at, 16);
    if (at == port) return inode;
  }
  return {};
}

// Errors of the engine say what to do behind a semicolon.
finding bad_thing(std::string what, const std::string& why) {
  const auto mend = why.find("; ");
  if (mend == std::string::npos) return {std::move(what), grade::bad, why, "type: make up"};
  return {std::move(what), grade::bad, why.substr(0, mend), why.substr(mend + 2)};
}

bool holds(const fs::path& process, const std::string& socket) {
  std::error_code ignored;
  for (const auto& one : fs::directory_iterator(process / "fd", ignored)) {
    if (fs::read_symlink(one.path(), ignored) == socket) return true;
  }
  return false;
}

}  // namespace

finding look_at_clock() {
  constexpr auto earliest = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);  // before this release
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto text = fmt::format("{:%F %T} UTC", now);
  if (now >= earliest) return {"clock", grade::good, text, ""};
  return {"clock", grade::bad, text,
          "set the clock: with a wrong one no certificate is valid (timedatectl set-ntp true)"};
}

finding look_at_disk(const paths& where) {
  // The data folder itself may not exist yet: its nearest parent tells as much.
  auto folder = where.data;
  struct statvfs is{};
  while (::statvfs(folder.c_str(), &is) != 0 && folder.has_relative_path()) folder = folder.parent_path();
  const auto free = static_cast<std::uint64_t>(is.f_bavail) * is.f_frsize;
  const auto text = fmt::format("{} MB free in {}", free / mb, folder.string());
  if (free >= 500 * mb) return {"disk", grade::good, text, ""};
  return {"disk", grade::warning, text,
          "make room: engine and default model take 200 MB, a better model several GB"};
}

finding look_at_memory(std::uint64_t needed) {
  std::ifstream info("/proc/meminfo");
  std::string name, unit;
  std::uint64_t amount = 0;
  while (info >> name >> amount) {
    std::getline(info, unit);
    if (name != "MemAvailable:") continue;
    const auto free = amount * 1024;
    const auto wanted = needed + for_a_node;
    if (free >= wanted) return {"memory", grade::good, fmt::format("{} MB available", free / mb), ""};
    return {"memory", grade::warning,
            fmt::format("{} MB available, about {} MB wanted by node and models", free / mb, wanted / mb),
            "close something, or take a smaller model: meshai models"};
  }
  return {"memory", grade::warning, "/proc/meminfo does not tell", "mount /proc"};
}

finding look_at_engine(const paths& where) {
  const char* path = std::getenv("PATH");
  const auto found = engine::find_program(where.data, path ? path : "");
  if (found) return {"engine", grade::good, fmt::format("{} {}", found->name, found->version), ""};
  return bad_thing("engine", found.error().detail);
}

finding look_at_model(const paths& where, const std::string& name, std::uint64_t& needed) {
  const auto found = engine::catalogue(where.data).find(name);
  const auto what = fmt::format("model \"{}\"", name);
  if (!found) return bad_thing(what, found.error().detail);
  if (!found->header) {
    return {what, grade::bad, found->header.error().detail,
            "fetch the file again, then: meshai models add FILE.gguf"};
  }
  // Weights, and as much again for what is kept of conversations; never less than the default model takes.
  needed += std::max(2 * found->header->file_size, 550 * mb);
  return {what, grade::good, fmt::format("{} {}", found->name, found->header->quantisation), ""};
}

finding look_at_secret(const std::string& what, const secret_source& source) {
  if (const auto read = read_secret(source); !read) {
    return {what, grade::warning, read.error().detail, "do that, then: meshai down && meshai up"};
  }
  struct stat is{};
  if (source.from == secret_source::kind::file && ::stat(source.name.c_str(), &is) == 0 &&
      (is.st_mode & 077) != 0) {
    return {what, grade::warning, fmt::format("{} can be read by others", source.name),
            fmt::format("type: chmod 600 {}", source.name)};
  }
  return {what, grade::good, source.text(), ""};
}

std::optional<std::string> who_listens(std::uint16_t port) {
  for (const auto* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const auto inode = listening_inode(table, port);
    if (inode.empty()) continue;
    std::error_code ignored;
    for (const auto& process : fs::directory_iterator("/proc", ignored)) {
      const auto number = process.path().filename().string();
      if (std::isdigit(static_cast<unsigned char>(number.front())) == 0) continue;
      if (!holds(process.path(), fmt::format("socket:[{}]", inode))) continue;
      std::ifstream file(process.path() / "comm");
      std::string name;
      std::getline(file, name);
      return fmt::format("{} (process {})", name, number);
    }
  }
  return std::nullopt;
}

}  // namespace meshai::app
