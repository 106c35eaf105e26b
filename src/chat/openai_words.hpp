// chat: the words that both sides of OpenAI's dialect share.
#pragma once

#include "chat/json.hpp"

namespace meshai::chat::openai {

// `other` for words that are nobody's; none for an empty one, which some servers send in every chunk.
finish parse_finish(std::string_view text);
std::string_view finish_word(finish why, bool legacy_functions);

// Says nothing to a caller by itself; its native event still may.
bool is_silent(const delta& d);

// DeepSeek's and OpenRouter's counts of caches are understood beside OpenAI's own.
usage read_usage(const json::object& from);
// The value of `usage`; null where the provider did not say.
void write_usage(json::writer& out, const usage& of, endpoint door);

// The members of an `error` object: message, type, param, code, hint.
void write_problem_members(json::writer& out, const problem& why);

// Seals on reasoning, as OpenRouter writes them:
//
//   "reasoning_details": [{"type": "reasoning.text", "text": "...", "signature": "...",
//                          "format": "anthropic-claude-v1", "index": 0},
//                         {"type": "reasoning.encrypted", "data": "...", "format": "anthropic-claude-v1", "index":
//                         1}]
//
// `encrypted` is Anthropic's redacted thinking, or a signature of Gemini's that stands alone. In a stream the
// pieces of one detail have the same index, and only the first names the format: some clients join what repeats.
std::string_view format_word(dialect of);
dialect parse_format(std::string_view word);
// The detail that a stream is in the middle of.
struct open_detail {
  std::int64_t index = -1;
  dialect from = dialect::openai;
};
// Pieces of one index that follow each other become one. In a stream `open` goes from delta to delta.
std::vector<reasoning> read_details(const json::array& details, open_detail& open);
inline std::vector<reasoning> read_details(const json::array& details) {
  open_detail none;
  return read_details(details, none);
}
// One element; `first` is false where an earlier piece of this detail went before.
void write_detail(json::writer& out, const reasoning& thought, int index, bool first);
// Whether it has what reasoning_content alone cannot carry.
bool needs_detail(const reasoning& thought);

// {"extra_content": {"google": {"thought_signature": "..."}}}, as a member of a tool call.
std::string_view read_call_signature(const json::object& call);
void write_call_signature(json::writer& out, std::string_view signature);

}  // namespace meshai::chat::openai
