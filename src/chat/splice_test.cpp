#include "chat/splice.hpp"

#include <gtest/gtest.h>

#include "chat/lenient.hpp"
#include "chat/shortfall.hpp"

namespace meshai::chat {
namespace {

TEST(splice, leaves_every_other_byte_as_it_came) {
  EXPECT_EQ(splice(R"({ "a" : 1.0, "b": [1 , 2],"c":"x" })", {{"b", "true"}}), R"({"a" : 1.0,"c":"x","b":true})");
  EXPECT_EQ(splice("{}", {{"a", "1"}, {"b", "2"}}), R"({"a":1,"b":2})");
  EXPECT_EQ(splice(R"({"a":{"b":1},"b":2})", {{"b", ""}}), R"({"a":{"b":1}})");
  EXPECT_EQ(splice(R"({"a":1,"a":2})", {{"a", "3"}}), R"({"a":3})");
}

TEST(splice, finds_names_that_are_written_with_escapes) {
  EXPECT_EQ(splice(R"({"\u006desh":{},"k":1})", {{"mesh", ""}}), R"({"k":1})");
}

TEST(lenient, arguments_are_always_an_object) {
  EXPECT_EQ(arguments_object(" {\"a\":1} "), R"({"a":1})");
  EXPECT_EQ(arguments_object(""), "{}");
  EXPECT_EQ(arguments_object("[1]"), R"({"arguments":"[1]"})");
  EXPECT_EQ(arguments_object("{\"a\":"), R"({"arguments":"{\"a\":"})");
}

TEST(shortfall, refuses_the_first_by_name_or_lists_all) {
  request of;
  shortfall strict(of, "X");
  strict.refuse("seed");
  strict.refuse("n");
  strict.let_go("user");
  const auto refused = strict.take();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().param, "seed");
  EXPECT_NE(refused.error().message.find("seed"), std::string::npos);
  of.mesh.drop = true;
  shortfall yielding(of, "X");
  yielding.refuse("seed");
  yielding.refuse("n");
  yielding.refuse("seed");
  EXPECT_EQ(*yielding.take(), (std::vector<std::string>{"seed", "n"}));
}

}  // namespace
}  // namespace meshai::chat
