#include "route/form_tally.hpp"

#include <algorithm>
#include <bit>

#include "base/letters.hpp"

namespace meshai::route {
namespace {

struct word_read {
  std::uint32_t hash = 0;
  std::uint32_t letters = 0, capitals = 0;
  bool capital_first = false;
};

class reader {
 public:
  reader(tally& into, const common_words& known, std::vector<std::uint32_t>* words)
      : into_(into), known_(known), all_words_(words) {}

  void read(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      if (is_plain(text[at])) {
        at += take_plain(text.substr(at));
        continue;
      }
      const auto [code, size] = letter_at(text, at);
      take(code);
      at += size;
    }
    end_of_word();
    end_of_number();
  }

 private:
  static bool is_plain(char c) { return static_cast<unsigned char>((c | 0x20) - 'a') < 26; }

  // What most of a text is: does for all plain letters at its beginning what `take` does for one. How many these
  // are.
  std::size_t take_plain(std::string_view text) {
    end_of_number();
    if (word_.letters == 0) {
      begin_word();
      word_.capital_first = (text.front() & 0x20) == 0;
    } else if (joint_) {
      word_.hash = hash_on(word_.hash, joint_);
    }
    joint_ = 0;
    auto hash = word_.hash;
    std::uint32_t capitals = 0;
    std::size_t count = 0;
    for (; count < text.size() && is_plain(text[count]); ++count) {
      capitals += (text[count] & 0x20) == 0 ? 1 : 0;
      hash = hash_on(hash, static_cast<char32_t>(text[count] | 0x20));
    }
    word_.hash = hash;
    word_.letters += static_cast<std::uint32_t>(count);
    word_.capitals += capitals;
    into_.letters_read += static_cast<std::uint32_t>(count);
    into_.end = before_ = static_cast<char32_t>(text[count - 1]);
    return count;
  }

  void take(char32_t code) {
    ++into_.letters_read;
    if (code >= 0x80) ++into_.foreign;
    const bool digit = code >= U'0' && code <= U'9';
    if (digit) {
      end_of_word();
      on_digit(code);
    } else if (stands_alone(code)) {
      end_of_both();
      ++into_.ideographs;
      begin_word();
      word_ = {hash_on(hash_begin, code), 2, 0, false};
      end_of_word();
    } else if (is_letter(code)) {
      end_of_number();
      on_letter(code);
    } else {
      end_of_word();
      on_mark(code);
    }
    if (code > U' ') into_.end = code;
    before_ = code;
  }

  void on_letter(char32_t code) {
    const bool joint = code == U'\'' || code == U'-' || code == 0x2019;
    if (joint) {  // counts only between letters
      if (word_.letters == 0) return on_mark(code);
      if (joint_) end_of_word();
      joint_ = word_.letters > 0 ? (code == U'-' ? U'-' : U'\'') : U'\0';
      return;
    }
    if (word_.letters == 0) begin_word();
    if (joint_) word_.hash = hash_on(word_.hash, joint_);
    joint_ = 0;
    const auto small = lower(code);
    if (small != code) {
      ++word_.capitals;
      if (word_.letters == 0) word_.capital_first = true;
    }
    word_.hash = hash_on(word_.hash, small);
    ++word_.letters;
  }

  void begin_word() {
    word_ = {hash_begin, 0, 0, false};
    if (!sentence_over_) return;
    sentence_over_ = false;
    sentence_begins_ = true;
    ++into_.sentences;
    into_.in_sentence = 0;
    into_.sentence_classes = 0;
  }

