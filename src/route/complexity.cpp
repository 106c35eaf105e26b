#include "route/complexity.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>
#include <tuple>

#include "base/letters.hpp"
#include "route/asked.hpp"
#include "route/complexity_words.hpp"
#include "route/gain.hpp"

namespace meshai::route {
namespace {

// What a task is stands at the beginning or at the end of a message; what lies between is its material.
constexpr std::size_t looked_at_front = 1024;
constexpr std::size_t looked_at_back = 512;

constexpr int simple_up_to = 1;
constexpr int medium_up_to = 4;

class reader {
 public:
  explicit reader(features& into) : into_(into) {}

  void read(std::string_view text) {
    std::string word;
    for (std::size_t at = 0; at < text.size();) {
      const auto [code, size] = letter_at(text, at);
      const auto c = lower(code);
      see_mark(c);
      if (stands_alone(c)) {
        end_of(word);
        look_up(text.substr(at));
        ++ideographs_;
      } else if (is_letter(c)) {
        append_letter(word, c);
      } else {
        end_of(word);
      }
      at += size;
    }
    end_of(word);
    before_.clear();
    material_ = false;
    into_.words += ideographs_ / 2;
    ideographs_ = 0;
  }
  int points() const {
    const bool fact = asks_for_a_fact_ && !(tells() && ended_before_);
    const int base = base_ == 0 && tells() ? 3 : base_ == 3 && long_ && !small_ ? 6 : base_;
    return (base == 3 && fact ? 0 : base) + std::min(added_, 4);
  }

 private:
  // What is no single question wants more than a look-up, whatever its words.
  bool tells() const { return into_.words >= tells_from && (!asks_ || ended_before_); }

  void see_mark(char32_t c) {
    const bool question = c == U'?' || c == 0xff1f, end = question || c == U'.' || c == U'!' || c == 0x3002;
    if (end && ends_ && into_.words > words_at_end_) ended_before_ = true;
    if (end) ends_ = true, asks_ = question, words_at_end_ = into_.words;
    // "I have this and that, what now?"
    if ((c == U',' || c == 0x3001 || c == 0xff0c) && into_.words + ideographs_ / 2 >= 4) ends_ = true;
    // "Make this shorter: ...": what follows is no part of the task.
    if ((c == U':' || c == 0xff1a) && base_ >= 3) material_ = true;
  }

  void end_of(std::string& word) {
    if (word.empty()) return;
    ++into_.words;
    if (!before_.empty()) look_up(before_.append(" ").append(word));
    before_ = word;
    look_up(word);
    if (std::ranges::binary_search(easy_words(), std::string_view(word))) ++into_.easy_words;
    word.clear();
  }

  void look_up(std::string_view word) {
    if (material_) return;
    const auto* found = longest_stem(word);
    if (found == nullptr) return;
    const auto index = static_cast<std::size_t>(found - stems().data());
    if (seen_.test(index)) return;
    seen_.set(index);
    if (found->points < 0) {
      ++into_.easy_words;
      asks_for_a_fact_ = asks_for_a_fact_ || found->points == -3;
    } else if (found->points > 0) {
      ++into_.hard_words;
      switch (found->points) {
        case 1:
          small_ = true;
          break;
        case 2:
          added_ += 2;
          break;
        case 4:
          small_ = true;
          base_ = std::max(base_, 3);
          break;
        case 5:
          long_ = true;
          base_ = std::max(base_, 3);
          break;
        default:
          base_ = std::max(base_, found->points);
      }
    }
  }

  static constexpr std::size_t tells_from = 7;  // words

  features& into_;
  std::bitset<2048> seen_;
  std::string before_;  // the word before this one
  std::size_t words_at_end_ = 0;
  bool material_ = false, asks_ = false, ends_ = false, ended_before_ = false;
  std::size_t ideographs_ = 0;
  int base_ = 0, added_ = 0;
  bool asks_for_a_fact_ = false, long_ = false, small_ = false;
};

// "2+2", "12 * (3 - 4) =": at least one operator between numbers, in a short message.
bool has_small_sum(std::string_view text) {
  if (text.size() > 120) return false;
  bool number = false, pending = false;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      if (pending) return true;
      number = true;
    } else if (number && (c == '+' || c == '*' || c == '/' || c == '-' || c == '^' || c == 'x')) {
      pending = true;
    } else if (c != ' ' && c != '(' && c != ')' && c != '.' && c != ',') {
      number = pending = false;
    }
  }
  return false;
}

