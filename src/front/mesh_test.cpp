// What a caller may say about the mesh, how far its questions travel, and what is never fetched for it.
#include <gmock/gmock.h>

#include <array>
#include <set>

#include "env/metrics.hpp"
#include "front/testing.hpp"

namespace meshai::front {
namespace {

using ::testing::HasSubstr;
using namespace meshai::front::testing;

struct mesh_rules : door_fixture {
  // `body` with one more member.
  static std::string with(const std::string& member, const std::string& body = hello) {
    return "{" + member + "," + body.substr(1);
  }
};

TEST_F(mesh_rules, unknown_members_and_headers_are_named_and_private_is_refused) {
  m.add("one");
  for (const std::string path : {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/messages",
                                 "/v1/messages/count_tokens"}) {
    const auto body = path.contains("messages")      ? hello_claude
                      : path.ends_with("embeddings") ? some_input
                      : path == "/v1/completions"    ? R"({"model":"auto","prompt":"x"})"
                                                     : hello;
    for (const std::string member : {"private", "budget", "Reach"}) {
      const auto got = post(path, with("\"mesh\":{\"" + member + "\":true}", body));
      EXPECT_EQ(got.status, 400) << path << member;
      EXPECT_EQ(got.error("code"), "unsupported_parameter") << path << got.body;
      EXPECT_THAT(got.body, HasSubstr("mesh." + member)) << path;
      const auto header = post(path, body, "X-Mesh-" + member + "s: true\r\n");
      EXPECT_EQ(header.status, 400) << path << member;
      EXPECT_THAT(header.body, HasSubstr("x-mesh-" + fake::lower(member) + "s")) << path;
    }
  }
  EXPECT_EQ(asked(), 0u);
}

TEST_F(mesh_rules, headers_hold_for_every_page) {
  m.add("here", tier::local, {.models = {"small"}});
  m.add("far", tier::cloud, {.models = {"big"}});
  for (const auto* path : {"/v1/models", "/v1/models/small", "/metrics", "/v1/nothing"}) {
    const auto got = get(path, "x-mesh-private: true\r\n");
    EXPECT_EQ(got.status, 400) << path;
    EXPECT_EQ(got.error("param"), "x-mesh-private") << path;
  }
  EXPECT_THAT(get("/v1/models").body, HasSubstr("\"big\""));
  const auto near = get("/v1/models", "x-mesh-reach: device\r\n");
  EXPECT_THAT(near.body, HasSubstr("\"small\""));
  EXPECT_THAT(near.body, ::testing::Not(HasSubstr("\"big\"")));
  EXPECT_EQ(get("/v1/models/big", "x-mesh-reach: device\r\n").status, 404);
}

TEST_F(mesh_rules, only_the_owner_is_told_of_nodes_that_a_question_may_not_reach) {
  m.add("here", tier::local);
  m.add("far", tier::cloud);
  const auto near = with(R"("mesh":{"reach":"device","explain":true})");
  const auto told = chat(near);
  EXPECT_THAT(told.body, HasSubstr(R"("candidates":[{"node":"here")"));
  EXPECT_THAT(told.body, ::testing::Not(HasSubstr("far")));
  const auto owner = say(request("POST", "/v1/chat/completions", near), owner_port);
  EXPECT_THAT(owner.body, HasSubstr(R"({"node":"far","model":"fake-model","rule":"reach")"));
  EXPECT_EQ(post("/mesh/route", hello).status, 404);
  const auto before = asked();
  EXPECT_EQ(say(request("POST", "/mesh/route", hello), owner_port).status, 200);
  EXPECT_EQ(asked(), before);
}

TEST_F(mesh_rules, what_the_owner_keeps_near_stays_near_and_the_story_says_so) {
  m.add("here", tier::local);
  m.add("far", tier::cloud);
  auto setup = *m.build();
  setup.care = {{{care::content::personal}, reach::device}};
  m.setup = std::make_shared<const dispatch::snapshot>(std::move(setup));
  auto personal = hello;
  personal.insert(personal.find("What"), "ann@example.com ");
  const auto named = [&](std::string body, std::string_view model) {
    return body.replace(body.find("auto"), 4, model);
  };
  const auto got = chat(named(personal, "far/fake-model"));
  EXPECT_EQ(got.status, 403);
  EXPECT_EQ(got.error("code"), "care_excludes_all");
  EXPECT_THAT(got.body, ::testing::Not(HasSubstr("ann")));
  EXPECT_EQ(asked(), 0u);
  EXPECT_EQ(chat(named(hello, "far/fake-model")).status, 200);
  const auto kept = chat(personal);
  EXPECT_THAT(kept.header("x-mesh-route"), HasSubstr("here/fake-model; tier=local; "));
  EXPECT_THAT(kept.header("x-mesh-route"), ::testing::EndsWith("; care=personal"));
  EXPECT_THAT(kept.body, HasSubstr(R"("care":["personal"])"));
  EXPECT_THAT(m.us.world().metrics.render(), HasSubstr("meshai_care_total{class=\"personal\"} 2"));
}

TEST_F(mesh_rules, what_matters_most_decides_who_is_asked) {
  m.add("here", tier::local);
  m.add("far", tier::cloud);
  const auto asked_first = [&](const std::string& body, const std::string& header = {}) {
    const auto route = chat(body, header).header("x-mesh-route");
    return route.substr(0, route.find('/'));
  };
  EXPECT_EQ(asked_first(hello), "here");
  EXPECT_EQ(asked_first(with(R"("mesh":{"prefer":"quality"})")), "far");
  EXPECT_EQ(asked_first(hello, "x-mesh-prefer: quality\r\n"), "far");
  EXPECT_EQ(asked_first(with(R"("mesh":{"prefer":"quality"})"), "x-mesh-prefer: private\r\n"), "here");
  const auto wrong = chat(with(R"("mesh":{"prefer":"cheap"})"));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.error("param"), "mesh.prefer");
}

TEST_F(mesh_rules, the_header_says_how_hard_a_question_seemed_where_that_decided) {
  m.add("one");
  EXPECT_THAT(chat(hello).header("x-mesh-route"), HasSubstr("; attempts=1; complexity=simple"));
  auto named = hello;
  named.replace(named.find("auto"), 4, "fake-model");
  EXPECT_THAT(chat(named).header("x-mesh-route"), ::testing::EndsWith("; attempts=1"));
}

TEST_F(mesh_rules, mesh_is_taken_out_before_anything_goes_upstream) {
  for (const auto speaks : {fake::protocol::openai, fake::protocol::anthropic, fake::protocol::gemini})
    m.add("n" + std::to_string(m.nodes.size()), tier::cloud, {.speaks = speaks});
  for (const auto* node : {"n0", "n1", "n2"}) {
    const auto model = "\"model\":\"" + std::string(node) + "/fake-model\"";
    for (const auto& body : {hello, hello_claude}) {
      auto text = with(R"("mesh":{"reach":"cloud","fallback":true,"drop":true})", body);
      text.replace(text.find(R"("model":"auto")"), 14, model);
      const auto got =
          post(body == hello ? "/v1/chat/completions" : "/v1/messages", text, "x-mesh-reach: cloud\r\n");
      EXPECT_EQ(got.status, 200) << node << got.body;
    }
  }
  EXPECT_EQ(asked(), 6u);
  for (const auto& each : m.providers) {
    for (const auto& seen : each->requests()) {
      EXPECT_FALSE(seen.body.contains("mesh")) << seen.body;
      for (const auto& [name, value] : seen.headers) EXPECT_FALSE(name.contains("mesh")) << name;
    }
  }
}

TEST_F(mesh_rules, unknown_fields_and_the_dialects_own_headers_pass_within_a_dialect) {
  m.add("openai");
  m.add("claude", tier::cloud, {.speaks = fake::protocol::anthropic});
  auto body = with(R"("verbosity":"low")");
  body.replace(body.find("auto"), 4, "openai/fake-model");
  EXPECT_EQ(chat(body, "OpenAI-Organization: org\r\nOpenAI-Project: p\r\nCookie: c\r\n").status, 200);
  const auto& seen = m.providers[0]->requests().at(0);
  EXPECT_THAT(seen.body, HasSubstr(R"("verbosity":"low")"));
  EXPECT_EQ(seen.header("openai-organization"), "org");
  EXPECT_EQ(seen.header("openai-project"), "p");
  EXPECT_EQ(seen.header("cookie"), "");
  auto claude = with(R"("top_k":5)", hello_claude);
  claude.replace(claude.find("auto"), 4, "claude/fake-model");
  EXPECT_EQ(post("/v1/messages", claude, "anthropic-beta: b-1\r\nanthropic-version: 2023-06-01\r\n").status, 200);
  const auto& there = m.providers[1]->requests().at(0);
  EXPECT_THAT(there.body, HasSubstr(R"("top_k":5)"));
  EXPECT_EQ(there.header("anthropic-beta"), "b-1");
  EXPECT_EQ(there.header("anthropic-version"), "2023-06-01");
}

// ---- reach

// Eight nodes, two for each tier: one chats and counts, one makes vectors. All are reached by name, since a
// look-up is a word to the outside as well, and all fail, so that everything that may be asked is.
struct four_tiers : pretend_door {
  four_tiers(reach api, reach of_key) {
    for (const auto& [name, where] : {std::pair("here", tier::local), std::pair("next", tier::neighbour),
                                      std::pair("near", tier::regional), std::pair("far", tier::cloud)}) {
      add(name, where, fake::protocol::anthropic);
      add(std::string(name) + "-vectors", where, fake::protocol::openai);
      m.nodes.back().embeddings = true;
    }
    rules.callers.push_back({.name = "me", .key = secret("k"), .models = {}, .reach = of_key});
    key = "k";
    auto setup = std::make_shared<dispatch::snapshot>(*m.build());
    setup->api = api;
    m.setup = setup;
  }

