#include "app/supervision.hpp"

#include <gtest/gtest.h>

namespace meshai::app {
namespace {

TEST(replacement, says_the_program_the_configuration_and_the_environment) {
  const replacement wish{
      .program = "/usr/bin/mesh ai", .config = "/etc/a.toml", .environment = {"A=1\n2", "B=", "C=x=y"}};
  const auto read = parse_replacement(wish.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->program, wish.program);
  EXPECT_EQ(read->config, wish.config);
  EXPECT_EQ(read->environment, wish.environment);
}

TEST(replacement, of_an_older_program_tells_no_environment) {
  const auto read = parse_replacement("replace\n/p\n/c");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->program, "/p");
  EXPECT_EQ(read->config, "/c");
  EXPECT_TRUE(read->environment.empty());
}

TEST(replacement, is_none_when_it_is_something_else_or_a_variable_was_cut) {
  using namespace std::string_view_literals;
  for (const auto text : {""sv, "replace"sv, "replace\n"sv, "replace\n/p"sv, "retire\n/p\n/c"sv,
                          "replace\n/p\0\n/c"sv, "replace\n/p\n/c\0A=1\0B"sv}) {
    EXPECT_FALSE(parse_replacement(text)) << text;
  }
}

}  // namespace
}  // namespace meshai::app
