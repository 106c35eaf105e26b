#include "client.hpp"

#include <fmt/format.h>

#include <optional>

#include "env/clock.hpp"

namespace meshai::simulation {
namespace {

constexpr auto patience = 200s;  // longer than any deadline of any plan, and what the network may add
constexpr std::size_t slow_piece = 200;

task<void> sleep(const env::world& world, std::chrono::nanoseconds span) {
  co_await world.clock.sleep_until(world.clock.now() + span);
}

task<bool> send(const env::world& world, env::stream& to, std::string_view bytes, milliseconds pause) {
  while (!bytes.empty()) {
    const std::string_view piece[] = {bytes.substr(0, pause > 0ms ? slow_piece : bytes.npos)};
    if (!co_await to.write_all(piece)) co_return false;
    bytes.remove_prefix(piece[0].size());
    if (pause > 0ms && !bytes.empty()) co_await sleep(world, pause);
  }
  co_return true;
}

// Reads until the answer is complete or the connection over; false when `until` came first.
task<bool> receive(const env::world& world, env::stream& from, milliseconds pause, instant until,
                   std::string& into) {
  std::vector<char> buffer(pause > 0ms ? 2'000 : 64 * 1024);
  from.read_by(until);
  while (!is_complete(into)) {
    const auto got = co_await from.read_some(buffer);
    if (!got) co_return got.error().kind != error_kind::timeout;
    if (*got == 0) co_return true;
    into.append(buffer.data(), *got);
    if (pause > 0ms) co_await sleep(world, pause);
  }
  co_return true;
}

class conversation {
 public:
  conversation(env::world world, const errands& all, const caller& who) : world_(world), all_(all), who_(who) {}

  task<void> run(std::vector<heard>& out) {
    for (std::size_t i = 0; i < who_.asks.size(); ++i) {
      const auto& what = who_.asks[i];
      co_await sleep(world_, what.after);
      auto& now = out[i];
      now.begun = now.ended = world_.clock.now();
      co_await one(now);
      now.ended = world_.clock.now();
      all_.seen.note(now.tag + (now.how == ending::whole ? " has its answer" : " ends otherwise"));
    }
  }

 private:
  task<void> one(heard& now) {
    if (!to_) {
      auto dialled = co_await world_.network.dial(all_.door, world_.clock.now() + patience);
      if (!dialled) {
        now.how = ending::no_door;
        co_return;
      }
      to_ = std::move(*dialled);
    }
    const auto& what = *now.what;
    const auto text = request_text(all_, now.key, now.tag, what);
    std::string came;
    to_->write_by(world_.clock.now() + patience);
    // Who takes no more of the request may have answered already.
    (void)co_await send(world_, *to_, text, what.writes_every);
    const auto hangs_up = what.hangs_up ? world_.clock.now() + *what.hangs_up : never;
    const auto until = std::min(hangs_up, world_.clock.now() + patience);
    const bool over = co_await receive(world_, *to_, what.reads_every, until, came);
    if (!over) {
      now.how = what.hangs_up ? ending::hung_up : ending::pending;
      to_.reset();
      co_return;
    }
    read_answer(came, what.anthropic, what.stream, now);
    const bool stays = now.headers.contains("connection") ? now.headers["connection"] != "close" : true;
    // Whoever has read for so long reads the last of what the node wrote long ago, and may have closed since.
    const bool old = world_.clock.now() - now.begun > 60s;
    if (!who_.keeps_alive || !stays || old || now.how == ending::broken) to_.reset();
  }

  env::world world_;
  const errands& all_;
  const caller& who_;
  std::unique_ptr<env::stream> to_;
};

}  // namespace

std::string request_text(const errands& all, int key, const std::string& tag, const ask& what,
                         std::size_t padded_to) {
  const bool ignores_fallback = all.what == mischief::ignore_fallback && what.fallback;
  std::string body = fmt::format(R"({{"model":"{}","messages":[{{"role":"user","content":"{}"}}])", what.model,
                                 prompt_of(tag, what));
  if (what.anthropic) body += R"(,"max_tokens":100000)";
  if (what.tool) {
    body += what.anthropic
                ? fmt::format(R"(,"tools":[{{"name":"{}","input_schema":{}}}])", tool_name, tool_schema)
                : fmt::format(R"(,"tools":[{{"type":"function","function":{{"name":"{}","parameters":{}}}}}])",
                              tool_name, tool_schema);
  }
  if (what.stream) body += R"(,"stream":true)";
  if (what.usage && what.stream && !what.anthropic) body += R"(,"stream_options":{"include_usage":true})";
  std::string headers;
  std::string mesh;
  if (what.reach) {
    if (what.in_headers)
      headers += fmt::format("x-mesh-reach: {}\r\n", to_string(*what.reach));
    else
      mesh += fmt::format(R"("reach":"{}")", to_string(*what.reach));
  }
  if (what.fallback) {
    const bool value = ignores_fallback || *what.fallback;
    if (what.in_headers)
      headers += fmt::format("x-mesh-fallback: {}\r\n", value);
    else
      mesh += fmt::format(R"({}"fallback":{})", mesh.empty() ? "" : ",", value);
  }
  if (!mesh.empty()) body += fmt::format(R"(,"mesh":{{{}}})", mesh);
  body += "}";
  if (body.size() < padded_to) body.resize(padded_to, ' ');
  if (key != -1) {
    const auto secret = key == caller::wrong_key ? "sk-nobody" : all.of.keys[static_cast<std::size_t>(key)].secret;
    headers += what.anthropic ? "x-api-key: " + secret + "\r\n" : "Authorization: Bearer " + secret + "\r\n";
  }
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n{}Content-Length: {}\r\n\r\n{}",
      what.anthropic ? "/v1/messages" : "/v1/chat/completions", all.door.text(), headers, body.size(), body);
}

task<void> run_caller(env::world world, const errands& all, const caller& who, std::vector<heard>& out,
                      int& left) {
  {
    conversation mine(world, all, who);
    co_await mine.run(out);
  }
  --left;
}

task<std::string> fetch(env::world world, env::address door, std::string request) {
  auto to = co_await world.network.dial(door, world.clock.now() + 10s);
  if (!to) co_return std::string();
  std::string came;
  if (co_await send(world, **to, request, 0ms)) {
    (void)co_await receive(world, **to, 0ms, world.clock.now() + patience, came);
  }
  co_return came;
}

}  // namespace meshai::simulation
