#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace meshai {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "meshai: bug: CHECK(%s) failed at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace meshai
