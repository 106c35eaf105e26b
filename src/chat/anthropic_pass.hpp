// chat: a request of Anthropic's dialect for Anthropic. Internal to the dialect.
#pragma once

#include "chat/dialect.hpp"

namespace meshai::chat::anthropic {

// The caller's own body but for the model and the stream, and without thoughts that another provider sealed.
upstream_call pass(const request& of, const target& to);

}  // namespace meshai::chat::anthropic
