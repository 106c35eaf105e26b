#include "app/conversation.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace meshai::app {
namespace {

namespace fs = std::filesystem;
using word_and_rest = std::pair<std::string, std::string>;

struct conversations : ::testing::Test {
  void SetUp() override {
    char name[] = "/tmp/meshai-conversation-XXXXXX";
    folder = ::mkdtemp(name);
  }
  void TearDown() override { fs::remove_all(folder); }
  std::string file(std::string_view name) const { return (folder / name).string(); }
  fs::path folder;
};

TEST(commands, are_a_word_and_the_rest) {
  EXPECT_EQ(split_command("/save  a file \n"), word_and_rest("/save", "a file"));
  EXPECT_EQ(split_command("/quit"), word_and_rest("/quit", ""));
  EXPECT_EQ(split_command("/system\tBe kind.\nAlways."), word_and_rest("/system", "Be kind.\nAlways."));
}

TEST(system_prompt, stands_first_once_or_not_at_all) {
  std::vector<line> lines{{"user", "a"}, {"assistant", "b"}};
  set_system(lines, "one");
  set_system(lines, "two");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].role, "system");
  EXPECT_EQ(lines[0].text, "two");
  set_system(lines, "");
  EXPECT_EQ(lines.size(), 2u);
}

TEST_F(conversations, come_back_from_json_as_they_were) {
  const std::vector<line> said{{"system", "Be \"kind\"."}, {"user", "a\nb"}, {"assistant", "\xc3\xbc"}};
  ASSERT_TRUE(save_conversation(said, file("talk.json")));
  EXPECT_EQ(fs::status(file("talk.json")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const auto back = load_conversation(file("talk.json"));
  ASSERT_TRUE(back) << back.error().detail;
  ASSERT_EQ(back->size(), said.size());
  for (std::size_t i = 0; i < said.size(); ++i) {
    EXPECT_EQ((*back)[i].role, said[i].role);
    EXPECT_EQ((*back)[i].text, said[i].text);
  }
}

TEST_F(conversations, are_markdown_under_any_other_name) {
  ASSERT_TRUE(save_conversation({{"user", "hi"}, {"assistant", "hello"}}, file("talk.md")));
  EXPECT_EQ(*read_file(file("talk.md"), 1000), "## user\n\nhi\n\n## assistant\n\nhello\n");
}

TEST_F(conversations, a_bare_list_of_messages_is_one_too) {
  ASSERT_TRUE(write_file(file("list.json"), R"([{"role": "user", "content": "hi", "name": "x"}])", 0600));
  EXPECT_EQ(load_conversation(file("list.json"))->front().text, "hi");
}

TEST_F(conversations, what_is_none_is_refused_with_what_to_do) {
  for (const auto* text : {"", "[]", "{}", "nonsense", R"([{"role": "user"}])", R"({"messages": [1]})"}) {
    ASSERT_TRUE(write_file(file("x.json"), text, 0600));
    const auto read = load_conversation(file("x.json"));
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().detail.find("/save FILE.json"), std::string::npos);
  }
  EXPECT_FALSE(load_conversation(file("absent.json")));
  EXPECT_FALSE(save_conversation({{"user", "hi"}}, ""));
  EXPECT_FALSE(save_conversation({}, file("y.json")));
}

}  // namespace
}  // namespace meshai::app
