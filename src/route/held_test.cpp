// What a conversation holds, wherever in it that stands, and what the owner's rules make of it.
#include "route/held.hpp"

#include <gmock/gmock.h>

#include "route/dice.hpp"
#include "route/testing.hpp"

namespace meshai::route {
namespace {

using care::content;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::make_directory;
using testing::make_node;
using ::testing::Not;
using testing::say;
using testing::start;

constexpr const char* innocent = "What is 2+2?";
constexpr const char* address = "ann@example.com";

std::shared_ptr<const directory> four_tiers() {
  return make_directory({make_node("here", tier::local, {"small"}), make_node("desk", tier::neighbour, {"middle"}),
                         make_node("town", tier::regional, {"large"}), make_node("sky", tier::cloud, {"huge"})});
}
ranking ask(const chat::request& what, const policy& caller,
            const std::shared_ptr<const directory>& of = four_tiers()) {
  return rank(what, caller, of, health(), {}, start, 1);
}
chat::request parsed(chat::endpoint door, const std::string& body) {
  auto made = chat::parse_request(door, body);
  EXPECT_TRUE(made) << (made ? "" : made.error().message);
  return made ? *std::move(made) : chat::request();
}

TEST(look_through, finds_it_anywhere_in_the_conversation) {
  using chat::endpoint;
  for (
      const auto& [door, body] : {
          std::pair(endpoint::chat_completions, R"({"model":"auto","messages":[{"role":"user","content":"?"}]})"),
          {endpoint::chat_completions, R"({"model":"auto","messages":[{"role":"system","content":"?"},)"
                                       R"({"role":"user","content":"hi"}]})"},
          {endpoint::chat_completions, R"({"model":"auto","messages":[{"role":"user","content":"?"},)"
                                       R"({"role":"assistant","content":"ok"},{"role":"user","content":"yes"}]})"},
          {endpoint::chat_completions,
           R"({"model":"auto","messages":[{"role":"user","content":[{"type":"text","text":"?"},)"
           R"({"type":"text","text":"hi"}]}]})"},
          {endpoint::chat_completions,
           R"({"model":"auto","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":)"
           R"("1","type":"function","function":{"name":"f","arguments":"{\"to\":\"?\"}"}}]},)"
           R"({"role":"tool","tool_call_id":"1","content":"ok"}]})"},
          {endpoint::chat_completions,
           R"({"model":"auto","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":null,"tool_calls":[{"id":)"
           R"("1","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
           R"({"role":"tool","tool_call_id":"1","content":"?"}]})"},
          {endpoint::chat_completions,
           R"({"model":"auto","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function",)"
           R"("function":{"name":"f","description":"?"}}]})"},
          {endpoint::chat_completions,
           R"({"model":"auto","messages":[{"role":"user","content":"hi"}],"user":"?"})"},
          {endpoint::chat_completions,
           R"({"model":"auto","messages":[{"role":"user","content":"hi"}],"metadata":{"who":"?"}})"},
          {endpoint::completions, R"({"model":"auto","prompt":"?"})"},
          {endpoint::completions, R"({"model":"auto","prompt":["hi","?"]})"},
          {endpoint::embeddings, R"({"model":"auto","input":"?"})"},
          {endpoint::embeddings, R"({"model":"auto","input":["hi","?"]})"},
          {endpoint::messages, R"({"model":"auto","max_tokens":9,"system":"?","messages":[{"role":"user",)"
                               R"("content":"hi"}]})"},
          {endpoint::messages,
           R"({"model":"auto","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant",)"
           R"("content":[{"type":"tool_use","id":"1","name":"f","input":{"to":"?"}}]},{"role":"user",)"
           R"("content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"ok"}]}]}]})"},
          {endpoint::messages,
           R"({"model":"auto","max_tokens":9,"messages":[{"role":"user","content":"hi"},{"role":"assistant",)"
           R"("content":[{"type":"tool_use","id":"1","name":"f","input":{}}]},{"role":"user",)"
           R"("content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"?"}]}]}]})"},
          {endpoint::count_tokens, R"({"model":"auto","messages":[{"role":"user","content":"?"}]})"},
      }) {
    for (const std::string written : {address, R"(ann\u0040example.com)"}) {
      std::string text = body;
      text.replace(text.find('?'), 1, written);
      EXPECT_TRUE(look_through(parsed(door, text)).has(content::personal)) << text;
    }
    std::string text = body;
    text.replace(text.find('?'), 1, "\\ud83d\\ude00 \\\\");
    EXPECT_FALSE(look_through(parsed(door, text)).any()) << text;
  }
}

