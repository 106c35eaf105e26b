// The order in which a request is met, and what stands on every answer.
#include <gmock/gmock.h>

#include "front/testing.hpp"

namespace meshai::front {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using namespace meshai::front::testing;

struct door_rules : door_fixture {};

TEST_F(door_rules, a_question_is_answered) {
  m.add("one").play({.text = "Four."});
  const auto got = chat(hello);
  EXPECT_EQ(got.status, 200) << got.body;
  EXPECT_TRUE(got.whole);
  EXPECT_EQ(got.parsed().at("choices").at(0).at("message").at("content").as_string(), "Four.");
  EXPECT_EQ(got.header("x-mesh-route"), "one/fake-model; tier=cloud; attempts=1; complexity=simple");
}

// ---- who may come in

struct locked : door_rules {
  locked() {
    rules.callers.push_back(make_caller("me", "k-me"));
    m.add("one");
  }
};

TEST_F(locked, key_and_host_are_checked_before_a_body_is_read) {
  const std::string announced = "Content-Length: 100000\r\n";  // and nothing of it comes
  const auto began = m.world.clock.now();
  EXPECT_EQ(chat("", announced).status, 401);
  EXPECT_EQ(chat("", announced + "Authorization: Bearer k-other\r\n").status, 401);
  EXPECT_EQ(chat("", announced + "Authorization: Bearer k-me\r\nHost: evil.example\r\n").status, 403);
  EXPECT_EQ(chat("", announced + "x-api-key: k-me\r\nOrigin: https://evil.example\r\n").status, 403);
  EXPECT_EQ(post("/v1/nothing", "", announced + "x-api-key: k-me\r\n").status, 404);
  EXPECT_EQ(post("/v1/models", "", announced + "x-api-key: k-me\r\n").status, 405);
  EXPECT_LT(m.world.clock.now() - began, 1s);
  EXPECT_EQ(others->bodies(), 0u);
}

TEST_F(locked, without_a_key_only_healthz_answers) {
  EXPECT_EQ(get("/healthz").status, 200);
  for (const auto* path :
       {"/readyz", "/metrics", "/v1/models", "/v1/models/auto", "/", "/v1/nothing", "/healthz/", "/mesh/status"}) {
    EXPECT_EQ(get(path).status, 401) << path;
  }
  for (const auto* path : {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/messages",
                           "/v1/messages/count_tokens", "/mesh/reload"}) {
    EXPECT_EQ(post(path, hello).status, 401) << path;
  }
  EXPECT_EQ(asked(), 0u);
}

TEST_F(locked, bearer_and_x_api_key_both_open) {
  EXPECT_EQ(chat(hello, "Authorization: Bearer k-me\r\n").status, 200);
  EXPECT_EQ(chat(hello, "x-api-key: k-me\r\n").status, 200);
  EXPECT_EQ(post("/v1/messages", hello_claude, "x-api-key: k-me\r\n").status, 200);
  EXPECT_EQ(chat(hello, "Authorization: Basic k-me\r\n").status, 401);
}

TEST_F(locked, the_owners_own_door_needs_no_key_and_alone_shows_the_node) {
  EXPECT_EQ(say(request("GET", "/mesh/status", {}), owner_port).status, 200);
  EXPECT_EQ(say(request("POST", "/mesh/reload", {}), owner_port).status, 200);
  EXPECT_EQ(above.reloads, 1);
  EXPECT_EQ(say(request("POST", "/mesh/keys", {}), owner_port).status, 200);
  EXPECT_EQ(above.looks, 1);
  EXPECT_EQ(post("/mesh/keys", "", "x-api-key: k-me\r\n").status, 404);
  EXPECT_EQ(above.looks, 1);
  EXPECT_EQ(get("/mesh/status", "x-api-key: k-me\r\n").status, 404);
  EXPECT_EQ(post("/mesh/reload", "", "x-api-key: k-me\r\n").status, 404);
  EXPECT_EQ(above.reloads, 1);
}

// ---- a page in the user's browser

TEST_F(door_rules, nothing_changes_by_get) {
  m.add("one");
  for (const auto* path : {"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/messages",
                           "/v1/messages/count_tokens", "/mesh/reload", "/mesh/keys"}) {
    for (const auto* method : {"GET", "HEAD", "OPTIONS"}) {
      const auto got = say(request(method, path, {}), owner_port);
      EXPECT_EQ(got.status, 405) << method << " " << path;
      EXPECT_EQ(got.header("allow"), "POST") << method << " " << path;
    }
  }
  EXPECT_EQ(above.reloads, 0);
  EXPECT_EQ(asked(), 0u);
}

TEST_F(door_rules, what_can_only_be_read_says_so) {
  m.add("one");
  for (const auto* path : {"/v1/models", "/v1/models/gpt", "/healthz", "/readyz", "/metrics", "/mesh/status"}) {
    const auto got = say(request("POST", path, {}), owner_port);
    EXPECT_EQ(got.status, 405) << path;
    EXPECT_EQ(got.header("allow"), "GET, HEAD") << path;
  }
}

TEST_F(door_rules, pages_of_others_are_refused_at_every_door) {
  m.add("one");
  for (const auto* from : {"Host: evil.example\r\n", "Origin: https://evil.example\r\n", "Origin: null\r\n",
                           "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n"}) {
    for (const auto to : {port, owner_port}) {
      EXPECT_EQ(say(request("POST", "/v1/chat/completions", hello, from), to).status, 403) << from;
      EXPECT_EQ(say(request("POST", "/mesh/reload", {}, from), to).status, 403) << from;
      EXPECT_EQ(say(request("GET", "/healthz", {}, from), to).status, 403) << from;
    }
  }
  EXPECT_EQ(asked(), 0u);
  EXPECT_EQ(above.reloads, 0);
}

TEST_F(door_rules, cors_is_off_but_for_listed_origins) {
  rules.cors_origins = {"https://app.example"};
  m.add("one");
  const std::string listed = "Origin: https://app.example\r\nSec-Fetch-Site: cross-site\r\n";
  const auto preflight =
      say(request("OPTIONS", "/v1/chat/completions", {}, listed + "Access-Control-Request-Method: POST\r\n"));
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.header("access-control-allow-origin"), "https://app.example");
  EXPECT_EQ(preflight.header("vary"), "Origin");
  const auto got = chat(hello, listed);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.header("access-control-allow-origin"), "https://app.example");
  EXPECT_THAT(got.header("access-control-expose-headers"), HasSubstr("x-mesh-route"));
  EXPECT_EQ(chat("{", listed).header("access-control-allow-origin"), "https://app.example");
  // Nobody else learns that there are such headers.
  for (const auto& other :
       {chat(hello), say(request("OPTIONS", "/v1/chat/completions", {}, "Origin: https://evil.example\r\n"))}) {
    for (const auto& [name, value] : other.headers) EXPECT_FALSE(name.starts_with("access-control")) << name;
  }
}

