#include "engine/keeper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshai::engine {
namespace {

using namespace std::chrono_literals;

TEST(Rest, DoublesUpToItsBound) {
  EXPECT_EQ(rest_after(0, 1.0, 500ms, 30s), 500ms);
  EXPECT_EQ(rest_after(1, 1.0, 500ms, 30s), 1s);
  EXPECT_EQ(rest_after(5, 1.0, 500ms, 30s), 16s);
  EXPECT_EQ(rest_after(6, 1.0, 500ms, 30s), 30s);
  EXPECT_EQ(rest_after(4'000'000'000U, 1.0, 500ms, 30s), 30s);
  EXPECT_EQ(rest_after(1, 0.0, 500ms, 30s), 500ms);
}

TEST(Complaint, IsTheFirstLineThatSaysWhy) {
  EXPECT_EQ(
      parse_complaint("0.00.036.865 I load: fine\n"
                      "0.00.126.485 E llama_model_load: error loading model: unknown model architecture: 'x'\n"
                      "0.00.126.504 E llama_model_load_from_file_impl: failed to load model\n"),
      "llama_model_load: error loading model: unknown model architecture: 'x'");
  EXPECT_EQ(parse_complaint("error: invalid argument: --nonsense\n"), "error: invalid argument: --nonsense");
  EXPECT_EQ(parse_complaint("./src/ggml.c:1655: GGML_ASSERT(x) failed\n"),
            "./src/ggml.c:1655: GGML_ASSERT(x) failed");
  EXPECT_EQ(parse_complaint("all is well\nA sentence with E in it\n"), "");
  EXPECT_EQ(parse_complaint(""), "");
}

TEST(Busy, CountsRunningAndWaitingRequests) {
  EXPECT_EQ(parse_busy("# HELP llamacpp:requests_processing Number of requests processing.\n"
                       "llamacpp:requests_processing 2\n# TYPE llamacpp:requests_deferred gauge\n"
                       "llamacpp:requests_deferred 3\n"),
            5);
  EXPECT_EQ(parse_busy("llamacpp:requests_processing 0\nllamacpp:requests_deferred 0\n"), 0);
  EXPECT_EQ(parse_busy("llamacpp:requests_processing 0\n"), std::nullopt);
  EXPECT_EQ(parse_busy("llamacpp:requests_processing nan\nllamacpp:requests_deferred 0\n"), std::nullopt);
}

TEST(FirstAnswer, CountsOnlyWithATokenInIt) {
  EXPECT_TRUE(has_token(R"({"choices":[],"usage":{"completion_tokens":1}})"));
  EXPECT_FALSE(has_token(R"({"choices":[],"usage":{"completion_tokens":0}})"));
  EXPECT_FALSE(has_token(R"({"error":{"message":"loading"}})"));
  EXPECT_FALSE(has_token("[]"));
  EXPECT_FALSE(has_token("<html>"));
  EXPECT_TRUE(has_vector(R"({"data":[{"embedding":[0.1]}]})"));
  EXPECT_FALSE(has_vector(R"({"data":[{"embedding":[]}]})"));
  EXPECT_FALSE(has_vector(R"({"data":[]})"));
}

}  // namespace
}  // namespace meshai::engine
