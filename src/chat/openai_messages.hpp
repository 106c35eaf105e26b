// chat: the messages of a chat completions request. Internal to the OpenAI dialect.
#pragma once

#include "chat/json.hpp"

namespace meshai::chat::openai {

// Members of `in` that are not among `known` and say something: null, "", [] and {} do not, and clients that send
// an answer's message back as it came are full of them.
raw_members rest_of(const json::object& in, std::initializer_list<std::string_view> known);

// Reads `messages`. Faults are complaints to `check`.
void read_messages(json::checker& check, const json::object& body, request& out);

}  // namespace meshai::chat::openai
