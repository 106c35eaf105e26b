#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

#include "env/event.hpp"
#include "env/scope.hpp"
#include "os/testing.hpp"

namespace meshai::os {
namespace {
using namespace std::chrono_literals;

struct sockets : testing::Test, fixture {
  connected pair(env::address at = loopback()) {
    auto made = finish(connect_pair(world.network, std::move(at)));
    EXPECT_TRUE(made) << made.error().detail;
    return std::move(*made);
  }
};

task<void> read_into(env::stream& from, std::optional<result<std::string>>& out, env::event& done) {
  out = co_await read(from, 1);
  done.set();
}

task<void> write_into(env::stream& to, std::string bytes, std::optional<result<void>>& out, env::event& done) {
  out = co_await write(to, bytes);
  done.set();
}

task<int> both_directions(connected& c) {
  const std::string_view pieces[] = {"GET ", "", "/ ", "HTTP/1.1"};
  EXPECT_TRUE(co_await c.client->write_all(pieces));
  EXPECT_EQ(*co_await read(*c.server, 14), "GET / HTTP/1.1");
  EXPECT_TRUE(co_await write(*c.server, "200"));
  EXPECT_EQ(*co_await read(*c.client, 3), "200");
  c.server->close();
  EXPECT_EQ(*co_await read(*c.client, 1), "");
  co_return 0;
}

TEST_F(sockets, carry_bytes_over_tcp) {
  auto c = pair();
  EXPECT_EQ(c.client->peer().ip, "127.0.0.1");
  EXPECT_NE(c.client->peer().port, 0);
  EXPECT_EQ(c.server->peer().ip, "127.0.0.1");
  finish(both_directions(c));
}

TEST_F(sockets, carry_bytes_over_ipv6) {
  if (!world.network.listen({.ip = "::1", .port = 0, .path = {}}, false)) GTEST_SKIP() << "no IPv6 here";
  auto c = pair({.ip = "::1", .port = 0, .path = {}});
  EXPECT_EQ(c.server->peer().ip, "::1");
  finish(both_directions(c));
}

TEST_F(sockets, carry_bytes_over_unix) {
  temp_folder folder;
  auto c = pair({.ip = {}, .port = 0, .path = folder.file("a.sock")});
  EXPECT_TRUE(c.server->peer().is_unix());
  finish(both_directions(c));
  EXPECT_FALSE(std::filesystem::exists(folder.file("a.sock"))) << "close() removes the file";
}

task<int> more_than_buffers_hold(env::world world, connected& c) {
  std::string sent(8 << 20, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 >> 8);
  std::optional<result<void>> written;
  env::event done(world.loop);
  env::scope scope(world.loop);
  scope.spawn(write_into(*c.client, sent, written, done));
  const auto got = co_await read(*c.server, sent.size());
  EXPECT_TRUE(got && *got == sent);
  co_await done.wait();
  EXPECT_TRUE(written && *written);
  co_await scope.close();
  co_return 0;
}

TEST_F(sockets, write_more_than_buffers_hold) {
  auto c = pair();
  finish(more_than_buffers_hold(world, c));
}

task<int> many_pieces(connected& c) {
  std::vector<std::string_view> pieces(100, "ab");
  EXPECT_TRUE(co_await c.client->write_all(pieces));
  const auto got = co_await read(*c.server, 200);
  EXPECT_TRUE(got);
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ((*got)[i], i % 2 ? 'b' : 'a');
  co_return 0;
}

TEST_F(sockets, write_more_pieces_than_one_call_takes) {
  auto c = pair();
  finish(many_pieces(c));
}

task<error_kind> read_late(connected& c, instant by) {
  c.client->read_by(by);
  const auto got = co_await read(*c.client, 1);
  co_return got ? error_kind::malformed : got.error().kind;
}

TEST_F(sockets, a_read_ends_at_its_deadline) {
  auto c = pair();
  const auto by = in(30ms);
  EXPECT_EQ(finish(read_late(c, by)), error_kind::timeout);
  EXPECT_GE(std::chrono::steady_clock::now(), by);
  EXPECT_EQ(finish(read_late(c, never)), error_kind::timeout) << "after a timeout it is only good for close()";
}

TEST_F(sockets, a_read_after_its_deadline_fails_at_once) {
  auto c = pair();
  EXPECT_EQ(finish(read_late(c, in(-1s))), error_kind::timeout);
}

task<int> move_deadline(env::world world, connected& c, instant first, instant then, instant wait_until,
                        error_kind expected) {
  std::optional<result<std::string>> got;
  env::event done(world.loop);
  env::scope scope(world.loop);
  c.client->read_by(first);
  scope.spawn(read_into(*c.client, got, done));
  co_await world.clock.sleep_until(in(5ms));
  c.client->read_by(then);
  co_await world.clock.sleep_until(wait_until);
  if (then == never) {
    EXPECT_FALSE(got) << "the deadline was lifted while the read was pending";
    c.client->close();
  }
  co_await done.wait();
  EXPECT_EQ(got->error().kind, expected);
  co_await scope.close();
  co_return 0;
}

TEST_F(sockets, a_pending_read_obeys_a_deadline_moved_closer) {
  auto c = pair();
  finish(move_deadline(world, c, in(1h), in(20ms), in(0ms), error_kind::timeout));
}

TEST_F(sockets, a_pending_read_obeys_a_deadline_lifted) {
  auto c = pair();
  finish(move_deadline(world, c, in(50ms), never, in(150ms), error_kind::unavailable));
}

TEST_F(sockets, a_pending_read_obeys_a_deadline_moved_away) {
  auto c = pair();
  const auto by = in(150ms);
  finish(move_deadline(world, c, in(50ms), by, in(0ms), error_kind::timeout));
  EXPECT_GE(std::chrono::steady_clock::now(), by);
}

task<error_kind> write_until_stuck(connected& c) {
  c.client->write_by(in(50ms));
  const std::string much(64 << 20, 'x');
  const auto done = co_await write(*c.client, much);
  co_return done ? error_kind::malformed : done.error().kind;
}

TEST_F(sockets, a_write_nobody_reads_ends_at_its_deadline) {
  auto c = pair();
  EXPECT_EQ(finish(write_until_stuck(c)), error_kind::timeout);
}

task<int> close_while_reading(env::world world, connected& c, bool destroy) {
  std::optional<result<std::string>> got;
  env::event done(world.loop);
  env::scope scope(world.loop);
  scope.spawn(read_into(*c.client, got, done));
  co_await world.clock.sleep_until(in(5ms));
  if (destroy) {
    c.client.reset();
  } else {
    c.client->close();
  }
  co_await done.wait();
  EXPECT_EQ(got->error().kind, error_kind::unavailable);
  co_await scope.close();
  co_return 0;
}

TEST_F(sockets, closing_ends_a_pending_read) {
  auto c = pair();
  finish(close_while_reading(world, c, false));
  EXPECT_EQ(finish(write(*c.client, "x")).error().kind, error_kind::unavailable);
}

TEST_F(sockets, destroying_ends_a_pending_read) {
  auto c = pair();
  finish(close_while_reading(world, c, true));
}

task<int> cancel_while_reading(env::world world, connected& c) {
  std::optional<result<std::string>> got;
  env::event done(world.loop);
  env::scope scope(world.loop);
  c.client->read_by(soon());
  scope.spawn(read_into(*c.client, got, done));
  co_await world.clock.sleep_until(in(5ms));
  co_await scope.close();
  EXPECT_FALSE(got) << "a cancelled read throws instead of returning";
  EXPECT_TRUE(co_await write(*c.server, "y"));
  EXPECT_EQ(*co_await read(*c.client, 1), "y") << "and the stream goes on";
  co_return 0;
}

TEST_F(sockets, a_cancelled_read_leaves_the_stream_whole) {
  auto c = pair();
  finish(cancel_while_reading(world, c));
}

// A peer that answers with a reset: what stands unread in its buffer when it closes makes TCP send one.
task<error_kind> read_reset(env::world world, connected& c) {
  EXPECT_TRUE(co_await write(*c.client, "unread"));
  co_await world.clock.sleep_until(in(5ms));
  c.server->close();
  const auto got = co_await read(*c.client, 1);
  co_return got ? error_kind::malformed : got.error().kind;
}

TEST_F(sockets, a_reset_is_unreachable) {
  auto c = pair();
  EXPECT_EQ(finish(read_reset(world, c)), error_kind::unreachable);
}

TEST_F(sockets, a_refused_connection_is_unreachable_and_named) {
  auto gone = world.network.listen(loopback(), false);
  const auto at = (*gone)->local();
  (*gone)->close();
  const auto got = finish(world.network.dial(at, soon()));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, error_kind::unreachable);
  EXPECT_NE(got.error().detail.find(at.text()), std::string::npos) << got.error().detail;
  EXPECT_EQ(finish(world.network.dial({.ip = {}, .port = 0, .path = "/nowhere/x.sock"}, soon())).error().kind,
            error_kind::unreachable);
}

TEST_F(sockets, a_dial_nobody_answers_ends_at_its_deadline) {
  // A listener whose queue is full lets further connections wait.
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
  ASSERT_EQ(::listen(fd, 0), 0);
  socklen_t size = sizeof where;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size);
  std::vector<std::unique_ptr<env::stream>> queued;
  std::optional<error_kind> ended;
  for (int i = 0; i < 8 && !ended; ++i) {
    auto got = finish(world.network.dial(loopback(ntohs(where.sin_port)), in(100ms)));
    if (got) {
      queued.push_back(std::move(*got));
    } else {
      ended = got.error().kind;
    }
  }
  EXPECT_EQ(ended, error_kind::timeout);
  ::close(fd);
}

