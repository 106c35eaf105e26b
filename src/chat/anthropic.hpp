// chat: Anthropic's Messages API, version 2023-06-01, for callers and for providers.
//
// Signatures of reasoning that another provider wrote reach an Anthropic caller as a *seal*: the opaque
// `signature` of a thinking block begins with "meshai:" and says whose it is, so that it finds its way back to
// that provider and to no other (anthropic_words.hpp).
#pragma once

#include "chat/dialect.hpp"

namespace meshai::chat::anthropic {

// ---- the caller's side: /v1/messages and /v1/messages/count_tokens
parsed<request> parse_request(endpoint door, std::string_view body);
std::unique_ptr<stream_writer> make_stream_writer(const request& of, answer_head head);
std::string write_answer(const request& of, const answer& whole, const answer_head& head, const story& told);
std::string write_problem(const problem& why, std::string_view request_id);
std::string write_token_count(std::int64_t input_tokens);

// ---- the provider's side
parsed<upstream_call> write_request(const request& of, const target& to);
std::unique_ptr<stream_reader> make_stream_reader(const request& of, const target& from);
readable<answer> read_answer(const request& of, const target& from, std::string_view body);
provider_error read_error(int status, std::string_view body);

}  // namespace meshai::chat::anthropic
