#include "route/rank.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "route/dice.hpp"
#include "route/near_names.hpp"
#include "route/testing.hpp"

namespace meshai::route {
namespace {

using namespace std::chrono_literals;
using testing::fault_of;
using testing::hard_prompt;
using testing::make_directory;
using testing::make_node;
using testing::medium_prompt;
using testing::names_of;
using testing::say;
using testing::simple_prompt;
using testing::start;

struct ranking_of : ::testing::Test {
  health known;
  limits bounds;
  policy caller;
  std::uint64_t seed = 1;

  ranking ask(const chat::request& what, const std::shared_ptr<const directory>& of) {
    return rank(what, caller, of, known, bounds, start, seed);
  }
  std::vector<std::string> names(const chat::request& what, const std::shared_ptr<const directory>& of) {
    return names_of(ask(what, of));
  }
  void break_node(std::string_view name) {
    const auto id = make_target_id(name), any = make_target_id(name, "any");
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(known.begin(id, any, start));
      known.failed(id, any, fault_of(fault_kind::unreachable), start);
    }
  }
};

using strings = std::vector<std::string>;

std::shared_ptr<const directory> four_tiers(bool unknown_auto = false) {
  return make_directory(
      {make_node("here", tier::local, {"small"}), make_node("desk", tier::neighbour, {"middle"}),
       make_node("town", tier::regional, {"large"}), make_node("sky", tier::cloud, {"gpt-4o", "gpt-4o-mini"})},
      {{"gpt-4", {"sky/gpt-4o", "here"}}}, unknown_auto);
}

TEST_F(ranking_of, auto_goes_by_complexity_and_falls_to_the_other_tiers) {
  const auto of = four_tiers();
  EXPECT_EQ(names(say(simple_prompt), of),
            (strings{"here/small", "desk/middle", "town/large", "sky/gpt-4o", "sky/gpt-4o-mini"}));
  EXPECT_EQ(names(say(medium_prompt), of),
            (strings{"desk/middle", "town/large", "sky/gpt-4o", "sky/gpt-4o-mini", "here/small"}));
  EXPECT_EQ(names(say(hard_prompt), of),
            (strings{"sky/gpt-4o", "sky/gpt-4o-mini", "town/large", "desk/middle", "here/small"}));
  EXPECT_EQ(names(say(simple_prompt, ""), of).front(), "here/small");  // no name is auto
}

TEST_F(ranking_of, a_configured_name_walks_its_route_and_goes_on_like_auto) {
  EXPECT_EQ(names(say(simple_prompt, "gpt-4"), four_tiers()),
            (strings{"sky/gpt-4o", "here/small", "desk/middle", "town/large", "sky/gpt-4o-mini"}));
}

TEST_F(ranking_of, a_bare_name_is_tried_where_it_is_listed_and_goes_on_like_auto) {
  EXPECT_EQ(names(say(simple_prompt, "gpt-4o-mini"), four_tiers()),
            (strings{"sky/gpt-4o-mini", "here/small", "desk/middle", "town/large", "sky/gpt-4o"}));
}

TEST_F(ranking_of, a_bare_name_that_several_nodes_list_goes_to_the_nearest_first) {
  const auto of =
      make_directory({make_node("far", tier::cloud, {"llama"}), make_node("near", tier::local, {"llama"})});
  EXPECT_EQ(names(say(hard_prompt, "llama"), of), (strings{"near/llama", "far/llama"}));
}

TEST_F(ranking_of, node_and_model_stays_there) {
  EXPECT_EQ(names(say(hard_prompt, "sky/gpt-4o-mini"), four_tiers()), (strings{"sky/gpt-4o-mini"}));
  EXPECT_EQ(names(say(hard_prompt, "here/small"), four_tiers()), (strings{"here/small"}));
}

TEST_F(ranking_of, a_listed_name_with_a_slash_is_a_bare_name_unless_a_node_is_called_so) {
  const auto of = make_directory(
      {make_node("router", tier::cloud, {"meta/llama", "here/x"}), make_node("here", tier::local, {"x"})});
  EXPECT_EQ(names(say("hi", "meta/llama"), of).front(), "router/meta/llama");
  EXPECT_EQ(names(say("hi", "router/meta/llama"), of), (strings{"router/meta/llama"}));
  EXPECT_EQ(names(say("hi", "here/x"), of), (strings{"here/x"}));
}

TEST_F(ranking_of, without_fallback_only_the_first_is_asked) {
  auto what = say(simple_prompt, "gpt-4");
  what.mesh.fallback = false;
  EXPECT_EQ(names(what, four_tiers()), (strings{"sky/gpt-4o"}));
  break_node("sky");
  const auto made = ask(what, four_tiers());
  EXPECT_TRUE(made.candidates.empty());
  ASSERT_TRUE(made.refused);
  EXPECT_EQ(made.refused->why.status, 503);
  EXPECT_TRUE(made.refused->retry_after);
}

TEST_F(ranking_of, without_fallback_a_named_model_that_may_not_be_asked_is_replaced_by_nobody) {
  for (const std::string name : {"gpt-4o", "sky/gpt-4o"}) {
    auto what = say(simple_prompt, name);
    what.mesh.fallback = false;
    what.mesh.reach = reach::device;
    const auto beyond = ask(what, four_tiers());
    EXPECT_TRUE(beyond.candidates.empty()) << name;
    ASSERT_TRUE(beyond.refused) << name;
    EXPECT_EQ(beyond.refused->why.code, "reach_excludes_all") << name;

    what.mesh.reach.reset();
    auto off = make_node("sky", tier::cloud, {"gpt-4o"});
    off.off = "its key is unset";
    const auto unset = ask(what, make_directory({make_node("here", tier::local, {"small"}), off}));
    EXPECT_TRUE(unset.candidates.empty()) << name;
    ASSERT_TRUE(unset.refused) << name;
    EXPECT_EQ(unset.refused->why.code, "no_node") << name;
    EXPECT_TRUE(unset.refused->why.message.contains("its key is unset")) << name;

    what.mesh.fallback.reset();
    what.mesh.reach = reach::device;
    EXPECT_EQ(names(what, four_tiers()).empty(), name.contains('/')) << name;
  }
}

TEST_F(ranking_of, an_unknown_name_lists_the_near_ones) {
  const auto made = ask(say("hi", "gpt-4o-mni"), four_tiers());
  ASSERT_TRUE(made.refused);
  EXPECT_TRUE(made.candidates.empty());
  EXPECT_EQ(made.refused->why.status, 404);
  EXPECT_EQ(made.refused->why.code, "model_not_found");
  EXPECT_TRUE(made.refused->why.hint.contains("gpt-4o-mini")) << made.refused->why.hint;
  EXPECT_EQ(ask(say("hi", "sky/gpt-5"), four_tiers()).refused->why.status, 404);
  EXPECT_EQ(ask(say("hi", "nowhere/x"), four_tiers()).refused->why.status, 404);
  // Names beyond the caller's reach are not told.
  caller.key = reach::device;
  EXPECT_FALSE(ask(say("hi", "gpt-4o-mni"), four_tiers()).refused->why.hint.contains("gpt-4o-mini"));
}

TEST_F(ranking_of, an_unknown_name_is_auto_where_that_is_configured) {
  EXPECT_EQ(names(say(simple_prompt, "anything"), four_tiers(true)).front(), "here/small");
  EXPECT_EQ(names(say(hard_prompt, "anything"), four_tiers(true)).front(), "sky/gpt-4o");
}

TEST_F(ranking_of, the_strictest_reach_binds) {
  struct {
    reach api, key;
    std::optional<reach> request;
    reach bound;
  } cases[] = {
      {reach::cloud, reach::cloud, std::nullopt, reach::cloud},
      {reach::device, reach::cloud, reach::cloud, reach::device},
      {reach::cloud, reach::device, reach::cloud, reach::device},
      {reach::cloud, reach::cloud, reach::device, reach::device},
      {reach::mesh, reach::site, reach::cloud, reach::site},
      {reach::site, reach::mesh, std::nullopt, reach::site},
  };
  for (const auto& [api, key, request, bound] : cases) {
    caller = {.api = api, .key = key, .allowed = {}};
    for (const auto* model : {"auto", "gpt-4", "sky/gpt-4o", "gpt-4o", "here/small"}) {
      auto what = say(hard_prompt, model);
      what.mesh.reach = request;
      const auto made = ask(what, four_tiers());
      EXPECT_EQ(made.bound, bound);
      for (const auto& c : made.candidates) EXPECT_TRUE(allows(bound, c.where)) << model;
    }
  }
}

TEST_F(ranking_of, reach_that_excludes_all_is_told) {
  auto what = say("hi", "sky/gpt-4o");
  what.mesh.reach = reach::device;
  const auto made = ask(what, four_tiers());
  ASSERT_TRUE(made.refused);
  EXPECT_EQ(made.refused->why.status, 403);
  EXPECT_EQ(made.refused->why.code, "reach_excludes_all");
  ASSERT_EQ(made.excluded.size(), 1u);
  EXPECT_EQ(made.excluded[0].why, exclusion::reach);
}

TEST_F(ranking_of, what_runs_elsewhere_counts_as_elsewhere) {
  auto ollama = make_node("ollama", tier::local, {"llama", "big:cloud", "passed-on"});
  ollama.models[2].where = tier::cloud;
  ollama.any_model = true;
  const auto of = make_directory({ollama});
  auto what = say("hi");
  what.mesh.reach = reach::device;
  EXPECT_EQ(names(what, of), (strings{"ollama/llama"}));
  for (const auto* model : {"ollama/big:cloud", "ollama/passed-on", "ollama/never-listed", "passed-on"}) {
    what.model = model;
    for (const auto& name : names(what, of)) EXPECT_EQ(name, "ollama/llama") << model;
  }
  what.mesh.reach.reset();
  what.model = "ollama/never-listed";
  EXPECT_EQ(names(what, of), (strings{"ollama/never-listed"}));
  EXPECT_FALSE(ask(what, of).candidates[0].listed);
}

// The whole promise, over directories, policies, names and states of health that nobody thought of.
TEST_F(ranking_of, reach_is_never_weakened_whatever_the_directory) {
  dice roll(7);
  const auto pick = [&](int n) { return static_cast<int>(roll.next() % static_cast<std::uint64_t>(n)); };
  for (int round = 0; round < 3000; ++round) {
    std::vector<node> nodes;
    std::vector<model_route> routes;
    for (int i = 0, n = pick(6) + 1; i < n; ++i) {
      auto made = make_node("n" + std::to_string(i), static_cast<tier>(pick(4)), {});
      for (int k = 0, m = pick(4); k < m; ++k) {
        auto& model = made.models.emplace_back();
        model.name = "m" + std::to_string(pick(5)) + (pick(6) == 0 ? ":cloud" : pick(6) == 0 ? "-embed" : "");
        if (pick(4) == 0) model.where = static_cast<tier>(pick(4));
      }
      made.any_model = pick(3) == 0;
      made.embeddings = pick(4) == 0;
      made.weight = pick(5) + 1;
      if (pick(6) == 0) made.off = "no key";
      routes.push_back({"r" + std::to_string(i), {made.name}});
      nodes.push_back(std::move(made));
    }
    auto of = make_directory(std::move(nodes), std::move(routes), pick(2) == 0);
    health state;
    for (const auto& node : of->nodes()) {
      if (pick(4) != 0) continue;
      const auto id = make_target_id(node.name);
      if (state.begin(id, id, start)) state.failed(id, id, fault_of(fault_kind::key_refused), start);
    }
    const strings asked{"auto", "", "m1", "m3", "r0", "r2", "n0/m1", "n1/m9", "n2/m0", "m2-embed", "nonsense"};
    auto what = say(pick(2) == 0 ? simple_prompt : hard_prompt, asked[static_cast<std::size_t>(pick(11))]);
    if (pick(3) == 0) what.endpoint = chat::endpoint::embeddings;
    if (pick(2) == 0) what.mesh.reach = static_cast<reach>(pick(4));
    if (pick(4) == 0) what.mesh.fallback = false;
    const policy who{.api = static_cast<reach>(pick(4)), .key = static_cast<reach>(pick(4)), .allowed = {}};
    const auto made = rank(what, who, of, state, bounds, start, roll.next());

    EXPECT_EQ(made.candidates.empty(), made.refused.has_value());
    for (const auto& c : made.candidates) {
      const auto& node = made.node_of(c);
      const auto listed = std::ranges::find(node.models, c.model, &model::name);
      const auto where = node.tier_of(listed == node.models.end() ? nullptr : &*listed);
      EXPECT_EQ(c.where, where);
      EXPECT_TRUE(allows(who.api, where) && allows(who.key, where) &&
                  allows(what.mesh.reach.value_or(reach::cloud), where));
      EXPECT_TRUE(node.off.empty());
      EXPECT_TRUE(state.look(c.node_id, c.model_id, start).available());
      if (what.endpoint == chat::endpoint::embeddings) {
        EXPECT_EQ(c.model, made.candidates[0].model);
      }
    }
    if (what.mesh.fallback == false) {
      EXPECT_LE(made.candidates.size(), 1u);
    }
    if (made.refused) {
      EXPECT_GE(made.refused->why.status, 400);
      EXPECT_FALSE(made.refused->why.message.empty());
      EXPECT_FALSE(made.refused->why.hint.empty());
    }
  }
}

TEST_F(ranking_of, the_key_lists_what_may_be_asked) {
  const strings only{"gpt-4o-mini"};
  caller.allowed = only;
  EXPECT_EQ(names(say(hard_prompt, "gpt-4o-mini"), four_tiers()), (strings{"sky/gpt-4o-mini"}));
  EXPECT_EQ(names(say(hard_prompt, "auto"), four_tiers()), (strings{"sky/gpt-4o-mini"}));
  const auto made = ask(say("hi", "here/small"), four_tiers());
  ASSERT_TRUE(made.refused);
  EXPECT_EQ(made.refused->why.status, 403);
  EXPECT_EQ(made.refused->why.code, "model_not_allowed");
  const strings alias{"gpt-4"};
  caller.allowed = alias;
  EXPECT_EQ(names(say(hard_prompt, "gpt-4"), four_tiers()), (strings{"sky/gpt-4o", "here/small"}));
  const strings everything{"auto"};
  caller.allowed = everything;
  EXPECT_EQ(names(say(simple_prompt, "auto"), four_tiers()).size(), 5u);
  const strings qualified{"here/small"};
  caller.allowed = qualified;
  EXPECT_EQ(names(say("hi", "small"), four_tiers()), (strings{"here/small"}));
}

TEST_F(ranking_of, a_budget_in_money_goes_only_where_the_price_is_known) {
  auto free = make_node("here", tier::local, {"small"});
  free.price.emplace();
  auto some = make_node("sky", tier::cloud, {"large", "odd"});
  some.model_prices = {{"large", {.input = 2, .output = 8}}};
  const auto of = make_directory({free, make_node("desk", tier::neighbour, {"middle"}), some});
  EXPECT_EQ(names(say(hard_prompt), of).size(), 4u);
  caller.only_priced = true;
  EXPECT_EQ(names(say(hard_prompt), of), (strings{"sky/large", "here/small"}));
  EXPECT_EQ(ask(say(hard_prompt), of).excluded.front().why, exclusion::no_price);
  const auto made = ask(say(hard_prompt, "desk/middle"), of);
  ASSERT_TRUE(made.refused);
  EXPECT_EQ(made.refused->why.code, "no_price");
  EXPECT_NE(made.refused->why.message.find("desk/middle"), std::string::npos);
  EXPECT_EQ(of->nodes()[2].price_of("large")->output, 8);
  EXPECT_FALSE(of->nodes()[2].price_of("odd"));
}

TEST_F(ranking_of, what_is_down_or_rests_is_left_out_with_its_reason) {
  break_node("here");
  const auto sky = make_target_id("sky"), gpt = make_target_id("sky", "gpt-4o");
  ASSERT_TRUE(known.begin(sky, gpt, start));
  auto busy = fault_of(fault_kind::rate_limited);
  busy.rest = 9s;
  known.failed(sky, gpt, busy, start);
  EXPECT_EQ(names(say(simple_prompt), four_tiers()), (strings{"desk/middle", "town/large"}));
  const auto made = ask(say(simple_prompt), four_tiers());
  int open = 0, resting = 0;
  for (const auto& each : made.excluded) {
    open += each.why == exclusion::open;
    resting += each.why == exclusion::resting;
  }
  EXPECT_EQ(open, 1);
  EXPECT_EQ(resting, 2);
}

TEST_F(ranking_of, an_engine_that_comes_is_asked_last_and_one_that_is_gone_is_not_asked) {
  const auto here = make_target_id("here");
  const auto all = names(say(simple_prompt), four_tiers());
  known.set_presence(here, presence::coming);
  auto expected = all;
  std::ranges::stable_partition(expected, [](const std::string& one) { return !one.starts_with("here/"); });
  EXPECT_NE(expected, all);
  EXPECT_EQ(names(say(simple_prompt), four_tiers()), expected);
  known.set_presence(here, presence::gone);
  std::erase_if(expected, [](const std::string& one) { return one.starts_with("here/"); });
  EXPECT_EQ(names(say(simple_prompt), four_tiers()), expected);
  const auto made = ask(say("hi"), make_directory({make_node("here", tier::local, {"small"})}));
  ASSERT_TRUE(made.refused);
  EXPECT_EQ(made.refused->why.code, "all_nodes_down");
  EXPECT_NE(made.refused->why.message.find("its engine does not run"), std::string::npos);
}

TEST_F(ranking_of, all_down_says_when_to_come_back) {
  const auto of = make_directory({make_node("sky", tier::cloud, {"gpt"})});
  const auto id = make_target_id("sky");
  ASSERT_TRUE(known.begin(id, id, start));
  auto busy = fault_of(fault_kind::rate_limited);
  busy.rest = 9s;
  known.failed(id, id, busy, start);
  const auto made = ask(say("hi"), of);
  ASSERT_TRUE(made.refused);
  EXPECT_EQ(made.refused->why.status, 503);
  EXPECT_EQ(made.refused->why.code, "all_nodes_down");
  EXPECT_EQ(made.refused->retry_after, 9s);
}

TEST_F(ranking_of, nobody_to_ask_names_the_reason) {
  auto off = make_node("sky", tier::cloud, {"gpt"});
  off.off = "OPENAI_API_KEY is not set";
  const auto made = ask(say("hi"), make_directory({off}));
  ASSERT_TRUE(made.refused);
  EXPECT_EQ(made.refused->why.status, 503);
  EXPECT_TRUE(made.refused->why.message.contains("OPENAI_API_KEY is not set"));
  EXPECT_EQ(ask(say("hi"), make_directory({})).refused->why.code, "no_node");
}

TEST_F(ranking_of, images_and_tools_go_where_they_are_taken) {
  auto blind = make_node("blind", tier::local, {"a"}), sees = make_node("sees", tier::cloud, {"b"});
  blind.images = blind.tools = false;
  auto what = say(simple_prompt);
  what.has_images = true;
  EXPECT_EQ(names(what, make_directory({blind, sees})), (strings{"sees/b"}));
  EXPECT_EQ(ask(what, make_directory({blind})).refused->why.status, 400);
  what.has_images = false;
  what.tools.emplace_back();
  EXPECT_EQ(names(what, make_directory({blind, sees})), (strings{"sees/b"}));
  EXPECT_EQ(ask(what, make_directory({blind})).refused->why.param, "tools");
}

TEST_F(ranking_of, a_prompt_that_will_hardly_fit_is_sent_there_last) {
  auto small = make_node("small", tier::local, {"a"});
  small.context = 1000;
  auto what = say(simple_prompt);
  const auto of = make_directory({small, make_node("big", tier::cloud, {"b"})});
  EXPECT_EQ(names(what, of).front(), "small/a");
  what.text_size = 6000;
  EXPECT_EQ(names(what, of), (strings{"big/b", "small/a"}));
  what.text_size = 1000;
  what.max_tokens = 900;
  EXPECT_EQ(names(what, of), (strings{"big/b", "small/a"})) << "prompt and answer";
  EXPECT_EQ(names(say(simple_prompt, "small/a"), of), (strings{"small/a"}));
}

TEST_F(ranking_of, embeddings_go_only_to_nodes_made_for_them_and_never_change_the_model) {
  auto both = make_node("both", tier::cloud, {"gpt-4o", "text-embedding-3-small"});
  both.embeddings = true;
  auto vectors = make_node("vectors", tier::local, {"my-model"});
  vectors.embeddings = true;
  auto chats = make_node("chats", tier::local, {"text-embedding-3-small", "llama"});
  const auto of =
      make_directory({both, vectors, chats}, {{"vec", {"both/text-embedding-3-small", "vectors/my-model"}}}, true);
  const auto embed = [](std::string model) {
    auto what = say("text", std::move(model));
    what.endpoint = chat::endpoint::embeddings;
    return what;
  };
  EXPECT_EQ(names(embed("text-embedding-3-small"), of), (strings{"both/text-embedding-3-small"}));
  EXPECT_EQ(names(embed("my-model"), of), (strings{"vectors/my-model"}));
  EXPECT_EQ(names(embed("vec"), of), (strings{"both/text-embedding-3-small"}));
  EXPECT_EQ(ask(embed("gpt-4o"), of).refused->why.status, 400);
  EXPECT_EQ(ask(embed("llama"), of).refused->why.status, 400);
  EXPECT_EQ(ask(embed("unknown"), of).refused->why.status, 404);  // unknown_model = "auto" notwithstanding
  EXPECT_EQ(ask(embed("auto"), of).refused->why.status, 404);     // two models: whose vectors?
  EXPECT_EQ(names(embed("auto"), make_directory({vectors, chats})), (strings{"vectors/my-model"}));
  // And a chat does not end up at vectors.
  for (const auto& name : names(say(simple_prompt), of))
    EXPECT_TRUE(name == "both/gpt-4o" || name == "chats/llama") << name;
}

TEST_F(ranking_of, weights_share_among_equals) {
  auto light = make_node("light", tier::cloud, {"a"}), heavy = make_node("heavy", tier::cloud, {"a"});
  heavy.weight = 3;
  const auto of = make_directory({light, heavy});
  int first = 0;
  for (seed = 0; seed < 4000; ++seed) first += names(say(hard_prompt), of).front() == "heavy/a";
  EXPECT_NEAR(first, 3000, 120);
  first = 0;
  for (seed = 0; seed < 4000; ++seed) first += names(say(hard_prompt, "a"), of).front() == "heavy/a";
  EXPECT_NEAR(first, 3000, 120);
}

TEST_F(ranking_of, a_node_that_fails_much_gets_less) {
  const auto of = make_directory({make_node("good", tier::cloud, {"a"}), make_node("bad", tier::cloud, {"a"})});
  const auto bad = make_target_id("bad"), model = make_target_id("bad", "a");
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(known.begin(bad, model, start));
    if (i % 2 == 0)
      known.succeeded(bad, model, {}, start);
    else
      known.failed(bad, model, fault_of(fault_kind::server_error), start);
  }
  int first = 0;
  for (seed = 0; seed < 3000; ++seed) first += names(say(hard_prompt), of).front() == "bad/a";
  EXPECT_NEAR(first, 1000, 120);
}

