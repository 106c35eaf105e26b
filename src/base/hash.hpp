// base: a hash for names and for telling texts apart, the same in every run and build; nothing for secrets.
#pragma once

#include <cstdint>
#include <string_view>

namespace meshai {

// FNV-1a, 64 bits (Fowler, Noll and Vo). `hash`: of what stands before, to go on with.
constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace meshai
