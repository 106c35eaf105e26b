// The fakes themselves: they go on with an answer as the real ones do, and break as their data say.
#include <gtest/gtest.h>

#include "env/world.hpp"
#include "fake_show.hpp"
#include "sim/sim.hpp"

namespace meshai::fake {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

struct door {
  protocol speaks;
  std::string_view path;
  // One turn each: the user's, the assistant's.
  std::string_view user, assistant, begin, end;
};
const std::vector<door> doors{
    {protocol::openai, "/v1/chat/completions", R"({"role":"user","content":"%"})",
     R"({"role":"assistant","content":"%"})", R"({"model":"fake-model","messages":[)", "]}"},
    {protocol::anthropic, "/v1/messages", R"({"role":"user","content":"%"})",
     R"({"role":"assistant","content":"%"})", R"({"model":"fake-model","max_tokens":99,"messages":[)", "]}"},
    {protocol::gemini, "/v1beta/models/fake-model:generateContent", R"({"role":"user","parts":[{"text":"%"}]})",
     R"({"role":"model","parts":[{"text":"%"}]})", R"({"contents":[)", "]}"}};

std::string with(std::string_view shape, std::string_view text) {
  std::string out(shape);
  return out.replace(out.find('%'), 1, text);
}

show perform(const door& at, std::string_view messages, const options& of, const script& how,
             bool stream = false) {
  auto body = json::parse(std::string(at.begin) + std::string(messages) + std::string(at.end)).as_object();
  std::string path(at.path);
  if (stream && at.speaks == protocol::gemini) path = "/v1beta/models/fake-model:streamGenerateContent";
  if (stream && at.speaks != protocol::gemini) body["stream"] = true;
  if (at.speaks == protocol::openai) return perform_openai(path, body, how, of);
  if (at.speaks == protocol::anthropic) return perform_anthropic(path, body, how, of);
  return perform_gemini(path, body, how, of);
}

// The text of a whole answer, or of all the pieces of a stream; of an error its message.
std::string said(const show& of) {
  std::string out;
  for (const auto& one : of.pieces) {
    const auto begin = one.bytes.find('{');
    if (begin == std::string::npos) continue;
    const auto whole = json::parse(std::string_view(one.bytes).substr(begin));
    if (of.status != 200) return std::string(whole.at("error").at("message").as_string());
    for (const auto* pointer : {"/choices/0/message/content", "/choices/0/delta/content", "/content/0/text",
                                "/delta/text", "/candidates/0/content/parts/0/text"}) {
      boost::system::error_code absent;
      if (const auto* text = whole.find_pointer(pointer, absent); text && text->is_string())
        out += text->get_string();
    }
  }
  return out;
}

constexpr std::string_view whole_text = "The sky is blue by day because the air scatters it";
constexpr std::string_view so_far = "The sky is blue by day because";

TEST(fake, goes_on_from_a_prefill) {
  for (const auto& at : doors) {
    SCOPED_TRACE(at.path);
    const auto talk = with(at.user, "why?") + "," + with(at.assistant, so_far);
    const auto play = [&](going_on manner, bool stream) {
      return perform(at, talk, {.prefill = manner}, {.text = std::string(whole_text)}, stream);
    };
    const bool repeats = at.speaks == protocol::openai;
    EXPECT_EQ(said(play(going_on::continues, true)), " the air scatters it");
    EXPECT_EQ(said(play(going_on::continues, false)), repeats ? whole_text : " the air scatters it");
    EXPECT_EQ(said(play(going_on::ignored, false)), whole_text);
    EXPECT_EQ(said(play(going_on::preamble, true)), "Sure, continuing:  the air scatters it");
    EXPECT_EQ(said(play(going_on::overlaps, true)), "y is blue by day because the air scatters it");
    EXPECT_EQ(play(going_on::refused, true).status, 400);
    EXPECT_EQ(perform(at, talk, {}, {.text = std::string(whole_text), .prefill = going_on::refused}).status, 400);
  }
}

TEST(fake, goes_on_when_it_is_asked_to) {
  for (const auto& at : doors) {
    SCOPED_TRACE(at.path);
    const auto talk = with(at.user, "why?") + "," + with(at.assistant, so_far) + "," + with(at.user, "go on");
    const auto play = [&](going_on manner) {
      return said(
          perform(at, talk, {.prefill = going_on::refused, .asked = manner}, {.text = std::string(whole_text)}));
    };
    EXPECT_EQ(play(going_on::continues), " the air scatters it");
    EXPECT_EQ(play(going_on::ignored), whole_text);
    EXPECT_EQ(play(going_on::preamble), "Sure, continuing:  the air scatters it");
  }
}

TEST(fake, goes_on_with_its_echo_and_answers_what_is_no_continuation) {
  for (const auto& at : doors) {
    SCOPED_TRACE(at.path);
    const auto begun = with(at.user, "a b") + "," + with(at.assistant, "You said: a");
    EXPECT_EQ(said(perform(at, begun, {}, {}, true)), " b");
    EXPECT_EQ(said(perform(at, begun + "," + with(at.user, "go on"), {}, {})), " b");
    const auto ordinary = with(at.user, "a") + "," + with(at.assistant, "You said: a") + "," + with(at.user, "c");
    EXPECT_EQ(said(perform(at, ordinary, {}, {})), "You said: c");
    EXPECT_EQ(said(perform(at, ordinary, {}, {.text = "ok"})), "ok");
  }
}

TEST(fake, completes_a_prompt) {
  EXPECT_EQ(complete({.text = "One two three"}, "Count: One two").text, " three");
  EXPECT_EQ(complete({.text = "One two three"}, "Count up to O").text, "One two three");
  EXPECT_EQ(complete({}, "a b").text, "You said: a b");
  EXPECT_EQ(complete({}, "a bYou said: a").text, " b");
}

TEST(fake, anthropic_wants_a_prefill_without_white_space_and_without_thinking) {
  const auto& at = doors[1];
  const auto status = [&](std::string_view text, std::string_view more) {
    auto shape = at;
    shape.end = more;
    return perform(shape, with(at.user, "q") + "," + with(at.assistant, text), {}, {}).status;
  };
  EXPECT_EQ(status("a", "]}"), 200);
  EXPECT_EQ(status("a ", "]}"), 400);
  EXPECT_EQ(status("a", R"(],"thinking":{"type":"adaptive"}})"), 400);
}

TEST(fake, breaks_a_call_in_its_arguments) {
  for (const auto& at : doors) {
    const auto shown = perform(at, with(at.user, "q"), {}, {.calls = {{"get", R"({"city":"Rome"})"}}}, true);
    EXPECT_EQ(std::ranges::count(shown.pieces, true, &piece::in_call), 1);
    const auto nonsense = parse_script(R"({"calls":[{"name":"get","arguments":"{\"city\":"}],"at":"in_call"})");
    EXPECT_EQ(nonsense.at, in_call);
    EXPECT_EQ(perform(at, with(at.user, "q"), {}, nonsense).status, 200);
  }
}

