#include "engine/usage.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>

namespace meshai::engine {
namespace {

// Files of the kernel, which are short.
std::string read_all(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::optional<std::uint64_t> leading_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t out = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), out).ec != std::errc()) return std::nullopt;
  return out;
}

// "Name:   123 kB"
std::uint64_t kilobytes(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  return at == text.npos ? 0 : leading_number(text.substr(at + name.size())).value_or(0) * 1024;
}

}  // namespace

machine this_machine() {
  machine out{.cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency())),
              .memory = kilobytes(read_all("/proc/meminfo"), "MemAvailable:")};
  // In a container its own bound counts ("max" where there is none); what it keeps of files can be had again.
  const auto limit = leading_number(read_all("/sys/fs/cgroup/memory.max"));
  const auto used = leading_number(read_all("/sys/fs/cgroup/memory.current"));
  if (limit && used) {
    const auto stat = "\n" + read_all("/sys/fs/cgroup/memory.stat");
    const auto at = stat.find("\ninactive_file ");
    const auto files = at == stat.npos ? 0 : leading_number(std::string_view(stat).substr(at + 15)).value_or(0);
    out.memory = std::min(out.memory, *limit - std::min(*limit, *used - std::min(*used, files)));
  }
  return out;
}

std::optional<process_usage> usage_of(int pid) {
  const auto status = read_all(fmt::format("/proc/{}/status", pid));
  const auto stat = read_all(fmt::format("/proc/{}/stat", pid));
  // The name in parentheses may hold anything; what follows it are numbers, the 14th and 15th field of the line
  // the ticks.
  const auto named = stat.rfind(") ");
  if (status.empty() || named == stat.npos) return std::nullopt;
  std::string_view fields = std::string_view(stat).substr(named + 2);
  std::uint64_t ticks = 0;
  for (int field = 3; field <= 15; ++field) {
    if (field >= 14) ticks += leading_number(fields).value_or(0);
    fields.remove_prefix(std::min(fields.find(' ') + 1, fields.size()));
  }
  const auto per_second = static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_CLK_TCK)));
  return process_usage{.resident = kilobytes(status, "VmRSS:"),
                       .anonymous = kilobytes(status, "RssAnon:"),
                       .processor = std::chrono::milliseconds(ticks * 1000 / per_second)};
}

}  // namespace meshai::engine
