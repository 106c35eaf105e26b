// What a node cannot do, and what the caller wishes: who is left out, and who comes first.
#include <gtest/gtest.h>

#include "route/rank.hpp"
#include "route/testing.hpp"

namespace meshai::route {
namespace {

using namespace std::chrono_literals;
using testing::hard_prompt;
using testing::make_directory;
using testing::make_node;
using testing::names_of;
using testing::say;
using testing::simple_prompt;
using testing::start;

using strings = std::vector<std::string>;

struct wishes : ::testing::Test {
  health known;
  limits bounds;
  policy caller;

  ranking ask(const chat::request& what, const std::shared_ptr<const directory>& of) {
    return rank(what, caller, of, known, bounds, start, 1);
  }
  strings names(const chat::request& what, const std::shared_ptr<const directory>& of) {
    return names_of(ask(what, of));
  }
};

TEST_F(wishes, a_prompt_that_cannot_fit_is_never_sent_there) {
  auto small = make_node("small", tier::local, {"a"});
  small.running_context = [] { return std::int64_t{1000}; };
  auto what = say(simple_prompt);
  what.text_size = 984 * 8 - 8;
  EXPECT_EQ(names(what, make_directory({small})), (strings{"small/a"})) << "it may fit";
  what.text_size = 985 * 8;
  EXPECT_EQ(names(what, make_directory({small, make_node("big", tier::cloud, {"b"})})), (strings{"big/b"}));
  const auto refused = ask(what, make_directory({small})).refused;
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->why.code, "context_length_exceeded");
  EXPECT_EQ(refused->why.message,
            "the conversation is too long: at least 985 (by its length) tokens, and these take: small/a 1000");
  small.running_context = [] { return std::int64_t{0}; };
  EXPECT_EQ(names(what, make_directory({small})), (strings{"small/a"})) << "not known yet";
}

TEST_F(wishes, a_count_is_believed_more_than_the_length) {
  auto small = make_node("small", tier::local, {"a"});
  small.context = 1000;
  const auto of = make_directory({small, make_node("big", tier::cloud, {"b"})});
  auto what = say(simple_prompt);
  const auto first = [&](std::int64_t tokens) {
    const auto made = rank(what, caller, of, known, bounds, start, 1, {.counted = {{"small", tokens}}});
    return made.candidates.size() == 2 ? made.node_of(made.candidates.front()).name : "only big";
  };
  what.text_size = 6000;  // 1500 tokens, by its length
  EXPECT_EQ(first(900), "small");
  EXPECT_EQ(first(984), "small");
  EXPECT_EQ(first(985), "only big");
}

TEST_F(wishes, a_node_that_does_not_keep_to_json_is_not_asked_for_it) {
  auto loose = make_node("loose", tier::local, {"a"});
  loose.json = false;
  auto what = say(simple_prompt);
  EXPECT_EQ(names(what, make_directory({loose})), (strings{"loose/a"}));
  for (const auto kind : {chat::format_kind::json_object, chat::format_kind::json_schema}) {
    what.response_format.kind = kind;
    EXPECT_EQ(names(what, make_directory({loose, make_node("firm", tier::cloud, {"b"})})), (strings{"firm/b"}));
    EXPECT_EQ(ask(what, make_directory({loose})).refused->why.param, "response_format");
  }
}

TEST_F(wishes, a_node_that_does_not_speak_the_language_is_not_asked) {
  auto english = make_node("english", tier::local, {"a"});
  english.languages = {"en"};
  const auto of = make_directory({english, make_node("all", tier::cloud, {"b"})});
  EXPECT_EQ(names(say("What is the capital of France?"), of), (strings{"english/a", "all/b"}));
  EXPECT_EQ(names(say("Was ist die Hauptstadt von Frankreich?"), of), (strings{"all/b"}));
  EXPECT_EQ(names(say("フランスの首都は?"), of), (strings{"all/b"}));
  EXPECT_EQ(names(say("2+2"), of), (strings{"english/a", "all/b"})) << "unknown is no reason";
  const auto refused = ask(say("Какая столица Франции?"), make_directory({english})).refused;
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->why.code, "unsupported_parameter");
  EXPECT_TRUE(refused->why.hint.contains("add \"ru\" to the languages")) << refused->why.hint;
}

TEST_F(wishes, quality_and_private_go_by_the_tier_whatever_is_asked) {
  const auto of = make_directory({make_node("here", tier::local, {"a"}), make_node("desk", tier::neighbour, {"b"}),
                                  make_node("sky", tier::cloud, {"c", "d"})});
  auto what = say(simple_prompt);
  what.mesh.prefer = chat::preference::quality;
  EXPECT_EQ(names(what, of), names(say(hard_prompt), of));
  what = say(hard_prompt);
  what.mesh.prefer = chat::preference::privacy;
  EXPECT_EQ(names(what, of), names(say(simple_prompt), of));
}

TEST_F(wishes, speed_goes_by_what_was_measured_then_by_the_operators_guess) {
  auto slow = make_node("slow", tier::local, {"a"}), quick = make_node("quick", tier::cloud, {"b"});
  slow.latency = 3s;
  quick.latency = 200ms;
  const auto of = make_directory({slow, quick});
  auto what = say(simple_prompt);
  EXPECT_EQ(names(what, of), (strings{"slow/a", "quick/b"}));
  what.mesh.prefer = chat::preference::speed;
  EXPECT_EQ(names(what, of), (strings{"quick/b", "slow/a"}));
  observation seen;
  seen.first_token(5s, 3);
  const auto node = make_target_id("quick"), model = make_target_id("quick", "b");
  ASSERT_TRUE(known.begin(node, model, start));
  known.succeeded(node, model, seen, start);
  EXPECT_EQ(names(what, of), (strings{"slow/a", "quick/b"}));
}

TEST_F(wishes, the_price_of_this_question_decides_where_that_is_wished) {
  auto dear = make_node("dear", tier::cloud, {"m"}), cheap = make_node("cheap", tier::cloud, {"m"}),
       unknown = make_node("unknown", tier::local, {"m"}), free = make_node("free", tier::regional, {"m"});
  dear.price = {.input = 2.5, .output = 10};
  cheap.price = {.input = 3, .output = 0.5};
  free.price = price{};
  const auto of = make_directory({dear, cheap, unknown, free});
  auto what = say(simple_prompt);
  what.mesh.prefer = chat::preference::price;
  EXPECT_EQ(names(what, of), (strings{"free/m", "cheap/m", "dear/m", "unknown/m"}));
  what.text_size = 400'000;  // what is read costs more than what is written now
  EXPECT_EQ(names(what, of), (strings{"free/m", "dear/m", "cheap/m", "unknown/m"}));
  what = say(simple_prompt, "m");
  what.mesh.prefer = chat::preference::price;
  EXPECT_EQ(names(what, of), (strings{"free/m", "cheap/m", "dear/m", "unknown/m"})) << "also of one model";
}

TEST_F(wishes, of_equal_prices_the_thriftier_comes_first) {
  auto big = make_node("big", tier::local, {"m"}), small = make_node("small", tier::neighbour, {"m"});
  big.price = small.price = price{};
  big.energy = 4;
  small.energy = 0.5;
  auto what = say(simple_prompt);
  EXPECT_EQ(names(what, make_directory({big, small})).front(), "big/m");
  what.mesh.prefer = chat::preference::price;
  EXPECT_EQ(names(what, make_directory({big, small})).front(), "small/m");
}

}  // namespace
}  // namespace meshai::route
