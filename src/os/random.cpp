#include "os/random.hpp"

#include <sys/random.h>

#include <bit>
#include <cerrno>

#include "base/check.hpp"

namespace meshai::os {

void entropy::fill(std::span<std::byte> into) {
  while (!into.empty()) {
    const auto got = ::getrandom(into.data(), into.size(), 0);
    // Only a signal can interrupt it; a kernel without getrandom is one this program was not built for.
    CHECK(got > 0 || errno == EINTR);
    if (got > 0) into = into.subspan(static_cast<std::size_t>(got));
  }
}

random::random() {
  do {
    entropy{}.fill(std::as_writable_bytes(std::span(state_)));
  } while (state_ == decltype(state_){});  // the one state it never leaves
}

std::uint64_t random::next() {
  auto& s = state_;
  const auto out = std::rotl(s[1] * 5, 7) * 9;
  const auto shifted = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = std::rotl(s[3], 45);
  return out;
}

}  // namespace meshai::os
