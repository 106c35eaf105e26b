#include "chat/openai_chunk.hpp"

#include <algorithm>

#include "chat/lenient.hpp"

namespace meshai::chat::openai {
namespace {

std::string cut(std::string_view text) {
  return json::clean_utf8(text, most_error_text);
}

// A code may be a string or a number (OpenRouter, vLLM).
std::string word_of(const json::object& in, std::string_view name) {
  const auto* found = json::find(in, name);
  if (found == nullptr) return {};
  if (const auto* text = found->if_string()) return json::clean_utf8(*text, 256);
  return found->is_int64() ? std::to_string(found->get_int64()) : std::string();
}

provider_error read_object(const json::object& in, int status) {
  provider_error out{.status = status,
                     .type = word_of(in, "type"),
                     .code = word_of(in, "code"),
                     .param = word_of(in, "param"),
                     .message = cut(json::string_or_empty(in, "message"))};
  // In a stream there is no status line; OpenRouter and vLLM put the status into the code.
  const auto code = json::integer_or(in, "code", 0);
  if (out.status < 400 && code >= 400 && code < 600) out.status = static_cast<int>(code);
  return out;
}

}  // namespace

std::optional<provider_error> find_error(const json::object& in, int status) {
  if (json::string_or_empty(in, "object") == "error") return read_object(in, status);
  const auto* error = json::find(in, "error");
  if (error == nullptr) return std::nullopt;
  if (const auto* whole = error->if_object()) return read_object(*whole, status);
  if (const auto* text = error->if_string()) return provider_error{.status = status, .message = cut(*text)};
  return std::nullopt;
}

std::optional<provider_error> find_failure(std::string_view finish_reason) {
  if (finish_reason == "error") {
    return provider_error{.type = "api_error", .message = "the provider ended the answer with an error"};
  }
  if (finish_reason == "insufficient_system_resource") {  // DeepSeek, when it is overloaded
    return provider_error{
        .status = 503, .type = "overloaded_error", .message = "the provider ran out of resources"};
  }
  return std::nullopt;
}

void read_text(const json::object& in, std::string& text, std::string& thought) {
  const auto* content = json::find(in, "content");
  if (content == nullptr) return;
  if (const auto* plain = content->if_string()) {
    text.append(*plain);
  } else if (const auto* parts = content->if_array()) {
    for (const auto& element : *parts) {
      const auto* one = element.if_object();
      if (one == nullptr) continue;
      text += json::string_or_empty(*one, "text");
      const auto* thinking = json::array_or_null(*one, "thinking");
      for (const auto& inner : thinking ? *thinking : json::array()) {
        if (inner.is_object()) thought += json::string_or_empty(inner.get_object(), "text");
      }
    }
  }
}

std::string_view read_thought(const json::object& in) {
  const auto text = json::string_or_empty(in, "reasoning_content");
  return text.empty() ? json::string_or_empty(in, "reasoning") : text;
}

std::string_view read_stop(const json::object& choice) {
  return json::string_or_empty(choice, "stop_reason");
}

certainty read_certainty(const json::object& logprobs) {
  constexpr double least = -100;  // some servers write -9999 for "next to never"
  certainty out;
  const auto* tokens = json::array_or_null(logprobs, "content");
  for (const auto& each : tokens ? *tokens : json::array()) {
    const auto* one = each.if_object();
    const auto* found = one ? json::find(*one, "logprob") : nullptr;
    if (found == nullptr || !found->is_number()) continue;
    ++out.tokens;
    const double log = std::clamp(found->to_number<double>(), least, 0.0);
    out.squares += log * log;
  }
  return out;
}

std::string read_arguments(const json::object& function) {
  const auto* found = json::find(function, "arguments");
  if (found == nullptr) return {};
  if (const auto* text = found->if_string()) return std::string(*text);
  return json::to_text(*found);
}

}  // namespace meshai::chat::openai
