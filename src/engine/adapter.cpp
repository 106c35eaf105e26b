#include "engine/adapter.hpp"

#include <fmt/format.h>

#include <system_error>

namespace meshai::engine {
namespace fs = std::filesystem;

fs::path adapter_of(const fs::path& gguf) {
  auto file = gguf;
  return file.replace_extension(".lora");
}

result<adapter> read_adapter(const fs::path& gguf, const gguf_header& model) {
  const auto file = adapter_of(gguf);
  std::error_code none;
  if (!fs::exists(file, none)) return adapter{};
  const auto refuse = [&](std::string what) {
    return fail(error_kind::refused,
                fmt::format("{}: {}; remove it, or put the right one there", file.string(), what));
  };
  const auto header = read_gguf(file);
  if (!header) return std::unexpected(header.error());
  if (header->type != "adapter")
    return refuse(fmt::format("this is no LoRA adapter (its type is {})", header->type));
  if (header->architecture != model.architecture)
    return refuse(fmt::format("this adapter is for {}, the model beside it is {}", header->architecture,
                              model.architecture));
  return adapter{.file = file, .file_size = header->file_size};
}

}  // namespace meshai::engine
