// The lists of models that nodes send, and the times they ask to be left alone.
#include <cstddef>
#include <cstdint>

#include "route/route.hpp"
#include "upstream/discovery.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace meshai;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto from : {chat::dialect::openai, chat::dialect::anthropic, chat::dialect::gemini}) {
    auto list = upstream::read_model_list(from, text);
    if (!list) continue;
    (void)upstream::list_path(from, list->next);
    upstream::mark_remote(text, list->models);
  }
  for (const std::string_view name : {"retry-after", "retry-after-ms", "x-ratelimit-reset-tokens"}) {
    const route::header said[] = {{name, text}};
    (void)route::retry_after(said, wall_time(std::chrono::days(20'000)));
  }
  (void)route::retry_after_in_words(text);
  return 0;
}
