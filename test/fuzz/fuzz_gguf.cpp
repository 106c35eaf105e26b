// GGUF headers: whatever stands in a file that somebody downloaded, reading it ends with a description or a
// reason.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/check.hpp"
#include "engine/engine.hpp"

namespace {

class memory final : public meshai::engine::byte_source {
 public:
  memory(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  std::uint64_t size() const override { return size_; }
  meshai::result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
    CHECK(offset <= size_ && into.size() <= size_ - offset);
    if (!into.empty()) std::memcpy(into.data(), data_ + offset, into.size());
    return {};
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  memory source(data, size);
  const auto header = meshai::engine::read_gguf(source);
  CHECK(!header || (!header->architecture.empty() && header->file_size == size));
  CHECK(header || !header.error().detail.empty());
  return 0;
}
