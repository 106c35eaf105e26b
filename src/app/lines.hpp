// app: lines of a stream, handed out in batches to several threads. Whoever takes a batch reads it itself: while
// one thread waits for input the others work, and no more is held than one batch for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

namespace meshai::app {

struct line_batch {
  std::uint64_t turn = 0;   // 0, 1, 2, ... in the order of the stream
  std::uint64_t first = 1;  // the number of its first line
  std::string text;         // whole lines, each with its end
  bool cut = false;         // the first line was too long to be kept: its beginning is missing
};

class line_reader {
 public:
  // A line of more than `longest` bytes may come cut; one that is whole may be longer by what is read at once.
  line_reader(int fd, std::size_t longest) : fd_(fd), longest_(longest) {}

  // At least one line, and more where they are there at once. False: the stream has ended, or failed (failure()).
  bool next(line_batch& into);
  // errno of the read that failed; 0: none did.
  int failure() const { return failure_; }

 private:
  bool fill();

  const int fd_;
  const std::size_t longest_;
  std::mutex mutex_;
  std::string held_;  // the beginning of a line
  bool cut_ = false;  // its own beginning is lost
  bool ended_ = false;
  int failure_ = 0;
  std::uint64_t turn_ = 0, line_ = 1;
};

}  // namespace meshai::app
