// engine: the numbers for tensor and file types in GGUF (ggml.h: ggml_type; llama.h: llama_ftype).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace meshai::engine {

struct tensor_type {
  std::string_view name;
  std::uint32_t block = 1;  // weights in a block
  std::uint32_t bytes = 0;  // of a block
};

// Nothing where the number was never used, is no longer, or is newer than this table.
std::optional<tensor_type> find_tensor_type(std::uint32_t number);
// Numbers beyond this were given after the table was written: they may be right.
inline constexpr std::uint32_t newest_tensor_type = 40;

// "Q4_K_M"; empty where the number is unknown.
std::string_view file_type_name(std::uint64_t number);

}  // namespace meshai::engine
