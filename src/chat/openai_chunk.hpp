// chat: the pieces that a provider's streamed and whole answers have in common. Internal to the OpenAI dialect.
#pragma once

#include "chat/dialect.hpp"
#include "chat/json.hpp"

namespace meshai::chat::openai {

// A body or an event that is an error, whatever its status said: {"error": {...}}, {"error": "..."},
// {"object": "error", ...}. Nothing where it is none.
std::optional<provider_error> find_error(const json::object& in, int status);

// Some servers end an answer with a failure of their own as its finish reason.
std::optional<provider_error> find_failure(std::string_view finish_reason);

// The text of `content`: a string, or (Mistral) an array of parts, whose thoughts go to `thought`.
void read_text(const json::object& in, std::string& text, std::string& thought);

// reasoning_content (DeepSeek, vLLM, llama-server) or reasoning (OpenRouter, Ollama).
std::string_view read_thought(const json::object& in);

// vLLM tells which of the caller's stops it was.
std::string_view read_stop(const json::object& choice);

// Of an OpenAI logprobs object, {"content": [{"logprob": -0.1, ...}, ...]}.
certainty read_certainty(const json::object& logprobs);

// `arguments` as text; some servers send the object itself.
std::string read_arguments(const json::object& function);

}  // namespace meshai::chat::openai
