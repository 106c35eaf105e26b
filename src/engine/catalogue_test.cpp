#include "engine/catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "engine/sample.hpp"

namespace meshai::engine {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Catalogue : public ::testing::Test {
 public:
  ~Catalogue() override { fs::remove_all(folder_); }

 protected:
  fs::path write(const fs::path& name, std::string_view content) const {
    const auto file = folder_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }
  fs::path write_model(const fs::path& name) const { return write(name, sample::file{}.make()); }
  template <class T>
  static std::string refusal(const result<T>& of) {
    return of ? "it was taken" : of.error().detail;
  }

  static fs::path fresh_folder() {
    auto pattern = (fs::temp_directory_path() / "meshai-catalogue-XXXXXX").string();
    return ::mkdtemp(pattern.data());
  }

  fs::path folder_ = fresh_folder();
  fs::path data_ = folder_ / "data";
  catalogue models_{data_};
};

TEST_F(Catalogue, IsEmptyAtFirst) {
  EXPECT_TRUE(models_.list().empty());
  EXPECT_THAT(refusal(models_.resolve("default")), HasSubstr("meshai models add FILE.gguf"));
  EXPECT_THAT(refusal(models_.resolve("x")), HasSubstr("none at all"));
}

TEST_F(Catalogue, TheFirstModelBecomesTheDefault) {
  const auto added = models_.add(write_model("down load/My Model (1).gguf"));
  ASSERT_TRUE(added) << added.error().detail;
  EXPECT_EQ(added->name, "My-Model-1");
  EXPECT_TRUE(added->is_default);
  EXPECT_EQ(models_.resolve("default").value(), fs::canonical(data_ / "models/My-Model-1.gguf"));
  EXPECT_TRUE(fs::read_symlink(data_ / "models/default.gguf").is_relative());

  ASSERT_TRUE(models_.add(write_model("b.gguf")));
  const auto list = models_.list();
  ASSERT_EQ(list.size(), 2);
  EXPECT_EQ(list[0].name, "My-Model-1");
  EXPECT_TRUE(list[0].is_default);
  EXPECT_FALSE(list[1].is_default);
}

TEST_F(Catalogue, TakesTheProfileAlong) {
  write("m.toml", "title = \"The small one\"\nsystem = \"Be brief.\"\ncard = \"It is *weak*.\"\n");
  ASSERT_TRUE(models_.add(write_model("m.gguf"), "mine"));
  const auto card = models_.card("mine");
  ASSERT_TRUE(card) << card.error().detail;
  EXPECT_THAT(*card, HasSubstr("# The small one\n\nIt is *weak*.\n\n- name: mine (the default)\n"));
  EXPECT_THAT(*card, HasSubstr("- parameters: 72\n- form: Q4_1\n- context: 4096 tokens\n"));
}

std::string adapter_for(std::string_view architecture) {
  return sample::file{.more_keys = 1,
                      .keys = sample::text_key("general.type", "adapter"),
                      .architecture = sample::text_key("general.architecture", architecture)}
      .make();
}

TEST_F(Catalogue, TakesTheAdapterAlong) {
  write("m.lora", adapter_for("llama"));
  ASSERT_TRUE(models_.add(write_model("m.gguf"), "mine"));
  EXPECT_THAT(*models_.card("mine"), HasSubstr("- adapter: " + (data_ / "models" / "mine.lora").string()));
  EXPECT_EQ(models_.list().size(), 1);  // it is no model of its own
}

TEST_F(Catalogue, RefusesAWrongAdapter) {
  write("m.lora", adapter_for("gemma"));
  EXPECT_THAT(refusal(models_.add(write_model("m.gguf"))),
              HasSubstr("m.lora: this adapter is for gemma, the model beside it is llama; remove it"));
  write("n.lora", sample::file{}.make());
  EXPECT_THAT(refusal(models_.add(write_model("n.gguf"))), HasSubstr("no LoRA adapter (its type is model)"));
  write("o.lora", "<html>");
  EXPECT_THAT(refusal(models_.add(write_model("o.gguf"))), HasSubstr("a web page"));
  EXPECT_TRUE(models_.list().empty());
}

TEST_F(Catalogue, RefusesWhatCannotBeRun) {
  const auto whole = sample::file{}.make();
  EXPECT_THAT(refusal(models_.add(write("t.gguf", whole.substr(0, whole.size() - 40)))), HasSubstr("truncated"));
  EXPECT_THAT(refusal(models_.add(folder_ / "none.gguf")), HasSubstr("cannot open"));
  EXPECT_THAT(refusal(models_.add(folder_)), HasSubstr("is not a file"));
  const auto lora = sample::file{.more_keys = 1, .keys = sample::text_key("general.type", "adapter")}.make();
  EXPECT_THAT(refusal(models_.add(write("l.gguf", lora))), HasSubstr("its type is adapter"));
  const auto part = sample::file{.more_keys = 1, .keys = sample::number_key("split.count", 3)}.make();
  EXPECT_THAT(refusal(models_.add(write("p.gguf", part))), HasSubstr("one of 3 parts"));
  write("q.toml", "sytem = 1\n");
  EXPECT_THAT(refusal(models_.add(write_model("q.gguf"))), HasSubstr("sytem is unknown"));
  EXPECT_THAT(refusal(models_.add(write_model("default.gguf"))), HasSubstr("another name"));
  EXPECT_TRUE(models_.list().empty());
  EXPECT_TRUE(!fs::exists(data_ / "models") || fs::is_empty(data_ / "models"));
}

TEST_F(Catalogue, AddingTwiceIsFineReplacingIsNot) {
  ASSERT_TRUE(models_.add(write_model("m.gguf")));
  EXPECT_TRUE(models_.add(folder_ / "m.gguf"));
  EXPECT_TRUE(models_.add(write_model("elsewhere/m.gguf")));
  const auto other = write("other/m.gguf",
                           sample::file{.architecture = sample::text_key("general.architecture", "llamb")}.make());
  EXPECT_THAT(refusal(models_.add(other)), HasSubstr("is there already and is another file"));
  EXPECT_EQ(models_.list().size(), 1);
}

TEST_F(Catalogue, ListsABrokenFileWithItsReason) {
  write("data/models/broken.gguf", "<html>");
  write("data/models/.draft.gguf", "half");
  const auto list = models_.list();
  ASSERT_EQ(list.size(), 1);
  EXPECT_THAT(refusal(list[0].header), HasSubstr("a web page"));
  EXPECT_THAT(refusal(models_.set_default("broken")), HasSubstr("a web page"));
}

TEST_F(Catalogue, FindsByNameAndByPath) {
  ASSERT_TRUE(models_.add(write_model("m.gguf")));
  write_model("data/further/n.gguf");
  EXPECT_TRUE(models_.resolve("m"));
  EXPECT_TRUE(models_.resolve("m.gguf"));
  EXPECT_TRUE(models_.resolve("further/n.gguf"));
  EXPECT_TRUE(models_.resolve((folder_ / "m.gguf").string()));
  EXPECT_THAT(refusal(models_.resolve("../m.gguf")), HasSubstr("leads out of"));
  EXPECT_THAT(refusal(models_.resolve("further/x.gguf")), HasSubstr("no model file"));
  EXPECT_THAT(refusal(models_.resolve("x")), HasSubstr("there are: m"));
  EXPECT_THAT(refusal(models_.resolve("")), HasSubstr("no model is named"));
}

TEST_F(Catalogue, SwitchesTheDefault) {
  ASSERT_TRUE(models_.add(write_model("a.gguf")));
  ASSERT_TRUE(models_.add(write_model("b.gguf")));
  ASSERT_TRUE(models_.set_default("b"));
  EXPECT_EQ(models_.find("default")->name, "b");
  ASSERT_TRUE(models_.set_default((folder_ / "a.gguf").string()));
  EXPECT_EQ(models_.resolve("default").value(), fs::canonical(folder_ / "a.gguf"));
  EXPECT_THAT(refusal(models_.set_default("c")), HasSubstr("there are: a, b"));

  fs::remove(data_ / "models/default.gguf");
  write_model("data/models/default.gguf");  // a file of the user's: not ours to replace
  EXPECT_THAT(refusal(models_.set_default("b")), HasSubstr("is a file of its own"));
}

}  // namespace
}  // namespace meshai::engine
