#include "upstream/discovery.hpp"

#include <gtest/gtest.h>

namespace meshai::upstream {
namespace {

using chat::dialect;

TEST(discovery, reads_the_list_of_each_dialect) {
  const auto openai = read_model_list(dialect::openai,
                                      R"({"object":"list","data":[{"id":"gpt-4o","object":"model"},
                                         {"id":"m","max_model_len":4096},{"id":"e","type":"embeddings"},
                                         {"id":"far","remote_host":"https://ollama.com"},{"noid":1},7,{"id":""}]})");
  ASSERT_TRUE(openai) << openai.error().detail;
  ASSERT_EQ(openai->models.size(), 4u);
  EXPECT_EQ(openai->models[0].name, "gpt-4o");
  EXPECT_EQ(openai->models[1].context, 4096);
  EXPECT_TRUE(openai->models[2].embeddings);
  EXPECT_TRUE(openai->models[3].remote);
  EXPECT_TRUE(openai->next.empty());

  const auto anthropic = read_model_list(
      dialect::anthropic, R"({"data":[{"id":"claude-x","type":"model"}],"has_more":true,"last_id":"claude-x"})");
  ASSERT_TRUE(anthropic);
  EXPECT_EQ(anthropic->next, "claude-x");
  EXPECT_EQ(list_path(dialect::anthropic, anthropic->next), "/models?limit=1000&after_id=claude-x");

  const auto gemini = read_model_list(dialect::gemini,
                                      R"({"models":[{"name":"models/gemini-2.5-flash","inputTokenLimit":1048576,
                                          "supportedGenerationMethods":["generateContent"]},
                                          {"name":"models/gemini-embedding-001",
                                           "supportedGenerationMethods":["embedContent"]}],
                                          "nextPageToken":"abc="})");
  ASSERT_TRUE(gemini);
  EXPECT_EQ(gemini->models[0].name, "gemini-2.5-flash");
  EXPECT_EQ(gemini->models[0].context, 1048576);
  EXPECT_TRUE(gemini->models[1].embeddings);
  EXPECT_EQ(gemini->next, "abc=");
}

TEST(discovery, refuses_what_is_no_list) {
  for (const auto* body : {"", "[]", "{}", "<html>", R"({"data":7})", R"({"data":[)", "null"}) {
    EXPECT_FALSE(read_model_list(dialect::openai, body)) << body;
    EXPECT_FALSE(read_model_list(dialect::gemini, body)) << body;
  }
  EXPECT_TRUE(read_model_list(dialect::openai, R"({"data":[]})"));
  // A page token goes into a URL.
  EXPECT_EQ(read_model_list(dialect::gemini, R"({"models":[],"nextPageToken":"a&key=b\r\n"})")->next, "");
}

TEST(discovery, ollama_tells_what_runs_elsewhere) {
  std::vector<discovered> all{{.name = "llama3:latest"}, {.name = "gpt-oss:120b-cloud"}};
  mark_remote(R"({"models":[{"name":"llama3:latest","model":"llama3:latest"},
                 {"name":"gpt-oss:120b-cloud","remote_model":"gpt-oss:120b","remote_host":"https://ollama.com:443"}]})",
              all);
  EXPECT_FALSE(all[0].remote);
  EXPECT_TRUE(all[1].remote);
  mark_remote("not json", all);
  mark_remote(R"({"models":{}})", all);
  EXPECT_FALSE(all[0].remote);
}

}  // namespace
}  // namespace meshai::upstream
