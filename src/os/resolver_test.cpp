#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "env/event.hpp"
#include "env/scope.hpp"
#include "os/testing.hpp"

namespace meshai::os {
namespace {
using namespace std::chrono_literals;

// A name server on loopback (RFC 1035 4.1): knows one address for every name but those that begin with "no"
// (NXDOMAIN) or "slow" (silence).
class name_server {
 public:
  name_server() : fd_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
    socklen_t size = sizeof where;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&where), &size);
    port_ = ntohs(where.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  ~name_server() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::string at() const { return "127.0.0.1:" + std::to_string(port_); }
  int asked() const { return asked_; }

 private:
  void serve() {
    for (;;) {
      unsigned char packet[512];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      auto n = ::recvfrom(fd_, packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (n <= 12) return;  // shut down
      ++asked_;
      const std::string_view first(reinterpret_cast<char*>(packet) + 13, packet[12]);
      if (first.starts_with("slow")) continue;
      std::size_t end = 12;
      while (packet[end] != 0) end += packet[end] + 1u;
      end += 5;  // root, type, class
      const bool wants_ipv4 = packet[end - 3] == 1;
      std::string answer(reinterpret_cast<char*>(packet), end);
      answer[2] = '\x81';  // a response, recursion desired
      answer[3] = first.starts_with("no") ? '\x83' : '\x80';
      const bool has = wants_ipv4 && !first.starts_with("no");
      answer.replace(6, 6, std::string{0, static_cast<char>(has), 0, 0, 0, 0});
      // The name again (a pointer to the question), type A, class IN, one second to live, 192.0.2.7.
      if (has) answer += std::string("\xc0\x0c\0\1\0\1\0\0\0\1\0\4\xc0\0\2\7", 16);
      ::sendto(fd_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  int fd_;
  std::uint16_t port_ = 0;
  std::atomic<int> asked_ = 0;
  std::jthread thread_;
};

struct names_setup {
  name_server server;
};

struct names : testing::Test, names_setup, fixture {
  names() : fixture({.log_level = env::log_level::error, .pool_threads = 1, .name_servers = server.at()}) {}
  auto resolve(std::string host, instant deadline = soon()) {
    return finish(world.network.resolve(std::move(host), deadline));
  }
};

using list = std::vector<std::string>;

TEST_F(names, numeric_text_is_its_own_answer) {
  EXPECT_EQ(*resolve("192.0.2.1"), list{"192.0.2.1"});
  EXPECT_EQ(*resolve("::1"), list{"::1"});
  EXPECT_EQ(server.asked(), 0);
}

TEST_F(names, localhost_is_asked_of_nobody) {
  const list both{"127.0.0.1", "::1"};
  for (const auto* const name : {"localhost", "LocalHost", "localhost.", "a.localhost", "a.localhost."}) {
    EXPECT_EQ(*resolve(name), both) << name;
  }
  EXPECT_EQ(server.asked(), 0);
}

TEST_F(names, are_asked_once_and_remembered) {
  EXPECT_EQ(*resolve("api.example.test."), list{"192.0.2.7"});
  const int asked = server.asked();
  EXPECT_GT(asked, 0);
  EXPECT_EQ(*resolve("API.example.test."), list{"192.0.2.7"});
  EXPECT_EQ(server.asked(), asked) << "one second to live counts as five";
}

TEST_F(names, unknown_ones_are_unreachable_and_asked_again) {
  const auto got = resolve("no.example.test.");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, error_kind::unreachable);
  EXPECT_NE(got.error().detail.find("no.example.test"), std::string::npos);
  const int asked = server.asked();
  EXPECT_FALSE(resolve("no.example.test."));
  EXPECT_GT(server.asked(), asked);
}

TEST_F(names, that_are_none_are_malformed) {
  EXPECT_EQ(resolve("").error().kind, error_kind::malformed);
  EXPECT_EQ(resolve(std::string(300, 'a')).error().kind, error_kind::malformed);
  EXPECT_EQ(resolve(std::string(64, 'a').append(".test.")).error().kind, error_kind::malformed);
  EXPECT_EQ(server.asked(), 0);
}

TEST_F(names, a_silent_server_is_a_timeout) {
  EXPECT_EQ(resolve("slow.example.test.", in(50ms)).error().kind, error_kind::timeout);
}

task<void> resolve_into(env::network& network, std::string host, std::optional<result<list>>& out) {
  out = co_await network.resolve(std::move(host), soon());
}

task<int> give_up(env::world world, name_server& server) {
  std::optional<result<list>> out;
  env::scope scope(world.loop);
  scope.spawn(resolve_into(world.network, "slow.example.test.", out));
  while (server.asked() == 0) co_await world.clock.sleep_until(in(1ms));
  co_await scope.close();
  EXPECT_FALSE(out);
  co_return 0;
}

TEST_F(names, a_query_may_be_given_up) {
  finish(give_up(world, server));
}

TEST_F(names, a_worker_may_go_before_the_answer_comes) {
  std::optional<result<list>> out;
  auto other = shared.make_worker();
  std::optional<env::scope> scope(other->world().loop);
  scope->spawn(resolve_into(other->world().network, "slow.example.test.", out));
  std::jthread thread([&] { other->run(); });
  while (server.asked() == 0) std::this_thread::sleep_for(1ms);
  other->stop();
  thread.join();
  scope.reset();
  other.reset();
  EXPECT_FALSE(out);
}

task<void> resolve_many(env::network& network, int from, int& good) {
  for (int i = from; i < from + 300; ++i) {
    const auto got = co_await network.resolve("h" + std::to_string(i) + ".example.test.", soon());
    if (got && *got == list{"192.0.2.7"}) ++good;
  }
}

task<int> fill(env::world world) {
  int good = 0;
  env::scope scope(world.loop);
  for (int i = 0; i < 4; ++i) scope.spawn(resolve_many(world.network, i * 300, good));
  co_await scope.join();
  co_return good;
}

TEST_F(names, more_than_the_cache_holds_are_still_answered) {
  EXPECT_EQ(finish(fill(world)), 1200);
}

}  // namespace
}  // namespace meshai::os