bool looks_like_code(std::string_view text) {
  static constexpr std::array<std::string_view, 9> signs{"```",     "#include", "def ", "();",        "=> {",
                                                         "SELECT ", "</",       "};",   "Traceback ("};
  return std::ranges::any_of(signs, [&](std::string_view sign) { return text.contains(sign); });
}

int length_points(const features& of) {
  int points = of.words > 800 ? 4 : of.words > 200 ? 2 : of.words > 18 ? 1 : 0;
  points += of.text_size > 40'000 ? 3 : of.text_size > 8'000 ? 1 : 0;
  return points + (of.turns > 6 ? 1 : 0);
}

int points_of(const features& of, int word_points) {
  int points = word_points + length_points(of);
  if (of.code) points += 3;
  if (of.tools) points += 2;
  if (of.images) points += 2;
  if (of.schema) points += 1;
  if (of.reasoning) points += 3;
  if (of.long_answer) points += 1;
  if (of.arithmetic && of.hard_words == 0) points -= 3;
  if (of.words <= 12 && of.hard_words == 0) points -= std::min(of.easy_words, 2);
  return points;
}

// Of the gain: from here on a question with options is worth the strongest node, which saves one answer in ten. Of
// exam questions that it had not seen it says so of half; these hold two thirds of what there is to gain
// (docs/operating/gain.md).
constexpr double worth_the_strongest = 0.1;
// How much a point counts for the value, as a logarithm of odds. More of it would sort such questions by the rule,
// which knows less of them.
constexpr double odds_of_a_point = 0.5;

double value_of(const gain& of, int points) {
  if (of.options) return of.rank;
  return 1 / (1 + (1 - of.rank) / of.rank * std::exp(-odds_of_a_point * (points - simple_up_to)));
}

int with_gain(int points, const gain& of) {
  if (!of.options) return points;
  return of.expected >= worth_the_strongest ? std::max(points, medium_up_to + 1)
                                            : std::clamp(points, simple_up_to + 1, medium_up_to);
}

}  // namespace

std::string_view to_string(complexity how) {
  constexpr std::array<std::string_view, 3> names{"simple", "medium", "hard"};
  return names[static_cast<std::size_t>(how)];
}

judgement judge(const chat::request& of, extent wanted) {
  judgement made;
  auto& seen = made.seen;
  seen.text_size = of.text_size;
  seen.images = of.has_images;
  seen.tools = !of.tools.empty();
  seen.schema = of.response_format.kind == chat::format_kind::json_schema;
  seen.reasoning = of.reasoning_effort == "medium" || of.reasoning_effort == "high" ||
                   of.reasoning_effort == "xhigh" || of.reasoning_budget.value_or(0) >= 4096;
  seen.long_answer = of.max_tokens.value_or(0) >= 8192;

  seen.turns = static_cast<std::size_t>(std::ranges::count(of.messages, chat::role::user, &chat::message::role));
  reader words(seen);
  gain most{.expected = -1, .rank = 0.5};
  for (const std::string_view text : texts_asked(of)) {
    const auto front = text.substr(0, looked_at_front);
    const auto rest = text.substr(front.size());
    const auto back = rest.substr(rest.size() - std::min(rest.size(), looked_at_back));
    words.read(front);
    words.read(back);
    seen.words += (rest.size() - back.size()) / 6;  // what lies between, by the usual length of a word
    seen.code = seen.code || looks_like_code(front) || looks_like_code(back);
    seen.arithmetic = seen.arithmetic || has_small_sum(text);
    if (wanted == extent::decision && !lists_options(text)) continue;
    const auto here = shipped_gain().of(text);
    if (std::tuple(here.options, here.expected) > std::tuple(most.options, most.expected)) most = here;
  }
  seen.options = most.options;
  made.gain = std::max(most.expected, 0.0);
  made.score = with_gain(points_of(seen, words.points()), most);
  made.how = made.score <= simple_up_to   ? complexity::simple
             : made.score <= medium_up_to ? complexity::medium
                                          : complexity::hard;
  made.value = value_of(most, made.score);
  return made;
}

std::int64_t estimate_tokens(const chat::request& of) {
  std::int64_t images = 0;
  if (of.has_images) {
    for (const auto& message : of.messages)
      images += std::ranges::count(message.parts, chat::part_kind::image, &chat::part::kind);
  }
  return static_cast<std::int64_t>(of.text_size / 4) + images * 1'000;
}

}  // namespace meshai::route
