// upstream: a whole answer out of the steps of a stream. Internal.
#pragma once

#include <vector>

#include "chat/chat.hpp"

namespace meshai::upstream {

class collector {
 public:
  // Bytes of text, reasoning and arguments together; beyond it add() returns false.
  explicit collector(std::size_t limit) : limit_(limit) {}
  bool add(std::vector<chat::delta>& steps);
  chat::answer take();

 private:
  chat::choice& choice_of(int index);

  std::size_t limit_, size_ = 0;
  chat::answer whole_;
  struct open_call {
    int choice, index;
    std::size_t part;
  };
  std::vector<open_call> calls_;
};

}  // namespace meshai::upstream
