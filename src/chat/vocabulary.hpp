// chat: the vocabulary of AI chat.
//
// One request comes in, in the caller's dialect; it goes to a provider in that provider's dialect; deltas come
// back and leave again in the caller's. Everything between the two ends speaks the types of this file.
//
// JSON that nobody here needs to look into (tool schemas, unknown members, arguments) stays text: it is carried,
// not understood. `raw` in a name means such text, always valid JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/reach.hpp"

namespace meshai::chat {

enum class dialect { openai, anthropic, gemini };

// What the caller asked for: the door it came in by.
enum class endpoint { chat_completions, completions, embeddings, messages, count_tokens };

enum class role { system, developer, user, assistant, tool };

// Members that this build does not interpret, in their order, for the same dialect on the other side.
struct raw_member {
  std::string name;
  std::string raw;
};
using raw_members = std::vector<raw_member>;

// A piece of reasoning. `signature` is the provider's seal on it (Anthropic's `signature`, Gemini's
// `thoughtSignature`); it must come back to the same provider unchanged. `redacted` is Anthropic's
// redacted_thinking data.
struct reasoning {
  std::string text;
  std::string signature;
  std::string redacted;
  dialect from = dialect::openai;
};

struct tool_call {
  std::string id;
  std::string name;
  std::string arguments;  // JSON text as the model wrote it, perhaps not yet valid while it streams
  std::string signature;  // Gemini's thoughtSignature on this call
  raw_members extra;
};

enum class part_kind { text, image, audio, document, reasoning, tool_call, tool_result, other };

// One piece of a message's content, in the order in which it stood.
struct part {
  part_kind kind = part_kind::text;
  std::string text;           // text; for tool_result the id of the call it answers
  std::string media_type;     // image, audio, document: "image/png"
  std::string data;           // base64, where the caller sent data
  std::string url;            // where the caller sent a URL: passed on or refused, never fetched by us
  std::string detail;         // OpenAI's image detail; a document's title or file name
  chat::reasoning thought;    // reasoning
  chat::tool_call call;       // tool_call
  std::vector<part> content;  // tool_result
  bool is_error = false;      // tool_result
  raw_members extra;          // cache_control, citations, ...
  std::string raw;            // other: the whole part as it came
};

struct message {
  chat::role role = chat::role::user;
  std::vector<part> parts;
  std::string name;
  raw_members extra;
};

struct tool {
  std::string name;
  std::string description;
  std::string raw_schema;  // JSON Schema of the parameters; empty where the tool has none
  std::optional<bool> strict;
  raw_members extra;
  std::string raw;  // a tool of a kind only its own dialect knows (web_search_20250305, ...): the whole of it
};

enum class tool_choice_kind { unset, automatic, none, required, named };
struct tool_choice {
  tool_choice_kind kind = tool_choice_kind::unset;
  std::string name;
};

enum class format_kind { unset, text, json_object, json_schema };
struct response_format {
  format_kind kind = format_kind::unset;
  std::string name;
  std::string raw_schema;
  std::optional<bool> strict;
};

// What the caller wants most of whoever answers; unset: what the question needs.
enum class preference { speed, quality, price, privacy };
std::string_view to_string(preference which);
std::optional<preference> parse_preference(std::string_view text);  // "speed", "quality", "price", "private"

// The `mesh` member and the x-mesh-* headers, merged: what the caller asks of the router itself.
struct mesh_options {
  std::optional<meshai::reach> reach;
  std::optional<bool> fallback;  // false: the first candidate answers or nobody does
  std::optional<bool> drop;      // true: what the target cannot express is dropped and listed, not refused
  std::optional<bool> explain;   // true: the story tells why who was asked
  std::optional<preference> prefer;
};

struct request {
  chat::dialect dialect = dialect::openai;  // the caller's
  chat::endpoint endpoint = endpoint::chat_completions;
  std::string model;
  bool stream = false;
  bool include_usage = false;     // OpenAI's stream_options.include_usage
  std::vector<message> messages;  // Anthropic's system prompt is the first message, role system
  std::vector<tool> tools;
  chat::tool_choice tool_choice;
  std::optional<bool> parallel_tool_calls;
  chat::response_format response_format;
  std::optional<std::int64_t> max_tokens;
  std::optional<double> temperature, top_p, frequency_penalty, presence_penalty;
  std::optional<std::int64_t> top_k, seed, n, top_logprobs;
  std::optional<bool> logprobs;
  std::vector<std::string> stop;
  std::string reasoning_effort;  // OpenAI: "minimal" .. "high"; empty if unset
  // In tokens: Anthropic's thinking.budget_tokens, Gemini's thinkingBudget. 0: off, -1: as much as the model sees
  // fit.
  std::optional<std::int64_t> reasoning_budget;
  std::string user;
  bool legacy_functions = false;  // OpenAI's older `functions`: answered with function_call
  mesh_options mesh;
  raw_members extra;  // members this build does not know, to be carried within the same dialect
  std::string body;   // what the caller sent, without `mesh`: valid JSON, for the same dialect on the other side

