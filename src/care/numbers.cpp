#include "care/numbers.hpp"

#include <optional>

#include "care/ids.hpp"
#include "care/written.hpp"

namespace meshai::care {
namespace {

constexpr std::size_t least_size = 7;
constexpr std::size_t short_word = 3;  // "AB 12 34 56 C" begins with one

struct separator {
  char as = 0;  // 0: none
  std::size_t size = 1;
};
// Blanks and hyphens have kin beyond ASCII that telephones are written with.
separator separator_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return {};
  switch (text[at]) {
    case ' ':
    case '-':
    case '.':
    case '/':
    case '(':
    case ')':
    case '+':
      return {text[at]};
    case '\xc2':
    case '\xe2':
      break;
    default:
      return {};
  }
  if (text.substr(at).starts_with("\u00a0")) return {' ', 2};
  if (text.substr(at).starts_with("\u202f")) return {' ', 3};
  for (const std::string_view hyphen : {"\u2010", "\u2011", "\u2013"}) {
    if (text.substr(at).starts_with(hyphen)) return {'-', hyphen.size()};
  }
  return {};
}

class numbers {
 public:
  numbers(std::string_view text, found& into) : text_(text), into_(into) {}

  void run() {
    for (std::size_t at = 0; at < text_.size();) {
      if (!is_word(text_[at])) {
        ++at;
        continue;
      }
      // The letter of an escape in JSON text ("\\n") is no part of the word.
      if (after_escape(text_, at + 1)) ++at;
      const auto begin = at;
      bool digits = false, lower = false;
      for (; at < text_.size() && is_word(text_[at]); ++at) {
        digits = digits || is_digit(text_[at]);
        lower = lower || is_lower(text_[at]);
      }
      const bool may_begin = digits || (!lower && at - begin <= short_word && is_digit_at(at + 1));
      if (may_begin && is_begin(begin, at - begin)) at = std::max(at, from(begin));
    }
  }

 private:
  bool is_digit_at(std::size_t at) const { return at < text_.size() && is_digit(text_[at]); }

  // Not in the middle of a longer number, of an amount or of a name.
  bool is_begin(std::size_t at, std::size_t size) const {
    constexpr std::string_view joins = "-./";
    if (at == 0) return true;
    const char before = text_[at - 1];
    if (before == '_' || before == '$') return false;
    const bool digit_behind = at >= 2 && is_digit(text_[at - 2]);
    return !digit_behind || !(joins.contains(before) || (before == ',' && size == 3));
  }
  bool is_end(std::size_t at, std::size_t last_group) const {
    constexpr std::string_view joins = "-./";
    if (at == text_.size()) return true;
    if (text_[at] == '_') return false;
    return !is_digit_at(at + 1) || !(joins.contains(text_[at]) || (text_[at] == ',' && last_group <= 3));
  }

  // Takes group after group and looks after each: a number may be followed by another one. Counts the longest one
  // that was understood, and tells where it ends; `begin` if there is none.
  std::size_t from(std::size_t begin) {
    const auto [what, end] = longest(begin);
    if (what) into_.add(*what);
    return end;
  }

  struct understood {
    std::optional<kind> what;
    std::size_t end = 0;
  };
  understood longest(std::size_t begin) const {
    written number;
    understood made{std::nullopt, begin};
    auto before = begin;
    number.plus = before > 0 && text_[before - 1] == '+';
    if (number.plus) --before;
    number.bracket = before > 0 && text_[before - 1] == '(';
    for (auto at = begin; number.group_count < number.groups.size();) {
      const auto group = at;
      for (; at < text_.size() && is_word(text_[at]); ++at) {
        if (number.size == longest_number) return made;
        number.compact[number.size++] = to_upper(text_[at]);
        if (is_digit(text_[at])) ++number.digits;
      }
      if (at == group) return made;
      number.groups[number.group_count++] = static_cast<std::uint8_t>(at - group);
      if (number.digits >= short_word && number.size >= least_size && is_end(at, at - group)) {
        if (const auto what = judge(number, begin)) made = {what, at};
      }
      if (number.group_count == number.groups.size()) return made;
      const auto first = separator_at(text_, at);
      if (first.as == 0) return made;
      at += first.size;
      number.separators[number.group_count] = first.as;
      // ") ", " (", ") -"
      for (int more = 0; more < 2; ++more) {
        const auto next = separator_at(text_, at);
        if (next.as == 0 || (first.as != ')' && next.as != '(')) break;
        at += next.size;
      }
    }
    return made;
  }

  std::optional<kind> judge(const written& number, std::size_t begin) const {
    const auto compact = number.text();
    if (number.only_digits() && is_card(compact) && is_card_grouping(number)) return kind::card;
    if (is_iban(compact) && is_iban_grouping(number)) return kind::iban;
    const auto from = begin - std::min(begin, context_bytes);
    const auto before = text_.substr(from, begin - from);
    bool national = false;
    if (!number.plus) {
      for (const auto* each : national_numbers(compact.size())) {
        if (national || !each->holds(compact)) continue;
        const bool alone = number.grouped_as_one_of(each->alone) &&
                           (each->separators.empty() || number.separated_by(each->separators));
        national = alone || each->called.begin_in(before);
      }
    }
    if (national) return kind::national_id;
    if (is_phone(number, before)) return kind::phone;
    return std::nullopt;
  }

  static bool is_card_grouping(const written& number) {
    return number.grouped_as_one_of(
               "16 15 14 13 17 18 19 4-4-4-4 4-6-5 4-6-4 4-4-4-4-3 4-4-4-4-2 4-4-4-4-1 6-13") &&
           number.separated_by(" -");
  }
  static bool is_iban_grouping(const written& number) {
    for (std::size_t i = 0; i + 1 < number.group_count; ++i) {
      if (number.groups[i] != 4) return false;
    }
    return number.group_count == 1 || number.groups[number.group_count - 1] <= 4;
  }

  std::string_view text_;
  found& into_;
};

}  // namespace

void look_for_numbers(std::string_view text, found& into) {
  numbers(text, into).run();
}

}  // namespace meshai::care
