#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server_fixture.hpp"

namespace meshai::http {
namespace {

TEST_F(http_server, answers_and_keeps_the_connection) {
  EXPECT_EQ(talk({std::string(get_hello), std::string(get_hello)}),
            std::string(hello) + std::string(hello) + "<timeout>");
  pass(10ms);
  EXPECT_EQ(near.connections(), 0u);
}

TEST_F(http_server, dates_its_answers) {
  std::string out;
  finish(dial_and_talk(here.world(), {std::string(get_hello)}, 0s, true, out));
  // IMF-fixdate (RFC 9110 5.6.7).
  EXPECT_THAT(out,
              testing::ContainsRegex("\r\nDate: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} "
                                     "[0-9]{2}:[0-9]{2}:[0-9]{2} GMT\r\n"));
}

TEST_F(http_server, closes_when_asked_to) {
  EXPECT_EQ(
      talk({"GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}),
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello<end>");
  EXPECT_EQ(
      talk({"GET /hello HTTP/1.0\r\n\r\n"}),
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello<end>");
}

TEST_F(http_server, pipelined_requests_are_answered_in_order) {
  const auto got =
      talk({std::string(get_hello) + "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab" +
            "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ncd\r\n0\r\n\r\n" +
            std::string(get_hello)});
  const std::string echo = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  EXPECT_EQ(got, std::string(hello) + echo + "ab" + echo + "cd" + std::string(hello) + "<timeout>");
}

TEST_F(http_server, the_handler_sees_the_head_before_the_body_has_come) {
  const auto got = talk({"POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"});
  EXPECT_EQ(got,
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 12\r\nConnection: close\r\n\r\nwho are you?<timeout>");
}

TEST_F(http_server, an_answer_given_before_a_long_body_was_read_is_not_lost) {
  const std::string half(40'000, 'x');
  const auto got = talk({"POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 80000\r\n\r\n" + half, half});
  EXPECT_TRUE(got.starts_with("HTTP/1.1 401 ")) << got;
  EXPECT_FALSE(got.contains("<unreachable>")) << got;  // no reset
}

TEST_F(http_server, a_short_body_that_nobody_wanted_is_dropped_and_the_connection_kept) {
  const auto got =
      talk({"POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab", "cd" + std::string(get_hello)});
  EXPECT_EQ(got, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 12\r\n\r\nwho are you?" + std::string(hello) +
                     "<timeout>");
}

TEST_F(http_server, asks_for_a_body_only_when_it_is_wanted) {
  const std::string expecting = " HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_EQ(talk({"POST /echo" + expecting, "ab"}),
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab<timeout>");
  EXPECT_EQ(talk({"POST /refuse" + expecting}),
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 12\r\nConnection: close\r\n\r\nwho are you?<timeout>");
}

TEST_F(http_server, streams_in_chunks) {
  EXPECT_EQ(talk({"GET /stream HTTP/1.1\r\nHost: h\r\n\r\nGET /empty HTTP/1.1\r\nHost: h\r\n\r\n"}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            "4\r\none,\r\n4\r\ntwo,\r\n5\r\nthree\r\n0\r\n\r\n"
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n<timeout>");
}

TEST_F(http_server, streams_to_http_1_0_until_the_end) {
  EXPECT_EQ(talk({"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\none,two,three<end>");
  EXPECT_EQ(talk({"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: "
            "keep-alive\r\n\r\nhello<timeout>");
}

TEST_F(http_server, some_answers_have_no_body) {
  EXPECT_EQ(talk({"HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n"
                  "GET /204 HTTP/1.1\r\nHost: h\r\n\r\n"}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            "HTTP/1.1 204 No Content\r\n\r\n<timeout>");
}

TEST_F(http_server, a_malformed_request_is_answered_in_the_handlers_shape) {
  EXPECT_EQ(talk({"GET / HTTP/1.1\r\n\r\n"}),
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 37\r\nConnection: "
            "close\r\n\r\n"
            "{\"status\":400,\"why\":\"no Host header\"}<timeout>");
  EXPECT_TRUE(talk({"GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(70'000, 'x')}).starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(talk({"GET / HTTP/3.0\r\n\r\n"}).starts_with("HTTP/1.1 505 "));
  EXPECT_TRUE(answers.seen.empty());
}

TEST_F(http_server, what_follows_a_malformed_request_is_not_looked_at) {
  talk({"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc" +
        std::string(get_hello)});
  EXPECT_TRUE(answers.seen.empty());
}

TEST_F(http_server, bodies_are_bounded) {
  answers.limit = 4;
  const auto post = [&](const std::string& rest) { return talk({"POST /echo HTTP/1.1\r\nHost: h\r\n" + rest}); };
  EXPECT_TRUE(post("Content-Length: 4\r\n\r\nabcd").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(post("Content-Length: 5\r\n\r\nabcde").starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(
      post("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n").starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(post("Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_EQ(answers.seen.at(1), "POST /echo <refused>");
}

TEST_F(http_server, a_large_body_arrives_whole) {
  answers.limit = 10 << 20;
  held.left = answers.limit;
  std::string body;
  for (int i = 0; body.size() < 3 << 20; ++i) body += std::to_string(i) + ",";
  const auto got = talk(
      {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body});
  ASSERT_EQ(answers.seen.size(), 1u);
  EXPECT_TRUE(answers.seen[0] == "POST /echo " + body);
  EXPECT_TRUE(got.contains(body));
}

TEST_F(http_server, the_bytes_of_all_bodies_are_bounded) {
  answers.limit = 90'000;
  const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n";
  const std::string body(90'000, 'x');
  std::string slow;
  sim.spawn(dial_and_talk(here.world(), {head, body}, 2s, true, slow));
  pass(100ms);
  EXPECT_EQ(held.left, 10'000u);
  EXPECT_TRUE(talk({head + body}).starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(talk({"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"})
                  .starts_with("HTTP/1.1 503 "));
  pass(5s);
  EXPECT_TRUE(slow.starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(held.left, 100'000u);
}

TEST_F(http_server, the_budget_gets_back_what_a_vanished_caller_held) {
  std::string out;
  finish(dial_and_talk(here.world(), {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 90\r\n\r\nab"}, 0s, false,
                       out));
  pass(1s);
  EXPECT_EQ(held.left, 100'000u);
  EXPECT_EQ(near.busy(), 0u);
}

TEST_F(http_server, the_callers_disconnect_cancels_the_handler) {
  std::string out;
  const auto before = sim.now();
  finish(dial_and_talk(here.world(), {"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n", ""}, 5s, false, out));
  pass(100ms);
  EXPECT_EQ(answers.seen.size(), 1u);
  EXPECT_EQ(answers.waiting, 0);
  EXPECT_LT(answers.waited_until - before, 5s + 10ms);
  EXPECT_EQ(near.connections(), 0u);
  EXPECT_EQ(near.busy(), 0u);
}

TEST_F(http_server, a_caller_may_not_hide_its_end_behind_another_request) {
  std::string out;
  finish(dial_and_talk(here.world(), {"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(get_hello), ""}, 5s,
                       false, out));
  pass(100ms);
  EXPECT_EQ(answers.waiting, 0);
  EXPECT_EQ(answers.seen.size(), 1u);
}

TEST_F(http_server, a_handler_may_take_its_time) {
  std::string out;
  sim.spawn(dial_and_talk(here.world(), {"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n", ""}, 10min, true, out));
  pass(10min);
  EXPECT_EQ(near.busy(), 1u);
  answers.go.set();
  pass(2s);
  EXPECT_TRUE(out.contains("waited"));
}

TEST_F(http_server, more_than_the_buffer_holds_waits_its_turn) {
  std::string many;
  for (int i = 0; i < 4000; ++i) many += get_hello;
  std::string out;
  sim.spawn(dial_and_talk(here.world(), {"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n" + many}, 0s, true, out));
  pass(100ms);
  answers.go.set();
  pass(5s);
  EXPECT_EQ(answers.seen.size(), 4001u);
}

// ---- deadlines ----

struct timed : http_server {
  // How long a caller is borne who says `first` and then a byte at a time with `pause` between them.
  std::chrono::nanoseconds borne(std::string first, std::chrono::nanoseconds pause) {
    std::vector<std::string> parts(1000, "x");
    parts.front() = std::move(first);
    const auto before = sim.now();
    sim.spawn(dial_and_talk(here.world(), std::move(parts), pause, false, unheard));
    sim.run([&] { return near.connections() == 1; });
    sim.run([&] { return near.connections() == 0; });
    return sim.now() - before;
  }
  std::string unheard;
};

TEST_F(timed, a_slow_head_is_cut_off) {
  const auto span = borne("G", 3s);
  EXPECT_GE(span, 10s);
  EXPECT_LE(span, 11s);
}

TEST_F(timed, a_connection_without_a_request_is_closed) {
  EXPECT_LE(borne("", 1h), 11s);
}

TEST_F(timed, an_idle_connection_is_closed) {
  std::string out;
  sim.spawn(dial_and_talk(here.world(), {std::string(get_hello), std::string(get_hello)}, 70s, false, out));
  pass(1s);
  EXPECT_EQ(near.connections(), 1u);
  pass(70s);
  EXPECT_EQ(answers.seen.size(), 2u);
}

TEST_F(timed, a_body_that_trickles_is_cut_off) {
  answers.limit = 1 << 20;
  held.left = 1 << 20;
  const auto span = borne("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n", 3s);
  EXPECT_GE(span, 10s);
  EXPECT_LE(span, 11s);
  EXPECT_EQ(answers.seen.at(0), "POST /echo <timeout>");
}

TEST_F(timed, a_body_that_moves_is_borne) {
  answers.limit = 1 << 20;
  held.left = 1 << 20;
  std::vector<std::string> parts = {"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n"};
  for (int i = 0; i < 10; ++i) parts.emplace_back(20'000, 'x');
  EXPECT_TRUE(talk(parts, 9s).starts_with("HTTP/1.1 200 "));
}

TEST_F(timed, a_caller_who_does_not_read_is_cut_off) {
  std::string out;
  const auto before = sim.now();
  sim.spawn(dial_and_talk(here.world(), {"GET /flood HTTP/1.1\r\nHost: h\r\n\r\n", ""}, 10min, false, out));
  pass(60s);
  EXPECT_GE(answers.flood_ended - before, 30s);
  EXPECT_LE(answers.flood_ended - before, 31s);
  EXPECT_EQ(answers.last.error().kind, error_kind::timeout);
  EXPECT_EQ(near.connections(), 0u);
}

task<void> read_slowly(env::world from, std::size_t& got) {
  auto on = co_await from.network.dial({.ip = "10.0.0.2", .port = 80}, never);
  (void)co_await say(**on, "GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  std::vector<char> buffer(16 * 1024);
  for (;;) {
    const auto size = co_await (*on)->read_some(buffer);
    if (!size || *size == 0) co_return;
    got += *size;
    co_await from.clock.sleep_until(from.clock.now() + 1s);
  }
}

TEST_F(timed, a_caller_who_reads_slowly_and_steadily_is_borne) {
  std::size_t got = 0;
  finish(read_slowly(here.world(), got));
  EXPECT_GT(got, by_path::large);
}

// ---- our own bugs ----

TEST_F(http_server, a_request_left_without_an_answer_is_a_500) {
  const auto got = talk({"GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(get_hello)});
  EXPECT_TRUE(got.starts_with("HTTP/1.1 500 ")) << got;
  EXPECT_TRUE(got.contains("hello"));
}

TEST_F(http_server, an_answer_left_unfinished_is_seen_to_be_truncated) {
  const auto got = talk({"GET /half HTTP/1.1\r\nHost: h\r\n\r\n"});
  EXPECT_TRUE(got.ends_with("4\r\nhalf\r\n<end>")) << got;
}

TEST_F(http_server, a_header_that_breaks_the_framing_is_not_sent) {
  const auto got = talk({"GET /inject HTTP/1.1\r\nHost: h\r\n\r\n"});
  EXPECT_EQ(got, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 7\r\n\r\nrefused<timeout>");
}

// ---- the end ----

TEST_F(http_server, draining_closes_idle_connections_and_lets_the_others_answer) {
  std::string idle, busy;
  sim.spawn(dial_and_talk(here.world(), {std::string(get_hello), ""}, 1s, true, idle));
  sim.spawn(dial_and_talk(here.world(), {"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n", ""}, 1s, true, busy));
  pass(500ms);
  EXPECT_EQ(near.connections(), 2u);
  EXPECT_EQ(near.busy(), 1u);
  near.drain();
  pass(100ms);
  EXPECT_EQ(near.connections(), 1u);
  answers.go.set();
  pass(3s);
  EXPECT_EQ(near.connections(), 0u);
  EXPECT_TRUE(idle.ends_with("hello<end>")) << idle;
  EXPECT_TRUE(busy.contains("Connection: close\r\n") && busy.ends_with("waited<end>")) << busy;
}

TEST_F(http_server, a_request_that_is_on_its_way_is_answered_while_draining) {
  std::string fresh, kept, silent;
  sim.spawn(dial_and_talk(here.world(), {"", std::string(get_hello)}, 1s, true, fresh));
  sim.spawn(dial_and_talk(here.world(), {std::string(get_hello), std::string(get_hello)}, 1s, true, kept));
  sim.spawn(dial_and_talk(here.world(), {"", ""}, 1s, true, silent));
  pass(500ms);
  near.drain(1s);
  pass(900ms);
  EXPECT_EQ(near.connections(), 1u);
  EXPECT_TRUE(fresh.contains("Connection: close\r\n") && fresh.ends_with("hello<end>")) << fresh;
  EXPECT_TRUE(kept.contains("Connection: close\r\n") && kept.ends_with("hello<end>")) << kept;
  pass(3s);
  EXPECT_EQ(near.connections(), 0u);
  EXPECT_EQ(silent, "<end>");
}

task<void> serve_and_cancel(env::world world, server& with, by_path& answers) {
  env::scope serving(world.loop);
  const auto door = world.network.listen({.ip = "0.0.0.0", .port = 81}, false);
  auto dialled = co_await world.network.dial({.ip = "127.0.0.1", .port = 81}, never);
  serving.spawn(with.serve(std::move(*co_await (*door)->accept())));
  (void)co_await say(**dialled, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  co_await world.clock.sleep_until(world.clock.now() + 1s);
  EXPECT_EQ(answers.waiting, 1);
  co_await serving.close();
  EXPECT_EQ(answers.waiting, 0);
  EXPECT_EQ(co_await hear(**dialled), "<end>");
}

TEST_F(http_server, cancelling_serve_cancels_the_handler_and_closes) {
  finish(serve_and_cancel(there.world(), near, answers));
  EXPECT_EQ(near.connections(), 0u);
}

}  // namespace
}  // namespace meshai::http
