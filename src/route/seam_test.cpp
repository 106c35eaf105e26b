#include "route/seam.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace meshai::route {
namespace {

// The caller's text, or nothing where the rest does not fit; the same however it is cut into pieces.
std::optional<std::string> joined(const std::string& sent, const std::string& rest, continuation how,
                                  bool json = false) {
  std::optional<std::string> first;
  for (const std::size_t step : {1ul, 3ul, 7ul, 1000ul}) {
    seam between(sent, how, json);
    std::string text = sent;
    bool fits = true;
    for (std::size_t at = 0; fits && at < rest.size(); at += step) {
      fits = between.feed(std::string_view(rest).substr(at, step), text);
    }
    fits = fits && between.end(text);
    const auto got = fits ? std::optional(text) : std::nullopt;
    if (step == 1) first = got;
    EXPECT_EQ(got, first) << "in steps of " << step;
  }
  return first;
}

const std::string sent = "The capital of France is Paris, which lies on the river";

TEST(seam, joins_what_simply_goes_on) {
  for (const auto how : {continuation::prefill, continuation::asked}) {
    EXPECT_EQ(joined(sent, " Seine. It has two million people.", how),
              sent + " Seine. It has two million people.");
    EXPECT_EQ(joined(sent, " Seine.", how), sent + " Seine.");
    EXPECT_EQ(joined(sent, "", how), sent);
  }
}

TEST(seam, cuts_off_what_was_just_said) {
  for (const auto how : {continuation::prefill, continuation::asked}) {
    EXPECT_EQ(joined(sent, "which lies on the river Seine. It is old.", how), sent + " Seine. It is old.");
    EXPECT_EQ(joined(sent, "Paris, which lies on the river Seine.", how), sent + " Seine.");
  }
  // The longest overlap counts, also where a shorter one is there first.
  const std::string refrain = "row row row your boat, row row row your boat";
  EXPECT_EQ(joined(refrain, "row row row your boat, row row row your boat, gently", continuation::prefill),
            refrain + ", gently");
  // Fifteen bytes in common may be chance.
  EXPECT_EQ(joined(sent, "es on the river, they say, and it is old", continuation::asked),
            sent + "es on the river, they say, and it is old");
}

TEST(seam, skips_an_answer_that_starts_over) {
  for (const auto how : {continuation::prefill, continuation::asked, continuation::restart}) {
    EXPECT_EQ(joined(sent, sent + " Seine.", how), sent + " Seine.");
  }
  EXPECT_EQ(joined("The", "The capital is Paris.", continuation::asked), "The capital is Paris.");
}

TEST(seam, refuses_another_answer) {
  const std::string other = "The capital of France is a large and beautiful city in the north.";
  for (const auto how : {continuation::prefill, continuation::asked, continuation::restart}) {
    EXPECT_EQ(joined(sent, other, how), std::nullopt) << to_string(how);
    EXPECT_EQ(joined(sent, "The capital of France is Paris", how), std::nullopt) << to_string(how);
  }
  EXPECT_EQ(joined(sent, "Paris.", continuation::restart), std::nullopt);
  EXPECT_EQ(joined(sent, "", continuation::restart), std::nullopt);
  // Part of the end again, and no more, is no continuation.
  EXPECT_EQ(joined(sent, "Paris, which lies on the", continuation::asked), std::nullopt);
}

TEST(seam, knows_a_prefill_that_was_ignored) {
  std::string text;
  seam ignored(sent, continuation::prefill, false);
  EXPECT_TRUE(ignored.feed(sent + " Seine.", text));
  EXPECT_TRUE(ignored.started_over());
  seam heeded(sent, continuation::prefill, false);
  EXPECT_TRUE(heeded.feed(" Seine. It has two million people.", text));
  EXPECT_FALSE(heeded.started_over());
}

TEST(seam, refuses_remarks_before_the_rest) {
  for (const auto* remark :
       {"Sure, continuing: Seine.", "Certainly! Seine is its name.", "Here's the rest: Seine and so on and on.",
        "I apologize, I was cut off. Seine.", "\nOf course. Seine is the river."}) {
    EXPECT_EQ(joined(sent, remark, continuation::asked), std::nullopt) << remark;
    EXPECT_EQ(joined(sent, remark, continuation::prefill), std::nullopt) << remark;
  }
  // After a prefill what stands at the end of a sentence, or is written small, belongs to the text.
  for (const auto* before : {"He said:", "And then? ", "The boat was gone."}) {
    EXPECT_TRUE(joined(before, " Sure, why not take the boat tonight?", continuation::prefill)) << before;
  }
  EXPECT_TRUE(joined("She is", " sure, more than ever, of the boat.", continuation::prefill));
  for (const auto* text : {" Sure enough, the Seine is there.", " Okayama is elsewhere, of course."}) {
    EXPECT_TRUE(joined(sent, text, continuation::asked)) << text;
  }
}

TEST(seam, white_space_at_the_end_may_come_again_after_a_prefill) {
  EXPECT_EQ(joined("One\n", "\nTwo is what comes next", continuation::prefill), "One\nTwo is what comes next");
  EXPECT_EQ(joined("One\n", "Two is what comes next", continuation::prefill), "One\nTwo is what comes next");
  EXPECT_EQ(joined("One\n", "\n\nTwo is what comes next", continuation::prefill), "One\n\nTwo is what comes next");
  EXPECT_EQ(joined("One ", " two is what comes next", continuation::prefill), "One two is what comes next");
  EXPECT_EQ(joined("One", " two is what comes next", continuation::prefill), "One two is what comes next");
}

TEST(seam, keeps_json_whole) {
  const std::string half = R"({"name":"Paris","rivers":["Sei)";
  EXPECT_EQ(joined(half, R"(ne"],"people":2100000})", continuation::prefill, true),
            half + R"(ne"],"people":2100000})");
  EXPECT_EQ(joined(half, half + R"(ne"]})", continuation::restart, true), half + R"(ne"]})");
  EXPECT_EQ(joined(half, R"(ne"]} And that is all there is.)", continuation::prefill, true), std::nullopt);
  EXPECT_EQ(joined(half, R"(ne"], people: 3})", continuation::prefill, true), std::nullopt);
  EXPECT_EQ(joined(half, R"(ne"])", continuation::prefill, true), std::nullopt);  // it ends too early
  EXPECT_EQ(joined("[1", "2]", continuation::prefill, true), "[12]");
  EXPECT_EQ(joined("1", "2", continuation::prefill, true), "12");
}

TEST(seam, nothing_sent_is_an_answer_from_its_beginning) {
  EXPECT_EQ(joined("", "Sure, here it is.", continuation::restart), "Sure, here it is.");
  seam begins("", continuation::restart, false);
  std::string text;
  EXPECT_TRUE(begins.feed("F", text));
  EXPECT_EQ(text, "F");  // held back by nothing
}

}  // namespace
}  // namespace meshai::route