TEST_F(sockets, refuse_addresses_that_are_none) {
  EXPECT_EQ(finish(world.network.dial({.ip = "example.org", .port = 1, .path = {}}, soon())).error().kind,
            error_kind::malformed);
  const env::address longish{.ip = {}, .port = 0, .path = std::string(108, 'x')};
  const auto got = world.network.listen(longish, false);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, error_kind::malformed);
  EXPECT_NE(got.error().detail.find("107"), std::string::npos);
}

TEST_F(sockets, small_writes_are_not_delayed) {
  // Nagle's algorithm with delayed acknowledgements would hold the second half of each request back for 40 ms.
  auto c = pair();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(finish(write(*c.client, "a")));
    EXPECT_TRUE(finish(write(*c.client, "b")));
    EXPECT_EQ(*finish(read(*c.server, 2)), "ab");
    EXPECT_TRUE(finish(write(*c.server, "c")));
    EXPECT_EQ(*finish(read(*c.client, 1)), "c");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 50 * 40ms);
}

TEST_F(sockets, listening_twice_on_a_port_takes_reuse_port) {
  auto first = world.network.listen(loopback(), true);
  ASSERT_TRUE(first);
  EXPECT_TRUE(world.network.listen((*first)->local(), true));
  const auto third = world.network.listen((*first)->local(), false);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().kind, error_kind::unavailable);
}

