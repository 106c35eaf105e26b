#include <gtest/gtest.h>

#include "http/fixture.hpp"

namespace meshai::http {
namespace {

const origin to_there = parse_origin("http://there:80")->origin;

reply with_length(std::string body) {
  return {"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body};
}

std::string kind(const error& why) {
  return std::string(to_string(why.kind));
}

// Asks and reads all of the answer: "200 body", or the kind of the error.
task<void> ask(client& with, const origin& whom, call what, call_deadlines by, std::string& out) {
  auto got = co_await with.send(whom, what, by);
  if (!got) {
    out = kind(got.error());
    EXPECT_TRUE(got.error().detail.contains(whom.text())) << got.error().detail;
    co_return;
  }
  const auto body = co_await got->read_all(1 << 20);
  out = std::to_string(got->status()) + " " + (body ? *body : kind(body.error()));
}

struct http_client : fixture {
  http_client() { serve({.ip = "0.0.0.0", .port = 80}); }
  void serve(const env::address& at) { sim.spawn(follow_all(there.world(), at, far)); }

  std::string get(const origin& whom = to_there, call_deadlines by = {}) {
    return send({.method = "GET"}, whom, by);
  }
  std::string send(call what, const origin& whom = to_there, call_deadlines by = {}) {
    std::string out;
    finish(ask(near, whom, what, by, out));
    return out;
  }
  instant in(std::chrono::nanoseconds span) { return sim.now() + span; }

  script far;
  client near{here.world(), {.idle_per_origin = 2, .user_agent = "meshai/test"}};
};

TEST_F(http_client, writes_a_request_as_one_segment) {
  far.connections = {{with_length("hello")}};
  const wire::header headers[] = {{"Authorization", "Bearer k"}, {"Content-Type", "application/json"}};
  EXPECT_EQ(send({.method = "POST", .target = "/v1/x?y", .headers = headers, .body = "{}"}), "200 hello");
  ASSERT_EQ(far.requests.size(), 1u);
  EXPECT_EQ(
      far.requests[0],
      "1: POST /v1/x?y HTTP/1.1\r\nHost: there\r\nAuthorization: Bearer k\r\nContent-Type: application/json\r\n"
      "User-Agent: meshai/test\r\nContent-Length: 2\r\n\r\n{}");
}

TEST_F(http_client, a_get_has_no_length_and_an_empty_post_has_one) {
  far.connections = {{with_length(""), with_length("")}};
  get();
  send({.method = "POST"});
  EXPECT_FALSE(far.requests.at(0).contains("Content-Length"));
  EXPECT_TRUE(far.requests.at(1).contains("Content-Length: 0\r\n"));
}

TEST_F(http_client, uses_a_connection_again) {
  far.connections = {{with_length("a"),
                      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n"},
                      {"HTTP/1.1 204 No Content\r\n\r\n"},
                      with_length("d")}};
  EXPECT_EQ(get(), "200 a");
  EXPECT_EQ(near.idle(to_there), 1u);
  EXPECT_EQ(get(), "200 b");
  EXPECT_EQ(get(), "204 ");
  EXPECT_EQ(get(), "200 d");
  EXPECT_EQ(far.opened, 1);
}

TEST_F(http_client, does_not_use_again_what_the_server_closes_or_ends_by_closing) {
  far.connections = {{{"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na"}},
                     {{"HTTP/1.0 200 OK\r\n\r\nb", true}},
                     {{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nc, and more"}}};
  EXPECT_EQ(get(), "200 a");
  EXPECT_EQ(get(), "200 b");
  EXPECT_EQ(get(), "200 c");
  EXPECT_EQ(near.idle(), 0u);
  EXPECT_EQ(far.opened, 3);
}

TEST_F(http_client, reopens_a_pooled_connection_that_had_died_and_sends_once) {
  far.connections = {{with_length("a"), {"", true}}, {with_length("b")}};
  EXPECT_EQ(get(), "200 a");
  EXPECT_EQ(get(), "200 b");  // connection 1 took the question and closed without a byte
  EXPECT_EQ(far.opened, 2);
  EXPECT_EQ(far.requests.size(), 3u);
}

TEST_F(http_client, reopens_only_once) {
  far.connections = {{with_length("a"), {"", true}}, {{"", true}}, {with_length("never")}};
  EXPECT_EQ(get(), "200 a");
  EXPECT_EQ(get(), "unreachable");
  EXPECT_EQ(far.opened, 2);
}

TEST_F(http_client, never_sends_twice_once_a_byte_has_come) {
  far.connections = {{with_length("a"), {"H", true}}, {with_length("never")}};
  EXPECT_EQ(get(), "200 a");
  EXPECT_EQ(get(), "malformed");
  EXPECT_EQ(far.opened, 1);
}

TEST_F(http_client, never_sends_twice_on_a_fresh_connection_or_after_a_timeout) {
  far.connections = {{{"", true}}};
  EXPECT_EQ(get(), "unreachable");
  EXPECT_EQ(far.opened, 1);
  far.connections = {{with_length("a"), {""}}, {with_length("never")}};
  EXPECT_EQ(get(), "200 a");
  EXPECT_EQ(get(to_there, {.headers_by = in(5s)}), "timeout");
  EXPECT_EQ(far.opened, 2);
}

TEST_F(http_client, tells_truncation_from_an_end) {
  far.connections = {{{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", true}},
                     {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", true}},
                     {{"HTTP/1.1 200 OK\r\n\r\nabc", true}}};
  EXPECT_EQ(get(), "200 malformed");
  EXPECT_EQ(get(), "200 malformed");
  EXPECT_EQ(get(), "200 abc");
}

TEST_F(http_client, garbage_is_malformed) {
  far.connections = {{{"<html>502</html>"}},
                     {{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na"}}};
  EXPECT_EQ(get(), "malformed");
  EXPECT_EQ(get(), "malformed");
}

TEST_F(http_client, a_redirect_is_an_answer) {
  far.connections = {{{"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n"}}};
  EXPECT_EQ(get(), "307 ");
  EXPECT_EQ(far.requests.size(), 1u);
}

TEST_F(http_client, skips_interim_answers_and_knows_head) {
  far.connections = {{{"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"},
                      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
                      with_length("b")}};
  EXPECT_EQ(get(), "200 a");
  EXPECT_EQ(send({.method = "HEAD"}), "200 ");
  EXPECT_EQ(get(), "200 b");
  EXPECT_EQ(far.opened, 1);
}

TEST_F(http_client, headers_that_break_the_framing_are_not_sent) {
  for (const wire::header bad : {wire::header{"X", "a\r\nY: b"},
                                 {"X Y", "a"},
                                 {"Content-Length", "3"},
                                 {"host", "other"},
                                 {"Transfer-Encoding", "chunked"},
                                 {"Connection", "close"}}) {
    EXPECT_EQ(send({.method = "GET", .headers = std::span(&bad, 1)}), "malformed") << bad.name;
  }
  EXPECT_EQ(send({.method = "GET", .target = "/ HTTP/1.1\r\nX: y"}), "malformed");
  EXPECT_TRUE(far.requests.empty());
}

TEST_F(http_client, a_refused_connection_and_an_unknown_name_are_unreachable) {
  EXPECT_EQ(get(parse_origin("http://there:81")->origin), "unreachable");
  EXPECT_EQ(get(parse_origin("http://nowhere.example")->origin), "unreachable");
}

TEST_F(http_client, connecting_has_a_deadline) {
  sim.set_link(here, there, {.ignore = 1});
  const auto before = sim.now();
  EXPECT_EQ(get(to_there, {.connect_timeout = 2s}), "timeout");
  EXPECT_EQ(sim.now() - before, 2s);
  EXPECT_EQ(get(to_there, {.connect_timeout = 2s, .headers_by = in(1s)}), "timeout");
  EXPECT_EQ(sim.now() - before, 3s);
}

TEST_F(http_client, the_head_has_a_deadline) {
  far.connections = {{{"HTTP/1.1 200 OK\r\n"}}};
  const auto before = sim.now();
  EXPECT_EQ(get(to_there, {.headers_by = in(3s)}), "timeout");
  EXPECT_EQ(sim.now() - before, 3s);
}

task<void> read_until_timeout(client& with, env::world world, std::string& out) {
  const call what{.method = "GET"};
  auto got = co_await with.send(to_there, what, {.headers_by = world.clock.now() + 1s});
  for (;;) {
    got->read_by(world.clock.now() + 2s);
    const auto piece = co_await got->read_some();
    out += piece ? *piece : kind(piece.error());
    if (!piece || piece->empty()) co_return;
  }
}

TEST_F(http_client, every_read_may_have_a_deadline) {
  far.connections = {{{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"}}};
  std::string out;
  finish(read_until_timeout(near, here.world(), out));
  EXPECT_EQ(out, "atimeout");
  EXPECT_EQ(near.idle(), 0u);
}

task<void> drop_after(client& with, int pieces) {
  const call what{.method = "GET"};
  auto got = co_await with.send(to_there, what, {});
  EXPECT_TRUE(got);
  for (int i = 0; i < pieces; ++i) (void)co_await got->read_some();
}

TEST_F(http_client, an_answer_dropped_early_closes_its_connection) {
  far.connections = {{{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"}}};
  finish(drop_after(near, 1));
  pass(1s);
  EXPECT_EQ(far.closed, 1);
  EXPECT_EQ(near.idle(), 0u);
}

TEST_F(http_client, an_answer_dropped_when_all_of_it_is_here_keeps_its_connection) {
  far.connections = {{{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"}}};
  finish(drop_after(near, 1));
  EXPECT_EQ(near.idle(), 1u);
}

task<void> ask_forever(client& with) {
  const call what{.method = "GET"};
  (void)co_await with.send(to_there, what, {});
  ADD_FAILURE() << "it was cancelled";
}

TEST_F(http_client, cancelling_a_call_closes_its_connection) {
  far.connections = {{{""}}};
  env::scope calls(here.world().loop);
  calls.spawn(ask_forever(near));
  pass(1s);
  EXPECT_EQ(far.requests.size(), 1u);
  calls.cancel();
  pass(1s);
  EXPECT_EQ(far.closed, 1);
}

task<void> read_at_most(client& with, std::size_t limit, std::string& out) {
  const call what{.method = "GET"};
  auto got = co_await with.send(to_there, what, {});
  const auto body = co_await got->read_all(limit);
  out = body ? *body : kind(body.error());
}

TEST_F(http_client, a_whole_answer_is_bounded) {
  far.connections = {{with_length("12345678"), with_length("12345678")}};
  std::string out;
  finish(read_at_most(near, 8, out));
  EXPECT_EQ(out, "12345678");
  finish(read_at_most(near, 7, out));
  EXPECT_EQ(out, "exhausted");
}

// ---- the pool ----

task<void> ask_three_at_once(client& with, env::world world) {
  env::scope calls(world.loop);
  std::string out[3];
  for (auto& each : out) calls.spawn(ask(with, to_there, {.method = "GET"}, {}, each));
  co_await calls.join();
  for (const auto& each : out) EXPECT_EQ(each, "200 a");
}

TEST_F(http_client, keeps_no_more_connections_than_allowed) {
  far.connections = {{with_length("a")}, {with_length("a")}, {with_length("a")}};
  finish(ask_three_at_once(near, here.world()));
  EXPECT_EQ(far.opened, 3);
  EXPECT_EQ(near.idle(), 2u);
}

TEST_F(http_client, idle_connections_are_closed_in_time) {
  far.connections = {{with_length("a")}};
  get();
  pass(54s);
  EXPECT_EQ(near.idle(), 1u);
  pass(2s);
  EXPECT_EQ(near.idle(), 0u);
  EXPECT_EQ(far.closed, 1);
}

TEST_F(http_client, a_server_that_says_when_it_closes_is_believed) {
  far.connections = {{{"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=100\r\nContent-Length: 1\r\n\r\na"}},
                     {with_length("b")}};
  get();
  pass(5s);
  EXPECT_EQ(near.idle(), 0u);
  EXPECT_EQ(get(), "200 b");
}

task<void> warm_up(client& with, const origin& whom, std::string& out) {
  const auto done = co_await with.warm(whom, 2s);
  out = done ? "ok" : kind(done.error());
}

TEST_F(http_client, a_warm_connection_is_used_by_the_next_call) {
  std::string out;
  finish(warm_up(near, to_there, out));
  EXPECT_EQ(out, "ok");
  finish(warm_up(near, to_there, out));
  far.connections = {};
  EXPECT_EQ(far.opened, 1);
  EXPECT_EQ(near.idle(to_there), 1u);
  near.forget(to_there);
  EXPECT_EQ(near.idle(), 0u);
  finish(warm_up(near, parse_origin("http://there:81")->origin, out));
  EXPECT_EQ(out, "unreachable");
}

// ---- ways ----

TEST_F(http_client, a_unix_socket) {
  sim.spawn(follow_all(here.world(), {.path = "/run/x.sock"}, far));
  far.connections = {{with_length("a")}};
  EXPECT_EQ(get(parse_origin("unix:///run/x.sock")->origin), "200 a");
  EXPECT_TRUE(far.requests.at(0).contains("Host: localhost\r\n"));
}

// Secures the next connection to `port`, behind what was said in the clear, and follows the script on it.
task<void> follow_secured(env::world world, std::uint16_t port, script& what) {
  const auto door = world.network.listen({.ip = "0.0.0.0", .port = port}, false);
  auto on = co_await (*door)->accept();
  auto secured = co_await world.network.secure_server(std::move(*on), *world.network.load_identity("", ""), never);
  if (secured) co_await follow(std::move(*secured), what, ++what.opened);
}

TEST_F(http_client, https_is_spoken_over_tls_for_the_name_in_the_url) {
  sim.spawn(follow_secured(there.world(), 443, far));
  far.connections = {{with_length("a")}};
  EXPECT_EQ(get(parse_origin("https://there")->origin), "200 a");
  EXPECT_EQ(sim.secured(), std::vector<std::string>{"there"});
  EXPECT_TRUE(far.requests.at(0).contains("Host: there\r\n"));
}

TEST_F(http_client, nothing_is_said_to_a_host_that_is_not_believed) {
  sim.spawn(follow_secured(there.world(), 443, far));
  sim.distrust("there");
  EXPECT_EQ(get(parse_origin("https://there")->origin), "denied");
  EXPECT_TRUE(far.requests.empty());
}

TEST_F(http_client, http_through_a_proxy_asks_in_absolute_form) {
  auto whom = parse_origin("http://api.example:8080")->origin;
  whom.via = *parse_proxy("http://user:p%40ss@there:80");
  whom.make_key();
  far.connections = {{with_length("a")}};
  EXPECT_EQ(get(whom), "200 a");
  EXPECT_TRUE(
      far.requests.at(0).starts_with("1: GET http://api.example:8080/ HTTP/1.1\r\nHost: api.example:8080\r\n"
                                     "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n"))
      << far.requests.at(0);
}

// A proxy of one connection: takes CONNECT, answers `with`, and is the host behind it.
task<void> tunnel(env::world world, std::string with, std::string& heard, script& behind) {
  const auto door = world.network.listen({.ip = "0.0.0.0", .port = 3128}, false);
  auto on = co_await (*door)->accept();
  heard = co_await hear(**on, until("\r\n\r\n"));
  (void)co_await say(**on, with);
  auto secured = co_await world.network.secure_server(std::move(*on), *world.network.load_identity("", ""), never);
  if (secured) co_await follow(std::move(*secured), behind, 1);
}

struct http_tunnel : http_client {
  std::string through(const std::string& answer) {
    auto whom = parse_origin("https://api.example")->origin;
    whom.via = *parse_proxy("http://user:p%40ss@there:3128");
    whom.make_key();
    sim.spawn(tunnel(there.world(), answer, heard, far));
    return get(whom, {.connect_timeout = 2s, .headers_by = in(3s)});
  }
  std::string heard;
};

TEST_F(http_tunnel, https_asks_the_proxy_for_the_host_and_secures_what_is_behind_it) {
  far.connections = {{with_length("a")}};
  EXPECT_EQ(through("HTTP/1.1 200 Connection established\r\n\r\n"), "200 a");
  EXPECT_EQ(heard,
            "CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\nProxy-Authorization: Basic "
            "dXNlcjpwQHNz\r\n\r\n");
  EXPECT_EQ(sim.secured(), std::vector<std::string>{"api.example"});
  EXPECT_TRUE(far.requests.at(0).starts_with("1: GET / HTTP/1.1\r\nHost: api.example\r\n"));
  EXPECT_FALSE(far.requests.at(0).contains("Proxy-Authorization"));
}

TEST_F(http_tunnel, a_proxy_that_wants_a_password_denies) {
  EXPECT_EQ(through("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"), "denied");
  EXPECT_TRUE(sim.secured().empty());
}

TEST_F(http_tunnel, a_proxy_that_cannot_reach_the_host) {
  EXPECT_EQ(through("HTTP/1.1 502 Bad Gateway\r\n\r\n"), "unreachable");
}

TEST_F(http_tunnel, a_proxy_that_speaks_for_the_host) {
  EXPECT_EQ(through("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), "malformed");
}

TEST_F(http_tunnel, a_proxy_that_says_nothing) {
  EXPECT_EQ(through(""), "timeout");
}

// ---- a server that answers before it has read everything ----

task<void> refuse_early(env::world world, bool& refused) {
  const auto door = world.network.listen({.ip = "0.0.0.0", .port = 8080}, false);
  auto on = co_await (*door)->accept();
  (void)co_await hear(**on, [](const std::string& heard) { return heard.size() > 1000; });
  (void)co_await say(**on, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
  refused = true;
  (void)co_await hear(**on);
}

TEST_F(http_client, an_early_answer_to_a_large_body_is_heard) {
  bool refused = false;
  sim.spawn(refuse_early(there.world(), refused));
  const std::string body(1 << 20, 'x');
  EXPECT_EQ(send({.body = body}, parse_origin("http://there:8080")->origin), "413 big");
  EXPECT_TRUE(refused);
}

TEST_F(http_client, answers_outlive_the_client) {
  far.connections = {{with_length("a")}};
  auto own = std::make_unique<client>(here.world());
  std::optional<answer> kept;
  struct {
    static task<void> take(client& with, std::optional<answer>& into) {
      const call what{.method = "GET"};
      into.emplace(std::move(*co_await with.send(to_there, what, {})));
    }
  } const taker;
  finish(taker.take(*own, kept));
  own.reset();
  EXPECT_EQ(kept->status(), 200);
  kept.reset();
  pass(1s);
  EXPECT_EQ(far.closed, 1);
}

}  // namespace
}  // namespace meshai::http
