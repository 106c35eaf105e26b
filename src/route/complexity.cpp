#include "route/complexity.hpp"

#include <algorithm>
#include <array>
#include <bitset>

#include "route/complexity_words.hpp"

namespace meshai::route {
namespace {

// What a task is stands at the beginning or at the end of a message; what lies between is its material.
constexpr std::size_t looked_at_front = 1024;
constexpr std::size_t looked_at_back = 512;

constexpr int simple_up_to = 1;
constexpr int medium_up_to = 4;

struct point {
  char32_t code = 0;
  std::size_t size = 1;  // bytes; broken UTF-8 goes by single bytes
};

point decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
  };
  const unsigned lead = byte(0);
  const auto tail = [&](std::size_t i) { return byte(i) & 0x3fu; };
  if (lead < 0x80) return {lead, 1};
  if (lead >= 0xc2 && lead < 0xe0 && at + 1 < text.size()) return {(lead & 0x1f) << 6 | tail(1), 2};
  if (lead >= 0xe0 && lead < 0xf0 && at + 2 < text.size()) {
    return {(lead & 0x0f) << 12 | tail(1) << 6 | tail(2), 3};
  }
  if (lead >= 0xf0 && at + 3 < text.size()) {
    return {(lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4};
  }
  return {0xfffd, 1};
}

// Lower case for the scripts that the word lists are written in.
char32_t lower(char32_t c) {
  if (c >= U'A' && c <= U'Z') return c + 32;
  if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
    return c + 32;
  if (c >= 0x400 && c <= 0x40f) return c + 80;
  return c;
}

// Scripts written without spaces between words.
bool stands_alone(char32_t c) {
  return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7af) ||
         (c >= 0xf900 && c <= 0xfaff) || c >= 0x20000;
}

bool is_letter(char32_t c) {
  return (c >= U'a' && c <= U'z') || c == U'\'' || c == U'-' ||
         (c >= 0xc0 && c != 0xd7 && c != 0xf7 && c < 0x2000) || c == 0x2019;
}

void append(std::string& to, char32_t c) {
  if (c < 0x80) {
    to += static_cast<char>(c);
  } else if (c < 0x800) {
    to += static_cast<char>(0xc0 | c >> 6);
    to += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    to += static_cast<char>(0xe0 | c >> 12);
    to += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    to += static_cast<char>(0x80 | (c & 0x3f));
  }
}

class reader {
 public:
  explicit reader(features& into) : into_(into) {}

  void read(std::string_view text) {
    std::string word;
    for (std::size_t at = 0; at < text.size();) {
      const auto [code, size] = decode(text, at);
      const auto c = lower(code);
      if (stands_alone(c)) {
        end_of(word);
        look_up(text.substr(at));
        ++ideographs_;
      } else if (is_letter(c)) {
        append(word, c);
      } else {
        end_of(word);
      }
      at += size;
    }
    end_of(word);
    into_.words += ideographs_ / 2;
    ideographs_ = 0;
  }
  int points() const { return points_; }

 private:
  void end_of(std::string& word) {
    if (word.empty()) return;
    ++into_.words;
    look_up(word);
    if (std::ranges::binary_search(easy_words(), std::string_view(word))) ++into_.easy_words;
    word.clear();
  }

  void look_up(std::string_view word) {
    const auto all = stems();
    auto found = std::ranges::upper_bound(all, word, {}, &weighted_stem::stem);
    if (found == all.begin() || !word.starts_with((--found)->stem)) return;
    const auto index = static_cast<std::size_t>(found - all.begin());
    if (seen_.test(index)) return;
    seen_.set(index);
    if (found->points < 0) {
      ++into_.easy_words;
    } else {
      ++into_.hard_words;
      points_ += found->points;
    }
  }

  features& into_;
  std::bitset<512> seen_;
  std::size_t ideographs_ = 0;
  int points_ = 0;
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
  int points = of.words > 800 ? 4 : of.words > 200 ? 2 : of.words > 60 ? 1 : 0;
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
  if (of.arithmetic) points -= 3;
  if (of.words <= 12) points -= std::min(of.easy_words, 2);
  return points;
}

}  // namespace

std::string_view to_string(complexity how) {
  constexpr std::array<std::string_view, 3> names{"simple", "medium", "hard"};
  return names[static_cast<std::size_t>(how)];
}

judgement judge(const chat::request& of) {
  judgement made;
  auto& seen = made.seen;
  seen.text_size = of.text_size;
  seen.images = of.has_images;
  seen.tools = !of.tools.empty();
  seen.schema = of.response_format.kind == chat::format_kind::json_schema;
  seen.reasoning = of.reasoning_effort == "medium" || of.reasoning_effort == "high" ||
                   of.reasoning_effort == "xhigh" || of.reasoning_budget.value_or(0) >= 4096;
  seen.long_answer = of.max_tokens.value_or(0) >= 8192;

  const chat::message* last = nullptr;
  for (const auto& message : of.messages) {
    if (message.role != chat::role::user) continue;
    ++seen.turns;
    last = &message;
  }
  reader words(seen);
  if (last != nullptr) {
    for (const auto& part : last->parts) {
      if (part.kind != chat::part_kind::text) continue;
      const std::string_view text = part.text;
      const auto front = text.substr(0, looked_at_front);
      const auto rest = text.substr(front.size());
      const auto back = rest.substr(rest.size() - std::min(rest.size(), looked_at_back));
      words.read(front);
      words.read(back);
      seen.words += (rest.size() - back.size()) / 6;  // what lies between, by the usual length of a word
      seen.code = seen.code || looks_like_code(front) || looks_like_code(back);
      seen.arithmetic = seen.arithmetic || has_small_sum(text);
    }
  }
  made.score = points_of(seen, words.points());
  made.how = made.score <= simple_up_to   ? complexity::simple
             : made.score <= medium_up_to ? complexity::medium
                                          : complexity::hard;
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