task<error_kind> accept_late(env::listener& from) {
  const auto got = co_await from.accept();
  co_return got ? error_kind::malformed : got.error().kind;
}

task<int> close_while_accepting(env::world world, env::listener& door) {
  env::scope scope(world.loop);
  env::event done(world.loop);
  std::optional<error_kind> got;
  struct wait {
    static task<void> on(env::listener& from, std::optional<error_kind>& out, env::event& e) {
      out = co_await accept_late(from);
      e.set();
    }
  };
  scope.spawn(wait::on(door, got, done));
  co_await world.clock.sleep_until(in(5ms));
  door.close();
  co_await done.wait();
  EXPECT_EQ(got, error_kind::unavailable);
  co_await scope.close();
  co_return 0;
}

TEST_F(sockets, closing_a_listener_ends_accept) {
  auto door = world.network.listen(loopback(), false);
  finish(close_while_accepting(world, **door));
}

// A connection that came while nobody accepted is answered by whoever holds the same socket next.
task<bool> hand_over(env::world world, const env::address& at) {
  auto held = open_listener(at, true);
  if (!held) co_return false;
  auto first = adopt_listener(world.loop, descriptor(::dup(held->get())), false);
  if (!first) co_return false;
  const auto where = (*first)->local();
  (*first)->close();
  auto caller = co_await world.network.dial(where, soon());
  if (!caller) co_return false;
  auto second = adopt_listener(world.loop, std::move(*held), true);
  if (!second || (*second)->local() != where) co_return false;
  co_return (co_await (*second)->accept()).has_value();
}

TEST_F(sockets, a_listening_socket_outlives_who_accepted_at_it) {
  EXPECT_TRUE(finish(hand_over(world, loopback())));
  const temp_folder folder;
  const auto path = folder.file("door");
  EXPECT_TRUE(finish(hand_over(world, {.ip = {}, .port = 0, .path = path})));
  EXPECT_FALSE(std::filesystem::exists(path)) << "the last one takes the file away";
  EXPECT_FALSE(adopt_listener(world.loop, descriptor(::dup(0)), false));
}

TEST_F(sockets, a_unix_socket_is_for_its_owner_and_replaces_a_dead_one) {
  temp_folder folder;
  const env::address at{.ip = {}, .port = 0, .path = folder.file("m.sock")};
  {
    // What a killed process leaves behind.
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    at.path.copy(where.sun_path, sizeof where.sun_path - 1);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
    ASSERT_EQ(::listen(fd, 1), 0);
    ::close(fd);
  }
  auto door = world.network.listen(at, false);
  ASSERT_TRUE(door) << door.error().detail;
  struct stat found{};
  ASSERT_EQ(::stat(at.path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  const auto second = world.network.listen(at, false);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, error_kind::unavailable) << "a living one is left alone";
  std::filesystem::remove(at.path);
  auto third = world.network.listen(at, false);
  ASSERT_TRUE(third);
  (*door)->close();
  EXPECT_TRUE(std::filesystem::exists(at.path)) << "close() leaves another's file";
}

TEST_F(sockets, a_file_that_is_no_socket_is_not_replaced) {
  temp_folder folder;
  const auto path = folder.file("precious");
  std::fclose(std::fopen(path.c_str(), "w"));
  EXPECT_FALSE(world.network.listen({.ip = {}, .port = 0, .path = path}, false));
  EXPECT_TRUE(std::filesystem::is_regular_file(path));
}

TEST_F(sockets, destroying_a_worker_drops_what_is_suspended) {
  auto c = pair();
  std::optional<result<std::string>> got;
  auto done = std::make_unique<env::event>(world.loop);
  std::optional<env::scope> scope(world.loop);
  scope->spawn(read_into(*c.client, got, *done));
  EXPECT_TRUE(finish(write(*c.client, "x")));
  c = {};
  done.reset();
  scope.reset();
  one.reset();
  EXPECT_FALSE(got);
}

}  // namespace
}  // namespace meshai::os