TEST(care_rule, keeps_what_it_is_about_within_its_reach) {
  const std::vector<care::rule> rules{{{content::personal}, reach::site}, {{content::secret}, reach::device}};
  const policy caller{.care = rules};
  EXPECT_EQ(ask(say(innocent), caller).candidates.size(), 4u);
  EXPECT_TRUE(ask(say(innocent), caller).held.empty());

  const auto personal = ask(say(address), caller);
  EXPECT_EQ(personal.bound, reach::site);
  EXPECT_EQ(personal.bound_by, "[[care]] class = \"personal\"");
  EXPECT_EQ(personal.candidates.size(), 2u);
  EXPECT_THAT(personal.held, ElementsAre(content::personal));

  const auto both = ask(say(std::string(address) + ", password: hunter22"), caller);
  EXPECT_EQ(both.bound, reach::device);
  EXPECT_THAT(both.held, ElementsAre(content::personal, content::secret));
  EXPECT_EQ(ask(say(address), {}).candidates.size(), 4u);  // no rule

  const std::vector<care::rule> list{{{content::secret, content::personal}, reach::device}};
  EXPECT_EQ(ask(say(address), {.care = list}).candidates.size(), 1u);
}

TEST(care_rule, holds_also_for_names_and_counting) {
  const std::vector<care::rule> rules{{{content::personal}, reach::device}};
  const policy caller{.care = rules};
  for (const auto* model : {"huge", "sky/huge"}) {
    for (const auto& each : ask(say(address, model), caller).candidates) EXPECT_EQ(each.where, tier::local);
  }
  auto counting = say(address);
  counting.endpoint = chat::endpoint::count_tokens;
  EXPECT_EQ(ask(counting, caller).candidates.size(), 1u);
}

TEST(care_rule, tells_which_rule_and_what_to_do_and_not_what_it_found) {
  const std::vector<care::rule> rules{{{content::personal}, reach::device}};
  const auto of = make_directory({make_node("sky", tier::cloud, {"huge"})});
  const auto made = ask(say(address), {.care = rules}, of);
  ASSERT_TRUE(made.refused);
  const auto& why = made.refused->why;
  EXPECT_EQ(why.status, 403);
  EXPECT_EQ(why.code, "care_excludes_all");
  EXPECT_THAT(why.message, HasSubstr("[[care]] class = \"personal\" keeps within \"device\""));
  EXPECT_THAT(why.hint, HasSubstr("add a node within that reach"));
  EXPECT_THAT(why.message + why.hint, Not(HasSubstr("ann")));
  // A stricter bound of the caller's own is the caller's to widen.
  auto strict = say(address);
  strict.mesh.reach = reach::device;
  EXPECT_EQ(ask(strict, {.care = rules}, of).refused->why.code, "reach_excludes_all");
}

TEST(care_rule, can_only_narrow_reach) {
  dice random(7);
  const auto draw = [&](std::size_t n) {
    return static_cast<std::size_t>(random.unit() * static_cast<double>(n));
  };
  const auto any_reach = [&] { return static_cast<reach>(draw(4)); };
  for (int i = 0; i < 5'000; ++i) {
    std::vector<care::rule> rules(draw(4));
    for (auto& each : rules) {
      each.within = any_reach();
      for (auto n = draw(3); n > 0; --n) each.classes.push_back(care::contents[draw(care::contents.size())]);
    }
    auto asked = say(draw(2) == 0 ? innocent : draw(2) == 0 ? address : "password: hunter22, ann@example.com");
    if (draw(2) == 0) asked.mesh.reach = any_reach();
    policy caller{.api = any_reach(), .key = any_reach()};
    const auto without = ask(asked, caller);
    caller.care = rules;
    const auto with = ask(asked, caller);
    EXPECT_LE(with.bound, without.bound);
    for (const auto& each : with.candidates) EXPECT_TRUE(allows(without.bound, each.where));
    for (const auto& rule : rules) {
      for (const auto what : rule.classes) {
        EXPECT_TRUE(!look_through(asked).has(what) || with.bound <= rule.within);
      }
    }
  }
}

}  // namespace
}  // namespace meshai::route