  // Filled by parse: what routing looks at. Lengths in bytes of UTF-8.
  std::size_t text_size = 0;
  bool has_images = false;
};

struct usage {
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::int64_t cached = 0;         // of input, read from a cache
  std::int64_t cache_written = 0;  // of input, written to a cache
  std::int64_t reasoning = 0;      // of output
  bool known = false;              // false: the provider did not say

  bool operator==(const usage&) const = default;
};

// How sure a model was of the tokens that it wrote: the sum of the squares of their natural log-probabilities, where it
// told them.
struct certainty {
  std::int64_t tokens = 0;
  double squares = 0;

  certainty& operator+=(const certainty& more) {
    tokens += more.tokens;
    squares += more.squares;
    return *this;
  }
};

enum class finish { none, stop, length, tool_calls, content_filter, stop_sequence, refusal, pause, other };

// One step of an answer. Fields that are empty say nothing. A delta concerns one choice.
struct delta {
  int choice = 0;
  std::string text;
  std::string refusal;
  chat::reasoning thought;
  struct call_step {
    int index = 0;          // which of the parallel calls, from 0
    std::string id, name;   // in the first step of a call
    std::string arguments;  // the next piece
    std::string signature;
  };
  std::vector<call_step> calls;
  std::string raw_logprobs;  // OpenAI's logprobs object for these tokens, where the caller asked for it
  chat::certainty certainty;
  chat::finish finish = finish::none;
  std::string stop_sequence;         // the one that stopped it, where the provider says so
  std::optional<chat::usage> usage;  // the last one counts
  bool end = false;                  // the provider said that nothing follows ([DONE], message_stop)

  // The provider's own event, for a caller of the same dialect: valid JSON, or empty. `native_event` is its SSE
  // name.
  std::string native;
  std::string native_event;

  // True for a content, reasoning or tool step: what failover calls a token. Headers, role chunks and pings are
  // none.
  bool is_token() const {
    return !text.empty() || !refusal.empty() || !thought.text.empty() || !thought.redacted.empty() ||
           !calls.empty();
  }
};

// What a provider said went wrong, before it is judged. `code` and `type` are the provider's own words, `message`
// is scrubbed of our keys and cut to 2 KB.
struct provider_error {
  int status = 0;  // HTTP status; 0 when it came as an event in a stream
  std::string type, code, param, message;
};

// What we tell the caller, in its dialect: OpenAI {"error":{message,type,param,code,hint}}, Anthropic
// {"type":"error","error":{type,message,hint}}.
struct problem {
  int status = 400;
  std::string type;  // OpenAI's words: invalid_request_error, authentication_error, not_found_error,
                     // rate_limit_error, api_error, overloaded_error...; the Anthropic writer maps them
  std::string code;  // stable, ours where the provider has none: unsupported_parameter, model_not_found, ...
  std::string param;
  std::string message;  // what is wrong
  std::string hint;     // what to do next
};
template <class T>
using parsed = std::expected<T, problem>;

}  // namespace meshai::chat
