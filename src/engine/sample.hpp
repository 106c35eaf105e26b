// engine: GGUF bytes made by hand, for tests.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/gguf.hpp"

namespace meshai::engine::sample {

template <class Number>
std::string bytes(Number number) {
  std::string out(sizeof number, '\0');
  std::memcpy(out.data(), &number, sizeof number);
  return out;
}
inline std::string text(std::string_view of) {
  return bytes(std::uint64_t{of.size()}) + std::string(of);
}
inline std::string text_key(std::string_view name, std::string_view value) {
  return text(name) + bytes(std::uint32_t{8}) + text(value);
}
inline std::string number_key(std::string_view name, std::uint32_t value) {
  return text(name) + bytes(std::uint32_t{4}) + bytes(value);
}

// A whole file: so many keys, one F32 tensor of 4 x 2 and one Q4_1 tensor of 64.
struct file {
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::uint64_t tensors = 2;
  std::uint64_t more_keys = 0;
  std::string keys;  // more of them
  std::string architecture = text_key("general.architecture", "llama");
  std::uint64_t second_offset = 32;
  std::uint32_t second_type = 3;
  std::uint64_t row = 64;
  std::uint64_t data = 32 + 64;  // bytes

  std::string make() const {
    auto out = magic + bytes(version) + bytes(tensors) + bytes(std::uint64_t{8 + more_keys});
    out += architecture + text_key("general.name", "A \"model\"\x1b[31m") + number_key("general.file_type", 3);
    out += number_key("llama.context_length", 4096) + number_key("llama.block_count", 30);
    out += number_key("llama.embedding_length", 576) + number_key("llama.attention.head_count", 9);
    out += number_key("llama.attention.head_count_kv", 3) + keys;
    out += text("a") + bytes(std::uint32_t{2}) + bytes(std::uint64_t{4}) + bytes(std::uint64_t{2});
    out += bytes(std::uint32_t{0}) + bytes(std::uint64_t{0});
    out += text("b") + bytes(std::uint32_t{1}) + bytes(row) + bytes(second_type) + bytes(second_offset);
    out.resize((out.size() + 31) / 32 * 32 + data);
    return out;
  }
};

class memory final : public byte_source {
 public:
  explicit memory(std::string_view held) : held_(held) {}
  std::uint64_t size() const override { return held_.size(); }
  result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
    std::memcpy(into.data(), held_.data() + offset, into.size());
    return {};
  }

 private:
  std::string_view held_;
};

inline result<gguf_header> read(std::string_view content) {
  memory source(content);
  return read_gguf(source);
}

}  // namespace meshai::engine::sample
