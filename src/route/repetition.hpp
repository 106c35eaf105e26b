// route: notices an answer that goes round in circles, as small models do.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace meshai::route {

// Fed the text of one choice as it grows. True once the end of it is one block repeated: at least six times and at
// least 240 bytes in all, blocks up to 340 bytes. Ruled lines, tables and lists of numbers that differ are no
// loops.
class repetition {
 public:
  bool feed(std::string_view text);

 private:
  std::string tail_;  // the last 2,048 bytes
  std::size_t since_check_ = 0;
};

}  // namespace meshai::route