TEST_F(ranking_of, is_the_same_for_the_same_seed) {
  const auto of = make_directory({make_node("a", tier::cloud, {"m"}), make_node("b", tier::cloud, {"m"}),
                                  make_node("c", tier::cloud, {"m"})});
  for (seed = 0; seed < 50; ++seed) EXPECT_EQ(names(say("hi"), of), names(say("hi"), of));
}

TEST_F(ranking_of, patience_grows_with_the_prompt) {
  auto what = say(simple_prompt);
  EXPECT_LT(ask(what, four_tiers()).candidates[0].patience, 10'100ms);
  what.text_size = 24'000;
  EXPECT_GE(ask(what, four_tiers()).candidates[0].patience, 60s);
}

TEST(directory, refuses_what_leads_nowhere) {
  const auto refuses = [](std::vector<node> nodes, std::vector<model_route> routes, std::string_view named) {
    const auto made = directory::make(std::move(nodes), std::move(routes), false);
    ASSERT_FALSE(made);
    EXPECT_TRUE(made.error().detail.contains(named)) << made.error().detail;
  };
  refuses({make_node("a", tier::local, {}), make_node("a", tier::local, {})}, {}, "\"a\"");
  refuses({make_node("a/b", tier::local, {})}, {}, "a/b");
  refuses({make_node("a", tier::local, {"x"})}, {{"m", {"b"}}}, "\"b\"");
  refuses({make_node("a", tier::local, {"x"})}, {{"m", {"a/y"}}}, "\"y\"");
  refuses({make_node("a", tier::local, {"x"})}, {{"m", {}}}, "\"m\"");
  refuses({make_node("a", tier::local, {"x"})}, {{"m", {"a"}}, {"m", {"a"}}}, "\"m\"");
}

TEST(directory, lists_models_within_reach_and_rights) {
  const auto of = four_tiers();
  const auto names_for = [&](policy who) {
    strings out;
    for (const auto& each : list_models(*of, who)) out.push_back(each.name);
    return out;
  };
  EXPECT_EQ(names_for({}), (strings{"auto", "gpt-4", "small", "middle", "large", "gpt-4o", "gpt-4o-mini"}));
  EXPECT_EQ(names_for({.api = reach::device, .key = reach::cloud, .allowed = {}}),
            (strings{"auto", "gpt-4", "small"}));
  const strings only{"sky/gpt-4o"};
  EXPECT_EQ(names_for({.api = reach::cloud, .key = reach::cloud, .allowed = only}), (strings{"gpt-4o"}));
}

TEST(near_names, finds_what_was_meant) {
  const strings known{"gpt-4o", "gpt-4o-mini", "claude-sonnet", "llama3"};
  EXPECT_EQ(near_names("gpt4o", known, 5).front(), "gpt-4o");
  EXPECT_EQ(near_names("GPT-4O", known, 5).front(), "gpt-4o");
  EXPECT_EQ(near_names("cluade-sonnet", known, 5), (strings{"claude-sonnet"}));
  EXPECT_EQ(near_names("llama", known, 5).front(), "llama3");
  EXPECT_TRUE(near_names("zzzzzzzz", known, 5).empty());
  EXPECT_EQ(near_names("gpt-4o", known, 1).size(), 1u);
  EXPECT_EQ(edit_distance("abc", "acb", 5), 1u);
  EXPECT_EQ(edit_distance("", "abc", 5), 3u);
  EXPECT_EQ(edit_distance("abc", "xyz", 1), 2u);
  (void)edit_distance(std::string(10'000, 'a'), std::string(10'000, 'b'), 1 << 20);
}

}  // namespace
}  // namespace meshai::route
