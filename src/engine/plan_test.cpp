#include "engine/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshai::engine {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

constexpr std::uint64_t gib = 1ULL << 30;

gguf_header small_model() {
  gguf_header out;
  out.file_size = 98'362'432;
  out.context = 8192;
  out.layers = 30;
  out.kv_bytes = 23'040;
  out.vocabulary = 49'152;
  out.attention_heads = 9;
  return out;
}

TEST(Plan, LeavesACoreToTheNode) {
  EXPECT_EQ(make_plan(small_model(), {}, {}, {}, {.cores = 2, .memory = 8 * gib})->threads, 1);
  EXPECT_EQ(make_plan(small_model(), {}, {}, {}, {.cores = 1, .memory = 8 * gib})->threads, 1);
  EXPECT_EQ(make_plan(small_model(), {}, {}, {}, {.cores = 8, .memory = 8 * gib})->threads, 7);
  EXPECT_EQ(make_plan(small_model(), {}, {}, {.threads = 3}, {.cores = 8, .memory = 8 * gib})->threads, 3);
}

TEST(Plan, TakesTheProfilesContextThenTheModels) {
  const machine here{.cores = 2, .memory = 8 * gib};
  EXPECT_EQ(make_plan(small_model(), {}, {}, {}, here)->context, 8192);
  profile of;
  of.context = 2048;
  EXPECT_EQ(make_plan(small_model(), {}, of, {}, here)->context, 2048);
  EXPECT_EQ(make_plan(small_model(), {}, of, {.context = 4096}, here)->context, 4096);
  EXPECT_EQ(make_plan(small_model(), {}, of, {.context = 100'000}, here)->context,
            8192);  // it was trained for no more
  auto large = small_model();
  large.context = 131'072;
  EXPECT_EQ(make_plan(large, {}, {}, {}, here)->context, 8192);
  EXPECT_EQ(make_plan(large, {}, {}, {.context = 32'768}, here)->context, 32'768);
}

TEST(Plan, TwoSlotsOnlyWhereMemoryIsPlenty) {
  EXPECT_EQ(make_plan(small_model(), {}, {}, {}, {.cores = 2, .memory = 8 * gib})->slots, 2);
  EXPECT_EQ(make_plan(small_model(), {}, {}, {}, {.cores = 2, .memory = gib})->slots, 1);
  EXPECT_EQ(make_plan(small_model(), {}, {}, {.slots = 4}, {.cores = 2, .memory = 8 * gib})->slots, 4);
}

TEST(Plan, ShrinksTheContextBeforeItGivesUp) {
  auto large = small_model();
  large.file_size = 2 * gib;
  large.kv_bytes = 131'072;  // 1 GiB for 8192 tokens
  EXPECT_EQ(make_plan(large, {}, {}, {}, {.cores = 4, .memory = 4 * gib})->context, 8192);
  EXPECT_EQ(make_plan(large, {}, {}, {}, {.cores = 4, .memory = 3 * gib})->context, 4096);
  const auto hopeless = make_plan(large, {}, {}, {}, {.cores = 4, .memory = 2 * gib});
  ASSERT_FALSE(hopeless);
  EXPECT_EQ(hopeless.error().kind, error_kind::exhausted);
  EXPECT_THAT(hopeless.error().detail, HasSubstr("can be had; choose a smaller model, or close"));
  const auto chosen = make_plan(large, {}, {}, {.context = 8192}, {.cores = 4, .memory = 3 * gib});
  ASSERT_FALSE(chosen);  // what was asked for is not quietly made smaller
  EXPECT_THAT(chosen.error().detail, HasSubstr("a smaller context"));
}

TEST(Plan, BoundsGrowthByWhatTheModelMayKeep) {
  const machine here{.cores = 2, .memory = 64 * gib};
  EXPECT_EQ(make_plan(small_model(), {}, {}, {}, here)->growth, 256ULL << 20);
  auto sliding = small_model();
  sliding.window = 1024;
  EXPECT_EQ(make_plan(sliding, {}, {}, {.slots = 1}, here)->growth, (256ULL << 20) + 2 * 1024 * 23'040);
  const auto plan = *make_plan(small_model(), {}, {}, {}, here);
  EXPECT_GT(plan.address_space, plan.need + plan.growth);
  EXPECT_LT(plan.address_space, 5 * gib);
}

TEST(Plan, AModelForEmbeddingsDoesNotChat) {
  auto vectors = small_model();
  vectors.embeds = true;
  const machine here{.cores = 2, .memory = 8 * gib};
  const auto chat = make_plan(vectors, {}, {}, {}, here);
  ASSERT_FALSE(chat);
  EXPECT_THAT(chat.error().detail, HasSubstr("embeddings = true"));
  const auto plan = make_plan(vectors, {}, {}, {.embeddings = true}, here);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->slots, 1);
}

std::set<std::string> all_flags() {
  return {"--no-ui",   "--no-webui", "--no-warmup",  "--fit",         "--threads-http", "--temp",
          "--predict", "--pooling",  "--batch-size", "--ubatch-size", "--alias"};
}

TEST(Flags, KeepNoPromptsAndReachNowhere) {
  const auto flags =
      make_flags({.context = 4096, .slots = 2, .threads = 1}, small_model(), {}, "/m/a.gguf", {}, "/r/e.sock", {});
  EXPECT_THAT(flags, IsSupersetOf({"--cache-ram", "--no-slots", "--offline", "--log-disable"}));
  const auto context = std::ranges::find(flags, "--ctx-size");
  ASSERT_NE(context, flags.end());
  EXPECT_EQ(context[1], "8192");                 // of both slots together
  EXPECT_THAT(flags, Not(Contains("--no-ui")));  // an engine that does not know it would not start
}

TEST(Plan, CountsTheAdapter) {
  const machine here{.cores = 2, .memory = 8 * gib};
  const auto bare = *make_plan(small_model(), {}, {}, {}, here);
  const auto with = *make_plan(small_model(), {.file = "/m/a.lora", .file_size = 10'000'000}, {}, {}, here);
  EXPECT_EQ(with.need, bare.need + 10'000'000);
}

TEST(Flags, NameTheAdapter) {
  const auto flags = [](const adapter& on_top, const std::set<std::string>& known) {
    return make_flags({.context = 4096}, small_model(), {}, "/m/a.gguf", on_top, "/r/e.sock", known);
  };
  const adapter on_top{.file = "/m/a.lora", .file_size = 1};
  EXPECT_THAT(flags(on_top, {"--lora"}), IsSupersetOf({"--lora", "/m/a.lora"}));
  EXPECT_THAT(flags({}, {"--lora"}), Not(Contains("--lora")));
  EXPECT_THAT(flags(on_top, {}), Not(Contains("--lora")));  // an engine that does not know it would not start
}

TEST(Flags, CarryTheProfilesSampling) {
  profile of;
  of.max_tokens = 256;
  of.sampling = {{"temp", 0.2}, {"dry-multiplier", 0.8}};
  const auto flags = make_flags({.context = 4096}, small_model(), of, "/m/a.gguf", {}, "/r/e.sock", all_flags());
  const auto heat = std::ranges::find(flags, "--temp");
  ASSERT_NE(heat, flags.end());
  EXPECT_EQ(heat[1], "0.2");
  EXPECT_THAT(flags, IsSupersetOf({"--predict", "256", "--alias", "a"}));
  EXPECT_THAT(flags, Not(Contains("--dry-multiplier")));
}

TEST(Flags, EmbeddingsFitInOneBatch) {
  const auto flags = make_flags({.context = 2048, .embeddings = true}, small_model(), {}, "/m/a.gguf", {},
                                "/r/e.sock", all_flags());
  EXPECT_THAT(flags, IsSupersetOf({"--embeddings", "--ubatch-size", "2048", "--pooling", "mean"}));
}

}  // namespace
}  // namespace meshai::engine
