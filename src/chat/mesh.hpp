// chat: the `mesh` member, the same in every dialect: what a caller asks of the router, and what the router tells.
#pragma once

#include "chat/dialect.hpp"
#include "chat/json.hpp"

namespace meshai::chat {

// Reads `mesh` out of a request's body: {reach, fallback, drop, explain, prefer}. Every other member is a
// complaint that names it.
mesh_options read_mesh(json::checker& check, const json::object& body);

// The value of `mesh` in an answer, {request_id, node, model, tier, attempts, dropped, failed, route}, and the
// whole member of it.
std::string story_text(const story& told);
void write_story(json::writer& out, const story& told);

}  // namespace meshai::chat
