// chat: picks the dialect. Callers speak OpenAI's or Anthropic's, providers Gemini's as well.
#include "chat/dialect.hpp"

#include "base/check.hpp"
#include "chat/anthropic.hpp"
#include "chat/gemini.hpp"
#include "chat/openai.hpp"

namespace meshai::chat {

namespace {

bool is_anthropic(endpoint door) {
  return door == endpoint::messages || door == endpoint::count_tokens;
}

// What no drop can mend: without it there is no question left.
std::optional<problem> untranslatable(const request& of, const target& to) {
  if (to.dialect == dialect::openai) return std::nullopt;
  const bool vectors = of.endpoint == endpoint::embeddings;
  const bool tokens =
      of.endpoint == endpoint::completions && of.messages.front().parts.front().kind != part_kind::text;
  if (!vectors && !tokens) return std::nullopt;
  return problem{
      .status = 400,
      .type = "invalid_request_error",
      .code = "unsupported_parameter",
      .param = vectors ? "model" : "prompt",
      .message =
          vectors ? "this provider's API makes no embeddings" : "this provider's API takes one prompt, as text",
      .hint = vectors ? "ask for a model that is made for embeddings"
                      : "send one string as the prompt, or ask for a model of an OpenAI-compatible provider"};
}

}  // namespace

parsed<request> parse_request(endpoint door, std::string_view body) {
  return is_anthropic(door) ? anthropic::parse_request(door, body) : openai::parse_request(door, body);
}

std::unique_ptr<stream_writer> make_stream_writer(const request& of, answer_head head) {
  return is_anthropic(of.endpoint) ? anthropic::make_stream_writer(of, std::move(head))
                                   : openai::make_stream_writer(of, std::move(head));
}

std::string write_answer(const request& of, const answer& whole, const answer_head& head, const story& told) {
  return is_anthropic(of.endpoint) ? anthropic::write_answer(of, whole, head, told)
                                   : openai::write_answer(of, whole, head, told);
}

std::string write_problem(endpoint door, const problem& why, std::string_view request_id) {
  return is_anthropic(door) ? anthropic::write_problem(why, request_id) : openai::write_problem(why, request_id);
}

std::string write_token_count(std::int64_t input_tokens) {
  return anthropic::write_token_count(input_tokens);
}

parsed<upstream_call> write_request(const request& of, const target& to) {
  if (auto never = untranslatable(of, to)) return std::unexpected(*std::move(never));
  switch (to.dialect) {
    case dialect::openai:
      return openai::write_request(of, to);
    case dialect::anthropic:
      return anthropic::write_request(of, to);
    case dialect::gemini:
      return gemini::write_request(of, to);
  }
  CHECK(false);
}

std::unique_ptr<stream_reader> make_stream_reader(const request& of, const target& from) {
  switch (from.dialect) {
    case dialect::openai:
      return openai::make_stream_reader(of, from);
    case dialect::anthropic:
      return anthropic::make_stream_reader(of, from);
    case dialect::gemini:
      return gemini::make_stream_reader(of, from);
  }
  CHECK(false);
}

readable<answer> read_answer(const request& of, const target& from, std::string_view body) {
  switch (from.dialect) {
    case dialect::openai:
      return openai::read_answer(of, from, body);
    case dialect::anthropic:
      return anthropic::read_answer(of, from, body);
    case dialect::gemini:
      return gemini::read_answer(of, from, body);
  }
  CHECK(false);
}

provider_error read_error(dialect from, int status, std::string_view body) {
  switch (from) {
    case dialect::openai:
      return openai::read_error(status, body);
    case dialect::anthropic:
      return anthropic::read_error(status, body);
    case dialect::gemini:
      return gemini::read_error(status, body);
  }
  CHECK(false);
}

}  // namespace meshai::chat
