#include "app/supervision.hpp"

#include <gtest/gtest.h>

namespace meshai::app {
namespace {

TEST(replacement, says_the_program_the_configuration_and_the_environment) {
  const replacement wish{
      .program = "/usr/bin/mesh ai", .config = "/etc/a\nb.toml", .environment = {"A=1\n2", "B="}};
  const auto read = parse_replacement(wish.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->program, wish.program);
  EXPECT_EQ(read->config, wish.config);
  EXPECT_EQ(read->environment, wish.environment);
}

TEST(replacement, is_none_when_it_was_cut_or_is_something_else) {
  const auto text = replacement{.program = "/p", .config = "/c", .environment = {"A=1"}}.text();
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto read = parse_replacement(std::string_view(text).substr(0, size));
    if (read) {
      EXPECT_EQ(size, text.size() - std::string_view("A=1").size() - 1)
          << "only without the last variable is it whole";
    }
  }
  EXPECT_FALSE(parse_replacement("retire"));
}

}  // namespace
}  // namespace meshai::app
