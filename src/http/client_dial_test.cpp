// Which of a name's addresses is dialled, and when: RFC 8305, and the bound of the origin's tier.
#include <gtest/gtest.h>

#include "http/fixture.hpp"

namespace meshai::http {
namespace {

struct http_dial : fixture {
  // A host that answers its own name to one request, after the latency of its link.
  sim::host& add(const std::string& ip, std::chrono::nanoseconds latency = 1ms) {
    auto& made = sim.add_host(ip, ip);
    sim.set_links(here, made, {.latency_min = latency, .latency_max = latency});
    auto& what = scripts[ip];
    what.connections = {{{"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(ip.size()) + "\r\n\r\n" + ip}}};
    const auto any = ip.contains(':') ? "::" : "0.0.0.0";
    sim.spawn(follow_all(made.world(), {.ip = any, .port = 80, .path = {}}, what));
    return made;
  }

  // The address that answered for "many.example", or the kind of the error.
  std::string get(std::vector<std::string> addresses, reach bound = reach::cloud,
                  std::chrono::nanoseconds timeout = 2s) {
    sim.set_name("many.example", std::move(addresses));
    auto to = parse_origin("http://many.example")->origin;
    to.bound = bound;
    to.make_key();
    std::string out;
    const auto before = sim.now();
    finish(ask(near, to, timeout, out, why));
    took = sim.now() - before;
    return out;
  }

  static task<void> ask(client& with, const origin& to, std::chrono::nanoseconds timeout, std::string& out,
                        std::string& why) {
    auto got = co_await with.send(to, {.method = "GET"}, {.connect_timeout = timeout, .headers_by = never});
    if (!got) {
      out = to_string(got.error().kind);
      why = got.error().detail;
      co_return;
    }
    out = *co_await got->read_all(1000);
  }

  int opened(const std::string& ip) { return scripts.at(ip).opened; }

  std::map<std::string, script> scripts;
  client near{here.world()};
  std::string why;
  std::chrono::nanoseconds took{};
};

TEST_F(http_dial, a_silent_address_is_passed_over_after_a_quarter_of_a_second) {
  auto& silent = add("10.0.1.1");
  sim.set_link(here, silent, {.ignore = 1});
  add("10.0.1.2");
  EXPECT_EQ(get({"10.0.1.1", "10.0.1.2"}), "10.0.1.2");
  EXPECT_GE(took, 250ms);
  EXPECT_LE(took, 300ms);
}

TEST_F(http_dial, a_refused_address_is_passed_over_at_once) {
  sim.add_host("shut", "10.0.1.1");
  add("10.0.1.2");
  EXPECT_EQ(get({"10.0.1.1", "10.0.1.2"}), "10.0.1.2");
  EXPECT_LT(took, 100ms);
}

TEST_F(http_dial, the_first_to_answer_wins_and_the_others_are_given_up) {
  add("10.0.1.1", 200ms);  // answers 400 ms after it was dialled
  add("10.0.1.2", 100ms);  // 200 ms, but begins 250 ms later
  add("10.0.1.3", 1ms);    // would begin after 500 ms
  EXPECT_EQ(get({"10.0.1.1", "10.0.1.2", "10.0.1.3"}), "10.0.1.1");
  pass(2s);
  EXPECT_EQ(opened("10.0.1.1"), 1);
  EXPECT_EQ(opened("10.0.1.3"), 0);
  // The loser had been let in; it hung up without a word.
  EXPECT_EQ(opened("10.0.1.2"), scripts["10.0.1.2"].closed);
  EXPECT_TRUE(scripts["10.0.1.2"].requests.empty());
  EXPECT_EQ(near.idle(), 1u);
}

TEST_F(http_dial, a_slow_first_address_does_not_hold_up_a_quick_second) {
  add("10.0.1.1", 900ms);
  add("10.0.1.2", 1ms);
  EXPECT_EQ(get({"10.0.1.1", "10.0.1.2"}), "10.0.1.2");
  EXPECT_LT(took, 300ms);
}

TEST_F(http_dial, families_take_turns) {
  for (const auto* silent : {"2001:db8::1", "2001:db8::2"}) sim.set_link(here, add(silent), {.ignore = 1});
  add("203.0.113.1");
  EXPECT_EQ(get({"2001:db8::1", "2001:db8::2", "203.0.113.1"}), "203.0.113.1");
  EXPECT_LT(took, 300ms) << "IPv4 was second, not third";
}

TEST_F(http_dial, all_silent_ends_at_the_deadline) {
  for (const auto* silent : {"10.0.1.1", "10.0.1.2"}) sim.set_link(here, add(silent), {.ignore = 1});
  EXPECT_EQ(get({"10.0.1.1", "10.0.1.2"}), "timeout");
  EXPECT_EQ(took, 2s);
}

TEST_F(http_dial, a_short_time_is_shared) {
  sim.set_link(here, add("10.0.1.1"), {.ignore = 1});
  add("10.0.1.2");
  EXPECT_EQ(get({"10.0.1.1", "10.0.1.2"}, reach::cloud, 200ms), "10.0.1.2");
}

TEST_F(http_dial, giving_up_the_call_gives_up_every_dial) {
  for (const auto* slow : {"10.0.1.1", "10.0.1.2"}) add(slow, 600ms);
  sim.set_name("many.example", {"10.0.1.1", "10.0.1.2"});
  const auto to = parse_origin("http://many.example")->origin;
  std::string out;
  {
    env::scope caller(here.world().loop);
    caller.spawn(ask(near, to, 2s, out, why));
    pass(500ms);
  }
  pass(3s);
  EXPECT_EQ(out, "");
  for (const auto& [ip, what] : scripts) EXPECT_TRUE(what.requests.empty() && what.opened == what.closed) << ip;
}

// ---- the bound of a tier

TEST_F(http_dial, a_name_within_the_site_leads_to_private_addresses_only) {
  add("203.0.113.9");
  EXPECT_EQ(get({"203.0.113.9"}, reach::site), "denied");
  EXPECT_TRUE(why.contains("203.0.113.9") && why.contains("not a private address")) << why;
  EXPECT_EQ(opened("203.0.113.9"), 0);
  EXPECT_EQ(get({"203.0.113.9"}, reach::mesh), "203.0.113.9");
}

TEST_F(http_dial, of_several_addresses_only_the_near_ones_are_dialled) {
  add("203.0.113.9");
  add("192.168.1.7");
  EXPECT_EQ(get({"203.0.113.9", "192.168.1.7"}, reach::site), "192.168.1.7");
  pass(2s);
  EXPECT_EQ(opened("203.0.113.9"), 0);
}

TEST_F(http_dial, a_name_on_this_device_leads_to_loopback_only) {
  add("192.168.1.7");
  EXPECT_EQ(get({"192.168.1.7"}, reach::device), "denied");
  EXPECT_TRUE(why.contains("not on this device")) << why;
  EXPECT_EQ(opened("192.168.1.7"), 0);
  script ours;
  ours.connections = {{{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nours"}}};
  sim.spawn(follow_all(here.world(), {.ip = "127.0.0.1", .port = 80, .path = {}}, ours));
  EXPECT_EQ(get({"127.0.0.1"}, reach::device), "ours");
}

// What a wider bound opened serves no narrower one, though both lead to the same host.
TEST_F(http_dial, connections_of_a_wider_bound_are_not_used_again) {
  add("203.0.113.9");
  EXPECT_EQ(get({"203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(near.idle(), 1u);
  EXPECT_EQ(get({"203.0.113.9"}, reach::site), "denied");
}

TEST_F(http_dial, nothing_within_the_site_goes_through_a_proxy) {
  add("192.168.1.7");
  for (const auto bound : {reach::device, reach::site}) {
    auto to = parse_origin("http://192.168.1.8")->origin;
    to.bound = bound;
    to.via = *parse_proxy("http://192.168.1.7:80");
    to.make_key();
    std::string out;
    finish(ask(near, to, 2s, out, why));
    EXPECT_EQ(out, "denied");
    EXPECT_TRUE(why.contains("proxy")) << why;
  }
  EXPECT_EQ(opened("192.168.1.7"), 0);
}

}  // namespace
}  // namespace meshai::http
