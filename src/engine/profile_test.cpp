#include "engine/profile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshai::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;

std::string complaint(std::string_view toml) {
  const auto read = parse_profile(toml, "p.toml");
  return read ? "it was taken" : read.error().detail;
}

TEST(Profile, ReadsWhatHoldsWhereTheCallerSaysNothing) {
  const auto read = parse_profile(R"(
title = "A model"
license = "Apache-2.0"
context = 4096
system = "Answer briefly."
card = "It is small."
[sampling]
temperature = 0
top_p = 0.9
repeat_penalty = 1.1
max_tokens = 512
)",
                                  "p.toml");
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->title, "A model");
  EXPECT_EQ(read->context, 4096);
  EXPECT_EQ(read->max_tokens, 512);
  EXPECT_THAT(read->sampling,
              ::testing::UnorderedElementsAre(Pair("temp", 0), Pair("top-p", 0.9), Pair("repeat-penalty", 1.1)));
}

TEST(Profile, NamesTheLineAtFault) {
  EXPECT_THAT(complaint("title = \"x\"\nsytem = \"y\"\n"), HasSubstr("p.toml:2: sytem is unknown"));
  EXPECT_THAT(complaint("system = 3\n"), HasSubstr("p.toml:1: system is a text"));
  EXPECT_THAT(complaint("context = 0\n"), HasSubstr("context is a whole number from 256 up"));
  EXPECT_THAT(complaint("[sampling]\ntop_p = 1.5\n"), HasSubstr("p.toml:2: top_p is a number from 0 to 1"));
  EXPECT_THAT(complaint("[sampling]\ntop_k = 1.5\n"), HasSubstr("top_k is a whole number"));
  EXPECT_THAT(complaint("[sampling]\nheat = 1\n"), HasSubstr("heat is no setting"));
  EXPECT_THAT(complaint("[sampling]\ntop_p = nan\n"), HasSubstr("top_p is a number"));
  EXPECT_THAT(complaint("sampling = 1\n"), HasSubstr("[sampling]"));
  EXPECT_THAT(complaint("title = \n"), HasSubstr("p.toml:1: "));
  EXPECT_THAT(complaint(std::string(300 << 10, '#')), HasSubstr("at most 256 KB"));
}

chat::request question(chat::endpoint door) {
  chat::request out;
  out.endpoint = door;
  auto& message = out.messages.emplace_back();
  message.parts.emplace_back().text = "What is 2+2?";
  return out;
}

TEST(Profile, PutsItsSystemPromptInFront) {
  profile of;
  of.system = "Answer briefly.";
  const auto asked = apply(of, question(chat::endpoint::messages));
  ASSERT_EQ(asked.messages.size(), 2);
  EXPECT_EQ(asked.messages[0].role, chat::role::system);
  EXPECT_EQ(asked.messages[0].parts.at(0).text, "Answer briefly.");
  EXPECT_EQ(asked.messages[1].parts.at(0).text, "What is 2+2?");
}

TEST(Profile, TheCallersOwnTextSaysTheSame) {
  profile of;
  of.system = "Say \"yes\".";
  const auto body_after = [&](std::string body) {
    auto asked = question(chat::endpoint::chat_completions);
    asked.body = std::move(body);
    return apply(of, asked).body;
  };
  EXPECT_EQ(
      body_after(R"({"x":{"messages":[1]},"user":"\"messages\":[","messages" : [ {"role":"user"}],"n":1e3})"),
      R"({"x":{"messages":[1]},"user":"\"messages\":[","messages" : [{"role":"system","content":"Say \"yes\"."}, {"role":"user"}],"n":1e3})");
  EXPECT_EQ(body_after(R"({"user":"messages"})"), R"({"user":"messages"})");
  EXPECT_EQ(body_after(""), "");
}

TEST(Profile, LeavesTheCallersOwnAlone) {
  profile of;
  of.system = "Answer briefly.";
  for (const auto role : {chat::role::system, chat::role::developer}) {
    auto asked = question(chat::endpoint::chat_completions);
    asked.messages.emplace_back().role = role;  // wherever it stands
    EXPECT_EQ(apply(of, asked).messages.size(), 2);
  }
  EXPECT_EQ(apply(of, question(chat::endpoint::completions)).messages.size(), 1);
  EXPECT_EQ(apply(profile{}, question(chat::endpoint::chat_completions)).messages.size(), 1);
}

}  // namespace
}  // namespace meshai::engine
