#include "os/usage.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "os/descriptor.hpp"

namespace meshai::os {
namespace {

std::int64_t gauge_of(env::metrics& all, std::string_view name) {
  measure_process(all);
  return all.get_gauge(name, "").value();
}

TEST(usage, descriptors_are_counted) {
  env::metrics all;
  const auto before = gauge_of(all, "process_open_fds");
  EXPECT_GE(before, 3);
  std::vector<descriptor> more;
  more.reserve(5);
  for (int i = 0; i < 5; ++i) more.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(gauge_of(all, "process_open_fds"), before + 5);
  more.clear();
  EXPECT_EQ(gauge_of(all, "process_open_fds"), before);
  EXPECT_GT(gauge_of(all, "process_max_fds"), before);
}

TEST(usage, memory_in_use_is_resident) {
  env::metrics all;
  const auto before = gauge_of(all, "process_resident_memory_bytes");
  constexpr std::size_t more = 64 << 20;
  const auto used = std::make_unique_for_overwrite<char[]>(more);
  std::memset(used.get(), 1, more);
  EXPECT_GT(gauge_of(all, "process_resident_memory_bytes"), before + static_cast<std::int64_t>(more) * 3 / 4);
}

}  // namespace
}  // namespace meshai::os
