#include <gtest/gtest.h>

#include "env/network.hpp"
#include "env/scope.hpp"
#include "sim/testing.hpp"

namespace meshai::sim {
namespace {
using namespace std::chrono_literals;

struct sim_network : testing::Test, pair_of_hosts {};

TEST_F(sim_network, carries_bytes_and_takes_time_for_it) {
  notes out;
  const auto start = world.now();
  world.spawn(echo(b.world(), 7));
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run([&] { return !out.empty(); });
  EXPECT_EQ(out, notes{"read 12345678"});
  EXPECT_EQ(world.now() - start, 40ms) << "there and back twice";
}

TEST_F(sim_network, refuses_where_nobody_listens) {
  notes out;
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.spawn(ask(a.world(), "10.9.9.9", 1, 1s, out));
  world.run();
  EXPECT_EQ(out, (notes{"dial unreachable", "dial unreachable"}));
}

TEST_F(sim_network, ends_at_deadlines) {
  notes out;
  world.spawn(echo(b.world(), 7));
  world.spawn(ask(a.world(), b.ip(), 1, 15ms, out));  // too short for the dial
  world.spawn(ask(a.world(), b.ip(), 1, 35ms, out));  // and for the answer
  const auto start = world.now();
  world.run([&] { return out.size() == 2; });
  EXPECT_EQ(out, (notes{"dial timeout", "read timeout"}));
  EXPECT_EQ(world.now() - start, 35ms);
}

TEST_F(sim_network, ignores_resets_and_mutes_as_told) {
  notes out;
  world.spawn(echo(b.world(), 7));
  auto way = ten_ms;
  way.ignore = 1;
  world.set_link(a, b, way);
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run();
  way.ignore = 0;
  way.refuse = 1;
  world.set_link(a, b, way);
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run();
  way.refuse = 0;
  way.mute = 1;
  world.set_link(a, b, way);
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run();
  way.mute = 0;
  world.set_link(a, b, way);
  way.reset = 1;
  world.set_link(b, a, way);
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run();
  way.reset = 0;
  way.stall = 1;
  world.set_link(b, a, way);
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.spawn(ask(a.world(), b.ip(), 1, 4s, out));
  world.run();
  EXPECT_EQ(out, (notes{"dial timeout", "dial unreachable", "read timeout", "read unreachable", "read timeout",
                        "read 12345678"}));
}

TEST_F(sim_network, holds_bytes_up_in_a_partition_and_delivers_them_after) {
  notes out;
  world.spawn(echo(b.world(), 7));
  world.spawn(cut_for(a.world(), world, a, b, 25ms, 5s));  // after the dial
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.spawn(ask(a.world(), b.ip(), 1, 30s, out));
  const auto start = world.now();
  world.run([&] { return out.size() == 2; });
  EXPECT_EQ(out, (notes{"read timeout", "read 12345678"}));
  EXPECT_GT(world.now() - start, 5s);
  world.cut(a, b);
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run([&] { return out.size() == 3; });
  EXPECT_EQ(out.back(), "dial timeout");
}

struct both {
  std::unique_ptr<env::stream> dialler, listener;
};

task<void> meet(env::world from, env::world to, env::address at, both& out) {
  auto door = to.network.listen(at, false);
  EXPECT_TRUE(door);
  auto dialler = co_await from.network.dial((*door)->local(), never);
  auto listener = co_await (*door)->accept();
  EXPECT_TRUE(dialler && listener);
  out = {std::move(*dialler), std::move(*listener)};
}

task<void> note_read(env::stream& from, std::size_t size, notes& out) {
  const auto got = co_await read(from, size);
  out.push_back(got ? *got : name_of(got));
}

task<void> note_write(env::stream& to, std::string text, notes& out) {
  out.push_back(name_of(co_await write(to, text)));
}

TEST_F(sim_network, ends_orderly_after_the_last_byte) {
  both ends;
  notes out;
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  EXPECT_EQ(ends.dialler->peer().ip, b.ip());
  EXPECT_EQ(ends.listener->peer().ip, a.ip());
  world.spawn(note_write(*ends.dialler, "all of it", out));
  world.run([&] { return !out.empty(); });
  ends.dialler->close();
  world.spawn(note_read(*ends.listener, 100, out));
  world.run();
  world.spawn(note_write(*ends.listener, "too late", out));
  world.run();
  world.spawn(note_write(*ends.listener, "and now it knows", out));
  world.spawn(note_write(*ends.dialler, "x", out));
  world.run();
  EXPECT_EQ(out, (notes{"ok", "all of it", "ok", "unreachable", "unavailable"}));
}

TEST_F(sim_network, resets_where_bytes_stay_unread) {
  both ends;
  notes out;
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  world.spawn(note_write(*ends.dialler, "unread", out));
  world.run();
  ends.listener->close();
  world.spawn(note_read(*ends.dialler, 1, out));
  world.run();
  EXPECT_EQ(out, (notes{"ok", "unreachable"}));
}

TEST_F(sim_network, lets_nothing_through_after_a_reset_and_tells_who_goes_on_writing) {
  both ends;
  notes out;
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  auto way = ten_ms;
  way.reset = 1;
  world.set_link(a, b, way);
  world.spawn(note_write(*ends.dialler, "lost", out));
  world.run([] { return true; });
  world.set_link(a, b, ten_ms);
  world.spawn(note_write(*ends.dialler, "after it", out));
  world.run();
  world.spawn(note_read(*ends.listener, 8, out));
  world.spawn(note_write(*ends.dialler, "and now it knows", out));
  world.run();
  EXPECT_EQ(out, (notes{"ok", "ok", "unreachable", "unreachable"}));
}

TEST_F(sim_network, wakes_a_pending_read_when_it_is_closed_or_its_deadline_moves) {
  both ends;
  notes out;
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  ends.dialler->read_by(world.now() + 1h);
  world.spawn(note_read(*ends.dialler, 1, out));
  world.spawn(note_read(*ends.listener, 1, out));
  world.run([] { return true; });
  const auto start = world.now();
  ends.dialler->read_by(start + 5s);
  world.run([&] { return !out.empty(); });
  EXPECT_EQ(world.now() - start, 5s);
  ends.listener->close();
  world.run();
  EXPECT_EQ(out, (notes{"timeout", "unavailable"}));
}

TEST_F(sim_network, makes_a_writer_wait_for_its_reader) {
  both ends;
  notes out;
  const std::string much(1 << 20, 'm');
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  world.spawn(note_write(*ends.dialler, much, out));
  world.run();
  EXPECT_EQ(out, notes{}) << "nobody reads";
  world.spawn(note_read(*ends.listener, much.size(), out));
  world.run();
  EXPECT_EQ(out.size(), 2u);
  EXPECT_TRUE(out.back() == much || out.front() == much);
}

TEST_F(sim_network, cuts_writes_and_reads_into_pieces) {
  auto way = ten_ms;
  way.segment_max = 3;
  way.fragment_reads = true;
  way.bytes_per_second = 1000;
  world.set_links(a, b, way);
  both ends;
  notes out;
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  const auto start = world.now();
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>('a' + i % 26);
  world.spawn(note_write(*ends.dialler, text, out));
  world.spawn(note_read(*ends.listener, text.size(), out));
  world.run();
  EXPECT_EQ(out, (notes{"ok", text}));
  EXPECT_GE(world.now() - start, 1s);
}

TEST_F(sim_network, knows_loopback_and_unix_sockets_of_each_host) {
  both tcp, local;
  notes out;
  world.spawn(meet(a.world(), a.world(), {.ip = "127.0.0.1", .port = 80}, tcp));
  world.spawn(meet(b.world(), b.world(), {.path = "/run/x.sock"}, local));
  world.run();
  EXPECT_TRUE(tcp.listener->peer().is_loopback());
  EXPECT_TRUE(local.listener->peer().is_unix());
  world.spawn(note_write(*local.dialler, "hi", out));
  world.spawn(note_read(*local.listener, 2, out));
  world.run();
  EXPECT_EQ(out.back(), "hi");
}

TEST_F(sim_network, shares_a_port_only_where_both_ask_for_it) {
  auto& network = a.world().network;
  const env::address at{.ip = "127.0.0.1", .port = 80};
  auto first = network.listen(at, true);
  EXPECT_TRUE(network.listen(at, true));
  EXPECT_EQ(network.listen(at, false).error().kind, error_kind::unavailable);
  EXPECT_EQ(network.listen({.ip = "0.0.0.0", .port = 80}, false).error().kind, error_kind::unavailable);
  EXPECT_TRUE(network.listen({.ip = "::1", .port = 80}, false));
  (*first)->close();
}

task<void> look_up(env::world world, std::string name, instant deadline, notes& out) {
  const auto got = co_await world.network.resolve(name, deadline);
  out.push_back(got ? got->front() : name_of(got));
}

TEST_F(sim_network, resolves_names_from_its_table) {
  world.set_name("api.example", {"192.0.2.1", "192.0.2.2"});
  notes out;
  for (const auto* const name : {"api.example", "b", "localhost", "::1", "no.example"}) {
    world.spawn(look_up(a.world(), name, never, out));
    world.run();
  }
  world.spawn(look_up(a.world(), "api.example", world.now() + 10us, out));
  world.run();
  EXPECT_EQ(out, (notes{"192.0.2.1", "10.0.0.2", "127.0.0.1", "::1", "unreachable", "timeout"}));
}

task<void> serve_tls(env::world world, std::unique_ptr<env::stream> plain, notes& out) {
  const auto who = world.network.load_identity("cert", "key");
  auto secured = co_await world.network.secure_server(std::move(plain), *who, never);
  out.push_back("server " + name_of(secured));
  if (secured) (void)co_await write(**secured, "secret");
}

task<void> ask_tls(env::world world, std::unique_ptr<env::stream> plain, std::string name, instant deadline,
                   notes& out) {
  auto secured = co_await world.network.secure_client(std::move(plain), name, {}, deadline);
  out.push_back("client " + name_of(secured));
  if (secured) out.push_back(*co_await read(**secured, 6));
}

TEST_F(sim_network, pretends_tls_and_fails_it_on_demand) {
  notes out;
  both ends;
  world.distrust("evil.example");
  for (const auto* const name : {"api.example", "evil.example"}) {
    world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
    world.run();
    world.spawn(ask_tls(a.world(), std::move(ends.dialler), name, never, out));
    world.spawn(serve_tls(b.world(), std::move(ends.listener), out));
    world.run();
  }
  EXPECT_EQ(out, (notes{"server ok", "client ok", "secret", "server ok", "client denied"}));
  EXPECT_EQ(world.secured(), (std::vector<std::string>{"api.example", "evil.example"}));
  out.clear();
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  world.spawn(ask_tls(a.world(), std::move(ends.dialler), "mute.example", world.now() + 1s, out));
  world.run();
  EXPECT_EQ(out, notes{"client timeout"});
}

TEST_F(sim_network, resets_everything_of_a_host_that_crashes) {
  notes out;
  env::scope server(b.world().loop);
  server.spawn(echo(b.world(), 7));
  both ends;
  world.spawn(meet(a.world(), b.world(), {.ip = b.ip(), .port = 0}, ends));
  world.run();
  world.spawn(note_read(*ends.dialler, 1, out));
  b.crash();
  world.run();
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run();
  world.spawn(echo(b.world(), 7));
  world.spawn(ask(a.world(), b.ip(), 1, 1s, out));
  world.run();
  EXPECT_EQ(out, (notes{"unreachable", "dial unreachable", "read 12345678"}));
}

}  // namespace
}  // namespace meshai::sim
