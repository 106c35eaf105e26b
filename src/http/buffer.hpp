// http: the bytes of one connection that were read and not yet understood. Inside of the room only.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace meshai::http {

// Grows while reads fill it and no further than its bound. Memory moves in room() alone, so what data() gave stays
// good until then, and a read that is under way into room() is safe from everything else.
class buffer {
 public:
  // Smaller than most requests and answers, since an idle connection keeps it.
  static constexpr std::size_t smallest = 4 * 1024;

  explicit buffer(std::size_t bound) : bound_(bound) {}

  std::string_view data() const { return {bytes_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t size);

  // Where to read into; empty when the bound is reached.
  std::span<char> room();
  void filled(std::size_t size);

  // Gives up its memory where that had grown. Only while it is empty and nobody reads into it.
  void shrink();

 private:
  std::size_t bound_;
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0, end_ = 0;
  bool was_filled_up_ = false;
};

}  // namespace meshai::http