// ---- what stands on every answer

TEST_F(locked, every_answer_bears_its_id_and_its_route) {
  key = "k-me";
  m.add("vectors");
  m.nodes[1].embeddings = true;
  std::map<std::string, heard> all;
  all["whole"] = chat(hello);
  all["stream"] = chat(hello_stream);
  all["completion"] = post("/v1/completions", R"({"model":"auto","prompt":"Hi"})");
  all["vectors"] = post("/v1/embeddings", some_input);
  all["claude"] = post("/v1/messages", hello_claude);
  all["count"] = post("/v1/messages/count_tokens", hello_claude);
  for (const auto* path : {"/v1/models", "/v1/models/auto", "/v1/models/none", "/healthz", "/readyz", "/metrics"})
    all[path] = get(path);
  all["status"] = say(request("GET", "/mesh/status", {}), owner_port);
  all["bad json"] = chat("{");
  all["bad claude"] = post("/v1/messages", "{");
  all["no path"] = post("/v1/nothing", "{}");
  all["no method"] = get("/v1/messages");
  all["no model"] = chat(R"({"model":"none","messages":[{"role":"user","content":"x"}]})");
  all["too long"] = chat("", "Content-Length: 999999999\r\n");
  all["no key"] = chat(hello, "Authorization: Bearer x\r\n");
  all["no page"] = chat(hello, "Origin: null\r\n");
  all["no http"] = say("POST /v1/chat/completions HTTP/1.1\r\n\r\n");
  all["two lengths"] = chat("abc", "Content-Length: 3\r\nContent-Length: 3\r\n");
  m.providers[0]->play({.status = 500, .message = "broken"});
  all["fault"] = chat(hello);
  for (const auto& [name, got] : all) {
    EXPECT_NE(got.status, 0) << name;
    EXPECT_THAT(got.header("x-mesh-request-id"), MatchesRegex("req_[0-9a-f]{32}")) << name << " " << got.body;
    EXPECT_THAT(got.header("x-mesh-route"),
                MatchesRegex("((one|vectors)/fake-model; tier=cloud|none); attempts=[0-9](; complexity=simple)?"))
        << name;
  }
  for (const auto* name : {"whole", "stream", "completion", "claude"}) {
    EXPECT_EQ(all[name].status, 200) << name << all[name].body;
    EXPECT_EQ(all[name].header("x-mesh-route"), "one/fake-model; tier=cloud; attempts=1; complexity=simple")
        << name;
  }
  EXPECT_THAT(all["fault"].header("x-mesh-route"), HasSubstr("one/fake-model")) << all["fault"].body;
  EXPECT_EQ(all["no key"].header("x-mesh-route"), "none; attempts=0");
  // The same id stands in the body.
  EXPECT_EQ(all["whole"].parsed().at("mesh").at("request_id").as_string(),
            all["whole"].header("x-mesh-request-id"));
  EXPECT_EQ(all["bad json"].parsed().at("mesh").at("request_id").as_string(),
            all["bad json"].header("x-mesh-request-id"));
}

