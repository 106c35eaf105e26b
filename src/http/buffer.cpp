#include "http/buffer.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"

namespace meshai::http {

std::span<char> buffer::room() {
  const auto size = end_ - begin_;
  const bool crowded = size > capacity_ / 2;
  if (capacity_ < bound_ && (capacity_ == 0 || was_filled_up_ || crowded)) {
    const auto capacity = std::min(bound_, std::max(smallest, capacity_ * 2));
    auto grown = std::make_unique_for_overwrite<char[]>(capacity);
    if (size > 0) std::memcpy(grown.get(), bytes_.get() + begin_, size);
    bytes_ = std::move(grown);
    capacity_ = capacity;
    begin_ = 0;
    end_ = size;
  } else if (begin_ > 0 && capacity_ - end_ < capacity_ / 2) {
    std::memmove(bytes_.get(), bytes_.get() + begin_, size);
    begin_ = 0;
    end_ = size;
  }
  was_filled_up_ = false;
  return {bytes_.get() + end_, capacity_ - end_};
}

void buffer::filled(std::size_t size) {
  CHECK(size <= capacity_ - end_);
  was_filled_up_ = size == capacity_ - end_;
  end_ += size;
}

void buffer::consume(std::size_t size) {
  CHECK(size <= end_ - begin_);
  begin_ += size;
}

void buffer::shrink() {
  CHECK(empty());
  begin_ = end_ = 0;
  was_filled_up_ = false;
  if (capacity_ <= smallest) return;
  bytes_.reset();
  capacity_ = 0;
}

}  // namespace meshai::http
