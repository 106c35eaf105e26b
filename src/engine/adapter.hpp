// engine: a model's LoRA adapter, `<stem>.lora` beside its GGUF: what was learned on top of it, in a file of its
// own.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/error.hpp"
#include "engine/gguf.hpp"

namespace meshai::engine {

struct adapter {
  std::filesystem::path file;   // empty: the model has none
  std::uint64_t file_size = 0;  // bytes
};

std::filesystem::path adapter_of(const std::filesystem::path& gguf);
// The adapter beside `gguf`, which holds `model`. Refused where the file is no adapter (a GGUF whose general.type
// is "adapter") or one for another architecture: llama-server would not start with it. Blocking.
result<adapter> read_adapter(const std::filesystem::path& gguf, const gguf_header& model);

}  // namespace meshai::engine
