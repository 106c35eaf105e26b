// chat: the words that both sides of Anthropic's dialect share.
#pragma once

#include "chat/json.hpp"
#include "chat/vocabulary.hpp"

namespace meshai::chat::anthropic {

finish parse_stop_reason(std::string_view text);
std::string_view stop_reason(finish why);

// Anthropic counts what came from a cache and what went into one apart from `input_tokens`; chat::usage counts
// them in. Members that are absent leave `into` as it is: a message_delta repeats only some of what message_start
// said.
void read_usage(const json::object& from, usage& into);
void write_usage(json::writer& out, const usage& of);  // the member `usage`

// Seals: how reasoning of another provider travels through an Anthropic client and back.
//
//   meshai:gemini:SIGNATURE   a thought of that dialect
//   meshai:call:SIGNATURE     Gemini's thoughtSignature on the tool_use block that follows
//
// Redacted thinking has its data sealed in the same way. What Anthropic itself signed stays bare.
std::string seal(const reasoning& thought);
std::string seal_of_call(std::string_view signature);

struct unsealed {
  dialect from = dialect::anthropic;
  bool on_call = false;  // belongs to the next call, not to a thought
  std::string_view signature;
};
// Empty where `seal` is one of ours and broken: such reasoning is nobody's.
std::optional<unsealed> unseal(std::string_view seal);

// Claude's generation, from names such as claude-opus-4-6, claude-3-7-sonnet-20250219 or claude-fable-5.
struct generation {
  int major = 0, minor = 0;
  auto operator<=>(const generation&) const = default;
};
// Empty where the name tells nothing.
std::optional<generation> generation_of(std::string_view model);

}  // namespace meshai::chat::anthropic
