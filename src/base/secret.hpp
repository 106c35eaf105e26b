// base: a string that must not leak: its memory is locked and kept out of core dumps where the system allows,
// wiped when it goes, and it has no operator<<, no formatter and no implicit way out.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace meshai {

class secret {
 public:
  secret() = default;
  explicit secret(std::string_view text);

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  // The only way out: whoever writes reveal() answers for where the bytes go.
  std::string_view reveal() const { return {bytes_.get(), size_}; }
  // Takes the same time wherever the first difference is; the length is not hidden.
  bool equals(std::string_view other) const;

 private:
  struct wipe {
    wipe() noexcept : size(0) {}
    explicit wipe(std::size_t bytes) noexcept : size(bytes) {}
    std::size_t size;
    void operator()(char* bytes) const;
  };
  std::unique_ptr<char[], wipe> bytes_;
  std::size_t size_ = 0;
};

// memset that the optimiser may not remove.
void wipe_memory(void* bytes, std::size_t size);

}  // namespace meshai
