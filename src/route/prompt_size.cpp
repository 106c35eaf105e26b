#include "route/prompt_size.hpp"

#include <algorithm>

#include "route/complexity.hpp"

namespace meshai::route {
namespace {

constexpr std::int64_t bytes_a_token = 8;
constexpr std::int64_t around_a_message = 16;  // tokens of a chat template
constexpr std::int64_t largest_image = 2'000;  // tokens

}  // namespace

prompt_size measure(const chat::request& of) {
  const auto bytes = static_cast<std::int64_t>(of.text_size);  // tools included
  std::int64_t parts = 0;
  if (of.has_images) {
    for (const auto& message : of.messages) parts += std::ssize(message.parts);
  }
  prompt_size out;
  out.at_least = bytes / bytes_a_token;
  out.likely = estimate_tokens(of);
  out.at_most = bytes + parts * largest_image +
                around_a_message * static_cast<std::int64_t>(1 + of.messages.size() + of.tools.size());
  return out;
}

const counted_prompt* find_count(std::span<const counted_prompt> in, std::string_view node) {
  const auto found = std::ranges::find(in, node, &counted_prompt::node);
  return found == in.end() ? nullptr : &*found;
}

}  // namespace meshai::route
