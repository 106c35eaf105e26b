#include "route/explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "route/testing.hpp"

namespace meshai::route {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using testing::fault_of;
using testing::make_directory;
using testing::make_node;
using testing::say;
using testing::start;

struct explained : ::testing::Test {
  health known;
  policy caller;
  std::vector<node> nodes{make_node("here", tier::local, {"small"}),
                          make_node("sky", tier::cloud, {"big", "mini"})};
  bool all = true;

  json::object tell(const chat::request& asked) {
    const auto made = rank(asked, caller, make_directory(nodes), known, {}, start, 1);
    text = explain(made, asked, known, start, all);
    return json::parse(text).as_object();
  }
  static std::string why(const json::value& of) { return json::serialize(of.at("why")); }
  static std::vector<std::string> rules(const json::object& told) {
    std::vector<std::string> out;
    for (const auto& one : told.at("excluded").as_array())
      out.push_back(std::string(one.at("node").as_string()) + ": " + std::string(one.at("rule").as_string()));
    return out;
  }
  std::string text;
};

TEST_F(explained, candidates_have_a_score_and_reasons) {
  const auto told = tell(say("Write a business plan"));
  const auto& list = told.at("candidates").as_array();
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].at("score").to_number<double>(), 1);
  EXPECT_EQ(list[1].at("score").to_number<double>(), 0.95);
  EXPECT_EQ(list[2].at("score").to_number<double>(), 0.25);
  EXPECT_THAT(why(list[0]), ::testing::HasSubstr("hard questions go to the cloud first"));
  EXPECT_THAT(why(list[1]), ::testing::HasSubstr("its node's model number 2"));
  EXPECT_EQ(told.at("complexity").at("class").as_string(), "hard");
  EXPECT_GT(told.at("complexity").at("score").to_number<double>(), 2.0 / 3);
  EXPECT_EQ(told.at("reach_by").as_string(), "[api] reach");
}

TEST_F(explained, it_never_holds_what_was_asked) {
  tell(say("Write a poem about zanzibar"));
  EXPECT_FALSE(text.contains("zanzibar"));
}

TEST_F(explained, a_name_has_no_score_and_says_what_brought_it_in) {
  const auto told = tell(say("hi", "mini"));
  const auto& first = told.at("candidates").as_array().front();
  EXPECT_EQ(first.at("by").as_string(), "name");
  EXPECT_FALSE(first.as_object().contains("score"));
  EXPECT_THAT(why(first), ::testing::HasSubstr("asked for by name"));
}

TEST_F(explained, each_exclusion_names_its_rule_in_words) {
  nodes.push_back(make_node("deaf", tier::local, {"none"}));
  nodes.back().off = "set its key";
  nodes.push_back(make_node("down", tier::local, {"m"}));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(known.begin(make_target_id("down"), make_target_id("down", "m"), start));
    known.failed(make_target_id("down"), make_target_id("down", "m"), fault_of(fault_kind::unreachable), start);
  }
  nodes.push_back(make_node("halted", tier::local, {"m"}));
  known.set_presence(make_target_id("halted"), presence::gone);
  caller.key = reach::site;
  const auto told = tell(say("hi"));
  EXPECT_EQ(rules(told),
            (std::vector<std::string>{"sky: reach", "sky: reach", "deaf: off", "halted: gone", "down: open"}));
  const auto& list = told.at("excluded").as_array();
  EXPECT_EQ(why(list[0]), R"("the key's reach lets the question travel as far as \"site\" only")");
  EXPECT_EQ(why(list[2]), R"("set its key")");
  EXPECT_THAT(why(list[4]), ::testing::HasSubstr("down (unreachable), asked again in "));
  EXPECT_EQ(why(list[3]), R"("its engine does not run")");
}

TEST_F(explained, strangers_are_not_told_of_what_they_may_not_use) {
  all = false;
  caller.key = reach::site;
  EXPECT_TRUE(rules(tell(say("hi"))).empty());
  EXPECT_FALSE(text.contains("sky"));
}

TEST_F(explained, a_refusal_is_what_the_caller_gets) {
  caller.key = reach::site;
  nodes.erase(nodes.begin());
  const auto told = tell(say("hi"));
  EXPECT_EQ(told.at("refused").at("code").as_string(), "reach_excludes_all");
  EXPECT_TRUE(told.at("candidates").as_array().empty());
}

}  // namespace
}  // namespace meshai::route
