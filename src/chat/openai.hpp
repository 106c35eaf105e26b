// chat: OpenAI's API (chat completions, completions, embeddings), for callers and for providers, among them the
// many servers that speak it more or less: Ollama, vLLM, llama-server, LM Studio, DeepSeek, OpenRouter, Azure.
//
// Reasoning goes in `reasoning_content`; seals on it in `reasoning_details`, as OpenRouter writes them, and on a
// tool call in `extra_content.google.thought_signature`, as Gemini's own OpenAI-compatible endpoint does. A client
// that sends its messages back as they came brings both home (openai_words.hpp).
#pragma once

#include "chat/dialect.hpp"

namespace meshai::chat::openai {

// ---- the caller's side
parsed<request> parse_request(endpoint door, std::string_view body);
std::unique_ptr<stream_writer> make_stream_writer(const request& of, answer_head head);
std::string write_answer(const request& of, const answer& whole, const answer_head& head, const story& told);
std::string write_problem(const problem& why, std::string_view request_id);

// ---- the provider's side
parsed<upstream_call> write_request(const request& of, const target& to);
std::unique_ptr<stream_reader> make_stream_reader(const request& of, const target& from);
readable<answer> read_answer(const request& of, const target& from, std::string_view body);
provider_error read_error(int status, std::string_view body);

}  // namespace meshai::chat::openai
