#include "route/conversations.hpp"

#include <gtest/gtest.h>

#include "route/testing.hpp"

namespace meshai::route {
namespace {

using namespace std::chrono_literals;
using testing::lines;
using testing::start;
using testing::talk;

constexpr auto user = chat::role::user, assistant = chat::role::assistant, system_prompt = chat::role::system;

const partner here{.model = {1}, .how = complexity::medium, .need = 3, .prefer = {}};

struct talks : ::testing::Test {
  conversations all{42};
  void answer(const lines& said, const partner& by = here, instant now = start) {
    all.answered(all.read(talk(said), "me"), by, now);
  }
  std::optional<partner> find(const lines& said, std::string_view who = "me", instant now = start) {
    return all.find(all.read(talk(said), who), now);
  }
};

TEST_F(talks, the_next_turn_is_known_by_what_was_asked_before_its_last_answer) {
  EXPECT_FALSE(find({{user, "hi"}}));
  answer({{user, "hi"}});
  EXPECT_FALSE(find({{user, "hi"}})) << "that is no next turn";
  const auto with = find({{user, "hi"}, {assistant, "Hello!"}, {user, "yes"}});
  ASSERT_TRUE(with);
  EXPECT_EQ(with->model, here.model);
  EXPECT_EQ(with->how, here.how);
  EXPECT_FALSE(find({{user, "ho"}, {assistant, "Hello!"}, {user, "yes"}}));
  EXPECT_FALSE(find({{user, "hi"}, {assistant, "Hello!"}, {user, "yes"}}, "somebody else"));
}

TEST_F(talks, a_turn_that_was_not_remembered_is_skipped) {
  answer({{user, "hi"}});
  EXPECT_TRUE(find({{user, "hi"}, {assistant, "1"}, {user, "b"}, {assistant, "2"}, {user, "c"}}));
  answer({{user, "hi"}, {assistant, "1"}, {user, "b"}}, {.model = {2}});
  EXPECT_EQ(find({{user, "hi"}, {assistant, "1"}, {user, "b"}, {assistant, "2"}, {user, "c"}})->model.value, 2u);
}

TEST_F(talks, a_system_prompt_that_tells_the_time_changes_nothing) {
  answer({{system_prompt, "It is 10:00"}, {user, "hi"}});
  EXPECT_TRUE(find({{system_prompt, "It is 10:01"}, {user, "hi"}, {assistant, "1"}, {user, "b"}}));
}

TEST_F(talks, what_a_client_drops_between_two_turns_changes_nothing) {
  auto first = talk({{user, "hi"}, {assistant, "1"}, {user, "b"}});
  auto& thought = first.messages[1].parts.emplace_back();
  thought.kind = chat::part_kind::reasoning;
  thought.thought.text = "hm";
  all.answered(all.read(first, "me"), here, start);
  EXPECT_TRUE(find({{user, "hi"}, {assistant, "1"}, {user, "b"}, {assistant, "2"}, {user, "c"}}));
}

TEST_F(talks, a_loop_is_known_by_its_result_in_every_dialect) {
  auto openai = talk({{user, "weather?"}, {assistant, ""}, {chat::role::tool, "sunny"}});
  EXPECT_TRUE(all.read(openai, "me").in_loop);
  auto anthropic = talk({{user, "weather?"}, {assistant, ""}, {user, "sunny"}});
  EXPECT_FALSE(all.read(anthropic, "me").in_loop);
  anthropic.messages.back().parts.front().kind = chat::part_kind::tool_result;
  EXPECT_TRUE(all.read(anthropic, "me").in_loop);
}

TEST_F(talks, are_forgotten_after_half_a_day) {
  answer({{user, "hi"}});
  const lines next{{user, "hi"}, {assistant, "1"}, {user, "b"}};
  EXPECT_TRUE(find(next, "me", start + 11h));
  EXPECT_FALSE(find(next, "me", start + 12h));
}

TEST_F(talks, only_so_many_are_remembered_the_latest_of_them) {
  conversations few{42, 128};
  const auto turn_of = [&](int number) { return few.read(talk({{user, std::to_string(number)}}), "me"); };
  for (int i = 0; i < 10'000; ++i) few.answered(turn_of(i), here, start + std::chrono::milliseconds(i));
  int known = 0;
  for (int i = 0; i < 10'000; ++i) {
    known +=
        few.find(few.read(talk({{user, std::to_string(i)}, {assistant, "1"}, {user, "b"}}), "me"), start + 10s)
            .has_value();
  }
  EXPECT_LE(known, 128);
  EXPECT_GE(known, 64);
  EXPECT_TRUE(few.find(few.read(talk({{user, "9999"}, {assistant, "1"}, {user, "b"}}), "me"), start + 10s));
}

TEST_F(talks, a_turn_asked_again_word_for_word_is_told_twice_and_not_for_long) {
  answer({{user, "hi"}});
  const auto again = [&](const lines& said, instant now) {
    return all.asked_again(all.read(talk(said), "me"), now);
  };
  EXPECT_FALSE(again({{user, "hi there"}}, start));
  EXPECT_FALSE(again({{system_prompt, "Be brief."}, {user, "hi"}}, start)) << "another system prompt";
  EXPECT_FALSE(again({{user, "hi"}}, start + 11min));
  EXPECT_TRUE(again({{user, "hi"}}, start + 1min));
  answer({{user, "hi"}}, here, start + 1min);
  EXPECT_TRUE(again({{user, "hi"}}, start + 2min));
  EXPECT_FALSE(again({{user, "hi"}}, start + 2min)) << "who asks the same all day is not displeased";
}

TEST_F(talks, of_long_messages_the_ends_and_the_length_count) {
  const std::string front(5000, 'a'), back(5000, 'b');
  answer({{user, front + back}});
  EXPECT_TRUE(find({{user, front + back}, {assistant, "1"}, {user, "b"}}));
  EXPECT_FALSE(find({{user, front + back + "b"}, {assistant, "1"}, {user, "b"}}));
  EXPECT_FALSE(find({{user, "x" + front.substr(1) + back}, {assistant, "1"}, {user, "b"}}));
}

TEST_F(talks, another_salt_is_another_hash) {
  EXPECT_NE(conversations(1).read(talk({{user, "hi"}}), "me").asked,
            conversations(2).read(talk({{user, "hi"}}), "me").asked);
}

// ---- what the ranking makes of it

struct bonds : ::testing::Test {
  health known;
  policy caller;
  std::vector<node> nodes{testing::make_node("here", tier::local, {"small"}),
                          testing::make_node("desk", tier::neighbour, {"middle"}),
                          testing::make_node("sky", tier::cloud, {"big"})};
  hints more;

  void with(std::string_view node, std::string_view model, complexity how, int need) {
    more.with = partner{.model = make_target_id(node, model), .how = how, .need = need, .prefer = {}};
  }
  ranking ask(const chat::request& what) {
    return rank(what, caller, testing::make_directory(nodes, {{"mine", {"sky", "here"}}}), known, {}, start, 1,
                more);
  }
  std::string first(const chat::request& what) {
    const auto made = ask(what);
    return made.candidates.empty() ? "nobody" : made.node_of(made.candidates.front()).name;
  }
};

constexpr const char* easy = "What is 2+2?";
constexpr const char* hard = "Write a business plan";

TEST_F(bonds, a_conversation_stays_with_its_node) {
  EXPECT_EQ(first(testing::say(easy)), "here");
  with("sky", "big", complexity::hard, 8);
  EXPECT_EQ(first(testing::say(easy)), "sky") << "also when the need has shrunk";
  EXPECT_EQ(ask(testing::say(easy)).bond, bond::stays);
  with("desk", "middle", complexity::medium, judge(testing::say(hard)).score - 1);
  EXPECT_EQ(first(testing::say(hard)), "desk") << "and when it has hardly grown";
}

TEST_F(bonds, unless_the_need_clearly_grows) {
  with("here", "small", complexity::simple, 0);
  EXPECT_EQ(first(testing::say(hard)), "sky");
  EXPECT_EQ(ask(testing::say(hard)).bond, bond::outgrown);
}

TEST_F(bonds, but_never_in_the_middle_of_a_loop) {
  with("here", "small", complexity::simple, 0);
  more.in_loop = true;
  EXPECT_EQ(first(testing::say(hard)), "here");
  EXPECT_EQ(ask(testing::say(hard)).bond, bond::in_loop);
}

TEST_F(bonds, or_its_node_fails_or_may_not_be_asked) {
  with("here", "small", complexity::simple, 0);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(known.begin(make_target_id("here"), make_target_id("here", "small"), start));
    known.failed(make_target_id("here"), make_target_id("here", "small"),
                 testing::fault_of(fault_kind::unreachable), start);
  }
  EXPECT_EQ(first(testing::say(easy)), "desk");
  EXPECT_EQ(ask(testing::say(easy)).bond, bond::none);
  with("sky", "big", complexity::hard, 8);
  caller.key = reach::site;
  EXPECT_EQ(first(testing::say(easy)), "desk") << "reach binds more than habit";
}

TEST_F(bonds, or_the_prompt_no_longer_fits_well) {
  nodes[0].context = 1000;
  with("here", "small", complexity::simple, 0);
  auto what = testing::say(easy);
  what.text_size = 6000;
  EXPECT_EQ(first(what), "desk");
}

TEST_F(bonds, a_new_wish_and_a_configured_route_are_stronger) {
  with("here", "small", complexity::simple, 0);
  auto what = testing::say(easy);
  what.mesh.prefer = chat::preference::quality;
  EXPECT_EQ(first(what), "sky");
  EXPECT_EQ(first(testing::say(easy, "mine")), "sky");
}

TEST_F(bonds, of_several_nodes_with_the_model_that_was_named_it_stays_with_one) {
  nodes.push_back(testing::make_node("far", tier::cloud, {"small"}));
  with("far", "small", complexity::simple, 0);
  EXPECT_EQ(first(testing::say(easy, "small")), "far");
}

}  // namespace
}  // namespace meshai::route
