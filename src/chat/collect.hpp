// chat: a whole answer out of the steps of a stream. Providers are asked for streams also where the caller wants a
// whole answer: one that dies or falls silent in the middle is noticed then, and what it wrote is not lost.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "chat/dialect.hpp"

namespace meshai::chat {

// True where the steps of a stream tell all of the answer. Not of several choices, probabilities of tokens, sound,
// citations and tools that run at the provider, nor where a member that this build does not know may ask for more.
bool can_collect(const request& of);

class collector {
 public:
  // Bytes of text, reasoning, arguments and unknown members together; beyond it add() returns false.
  explicit collector(std::size_t limit) : limit_(limit) {}
  bool add(std::span<delta> steps);  // takes out of them what it keeps

  // Another attempt goes on from here: what the first provider said of itself no longer holds.
  void go_on();
  // Another one begins anew.
  void begin_anew() { *this = collector(limit_); }

  answer take();

 private:
  struct open_call {
    int choice, index;
    std::size_t part;
  };

  choice& choice_of(int index);
  void add_thought(const reasoning& thought, choice& into);
  void add_calls(delta& step, choice& into);
  void add_native(const delta& step);
  void keep(std::string_view name, std::string_view raw);

  std::size_t limit_, size_ = 0;
  answer whole_;
  std::vector<open_call> calls_;
  bool alone_ = true;  // one provider wrote all of it
};

}  // namespace meshai::chat
