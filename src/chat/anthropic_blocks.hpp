// chat: content blocks of Anthropic's dialect, as they stand in requests and in answers, and its errors.
#pragma once

#include "chat/json.hpp"
#include "chat/vocabulary.hpp"

namespace meshai::chat::anthropic {

// Kinds that only this dialect knows stay raw. A call's sealed signature goes from the thought before it into the
// call.
std::vector<part> read_blocks(json::checker& check, const json::array& blocks);

// The block of one part of an answer; `out` is in an array. Empty text and media write nothing.
void write_answer_blocks(json::writer& out, const std::vector<part>& parts);

// The members `error` and `request_id` of an error, in a body or an event.
void write_error(json::writer& out, const problem& why, std::string_view request_id);

}  // namespace meshai::chat::anthropic
