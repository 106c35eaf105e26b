#include "app/line_editor.hpp"

#include <gtest/gtest.h>
#include <clocale>

#include <vector>

namespace meshai::app {
namespace {

using outcome = line_editor::outcome;

// ---- bytes become keys

std::vector<key_name> names(std::string_view bytes) {
  key_reader from;
  from.feed(bytes);
  std::vector<key_name> out;
  while (const auto one = from.next()) out.push_back(one->name);
  return out;
}

TEST(keys, are_read_from_what_terminals_send) {
  EXPECT_EQ(names("\033[A\033OA\033[H\033[1~\033[3~"),
            (std::vector{key_name::up, key_name::up, key_name::home, key_name::home, key_name::del}));
  EXPECT_EQ(names("\r\n\033\r\x03\x04\x7f"),
            (std::vector{key_name::enter, key_name::new_line, key_name::new_line, key_name::interrupt,
                         key_name::end_of_input, key_name::backspace}));
  EXPECT_EQ(names("\033[1;5C\033b"), (std::vector{key_name::word_right, key_name::word_left}));
}

TEST(keys, what_is_none_is_dropped_and_harms_nothing_behind_it) {
  EXPECT_EQ(names("\033[99~\033[?1;2cx"), (std::vector{key_name::text}));
  EXPECT_EQ(names("\xff\x80y"), (std::vector{key_name::text}));
  EXPECT_EQ(names("\xc3z"), (std::vector{key_name::text})) << "a character that was cut";
}

TEST(keys, wait_for_their_last_byte) {
  key_reader from;
  for (const std::string_view part : {"\033", "[", "1;5"}) {
    from.feed(part);
    EXPECT_FALSE(from.next()) << part;
  }
  from.feed("D");
  EXPECT_EQ(from.next()->name, key_name::word_left);
  from.feed("\xe2\x82");
  EXPECT_FALSE(from.next());
  from.feed("\xac");
  EXPECT_EQ(from.next()->text, "\xe2\x82\xac");
}

TEST(keys, a_paste_is_one_text_with_its_line_ends) {
  key_reader from;
  from.feed("\033[200~one\rtwo\r\nthree\a\033[A");
  EXPECT_FALSE(from.next());
  from.feed("\033[201~");
  const auto pasted = from.next();
  ASSERT_TRUE(pasted);
  EXPECT_EQ(pasted->name, key_name::text);
  EXPECT_EQ(pasted->text, "one\ntwo\nthree[A") << "control characters are no text";
}

// ---- keys become a text

struct editing : ::testing::Test {
  outcome type(std::string_view bytes) {
    key_reader from;
    from.feed(bytes);
    auto last = outcome::more;
    while (const auto one = from.next()) last = line.press(*one);
    return last;
  }
  line_editor line;
};

TEST_F(editing, moves_by_characters_words_and_lines) {
  type("one gr\xc3\xbc\xc3\x9f");
  type("\033[D\033[D\x7f");
  EXPECT_EQ(line.text(), "one g\xc3\xbc\xc3\x9f") << "to the left by whole characters";
  type("\x01>\x05<");
  EXPECT_EQ(line.text(), ">one g\xc3\xbc\xc3\x9f<");
  type("\033b-");
  EXPECT_EQ(line.text(), ">one -g\xc3\xbc\xc3\x9f<");
}

TEST_F(editing, cuts_and_puts_back) {
  type("one two three\x17");
  EXPECT_EQ(line.text(), "one two ");
  type("\x15");
  EXPECT_EQ(line.text(), "");
  type("\x19\x19");
  EXPECT_EQ(line.text(), "one two one two ");
  type("\x01\x0b");
  EXPECT_EQ(line.text(), "");
}

TEST_F(editing, goes_up_and_down_inside_a_text_and_then_through_history) {
  line.remember("older");
  line.remember("newer");
  line.begin();
  type("ab\ncd\033[A*");
  EXPECT_EQ(line.text(), "ab*\ncd");
  type("\033[A");
  EXPECT_EQ(line.text(), "newer");
  type("\033[A\033[A");
  EXPECT_EQ(line.text(), "older");
  type("\033[B\033[B");
  EXPECT_EQ(line.text(), "ab*\ncd") << "the draft is kept";
}

TEST_F(editing, enter_sends_but_where_more_is_to_come) {
  EXPECT_EQ(type("one\\\r"), outcome::more);
  EXPECT_EQ(type("two\r"), outcome::sent);
  EXPECT_EQ(meant(line.text()), "one\ntwo");
  line.begin();
  EXPECT_EQ(type("\"\"\"\rthree\r\r"), outcome::more);
  EXPECT_EQ(type("four\"\"\"\r"), outcome::sent);
  EXPECT_EQ(meant(line.text()), "three\n\nfour");
}

TEST_F(editing, ctrl_d_ends_an_empty_line_only) {
  EXPECT_EQ(type("\x04"), outcome::ended);
  EXPECT_EQ(type("ab\x01\x04"), outcome::more);
  EXPECT_EQ(line.text(), "b");
  EXPECT_EQ(type("\x03"), outcome::interrupted);
}

TEST(completion, takes_what_all_have_in_common) {
  line_editor line([](std::string_view beginning) {
    std::vector<std::string> out;
    for (const std::string one : {"/reach", "/retry", "/save"}) {
      if (one.starts_with(beginning)) out.push_back(one);
    }
    return out;
  });
  const auto type = [&](const std::string& text) {
    line.begin();
    line.press({key_name::text, text});
    line.press({key_name::tab, {}});
    return line.text();
  };
  EXPECT_EQ(type("/r"), "/re");
  EXPECT_EQ(type("/s"), "/save ");
  EXPECT_EQ(type("/x"), "/x");
  EXPECT_EQ(type("r"), "r");
}

// ---- a text becomes rows of a screen

TEST(layout, breaks_at_the_edge_and_at_line_ends) {
  const auto shown = lay_out("> ", ". ", "abcdef\ngh", 9, 6);
  EXPECT_EQ(shown.rows, (std::vector<std::string>{"> abcd", "ef", ". gh"}));
  EXPECT_EQ(shown.cursor_row, 2u);
  EXPECT_EQ(shown.cursor_column, 4u);
}

TEST(layout, the_cursor_behind_a_full_row_stands_on_the_next) {
  const auto shown = lay_out("> ", ". ", "abcd", 4, 6);
  EXPECT_EQ(shown.cursor_row, 1u);
  EXPECT_EQ(shown.cursor_column, 0u);
}

TEST(layout, wide_characters_take_two_columns) {
  ASSERT_TRUE(::setlocale(LC_CTYPE, "C.UTF-8"));
  const auto shown = lay_out("> ", ". ", "\xe4\xbd\xa0\xe5\xa5\xbd", 6, 20);
  EXPECT_EQ(shown.cursor_column, 6u);
}

TEST(layout, control_characters_are_not_sent_to_the_screen) {
  EXPECT_EQ(lay_out("> ", ". ", "a\tb", 3, 20).rows.front(), "> a b");
}

}  // namespace
}  // namespace meshai::app