  void end_of_word() {
    joint_ = 0;
    if (word_.letters == 0) return;
    if (all_words_ != nullptr) all_words_->push_back(word_.hash);
    const auto classes = classes_of(word_.hash);
    if (into_.words++ == 0) into_.first_classes = classes;
    ++into_.in_sentence;
    into_.sentence_classes |= classes;
    for (auto left = classes; left != 0; left &= left - 1)
      ++into_.of_class[static_cast<unsigned>(std::countr_zero(left))];
    into_.letters += word_.letters;
    into_.longest = std::max(into_.longest, word_.letters);
    if (word_.letters >= 8) ++into_.long_words;
    if (word_.letters >= 11) ++into_.longest_words;
    if (word_.letters <= 3) ++into_.short_words;
    if (word_.capitals >= 2 && word_.capitals == word_.letters) {
      ++into_.acronyms;
    } else if (word_.capital_first && !sentence_begins_ && word_.letters > 1) {
      ++into_.names;
    }
    const auto rarity = known_.rarity(word_.hash);
    into_.rarity += rarity;
    if (rarity >= 1) ++into_.unknown;
    into_.rarest = std::max(into_.rarest, rarity * static_cast<float>(std::min(word_.letters, 16u)));
    constexpr auto small = 1u << static_cast<unsigned>(word_class::small);
    const auto bit = (word_.hash ^ word_.hash >> 16) % into_.content.size();
    if ((classes & small) == 0 && !into_.content.test(bit)) {
      into_.content.set(bit);
      ++into_.distinct;
    }
    sentence_begins_ = false;
    word_.letters = 0;
  }

  void on_digit(char32_t code) {
    if (number_digits_ == 0) {
      ++into_.numbers;
      number_ = 0;
      decimal_ = false;
    }
    ++number_digits_;
    ++into_.digits;
    if (!decimal_) number_ = std::min(number_ * 10 + static_cast<double>(code - U'0'), 1e15);
  }

  void end_of_number() {
    if (number_digits_ == 0) return;
    if (number_digits_ == 4 && number_ >= 1000 && number_ < 2100) ++into_.years;
    into_.largest = std::max(into_.largest, number_);
    number_digits_ = 0;
    if (decimal_) ++into_.decimals;
    decimal_ = false;
  }

  void end_of_both() {
    end_of_word();
    end_of_number();
  }

  void on_mark(char32_t code) {
    if (number_digits_ > 0 && code == U'.' && !decimal_) {
      decimal_ = true;  // taken back where no digit follows: see below
      return;
    }
    if (number_digits_ > 0 && code == U',') return void(++into_.commas);
    const bool point_ends = number_digits_ > 0 && decimal_ && before_ == U'.';
    if (point_ends) decimal_ = false;
    end_of_number();
    if ((code <= U' ' && (before_ == U'.' || before_ == U'?' || before_ == U'!')) || code == 0x3002 ||
        code == 0xff1f)
      sentence_over_ = true;
    count(code);
  }

  void count(char32_t code) {
    switch (code) {
      case U'?':
      case 0xff1f:
      case 0x61f:
        ++into_.questions;
        break;
      case U'_':
        if (before_ == U'_') ++into_.blanks;
        break;
      case U'"':
      case 0x201c:
      case 0x201d:
      case 0xab:
      case 0x300c:
        ++into_.quotes;
        break;
      case U'(':
      case U'[':
        ++into_.brackets;
        break;
      case U',':
      case 0x3001:
      case 0xff0c:
        ++into_.commas;
        break;
      case U':':
      case U';':
        ++into_.colons;
        break;
      case U'\n':
        ++into_.lines;
        break;
      case U'$':
      case U'%':
      case 0x20ac:
      case 0xa3:
        ++into_.amounts;
        break;
      case U'+':
      case U'*':
      case U'/':
      case U'=':
      case U'<':
      case U'>':
      case U'-':
      case 0xd7:
      case 0x2212:
        ++into_.operators;
        break;
      case U'\\':
      case U'^':
        ++into_.latex;
        break;
      case U'{':
      case U'}':
      case U'`':
      case U'#':
        ++into_.code;
        break;
      default:
        break;
    }
  }

  tally& into_;
  const common_words& known_;
  std::vector<std::uint32_t>* all_words_;
  word_read word_;
  char32_t joint_ = 0, before_ = 0;
  bool sentence_over_ = true, sentence_begins_ = true;
  std::uint32_t number_digits_ = 0;
  double number_ = 0;
  bool decimal_ = false;
};

}  // namespace

void count(std::string_view text, const common_words& known, std::vector<std::uint32_t>* words, tally& into) {
  reader(into, known, words).read(text);
}

}  // namespace meshai::route
