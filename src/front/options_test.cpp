#include "front/options.hpp"

#include <gtest/gtest.h>

namespace meshai::front {
namespace {

TEST(mesh_headers, say_the_same_as_the_body) {
  chat::mesh_options options;
  EXPECT_TRUE(take_mesh_header("X-Mesh-Reach", "site", options));
  EXPECT_TRUE(take_mesh_header("x-mesh-fallback", "false", options));
  EXPECT_TRUE(take_mesh_header("x-mesh-drop", "true", options));
  EXPECT_TRUE(take_mesh_header("x-mesh-explain", "1", options));
  EXPECT_EQ(options.explain, true);
  EXPECT_EQ(options.reach, reach::site);
  EXPECT_EQ(options.fallback, false);
  EXPECT_EQ(options.drop, true);
}

TEST(mesh_headers, never_weaken_the_body) {
  chat::mesh_options options{.reach = reach::device, .fallback = false, .drop = false};
  EXPECT_TRUE(take_mesh_header("x-mesh-reach", "cloud", options));
  EXPECT_TRUE(take_mesh_header("x-mesh-fallback", "true", options));
  EXPECT_TRUE(take_mesh_header("x-mesh-drop", "true", options));
  EXPECT_EQ(options.reach, reach::device);
  EXPECT_EQ(options.fallback, false);
  EXPECT_EQ(options.drop, false);
}

TEST(mesh_headers, the_stricter_of_two_holds_either_way_round) {
  const chat::mesh_options strict{.reach = reach::site, .fallback = false, .drop = false};
  const chat::mesh_options wide{.reach = reach::cloud, .fallback = true, .drop = true};
  for (const auto& both :
       {stricter(strict, wide), stricter(wide, strict), stricter(strict, {}), stricter({}, strict)}) {
    EXPECT_EQ(both.reach, reach::site);
    EXPECT_EQ(both.fallback, false);
    EXPECT_EQ(both.drop, false);
  }
  EXPECT_EQ(stricter({}, {}).reach, std::nullopt);
  EXPECT_EQ(stricter(wide, {}).drop, true);
}

TEST(mesh_headers, of_two_wishes_the_first_holds_but_private_in_any_place) {
  using chat::preference;
  chat::mesh_options options{.prefer = preference::speed};
  EXPECT_TRUE(take_mesh_header("x-mesh-prefer", "price", options));
  EXPECT_EQ(options.prefer, preference::speed);
  EXPECT_TRUE(take_mesh_header("x-mesh-prefer", "private", options));
  EXPECT_EQ(options.prefer, preference::privacy);
  EXPECT_TRUE(take_mesh_header("x-mesh-prefer", "quality", options));
  EXPECT_EQ(options.prefer, preference::privacy);
  const auto wrong = take_mesh_header("x-mesh-prefer", "cheap", options);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().hint, "Use speed, quality, price or private.");
}

TEST(mesh_headers, what_is_not_implemented_is_named) {
  chat::mesh_options options;
  for (const auto* name : {"x-mesh-private", "X-MESH-Budget", "x-mesh-"}) {
    const auto taken = take_mesh_header(name, "true", options);
    ASSERT_FALSE(taken) << name;
    EXPECT_EQ(taken.error().code, "unsupported_parameter");
    EXPECT_TRUE(taken.error().param.starts_with("x-mesh-"));
  }
  EXPECT_FALSE(take_mesh_header("x-mesh-reach", "Device", options));
  EXPECT_FALSE(take_mesh_header("x-mesh-fallback", "yes", options));
  EXPECT_FALSE(take_mesh_header("x-mesh-drop", "", options));
}

TEST(mesh_headers, others_are_left_alone) {
  chat::mesh_options options;
  for (const auto* name : {"x-mesh", "x-request-id", "", "reach"})
    EXPECT_TRUE(take_mesh_header(name, "?", options)) << name;
}

}  // namespace
}  // namespace meshai::front
