// base: CHECK, for our own bugs and never for input. Always on.
#pragma once

namespace meshai {

// Prints the place and the broken condition to stderr, then aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace meshai

#define CHECK(condition)                                      \
  do {                                                        \
    if (!(condition)) [[unlikely]]                            \
      ::meshai::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
