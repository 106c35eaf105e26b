#include "base/reach.hpp"

#include <gtest/gtest.h>

namespace meshai {
namespace {

TEST(reach, each_bound_allows_its_tier_and_the_nearer_ones) {
  EXPECT_TRUE(allows(reach::device, tier::local));
  EXPECT_FALSE(allows(reach::device, tier::neighbour));
  EXPECT_TRUE(allows(reach::site, tier::neighbour));
  EXPECT_FALSE(allows(reach::site, tier::regional));
  EXPECT_TRUE(allows(reach::mesh, tier::regional));
  EXPECT_FALSE(allows(reach::mesh, tier::cloud));
  EXPECT_TRUE(allows(reach::cloud, tier::cloud));
}

TEST(reach, the_strictest_wins_in_either_order) {
  EXPECT_EQ(strictest(reach::cloud, reach::site), reach::site);
  EXPECT_EQ(strictest(reach::site, reach::cloud), reach::site);
}

TEST(reach, names_go_there_and_back) {
  for (const auto* name : {"device", "site", "mesh", "cloud"}) EXPECT_EQ(to_string(*parse_reach(name)), name);
  for (const auto* name : {"local", "neighbour", "regional", "cloud"})
    EXPECT_EQ(to_string(*parse_tier(name)), name);
  EXPECT_FALSE(parse_reach("Cloud"));
  EXPECT_FALSE(parse_tier(""));
}

}  // namespace
}  // namespace meshai
