#include "os/usage.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace meshai::os {
namespace {

// The second number of statm: pages in memory (proc_pid_statm(5)).
std::int64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::int64_t whole = 0, resident = 0;
  in >> whole >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

std::int64_t open_descriptors() {
  std::error_code wrong;
  const auto all = std::filesystem::directory_iterator("/proc/self/fd", wrong);
  return wrong ? 0 : std::distance(begin(all), end(all)) - 1;  // without the one that looks
}

}  // namespace

void measure_process(env::metrics& into) {
  into.get_gauge("process_resident_memory_bytes", "Resident memory size in bytes.").set(resident_bytes());
  into.get_gauge("process_open_fds", "Number of open file descriptors.").set(open_descriptors());
  rlimit bound{};
  if (::getrlimit(RLIMIT_NOFILE, &bound) == 0)
    into.get_gauge("process_max_fds", "Maximum number of open file descriptors.")
        .set(static_cast<std::int64_t>(bound.rlim_cur));
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) != 0) return;
  auto& seconds = into.get_counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.");
  const auto now = static_cast<std::uint64_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
  if (now > seconds.value()) seconds.add(now - seconds.value());
}

}  // namespace meshai::os
