#include "engine/program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshai::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Help, ListsOptionsAndNotTheWordsAboutThem) {
  const auto flags = parse_help(
      "----- common params -----\n\n"
      "-np,   --parallel N                     number of server slots, see --kv-unified\n"
      "--cpu-strict <0|1>                      use strict CPU placement\n"
      "                                        --threads)\n"
      "                                        and more than --this\n"
      "-kvu,  --kv-unified, -no-kvu, --no-kv-unified\n"
      "                                        use single unified KV buffer\n");
  EXPECT_THAT(flags, ElementsAre("--cpu-strict", "--kv-unified", "--no-kv-unified", "--parallel"));
}

TEST(Help, AnOldProgramIsRefusedByName) {
  const program old{.name = "/usr/bin/llama-server", .run = {}, .arguments = {}, .directory = {}, .version = {}};
  const auto ok = check_flags(old, {"--model", "--host", "--ctx-size", "--parallel", "--threads", "--offline",
                                    "--log-disable", "--metrics"});
  ASSERT_FALSE(ok);
  EXPECT_THAT(ok.error().detail, HasSubstr("/usr/bin/llama-server does not know --cache-ram, --no-slots"));
}

}  // namespace
}  // namespace meshai::engine
