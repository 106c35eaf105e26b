#include "route/repetition.hpp"

#include <gtest/gtest.h>

#include <string>

#include "route/dice.hpp"

namespace meshai::route {
namespace {

// Bytes fed until the loop was noticed; npos if never.
std::size_t noticed_after(std::string_view text, std::size_t piece = 5) {
  repetition watch;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (watch.feed(text.substr(at, piece))) return at + piece;
  }
  return std::string_view::npos;
}

std::string times(std::string_view what, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += what;
  return out;
}

TEST(repetition, notices_a_block_that_goes_round) {
  for (const std::string block :
       {"ha ", "The cat sat on the mat. ", "I am sorry, but I cannot answer that question.\n\n", "Ja. Nein. ",
        "一二三四五。"}) {
    const auto at = noticed_after("A proper beginning of some length. " + times(block, 200));
    EXPECT_LT(at, 35 + std::max<std::size_t>(240, 6 * block.size()) + 128 + block.size() + 8) << block;
  }
  EXPECT_LT(
      noticed_after(
          std::string(300, 'a') +
          times("0123456789abcdef", 20).append(times("Sentence that is rather long, as these go, and on. ", 12))),
      2000u);
}

TEST(repetition, notices_blocks_up_to_the_length_of_a_paragraph) {
  std::string paragraph;
  dice roll(1);
  while (paragraph.size() < 330) paragraph += static_cast<char>('a' + roll.next() % 26);
  EXPECT_NE(noticed_after(times(paragraph, 12)), std::string::npos);
}

TEST(repetition, lets_honest_text_through) {
  std::string list, table = "| a | b |\n|---|---|\n", code;
  for (int i = 0; i < 500; ++i) {
    list += std::to_string(i) + ", ";
    table += "| " + std::to_string(i) + " | " + std::to_string(i * i) + " |\n";
    code += "x[" + std::to_string(i) + "] = " + std::to_string(i % 7) + ";\n";
  }
  for (const auto& text : {list, table, code, times("-", 120) + "\n", times("Thank you! ", 5),
                           times("chorus line here\n", 4), times("na ", 30) + "batman"}) {
    EXPECT_EQ(noticed_after(text), std::string::npos) << text.substr(0, 40);
  }
}

TEST(repetition, does_not_mind_how_the_text_is_cut) {
  const auto text = "Beginning. " + times("Again and again. ", 100);
  for (const std::size_t piece : {1u, 3u, 17u, 64u, 1000u, 100000u}) {
    EXPECT_NE(noticed_after(text, piece), std::string::npos) << piece;
  }
}

}  // namespace
}  // namespace meshai::route
