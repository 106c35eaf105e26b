// app: what meshai doctor found: one thing looked at, how it is, and what to do about it.
#pragma once

#include <string>
#include <vector>

namespace meshai::app {

enum class grade { good, warning, bad };

struct finding {
  std::string what;
  grade how = grade::good;
  std::string detail;  // what was seen
  std::string mend;    // what to do about it; empty where all is well
};
using findings = std::vector<finding>;

}  // namespace meshai::app
