// What is about health or law. data/everyday.txt trained nothing and chose nothing.
#include "care/subject.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "care/subject_weights.hpp"

namespace meshai::care {
namespace {

using testing::HasSubstr;

std::ifstream open(const char* name) {
  return std::ifstream(std::filesystem::path(__FILE__).parent_path() / "data" / name);
}

// data/care.tsv is what the trainer itself says of these texts.
TEST(subject, is_what_its_trainer_says) {
  auto file = open("care.tsv");
  int count = 0;
  for (double medical, legal; file >> medical >> legal; ++count) {
    std::string text;
    file.ignore();  // the tab
    std::getline(file, text);
    const auto scores = shipped_subjects().of(text);
    EXPECT_NEAR(scores[0], medical, 1e-4) << text;
    EXPECT_NEAR(scores[1], legal, 1e-4) << text;
  }
  EXPECT_GE(count, 45);
}

TEST(subject, is_found_in_the_midst_of_a_long_text) {
  std::string around;
  for (int i = 0; i < 40; ++i) {
    around +=
        "Last summer we drove to the coast with our two kids and a tent. The weather was fine most days, and the "
        "food in the little harbour was cheap. In the evenings we played cards and read to the children. On the "
        "way back the car made a noise, so we stopped at a garage. ";
  }
  EXPECT_FALSE(look(around).any());
  const auto illness = "The doctor says that the tumour has spread and I need chemotherapy. ";
  const auto dispute = "My landlord wants to evict me and I have to appear in court. ";
  EXPECT_TRUE(look(around + illness + around).has(content::medical));
  EXPECT_TRUE(look(around + dispute + around).has(content::legal));
  EXPECT_FALSE(look(around + illness + around).has(content::legal));
}

// data/everyday.txt, which trained nothing and chose nothing: docs/operating/care.md has the figures.
TEST(subject, is_told_of_prompts_that_trained_nothing) {
  struct figures {
    int is = 0, told = 0, right = 0;
  };
  figures medical, legal;
  auto file = open("everyday.txt");
  std::string is;
  int prompts = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      is = line.substr(4, line.size() - 5);
      continue;
    }
    ++prompts;
    const auto seen = look(line);
    for (auto& [of, what] : {std::pair(&medical, content::medical), {&legal, content::legal}}) {
      of->is += is == to_string(what);
      of->told += seen.has(what);
      of->right += is == to_string(what) && seen.has(what);
    }
  }
  EXPECT_EQ(prompts, 216);
  for (const auto& of : {medical, legal}) {
    EXPECT_EQ(of.is, 61);
    EXPECT_GE(of.right * 100, of.told * 85) << of.right << " of " << of.told << " told";
    EXPECT_GE(of.right * 100, of.is * 60) << of.right << " of " << of.is;
  }
}

TEST(subject, is_there_or_not) {
  auto one = look("Is my chemotherapy the reason for this rash and the fever?");
  EXPECT_EQ(one.count(kind::medical), 1u);
  one.add(one);
  EXPECT_EQ(one.count(kind::medical), 1u);
}

TEST(subject, is_looked_for_where_it_is_wanted) {
  content_set secrets, law;
  secrets.add(content::secret);
  law.add(content::legal);
  const auto text = "My landlord wants to evict me and I have to appear in court. My password is hunter22.";
  EXPECT_FALSE(look(text, secrets).has(content::legal));
  EXPECT_TRUE(look(text, secrets).has(content::secret));
  EXPECT_TRUE(look(text, law).has(content::legal));
  EXPECT_FALSE(look(text, law).has(content::secret));
}

TEST(subject, takes_any_bytes) {
  std::string bytes;
  for (int i = 0; i < 70'000; ++i) bytes += static_cast<char>(i * 37 % 256);
  for (const auto& text : {std::string(), bytes, std::string(100'000, 'a'), std::string(100'000, '\xe4')})
    for (const auto score : shipped_subjects().of(text)) EXPECT_TRUE(std::isfinite(score));
}

class subject_weights_file : public testing::Test {
 protected:
  std::string refusal() const {
    const auto read = subject_model::read(bytes_);
    return read ? "" : read.error();
  }
  std::vector<unsigned char> bytes_{subject_weights().begin(), subject_weights().end()};
};

TEST_F(subject_weights_file, is_read_whole_or_not_at_all) {
  EXPECT_EQ(refusal(), "");
  bytes_.pop_back();
  EXPECT_THAT(refusal(), HasSubstr("bytes of weights instead of"));
  bytes_.resize(8);
  EXPECT_THAT(refusal(), HasSubstr("shorter than its head"));
}

TEST_F(subject_weights_file, is_of_a_known_make) {
  bytes_[8] = 9;
  EXPECT_THAT(refusal(), HasSubstr("version 9"));
  bytes_[0] = 'x';
  EXPECT_THAT(refusal(), HasSubstr("they do not begin with"));
}

TEST_F(subject_weights_file, has_finite_numbers) {
  const float wrong = NAN;
  std::memcpy(&bytes_[16], &wrong, sizeof wrong);
  EXPECT_THAT(refusal(), HasSubstr("not finite"));
}

}  // namespace
}  // namespace meshai::care
