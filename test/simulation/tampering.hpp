// What the mischief does to the bytes of one connection.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "watch.hpp"

namespace meshai::simulation {

class tampering {
 public:
  explicit tampering(mischief what) : what_(what) {}

  // One write of the node to a caller, as it arrives; none: never. `asked`: how often providers have been asked
  // for this answer.
  std::optional<std::string> answer(std::string bytes, int asked);
  // Makes the headers in which a provider asks for a rest unreadable.
  static void hide_rest(std::span<char> bytes);

 private:
  void spoil(std::vector<std::string>& events, bool last);
  void spoil_token(std::string each, std::vector<std::string>& out);

  mischief what_;
  bool stream_ = false;
  int tokens_ = 0;
  int asked_ = 0;
  bool seam_ = false;  // another was asked since the last token
  std::string held_, last_;
};

}  // namespace meshai::simulation
