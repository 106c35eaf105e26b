// front: one request while it is being answered, and the few ways to answer it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/chat.hpp"
#include "env/world.hpp"
#include "front/front.hpp"

namespace meshai::front {

// x-mesh-route of an answer that nobody else was asked for.
inline constexpr std::string_view no_route = "none; attempts=0";

struct visit {
  env::world& world;
  dispatch::dispatcher& asks;
  office& above;
  std::shared_ptr<const settings> now;
  http::request& in;
  http::responder& out;
  bool owner = false;
  const caller* who = nullptr;  // null: the owner, or an open door
  std::string allowed_origin;   // empty: no CORS headers
  std::string request_id;
  std::string route = std::string(no_route);                   // as x-mesh-route tells it
  chat::mesh_options asked;                                    // by x-mesh-* headers
  std::vector<std::pair<std::string_view, std::string>> rate;  // told by every answer to this question
  chat::endpoint door = chat::endpoint::chat_completions;      // whose dialect errors are in

  // The caller's rate and what is left of it, as headers.
  void tell_rate();

  // Headers of every answer, then `more`. Views of this visit's own strings.
  std::vector<wire::header> headers(std::string_view content_type,
                                    std::initializer_list<wire::header> more = {}) const;

  task<void> send(int status, std::string_view content_type, std::string_view body);
  task<void> send_json(std::string_view body) { return send(200, "application/json", body); }
  // The problem in the caller's dialect; `retry_after` also as the header, in whole seconds.
  task<void> refuse(const chat::problem& why, std::optional<std::chrono::milliseconds> retry_after = {});
  task<void> refuse_method(std::string_view allowed);  // RFC 9110 15.5.6
};

// Answers everything that asks a model: chat, completions, messages, embeddings, count_tokens.
task<void> ask_page(visit& v, chat::endpoint door);

// Who would answer the chat completion in the body, and why; asks nobody.
task<void> route_page(visit& v);

task<void> models_page(visit& v);
task<void> one_model_page(visit& v, std::string_view name);
task<void> preflight_page(visit& v);

// 128 random bits in hexadecimal behind `prefix`.
std::string make_id(env::world& world, std::string_view prefix);

}  // namespace meshai::front