  void add(const std::string& name, tier where, fake::protocol speaks) {
    m.add(name, where, {.speaks = speaks}).play({.status = 500, .message = "down"});
    m.pretend.set_name(name + ".example", {m.hosts.back()->ip()});
    // Loopback is the only place for a local node; the names of the others lead to private addresses.
    if (where != tier::local) m.ways.back().url = "http://" + name + ".example/v1";
  }

  // The nodes that heard of the question, by a look-up, a connection or a request.
  std::set<std::string> heard_of_it() const {
    std::set<std::string> out;
    for (const auto& name : m.pretend.looked_up()) out.insert(name.substr(0, name.find('.')));
    for (std::size_t i = 0; i < m.nodes.size(); ++i) {
      if (m.providers[i]->connections() > 0 || !m.providers[i]->requests().empty()) out.insert(m.nodes[i].name);
    }
    return out;
  }

  tier where(const std::string& name) const { return std::ranges::find(m.nodes, name, &route::node::name)->where; }
};

struct question {
  const char* path;
  std::string body;
};
const std::vector<question> questions{{"/v1/chat/completions", hello},
                                      {"/v1/chat/completions", hello_stream},
                                      {"/v1/completions", R"({"model":"auto","prompt":"x"})"},
                                      {"/v1/messages", hello_claude},
                                      {"/v1/messages/count_tokens", hello_claude},
                                      {"/v1/embeddings", some_input}};
constexpr std::array all_bounds{reach::device, reach::site, reach::mesh, reach::cloud};

// Whichever of the four says how far, the strictest holds, at every door, and also when everything nearer fails.
TEST_F(mesh_rules, the_strictest_reach_wins_and_nothing_weakens_it) {
  for (unsigned i = 0; i < 256; ++i) {
    const auto api = all_bounds[i % 4], of_key = all_bounds[i / 4 % 4], in_body = all_bounds[i / 16 % 4],
               in_header = all_bounds[i / 64];
    const auto bound = strictest(strictest(api, of_key), strictest(in_body, in_header));
    for (const auto& [path, body] : questions) {
      four_tiers all(api, of_key);
      const auto got =
          all.post(path, with("\"mesh\":{\"reach\":\"" + std::string(to_string(in_body)) + "\"}", body),
                   "x-mesh-reach: " + std::string(to_string(in_header)) + "\r\n");
      EXPECT_GE(got.status, 400);
      const auto heard = all.heard_of_it();
      for (const auto& name : heard) {
        EXPECT_TRUE(allows(bound, all.where(name)))
            << name << " heard of " << path << " within " << to_string(bound);
      }
      // And it is reach that holds the rest back.
      if (path == questions[0].path && bound == reach::cloud) {
        EXPECT_EQ(heard, (std::set<std::string>{"here", "next", "near", "far"}));
      }
    }
  }
}

TEST_F(mesh_rules, a_node_named_beyond_reach_is_a_typed_refusal) {
  four_tiers all(reach::site, reach::cloud);
  for (const auto& [path, body] : questions) {
    auto text = body;
    text.replace(text.find("auto"), 4,
                 path == questions.back().path ? "far-vectors/fake-model" : "far/fake-model");
    const auto got = all.post(path, text);
    EXPECT_EQ(got.status, 403) << path << got.body;
    EXPECT_THAT(got.error("hint"), HasSubstr("reach")) << path;
    EXPECT_EQ(got.header("x-mesh-route"), "none; attempts=0");
  }
  EXPECT_TRUE(all.heard_of_it().empty());
}

// ---- embeddings

TEST_F(mesh_rules, embeddings_go_to_nodes_made_for_them_and_never_to_another_model) {
  m.add("chats", tier::cloud, {.models = {"one"}});
  m.add("first", tier::cloud, {.models = {"one"}}).play({.status = 500, .message = "down"});
  m.add("again", tier::cloud, {.models = {"one"}}).play({.status = 500, .message = "down"});
  m.add("other", tier::cloud, {.models = {"two"}});
  for (std::size_t i = 1; i < 4; ++i) m.nodes[i].embeddings = true;
  const auto got = post("/v1/embeddings", R"({"model":"one","input":"x"})");
  EXPECT_GE(got.status, 500);
  EXPECT_NE(got.error("hint"), "");
  EXPECT_TRUE(m.providers[0]->requests().empty()) << "it chats";
  EXPECT_FALSE(m.providers[1]->requests().empty());
  EXPECT_FALSE(m.providers[2]->requests().empty()) << "the same model elsewhere";
  EXPECT_TRUE(m.providers[3]->requests().empty()) << "another model's vectors do not mix";
}

// ---- what is never fetched

struct no_fetching : mesh_rules {
  no_fetching() {
    m.pretend.set_name("pictures.example", {lure.ip()});
    auto listener = lure.world().network.listen({.ip = "0.0.0.0", .port = 80, .path = {}}, false);
    trap = *std::move(listener);
    m.pretend.spawn([](no_fetching& in) -> task<void> {
      while (co_await in.trap->accept()) ++in.fetched;
    }(*this));
  }
  ~no_fetching() override { trap->close(); }