// ---- over a connection

struct line {
  explicit line(options how = {}) {
    pretend.add_host("provider", "10.0.0.1");
    worlds.push_back(std::make_unique<env::world>(pretend.add_host("server", "10.0.0.2").world()));
    worlds.push_back(std::make_unique<env::world>(pretend.add_host("asker", "10.0.0.3").world()));
    serves = std::make_unique<provider>(*worlds[0], std::move(how));
    at = *worlds[0]->network.listen({.ip = "10.0.0.2", .port = 80, .path = {}}, false);
    pretend.spawn(serves->serve(*at));
  }

  struct heard {
    std::string bytes;
    int reads = 0;
    bool ended = false;
  };
  heard ask(bool stream) {
    heard out;
    pretend.spawn(run(stream, out));
    pretend.run([&] { return out.ended; });
    return out;
  }
  task<void> run(bool stream, heard& out) {
    auto& from = *worlds[1];
    auto to = co_await from.network.dial({.ip = "10.0.0.2", .port = 80, .path = {}}, from.clock.now() + 1s);
    const std::string body = R"({"model":"fake-model","messages":[{"role":"user","content":"q"}])" +
                             std::string(stream ? R"(,"stream":true})" : "}");
    const auto text =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    const std::string_view pieces[] = {text};
    (void)co_await (*to)->write_all(pieces);
    (*to)->read_by(from.clock.now() + 60s);
    char buffer[65536];
    for (;;) {
      const auto got = co_await (*to)->read_some(buffer);
      if (!got || *got == 0) break;
      out.bytes.append(buffer, *got);
      ++out.reads;
      if (out.bytes.ends_with("0\r\n\r\n")) break;
    }
    out.ended = true;
  }

  sim::simulation pretend{{}};
  std::vector<std::unique_ptr<env::world>> worlds;
  std::unique_ptr<provider> serves;
  std::unique_ptr<env::listener> at;
};

TEST(fake, drips) {
  line fast, slow;
  slow.serves->play({.text = "Hello", .drip = 10ms, .drip_bytes = 50});
  fast.serves->play({.text = "Hello"});
  const auto slowly = slow.ask(true), at_once = fast.ask(true);
  EXPECT_EQ(slowly.bytes, at_once.bytes);
  EXPECT_GT(slowly.reads, static_cast<int>(slowly.bytes.size() / 50) - 1);
}

TEST(fake, promises_more_than_it_sends) {
  for (const bool stream : {false, true}) {
    line to;
    to.serves->play({.text = "Hello", .fault = fault::short_body});
    const auto got = to.ask(stream).bytes;
    const auto length = std::stoul(got.substr(got.find("Content-Length: ") + 16));
    EXPECT_EQ(got.size() - (got.find("\r\n\r\n") + 4) + 100, length);
  }
}

TEST(fake, knows_no_end_but_its_own_in_a_whole_answer) {
  line well;
  well.serves->play({.text = "Hello"});
  const auto expected = well.ask(false).bytes;
  for (const auto how : {fault::no_done, fault::no_finish, fault::double_finish}) {
    line to;
    to.serves->play({.text = "Hello", .fault = how});
    EXPECT_EQ(to.ask(false).bytes, expected);
  }
}

TEST(fake, deaf_it_answers_nothing) {
  line to({.deaf = true});
  EXPECT_EQ(to.ask(true).bytes, "");
}

}  // namespace
}  // namespace meshai::fake
