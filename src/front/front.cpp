#include "front/front.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/check.hpp"
#include "env/clock.hpp"
#include "env/log.hpp"
#include "env/scope.hpp"
#include "front/options.hpp"
#include "front/visit.hpp"

namespace meshai::front {
namespace {

using namespace std::chrono_literals;

constexpr auto handshake_timeout = 10s;
constexpr auto pause_when_exhausted = 100ms;  // out of descriptors: let some be closed

enum class page {
  chat_completions,
  completions,
  embeddings,
  messages,
  count_tokens,
  models,
  health,
  ready,
  metrics,
  status,
  route,
  reload,
  keys
};

struct entry {
  std::string_view method, path;
  page what;
  bool owner_only = false;
};

constexpr std::array<entry, 13> pages{{
    {"POST", "/v1/chat/completions", page::chat_completions},
    {"POST", "/v1/completions", page::completions},
    {"POST", "/v1/embeddings", page::embeddings},
    {"POST", "/v1/messages", page::messages},
    {"POST", "/v1/messages/count_tokens", page::count_tokens},
    {"GET", "/v1/models", page::models},
    {"GET", "/healthz", page::health},
    {"GET", "/readyz", page::ready},
    {"GET", "/metrics", page::metrics},
    {"GET", "/mesh/status", page::status, true},
    {"POST", "/mesh/route", page::route, true},
    {"POST", "/mesh/reload", page::reload, true},
    {"POST", "/mesh/keys", page::keys, true},
}};
constexpr std::string_view one_model = "/v1/models/";

const entry* find_page(std::string_view path, bool owner) {
  for (const auto& one : pages) {
    if (one.path == path && (owner || !one.owner_only)) return &one;
  }
  return nullptr;
}

constexpr std::string_view reading = "GET, HEAD";

std::string_view allowed_at(const entry& wanted) {
  return wanted.method == "GET" ? reading : wanted.method;
}

bool method_fits(std::string_view allowed, std::string_view method) {
  return allowed == method || (allowed == reading && (method == "GET" || method == "HEAD"));
}

// In whose dialect is an error told at this path?
chat::endpoint door_of(std::string_view path) {
  return path.starts_with("/v1/messages") ? chat::endpoint::messages : chat::endpoint::chat_completions;
}

chat::problem no_such_page() {
  return {
      .status = 404,
      .type = "not_found_error",
      .code = "unknown_path",
      .message = "There is nothing at this path.",
      .hint = "The API is at /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/messages and /v1/models."};
}

task<void> ready_page(visit& v) {
  if (v.above.ready()) co_return co_await v.send_json("{\"ready\":true}");
  co_await v.send(503, "application/json", "{\"ready\":false}");
}

task<void> reload_page(visit& v) {
  const auto swapped = co_await v.above.reload();
  if (swapped) co_return co_await v.send_json("{\"reloaded\":true}");
  co_await v.refuse({.status = 422,
                     .type = "invalid_request_error",
                     .code = "configuration",
                     .message = swapped.error().detail,
                     .hint = "The node goes on with the configuration it has. Mend the file and reload again."});
}

task<void> keys_page(visit& v) {
  co_await v.above.read_keys();
  co_await v.send_json("{\"read\":true}");
}

task<void> show(visit& v, page what) {
  switch (what) {
    case page::chat_completions:
      return ask_page(v, chat::endpoint::chat_completions);
    case page::completions:
      return ask_page(v, chat::endpoint::completions);
    case page::embeddings:
      return ask_page(v, chat::endpoint::embeddings);
    case page::messages:
      return ask_page(v, chat::endpoint::messages);
    case page::count_tokens:
      return ask_page(v, chat::endpoint::count_tokens);
    case page::models:
      return models_page(v);
    case page::health:
      return v.send_json("{\"status\":\"ok\"}");
    case page::ready:
      return ready_page(v);
    case page::metrics:
    case page::status:
      break;
    case page::route:
      return route_page(v);
    case page::reload:
      return reload_page(v);
    case page::keys:
      return keys_page(v);
  }
  CHECK(!"pages with a body of their own are answered by the caller");
}

}  // namespace

// The handler of one kind of door: the network's, or the owner's.
class door final : public http::handler {
 public:
  door(front::parts& of, bool owner) : of_(of), owner_(owner) {}

  task<void> handle(http::request& in, http::responder& out) override;
  shaped refuse(int status, const error& why) override;

 private:
  front::parts& of_;
  bool owner_;
};

struct front::parts {
  parts(env::world& w, dispatch::dispatcher& d, crowd& c, office& o, std::shared_ptr<const settings> s)
      : world(w),
        asks(d),
        others(c),
        above(o),
        now(std::move(s)),
        network_door(*this, false),
        owner_door(*this, true),
        network(w, network_door, {.budget = &c}),
        owner(w, owner_door, {.budget = &c}),
        connections(w.loop) {}