  static std::string with_image(std::string url, std::string model) {
    return R"({"model":")" + model +
           R"(","messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},)" +
           R"({"type":"image_url","image_url":{"url":")" + url + R"("}}]}]})";
  }

  sim::host& lure = m.pretend.add_host("lure", "10.7.7.7");
  std::unique_ptr<env::listener> trap;
  int fetched = 0;
};

TEST_F(no_fetching, an_image_by_url_goes_where_the_provider_fetches_it_and_is_refused_elsewhere) {
  m.add("takes");
  m.add("lacks");
  m.nodes[1].image_urls = false;
  const auto taken = chat(with_image("http://pictures.example/a.png", "takes/fake-model"));
  EXPECT_EQ(taken.status, 200) << taken.body;
  EXPECT_THAT(m.providers[0]->requests().at(0).body, HasSubstr("http://pictures.example/a.png"));
  for (const auto* url : {"http://pictures.example/a.png", "http://10.7.7.7/a.png", "http://169.254.169.254/x",
                          "file:///etc/passwd", "https://pictures.example"}) {
    const auto refused = chat(with_image(url, "lacks/fake-model"));
    EXPECT_EQ(refused.status, 400) << url << refused.body;
    EXPECT_EQ(refused.error("code"), "unsupported_parameter") << url;
    EXPECT_THAT(refused.error("hint"), HasSubstr("data")) << url;
  }
  EXPECT_TRUE(m.providers[1]->requests().empty());
  EXPECT_EQ(chat(with_image("data:image/png;base64,aGk=", "lacks/fake-model")).status, 200);
  EXPECT_EQ(fetched, 0);
  EXPECT_TRUE(m.pretend.looked_up().empty());
}

TEST_F(no_fetching, redirects_are_not_followed) {
  const std::vector<int> all{301, 302, 303, 307, 308};
  for (const int status : all) {
    m.add("n" + std::to_string(status))
        .play({.status = status, .message = "x", .headers = {{"Location", "http://pictures.example/"}}});
  }
  for (const int status : all) {
    auto body = hello;
    body.replace(body.find("auto"), 4, "n" + std::to_string(status) + "/fake-model");
    const auto got = chat(body);
    EXPECT_EQ(got.status, 502) << status << got.body;
    EXPECT_THAT(got.error("message"), HasSubstr("redirect")) << status;
    EXPECT_THAT(got.error("hint"), HasSubstr("url")) << status;
    EXPECT_EQ(got.header("location"), "");
  }
  EXPECT_EQ(fetched, 0);
  EXPECT_TRUE(m.pretend.looked_up().empty());
}

}  // namespace
}  // namespace meshai::front
