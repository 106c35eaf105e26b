// bench: a provider that breaks when it is told to. The same code answers in the injector's own process and in one
// that is there to be killed.
#pragma once

#include <string>
#include <unordered_map>

#include "net.hpp"

namespace meshai::bench {

// An answer is so many numbered pieces; the fault comes behind the first few of them.
inline constexpr int pieces = 24, pieces_before = 8;

inline std::string piece(int place, const std::string& number) {
  char text[32];
  std::snprintf(text, sizeof text, "%02d.%s ", place, number.c_str());
  return text;
}

inline std::string text_from(int first, const std::string& number) {
  std::string all;
  for (int i = first; i < pieces; ++i) all += piece(i, number);
  return all;
}

class victim {
 public:
  enum class role {
    breaks,  // answers a question to "break" as far as the fault, and the others whole
    mute,    // does not answer a question to "break" at all
    drips,   // like breaks, with a pause before each piece of a whole answer
    helps    // answers a question to "break" with the rest
  };

  struct peer {
    int fd = -1;
    std::string in;
    std::int64_t began = 0;  // when the first byte of its question came
  };

  explicit victim(role what) : role_(what), poll_(::epoll_create1(EPOLL_CLOEXEC)) {}

  int poll() const { return poll_; }
  void become(role what) { role_ = what; }
  void open(int door);  // watches it
  void serve();         // what has come; never waits
  [[noreturn]] void serve_for_ever();

  int first_piece = pieces_before;  // of a helper's answer
  int held = -1;                    // the connection whose answer has stopped
  std::int64_t began = 0;           // when the last question to "break" came
  std::uint64_t whole_ones = 0;     // questions that were not to break
  static void put(int fd, const std::string& bytes);
  static std::string event(const std::string& json);
  void drop(int fd);

 private:
  bool take(peer& who);
  void answer(peer& who, const std::string& body);
  void stream(int fd, int first, int last, const std::string& number, bool slowly);

  role role_;
  int door_ = -1, poll_ = -1;
  std::unordered_map<int, peer> peers_;
};

int listen_somewhere(int& port);

}  // namespace meshai::bench