  env::world& world;
  dispatch::dispatcher& asks;
  crowd& others;
  office& above;
  std::shared_ptr<const settings> now;
  door network_door, owner_door;
  http::server network, owner;
  env::scope connections;
  std::optional<instant> ends_by;  // set by close()
  bool closed = false;
};

namespace {

visitor visitor_of(const http::request& in, bool owner) {
  const auto header = [&](std::string_view name) { return in.header(name).value_or(std::string_view()); };
  return {.method = in.method(),
          .host = in.head().authority,
          .origin = header("origin"),
          .fetch_site = header("sec-fetch-site"),
          .authorization = header("authorization"),
          .api_key = header("x-api-key"),
          .owner = owner};
}

}  // namespace

task<void> door::handle(http::request& in, http::responder& out) {
  visit v{.world = of_.world,
          .asks = of_.asks,
          .above = of_.above,
          .now = of_.now,
          .in = in,
          .out = out,
          .owner = owner_,
          .allowed_origin = {},
          .request_id = make_id(of_.world, "req_"),
          .door = door_of(in.path())};
  const auto head = visitor_of(in, owner_);
  const auto page_ok = admit_page(*v.now->rules, head);
  if (!page_ok) co_return co_await v.refuse(page_ok.error());
  v.allowed_origin = page_ok->allowed_origin;
  if (in.method() == "OPTIONS" && !v.allowed_origin.empty()) co_return co_await preflight_page(v);

  const auto* wanted = find_page(in.path(), owner_);
  if (!wanted || wanted->what != page::health) {
    const auto who = admit_key(*v.now->rules, head, *v.now->issued);
    if (!who) co_return co_await v.refuse(who.error());
    v.who = *who;
  }
  if (const auto known = take_mesh_headers(in.head().headers, v.asked); !known) {
    co_return co_await v.refuse(known.error());
  }
  if (!wanted && in.path().starts_with(one_model)) {
    if (!method_fits(reading, in.method())) co_return co_await v.refuse_method(reading);
    co_return co_await one_model_page(v, in.path().substr(one_model.size()));
  }
  if (!wanted) co_return co_await v.refuse(no_such_page());
  if (const auto allowed = allowed_at(*wanted); !method_fits(allowed, in.method())) {
    co_return co_await v.refuse_method(allowed);
  }
  if (wanted->what == page::metrics) {
    const auto text = v.above.metrics();
    co_return co_await v.send(200, "text/plain; version=0.0.4; charset=utf-8", text);
  }
  if (wanted->what == page::status) {
    const auto text = v.above.status();
    co_return co_await v.send_json(text);
  }
  co_await show(v, wanted->what);
}

http::handler::shaped door::refuse(int status, const error& why) {
  const chat::problem what{.status = status,
                           .type = "invalid_request_error",
                           .code = "invalid_http",
                           .message = "The request is not valid HTTP/1.1: " + why.detail + ".",
                           .hint = "Use an HTTP client library; a proxy between may also have broken it."};
  const auto id = make_id(of_.world, "req_");
  return {.headers = {{"Content-Type", "application/json"},
                      {"x-mesh-request-id", id},
                      {"x-mesh-route", std::string(no_route)}},
          .body = chat::write_problem(chat::endpoint::chat_completions, what, id)};
}

front::front(env::world& world, dispatch::dispatcher& asks, crowd& others, office& above,
             std::shared_ptr<const settings> now)
    : parts_(std::make_unique<parts>(world, asks, others, above, std::move(now))) {}

front::~front() = default;

void front::use(std::shared_ptr<const settings> now) {
  parts_->now = std::move(now);
}

namespace {

// One connection from its handshake to its end; it has its place in the crowd as long.
task<void> attend(env::world& world, http::server& server, crowd& others, std::unique_ptr<env::stream> stream,
                  std::shared_ptr<const env::identity> who) {
  struct place {
    crowd& in;
    ~place() { in.leave(); }
  } held{others};
  if (who) {
    auto secured = co_await world.network.secure_server(std::move(stream), std::move(who),
                                                        world.clock.now() + handshake_timeout);
    if (!secured) co_return;
    stream = *std::move(secured);
  }
  co_await server.serve(std::move(stream));
}

}  // namespace

task<void> front::serve(env::listener& at, bool owner, std::function<std::shared_ptr<const env::identity>()> who) {
  auto& p = *parts_;
  for (;;) {
    auto stream = co_await at.accept();
    if (!stream && stream.error().kind == error_kind::unavailable) co_return;
    if (!stream) {
      if (stream.error().kind == error_kind::exhausted) {
        p.world.log.write(env::log_level::warning, "accept.exhausted", {});
        co_await p.world.clock.sleep_until(p.world.clock.now() + pause_when_exhausted);
      }
      continue;
    }
    // Over the bound a connection is closed at once: a refusal in words would cost what the bound saves.
    if (!p.others.enter()) continue;
    p.connections.spawn(
        attend(p.world, owner ? p.owner : p.network, p.others, *std::move(stream), who ? who() : nullptr));
  }
}

task<void> front::close(std::chrono::nanoseconds grace, std::chrono::nanoseconds patience) {
  auto& p = *parts_;
  auto& clock = p.world.clock;
  p.network.drain(patience);
  p.owner.drain(patience);
  const bool again = p.ends_by.has_value();
  p.ends_by = again ? std::min(*p.ends_by, clock.now() + grace) : clock.now() + grace;
  while (again ? !p.closed : p.connections.running() > 0 && clock.now() < *p.ends_by) {
    co_await clock.sleep_until(clock.now() + std::chrono::nanoseconds(10ms));
  }
  if (again) co_return;
  co_await p.connections.close();
  p.closed = true;
}

}  // namespace meshai::front
