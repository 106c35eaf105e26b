// The models a caller may name, as OpenAI lists them, or as Anthropic does where its client asks; and CORS
// preflights.
#include <algorithm>
#include <boost/json.hpp>

#include "front/visit.hpp"

namespace meshai::front {
namespace {

namespace json = boost::json;

std::vector<route::listed_model> models_for(const visit& v) {
  route::policy allowed{.api = v.now->setup->api};
  if (v.who) {
    allowed.key = v.who->reach;
    allowed.allowed = v.who->models;
  }
  if (v.asked.reach) allowed.key = strictest(allowed.key, *v.asked.reach);
  return route::list_models(*v.now->setup->directory, allowed);
}

json::object openai_entry(const route::listed_model& of) {
  return {{"id", of.name},
          {"object", "model"},
          {"created", 0},
          {"owned_by", of.owner},
          {"mesh", {{"tier", to_string(of.where)}}}};
}

json::object anthropic_entry(const route::listed_model& of) {
  return {{"type", "model"}, {"id", of.name}, {"display_name", of.name}, {"created_at", "1970-01-01T00:00:00Z"}};
}

bool asks_as_anthropic(const visit& v) {
  return v.in.header("anthropic-version").has_value();
}

}  // namespace

task<void> models_page(visit& v) {
  const auto models = models_for(v);
  json::array data;
  const bool anthropic = asks_as_anthropic(v);
  for (const auto& one : models) data.push_back(anthropic ? anthropic_entry(one) : openai_entry(one));
  json::object body;
  if (anthropic) {
    body["has_more"] = false;
    body["first_id"] = models.empty() ? json::value() : json::value(models.front().name);
    body["last_id"] = models.empty() ? json::value() : json::value(models.back().name);
  } else {
    body["object"] = "list";
  }
  body["data"] = std::move(data);
  const auto text = json::serialize(body);
  co_await v.send_json(text);
}

task<void> one_model_page(visit& v, std::string_view name) {
  const auto models = models_for(v);
  const auto found = std::ranges::find(models, name, &route::listed_model::name);
  if (found == models.end()) {
    co_return co_await v.refuse({.status = 404,
                                 .type = "not_found_error",
                                 .code = "model_not_found",
                                 .param = "model",
                                 .message = "There is no such model here, or this key may not use it.",
                                 .hint = "GET /v1/models lists those there are."});
  }
  const auto text = json::serialize(asks_as_anthropic(v) ? anthropic_entry(*found) : openai_entry(*found));
  co_await v.send_json(text);
}

task<void> preflight_page(visit& v) {
  // admit_page has seen to it that only a listed origin gets here.
  auto with = v.headers(
      "text/plain",
      {{"Access-Control-Allow-Methods", "GET, POST"},
       {"Access-Control-Allow-Headers",
        "authorization, content-type, x-api-key, anthropic-version, anthropic-beta, "
        "openai-organization, openai-project, x-mesh-reach, x-mesh-fallback, x-mesh-drop, x-mesh-explain, "
        "x-mesh-prefer"},
       {"Access-Control-Max-Age", "600"}});
  (void)co_await v.out.send(204, with, {});
}

}  // namespace meshai::front
