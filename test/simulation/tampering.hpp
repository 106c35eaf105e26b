// What the mischief does to the bytes of one connection.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "watch.hpp"

namespace meshai::simulation {

class tampering {
 public:
  explicit tampering(mischief what) : what_(what) {}

  // One write of the node to a caller, as it arrives; empty: not at all.
  std::string answer(std::string bytes);
  // Makes the headers in which a provider asks for a rest unreadable.
  static void hide_rest(std::span<char> bytes);

 private:
  void spoil(std::vector<std::string>& events, bool last);

  mischief what_;
  bool stream_ = false;
  int tokens_ = 0;
  std::string held_;
};

}  // namespace meshai::simulation
