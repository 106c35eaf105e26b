#include "route/language.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace meshai::route {
namespace {

TEST(language, is_told_by_script_and_by_small_words) {
  for (const auto& [text, code] : std::map<std::string_view, std::string_view>{
           {"What is the capital of France?", "en"},
           {"Was ist die Hauptstadt von Frankreich?", "de"},
           {"Wat is de hoofdstad van Frankrijk?", "nl"},
           {"Jaka jest stolica Francji i co to jest?", "pl"},
           {"Vad är det för skillnad på ett äpple och ett päron?", "sv"},
           {"Bu ne kadar ve neden çok pahalı?", "tr"},
           {"Яка столиця Франції?", "uk"},
           {"Какая столица Франции?", "ru"},
           {"ما هي عاصمة فرنسا؟", "ar"},
           {"پایتخت فرانسه کجاست؟", "fa"},
           {"מהי בירת צרפת?", "he"},
           {"Ποια είναι η πρωτεύουσα;", "el"},
           {"फ्रांस की राजधानी क्या है?", "hi"},
           {"เมืองหลวงของฝรั่งเศสคืออะไร", "th"},
           {"用Python写一个函数", "zh"},
           {"Pythonで関数を書いて", "ja"},
           {"프랑스의 수도는?", "ko"},
       })
    EXPECT_EQ(language_of(text), code) << text;
}

TEST(language, what_is_not_plain_is_unknown) {
  for (const std::string_view text : {"", "2+2", "ok", "Python", "git commit -m fix", "\xff\xfe\x80", "π?",
                                      "translate 你好 into English please"})
    EXPECT_EQ(language_of(text), "") << text;
}

// The everyday prompts stand under their languages. What is short may stay unknown; nothing is taken for another.
TEST(language, nothing_that_people_ask_every_day_is_taken_for_another) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path() / "data" / "everyday.txt");
  ASSERT_TRUE(file);
  int told = 0, all = 0;
  std::string language;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('[')) {
      language = line.substr(1, 2);
      continue;
    }
    const auto found = language_of(line);
    EXPECT_TRUE(found.empty() || found == language) << found << ": " << line;
    told += !found.empty();
    ++all;
  }
  EXPECT_GE(all, 300);
  EXPECT_GE(told * 10, all * 7);
}

TEST(language, any_bytes_are_looked_at_and_no_more_than_so_many) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>(i * 7919 >> 3);
  language_of(text);
  EXPECT_EQ(language_of("the end of it is " + std::string(10'000, ' ') + "Какая столица Франции?"), "en");
}

}  // namespace
}  // namespace meshai::route
