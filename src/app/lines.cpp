#include "app/lines.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace meshai::app {

// One read, behind what is held. False at the end.
bool line_reader::fill() {
  constexpr std::size_t at_once = 256 << 10;
  const auto before = held_.size();
  ssize_t got = 0;
  held_.resize_and_overwrite(before + at_once, [&](char* to, std::size_t) {
    do {
      got = ::read(fd_, to + before, at_once);
    } while (got < 0 && errno == EINTR);
    if (got < 0) failure_ = errno;
    return before + static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  });
  return got > 0;
}

bool line_reader::next(line_batch& into) {
  const std::scoped_lock lock(mutex_);
  std::size_t end = std::string::npos;
  while (!ended_ && end == std::string::npos) {
    ended_ = !fill();
    end = held_.find_last_of('\n');
    if (end == std::string::npos && held_.size() > longest_) {
      cut_ = true;
      held_.clear();
    }
  }
  if (end == std::string::npos) {  // the last line may have no end
    if (held_.empty() && !cut_) return false;
    end = held_.size();
    held_ += '\n';
  }
  into.text.assign(held_, 0, end + 1);
  held_.erase(0, end + 1);
  into.cut = std::exchange(cut_, false);
  into.turn = turn_++;
  into.first = line_;
  line_ += static_cast<std::uint64_t>(std::ranges::count(into.text, '\n'));
  return true;
}

}  // namespace meshai::app
