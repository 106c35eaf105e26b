#include "engine/gguf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/sample.hpp"

namespace meshai::engine {
namespace {

using ::testing::HasSubstr;
namespace s = sample;

std::string complaint(const std::string& content) {
  const auto header = s::read(content);
  return header ? "it was taken" : header.error().detail;
}

TEST(Gguf, TellsWhatAModelIs) {
  const auto header = s::read(s::file{}.make());
  ASSERT_TRUE(header) << header.error().detail;
  EXPECT_EQ(header->architecture, "llama");
  EXPECT_EQ(header->type, "model");
  EXPECT_EQ(header->name, "A \"model\"?[31m");  // nothing that a terminal would obey
  EXPECT_EQ(header->quantisation, "Q4_1");
  EXPECT_EQ(header->context, 4096);
  EXPECT_EQ(header->parameters, 8 + 64);
  EXPECT_EQ(header->tensors, 2);
  EXPECT_EQ(header->kv_bytes, 23'040);  // 30 layers, 3 heads of 64, keys and values, 2 bytes each
  EXPECT_FALSE(header->chat_template);
  EXPECT_FALSE(header->embeds);
}

TEST(Gguf, NoticesTemplateTokenizerAndPooling) {
  s::file with;
  with.more_keys = 4;
  with.keys = s::text_key("tokenizer.chat_template", std::string(100'000, 'x')) +
              s::number_key("llama.pooling_type", 1) + s::text("tokenizer.ggml.tokens") +
              s::bytes(std::uint32_t{9}) + s::bytes(std::uint32_t{8}) + s::bytes(std::uint64_t{3}) + s::text("a") +
              s::text("") + s::text("ccc") + s::text("llama.rope") + s::bytes(std::uint32_t{9}) +
              s::bytes(std::uint32_t{6}) + s::bytes(std::uint64_t{2}) + s::bytes(1.0F) + s::bytes(2.0F);
  const auto header = s::read(with.make());
  ASSERT_TRUE(header) << header.error().detail;
  EXPECT_TRUE(header->chat_template);
  EXPECT_TRUE(header->embeds);
  EXPECT_EQ(header->vocabulary, 3);
}

TEST(Gguf, CountsHeadsPerLayer) {
  s::file with;
  with.more_keys = 2;
  // Duplicate of head_count_kv is not allowed, so this one speaks of another architecture.
  with.architecture = s::text_key("general.architecture", "hybrid");
  with.keys = s::text("hybrid.attention.head_count_kv") + s::bytes(std::uint32_t{9}) + s::bytes(std::uint32_t{5}) +
              s::bytes(std::uint64_t{3}) + s::bytes(std::int32_t{0}) + s::bytes(std::int32_t{2}) +
              s::bytes(std::int32_t{4}) + s::number_key("hybrid.attention.head_count", 4);
  with.more_keys += 3;
  with.keys += s::number_key("hybrid.embedding_length", 64) + s::number_key("hybrid.attention.key_length", 8) +
               s::number_key("hybrid.attention.value_length", 4);
  const auto header = s::read(with.make());
  ASSERT_TRUE(header) << header.error().detail;
  EXPECT_EQ(header->kv_bytes, (0 + 2 + 4) * (8 + 4) * 2);
}

TEST(Gguf, EveryTruncationIsRefused) {
  const auto whole = s::file{}.make();
  const auto last_byte_that_counts =
      whole.size() - (64 - 40);  // the last tensor has 40 bytes, its padding need not be there
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto header = s::read(whole.substr(0, size));
    ASSERT_EQ(header.has_value(), size >= last_byte_that_counts) << size;
    if (!header && size > 200) {
      EXPECT_THAT(header.error().detail, HasSubstr("truncated")) << size;
    }
  }
}

TEST(Gguf, NamesWhatIsNoGguf) {
  EXPECT_THAT(complaint(""), HasSubstr("empty"));
  EXPECT_THAT(complaint("<!DOCTYPE html><html>"), HasSubstr("a web page"));
  EXPECT_THAT(complaint("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("git lfs pull"));
  EXPECT_THAT(complaint("PK\x03\x04xxxxxxxxxxxxx"), HasSubstr("ZIP"));
  EXPECT_THAT(complaint(std::string("\x40\0\0\0\0\0\0\0{\"a\":1}", 15)), HasSubstr("safetensors"));
  EXPECT_THAT(complaint("hello"), HasSubstr("not a GGUF file"));
}

TEST(Gguf, RefusesOtherVersionsAndByteOrder) {
  EXPECT_THAT(complaint(s::file{.version = 1}.make()), HasSubstr("version 1"));
  EXPECT_THAT(complaint(s::file{.version = 4}.make()), HasSubstr("a newer meshai"));
  EXPECT_THAT(complaint(s::file{.version = 3U << 24}.make()), HasSubstr("big-endian"));
}

TEST(Gguf, RefusesWhatDoesNotAddUp) {
  EXPECT_THAT(complaint(s::file{.tensors = 1ULL << 60}.make()), HasSubstr("no model has"));
  EXPECT_THAT(complaint(s::file{.more_keys = 1ULL << 60}.make()), HasSubstr("no model has"));
  EXPECT_THAT(complaint(s::file{.second_offset = 64}.make()), HasSubstr("instead of 32"));
  EXPECT_THAT(complaint(s::file{.second_type = 4}.make()), HasSubstr("not in use"));
  EXPECT_THAT(complaint(s::file{.row = 33}.make()), HasSubstr("do not fit"));
  EXPECT_THAT(complaint(s::file{.row = 0}.make()), HasSubstr("impossible shape"));
  EXPECT_THAT(complaint(s::file{.row = ~0ULL}.make()), HasSubstr("impossible shape"));
  EXPECT_THAT(complaint(s::file{.row = 1ULL << 40}.make()), HasSubstr("truncated"));
  EXPECT_THAT(complaint(s::file{.more_keys = 1, .keys = s::number_key("general.alignment", 24)}.make()),
              HasSubstr("alignment"));
  EXPECT_THAT(complaint(s::file{.more_keys = 1, .keys = s::text("k") + s::bytes(std::uint32_t{13})}.make()),
              HasSubstr("does not exist"));
  EXPECT_THAT(complaint(s::file{.more_keys = 1, .keys = s::number_key("llama.block_count", 1)}.make()),
              HasSubstr("twice"));
  EXPECT_THAT(complaint(s::file{.architecture = s::number_key("general.architecture", 1)}.make()),
              HasSubstr("which architecture"));
}

TEST(Gguf, ALengthBeyondTheFileIsNotBelieved) {
  const auto huge = s::text("k") + s::bytes(std::uint32_t{8}) + s::bytes(~std::uint64_t{0});
  EXPECT_THAT(complaint(s::file{.more_keys = 1, .keys = huge}.make()), HasSubstr("truncated"));
  const auto array =
      s::text("k") + s::bytes(std::uint32_t{9}) + s::bytes(std::uint32_t{10}) + s::bytes(~std::uint64_t{0});
  EXPECT_THAT(complaint(s::file{.more_keys = 1, .keys = array}.make()), HasSubstr("truncated"));
}

TEST(Gguf, AcceptsATypeThatIsNewerThanThisTable) {
  const auto header = s::read(s::file{.second_type = 200}.make());
  ASSERT_TRUE(header) << header.error().detail;
  EXPECT_EQ(header->parameters, 8 + 64);
}

TEST(Gguf, WritesParameterCountsAsPeopleDo) {
  EXPECT_EQ(parameter_count(134'515'008), "135M");
  EXPECT_EQ(parameter_count(7'615'616'512), "7.6B");
  EXPECT_EQ(parameter_count(671'026'419'200), "671B");
}

}  // namespace
}  // namespace meshai::engine
