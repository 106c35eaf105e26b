// chat: requests that make a provider go on with an answer that another one began.
//
// What is continued is one choice of which nothing but text has been delivered. Both ways ask for that choice
// alone (`n` goes), and leave `response_format` out: a provider that holds its output to a schema would begin a
// new document. The caller of these judges what comes (the seam).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "chat/dialect.hpp"

namespace meshai::chat {

// False where no continuation can be asked for: embeddings and token counts, several prompts at once or prompts in
// tokens, a prompt that is echoed, and answers in sound.
bool can_continue(const request& of);

// What of `so_far` a prefill really holds: all but the white space at its end, which Anthropic refuses there and
// which makes other models worse. A model may write it again or not.
std::string_view prefill_of(std::string_view so_far);

// Whether the model's name alone tells that it goes on from a prefill (true), or that it refuses or ignores one
// (false): Claude before and from 4.6, OpenAI's own. Nothing where it must be tried.
std::optional<bool> takes_prefill(const target& to);

// The conversation with prefill_of(so_far) as the last message, the assistant's; a prefill of the caller's own is
// made longer. Reasoning is turned off: it is done, and no provider takes it with a prefill. `delivered` is the
// number of tokens that count against max_tokens already, 0 where it is not known; one is left at least.
request continue_by_prefill(const request& of, std::string_view so_far, std::int64_t delivered = 0);

// The conversation, `so_far` as said by the assistant, and a message of the user that asks to go on from its last
// character. To a completions endpoint there is nothing to ask: it gets the longer prompt.
request continue_by_asking(const request& of, std::string_view so_far, std::int64_t delivered = 0);

// The same request with a bound on the length of its answer.
request with_max_tokens(const request& of, std::int64_t most);

}  // namespace meshai::chat
