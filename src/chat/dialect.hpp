// chat: the two sides of a dialect. The caller's side reads requests and writes answers; the provider's side
// writes requests and reads answers. All of it is pure: bytes in, bytes out, no I/O, no clock.
#pragma once

#include <memory>

#include "chat/vocabulary.hpp"

namespace meshai::chat {

// ---- the caller's side
// --------------------------------------------------------------------------------------------

// Bounds on a body, whoever sent it: depth 64, 200,000 values; beyond that a problem with status 400.
// Unknown members of `mesh` are problems that name them.
parsed<request> parse_request(endpoint door, std::string_view body);

// The identity of an answer: one id and one creation time, whoever writes it in the end.
struct answer_head {
  std::string id;            // "chatcmpl-...", "msg_..." or "cmpl-...", in the caller's dialect
  std::int64_t created = 0;  // Unix seconds
  std::string model;         // the model that answers; the writer takes note when it changes
};

// The story of a request: the `mesh` member of the last chunk and of a whole answer.
struct story {
  std::string request_id, node, model;
  tier where = tier::local;
  int attempts = 1;
  std::vector<std::string> dropped;  // what the target could not express and the caller let go
  // The attempts that failed on the way, in order. `streamed`: the caller had a part of its answer already.
  struct failed_attempt {
    std::string node, model, fault;
    bool streamed = false;
  };
  std::vector<failed_attempt> failed;
  // Those whose answer seemed too unsure, or said that it does not know, so that somebody farther up was asked.
  struct doubted_answer {
    std::string node, model;
    double confidence = 1;  // route::confidence::value()
    bool unknowing = false;
  };
  std::vector<doubted_answer> doubted;
  std::vector<std::string> care;  // classes of what it holds that the owner keeps near
  std::string raw_route;  // why these were asked and others not, where the caller wants to know: a JSON object
};

// Writes a stream of server-sent events for one request, in the dialect of its endpoint. Native events of the same
// dialect go through with their unknown members; others are written anew.
class stream_writer {
 public:
  virtual ~stream_writer() = default;
  virtual void model(std::string_view answered_by) = 0;  // before the first step of each attempt
  virtual void step(const delta& d, std::string& out) = 0;
  // After the last step: usage where it was asked for, the story, the dialect's end ([DONE], message_stop).
  virtual void end(const usage& delivered, const story& told, std::string& out) = 0;
  // Instead of end: the error as an event of the dialect.
  virtual void fail(const problem& why, const story& told, std::string& out) = 0;
};
std::unique_ptr<stream_writer> make_stream_writer(const request& of, answer_head head);

// A whole answer.
struct choice {
  int index = 0;
  std::vector<part> parts;  // text, reasoning, tool_call, other; in order
  std::string refusal;
  chat::finish finish = finish::none;
  std::string stop_sequence;
  std::string raw_logprobs;
  chat::certainty certainty;
};
struct answer {
  std::string model;
  std::vector<choice> choices;
  chat::usage usage;
  std::string native;  // the provider's own body, for a caller of the same dialect
  // Where it was put together from a stream of the same dialect instead: members that this build does not know,
  // and the provider's own usage object.
  raw_members extra;
  std::string raw_usage;
};
std::string write_answer(const request& of, const answer& whole, const answer_head& head, const story& told);

// The body of an error answer for whoever speaks to this door.
std::string write_problem(endpoint door, const problem& why, std::string_view request_id);

// The answer of /v1/messages/count_tokens, where the count is our own.
std::string write_token_count(std::int64_t input_tokens);

// ---- the provider's side
// ------------------------------------------------------------------------------------------

// What is known of the node that a request is written for.
struct target {
  chat::dialect dialect = dialect::openai;
  std::string model;  // the provider's name for it
  bool stream = false;
  bool urls = true;                    // it fetches image URLs itself
  bool max_completion_tokens = false;  // OpenAI's own API takes max_completion_tokens, others max_tokens
  // Asks how sure the model is of each token of a chat, for us: what the steps say of it (delta::certainty) is in
  // nothing that the caller gets. OpenAI's dialect only; without effect where the caller asked for it itself.
  bool certainty = false;
};

struct upstream_call {
  std::string
      path;  // appended to the node's base URL, whose default ends in the API version: "/chat/completions",
             // "/messages", "/models/M:streamGenerateContent?alt=sse"
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // of the protocol (anthropic-version), never keys
  std::vector<std::string> dropped;
};
// A problem `unsupported_parameter` that names what the target cannot express, unless the request lets it drop.
parsed<upstream_call> write_request(const request& of, const target& to);

// What a provider sent instead of an answer.
struct bad_answer {
  bool malformed = false;  // broken JSON, HTML, a body that is no answer
  provider_error said;     // else: an error object, in a body or an event
};
template <class T>
using readable = std::expected<T, bad_answer>;

// Reads the events of one streamed answer, in order. Bytes over the bounds are malformed.
class stream_reader {
 public:
  virtual ~stream_reader() = default;
  // One server-sent event. Appends what it says to `out`; may append nothing (pings, role chunks).
  virtual readable<void> event(std::string_view name, std::string_view data, std::vector<delta>& out) = 0;
  // True when every choice that was begun (or n, where asked) has its finish reason: an end now is a whole answer.
  virtual bool finished() const = 0;
};
std::unique_ptr<stream_reader> make_stream_reader(const request& of, const target& from);

readable<answer> read_answer(const request& of, const target& from, std::string_view body);

// The error object of an error status, whatever is in the body (JSON, HTML, nothing).
provider_error read_error(dialect from, int status, std::string_view body);

}  // namespace meshai::chat