TEST_F(locked, errors_speak_the_callers_dialect_and_say_what_to_do) {
  key = "k-me";
  m.providers[0]->play({.status = 500, .message = "broken"});
  const auto each = [&](std::string path, const std::string& good, bool claude) {
    for (const auto& [what, got] : std::map<std::string, heard>{
             {"no key", post(path, good, "Authorization: Bearer x\r\n")},
             {"no page", post(path, good, "Origin: null\r\n")},
             {"no method", get(path)},
             {"no json", post(path, "{")},
             {"too long", post(path, "", "Content-Length: 999999999\r\n")},
             {"mesh", post(path, "{\"mesh\":{\"private\":true}," + good.substr(1))},
             {"unknown model", post(path, R"({"model":"none",)" + good.substr(good.find("\"m", 3)))},
             {"fault", post(path, good)},
             {"no path", post(path + "/nothing", good)}}) {
      EXPECT_GE(got.status, 400) << path << " " << what;
      EXPECT_NE(got.error("hint"), "") << path << " " << what << " " << got.body;
      EXPECT_NE(got.error("message"), "") << path << " " << what;
      EXPECT_NE(got.error("type"), "") << path << " " << what;
      EXPECT_EQ(got.parsed().as_object().contains("type"), claude) << path << " " << what << " " << got.body;
    }
  };
  each("/v1/chat/completions", hello, false);
  each("/v1/messages", hello_claude, true);
  each("/v1/messages/count_tokens", hello_claude, true);
}

TEST_F(door_rules, a_rate_limit_says_when_to_come_back) {
  m.add("gemini", tier::cloud, {.speaks = fake::protocol::gemini})
      .play({.status = 429,
             .type = "RESOURCE_EXHAUSTED",
             .message = "Check your plan and billing details.",
             .retry_delay = "6.2s"});
  const auto got = chat(hello);
  EXPECT_EQ(got.status, 429) << got.body;
  EXPECT_EQ(got.header("retry-after"), "7");
  EXPECT_EQ(got.error("code"), "rate_limit_exceeded");
}

TEST_F(door_rules, an_unknown_path_is_a_typed_404) {
  m.add("one");
  for (const auto* path : {"/v1/images/generations", "/v1/responses", "/v1/audio/speech", "/v1/", "/v1/chat",
                           "/v2/chat/completions", "/"}) {
    const auto got = post(path, hello);
    EXPECT_EQ(got.status, 404) << path;
    EXPECT_EQ(got.error("code"), "unknown_path") << path;
    EXPECT_THAT(got.error("hint"), HasSubstr("/v1/chat/completions")) << path;
  }
  EXPECT_EQ(asked(), 0u);
}

}  // namespace
}  // namespace meshai::front
