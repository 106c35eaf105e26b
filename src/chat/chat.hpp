// chat: the vocabulary of AI chat, and the dialects that speak it.
#pragma once

#include "chat/collect.hpp"
#include "chat/continuation.hpp"
#include "chat/dialect.hpp"
#include "chat/vocabulary.hpp"
