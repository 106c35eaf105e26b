// engine: what stands in the header of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md,
// versions 2 and 3, little-endian), read with bounds and checked against the file's size: a file that passes is
// whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace meshai::engine {

// Bytes at an offset: a file, or memory in a test.
class byte_source {
 public:
  virtual ~byte_source() = default;
  virtual std::uint64_t size() const = 0;
  // Fills all of `into`, which lies within size().
  virtual result<void> read(std::uint64_t offset, std::span<std::byte> into) = 0;
};

struct gguf_header {
  std::uint32_t version = 0;
  std::string architecture;     // "llama", "qwen3", "bert", ...
  std::string type;             // general.type: "model" where it is not said; "adapter", "mmproj", ...
  std::string name, license;    // as the file says; may be empty
  std::string quantisation;     // "Q4_1", "F16", ...: general.file_type, else the type of most weights
  std::string tokenizer;        // "gpt2", "llama", ...
  std::uint64_t file_size = 0;  // bytes
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;  // weights in all tensors
  std::uint64_t context = 0;     // tokens it was trained for; 0: not said
  std::uint64_t layers = 0;
  std::uint64_t embedding = 0;   // width of the hidden state
  std::uint64_t vocabulary = 0;  // tokens
  std::uint64_t attention_heads = 0;
  std::uint64_t kv_bytes = 0;  // bytes of one token in an f16 KV cache, all layers
  std::uint64_t window = 0;    // tokens of sliding-window attention; 0: none
  std::uint64_t parts = 1;     // split.count
  bool chat_template = false;
  bool embeds = false;  // made for embeddings: it says how to pool
};

// malformed with what is wrong and what to do. Reads at most 64 MB, in pieces of 64 KB.
result<gguf_header> read_gguf(byte_source& from);
// refused where the file cannot be opened or is no regular file. Blocking.
result<gguf_header> read_gguf(const std::filesystem::path& file);

// "135M", "7.6B"
std::string parameter_count(std::uint64_t parameters);

}  // namespace meshai::engine
