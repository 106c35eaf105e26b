#include "route/gain.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "route/gain_weights.hpp"

namespace meshai::route {
namespace {

using testing::HasSubstr;

// data/gain.jsonl is what the trainer itself says of these prompts.
TEST(gain, is_what_its_trainer_says) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "data" / "gain.jsonl");
  int count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const auto told = boost::json::parse(line);
    EXPECT_NEAR(shipped_gain().of(told.at("prompt").as_string()).expected, told.at("gain").to_number<double>(),
                2e-6)
        << line;
  }
  EXPECT_GE(count, 20);
}

TEST(gain, does_not_change_with_the_clothes_of_options) {
  const auto of = [](std::string_view text) { return shipped_gain().of(text); };
  const auto one = of("Which is the largest?\nA. Mars\nB. Venus\nC. Jupiter\nAnswer:");
  EXPECT_TRUE(one.options);
  EXPECT_NEAR(of("Which is the largest?\n(a) Jupiter\n(b) Mars\n(c) Venus").expected, one.expected, 1e-6);
  EXPECT_FALSE(of("Which is the largest, Mars, Venus or Jupiter?").options);
}

TEST(gain, takes_any_bytes_and_of_a_long_text_its_ends) {
  std::string bytes;
  for (int i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 37 % 256);
  EXPECT_TRUE(std::isfinite(shipped_gain().of(bytes).expected));
  const std::string front(form_front, 'a'), back(form_back, 'b');
  EXPECT_EQ(shipped_gain().of(front + std::string(9'000'000, 'c') + back).expected,
            shipped_gain().of(front + "d" + back).expected);
}

TEST(gain, ranks_between_none_and_all) {
  const auto low = shipped_gain().of("Hello!"),
             high = shipped_gain().of(
                 "Statement 1 | Every group of order 4 is abelian. Statement 2 | Every ring has an identity.\n"
                 "A. True, True\nB. False, False\nC. True, False\nD. False, True");
  EXPECT_LT(low.expected, high.expected);
  EXPECT_GT(low.rank, 0);
  EXPECT_LT(low.rank, high.rank);
  EXPECT_LT(high.rank, 1);
}

class gain_weights_file : public testing::Test {
 protected:
  std::vector<unsigned char> file{gain_weights().begin(), gain_weights().end()};
  std::string fault() const {
    const auto made = gain_model::read(file);
    return made ? "" : made.error();
  }
  void put(std::size_t at, std::uint32_t value) { std::memcpy(file.data() + at, &value, sizeof value); }
  std::uint32_t get(std::size_t at) const {
    std::uint32_t value = 0;
    std::memcpy(&value, file.data() + at, sizeof value);
    return value;
  }
  std::size_t branches() const { return 48 + 4 * std::size_t{get(16)}; }
};

TEST_F(gain_weights_file, is_read_whole_or_not_at_all) {
  EXPECT_EQ(fault(), "");
  EXPECT_LT(file.size(), 200'000u);
  file.pop_back();
  EXPECT_THAT(fault(), HasSubstr("cut"));
  file.resize(40);
  EXPECT_THAT(fault(), HasSubstr("shorter than its head"));
  file.resize(gain_model::most_bytes + 1);
  EXPECT_THAT(fault(), HasSubstr("longer than 1 MiB"));
}

TEST_F(gain_weights_file, says_what_is_wrong_with_its_head) {
  for (const auto& [at, value, told] :
       std::vector<std::tuple<std::size_t, std::uint32_t, std::string>>{{0, 0, "no weights"},
                                                                        {8, 2, "version 2"},
                                                                        {12, 7, "made for 7 numbers"},
                                                                        {16, 1u << 31, "beyond its bound"},
                                                                        {20, 1u << 31, "beyond its bound"},
                                                                        {28, 31, "beyond its bound"},
                                                                        {32, 0x7f800000, "not finite"},
                                                                        {44, 0, "not positive"}}) {
    const auto before = get(at);
    put(at, value);
    EXPECT_THAT(fault(), HasSubstr(told)) << at;
    put(at, before);
  }
}

TEST_F(gain_weights_file, has_trees_that_end) {
  const auto first = branches();  // value, then number and right
  const auto before = get(first + 4);
  put(first + 4, (before & 0xffff0000u) | 300);
  EXPECT_THAT(fault(), HasSubstr("not there"));
  put(first + 4, (before & 0xffffu) | 1u << 16);
  EXPECT_THAT(fault(), HasSubstr("out of its tree"));
  put(first + 4, (before & 0xffffu) | 60'000u << 16);
  EXPECT_THAT(fault(), HasSubstr("out of its tree"));
  put(first + 4, before | 0xffffu);  // a leaf: the rest are more than the trees that are named
  EXPECT_NE(fault(), "");
  put(first + 4, before);
  put(first, 0x7fc00000);
  EXPECT_THAT(fault(), HasSubstr("not finite"));
}

}  // namespace
}  // namespace meshai::route
