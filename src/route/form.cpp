#include "route/form.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <ranges>
#include <type_traits>

#include "route/form_options.hpp"
#include "route/form_tally.hpp"

namespace meshai::route {
namespace {

float log1(double value) {
  return static_cast<float>(std::log1p(value));
}
float share(double part, double whole) {
  return static_cast<float>(part / std::max(whole, 1.0));
}
bool has(std::uint32_t classes, word_class which) {
  return (classes >> static_cast<unsigned>(which) & 1u) != 0;
}
std::uint32_t count_of(const tally& of, word_class which) {
  return of.of_class[static_cast<std::size_t>(which)];
}

// Each `show*` gives names and values in one order to `to(name, value)`.
template <class to_t>
void show_shape(const tally& stem, to_t& to) {
  const double words = stem.words;
  to("chars", log1(stem.letters_read));
  to("words", log1(words));
  to("sentences", log1(stem.sentences));
  to("words_a_sentence", log1(words / std::max(stem.sentences, 1u)));
  to("last_sentence", log1(stem.in_sentence));
  to("letters_a_word", share(stem.letters, words));
  to("long_words", share(stem.long_words, words));
  to("longest_words", share(stem.longest_words, words));
  to("short_words", share(stem.short_words, words));
  to("longest", static_cast<float>(std::min(stem.longest, 30u)));
  to("names", share(stem.names, words));
  to("acronyms", share(stem.acronyms, words));
  to("distinct", share(stem.distinct, words));
  to("rarity", share(stem.rarity, words));
  to("unknown", share(stem.unknown, words));
  to("rarest", stem.rarest);
  to("foreign", share(stem.foreign, stem.letters_read));
  to("ideographs", share(stem.ideographs, stem.letters_read));
}

template <class to_t>
void show_marks(const tally& stem, to_t& to) {
  const double words = stem.words;
  to("numbers", log1(stem.numbers));
  to("numbers_a_word", share(stem.numbers, words));
  to("digits", share(stem.digits, stem.letters_read));
  to("largest", log1(stem.largest));
  to("decimals", log1(stem.decimals));
  to("years", log1(stem.years));
  to("amounts", log1(stem.amounts));
  to("operators", log1(stem.operators));
  to("latex", log1(stem.latex));
  to("questions", log1(stem.questions));
  to("blanks", stem.blanks > 0 ? 1.f : 0.f);
  to("ends_question", stem.end == U'?' || stem.end == 0xff1f ? 1.f : 0.f);
  to("ends_stop", stem.end == U'.' || stem.end == 0x3002 ? 1.f : 0.f);
  to("quotes", log1(stem.quotes));
  to("brackets", log1(stem.brackets));
  to("commas_a_word", share(stem.commas, words));
  to("colons", log1(stem.colons));
  to("lines", log1(stem.lines));
  to("code_marks", log1(stem.code));
}

template <class to_t>
void show_words(const tally& stem, to_t& to) {
  for (std::size_t i = 0; i < word_class_count; ++i) {
    const auto which = static_cast<word_class>(i);
    if (which < word_class::condition) {
      to(to_string(which), has(stem.sentence_classes, which) ? 1.f : 0.f);
    } else {
      to(to_string(which), share(stem.of_class[i], stem.words));
    }
  }
  using enum word_class;
  to("asked_negation", has(stem.sentence_classes, negation) ? 1.f : 0.f);
  to("asked_quantity", has(stem.sentence_classes, quantity) ? 1.f : 0.f);
  to("asked_modal", has(stem.sentence_classes, modal) ? 1.f : 0.f);
  to("asked_reckon", has(stem.sentence_classes, reckon) ? 1.f : 0.f);
  to("asked_create", has(stem.sentence_classes, create) ? 1.f : 0.f);
  to("first_question", (stem.first_classes & ((1u << static_cast<unsigned>(condition)) - 1)) != 0 ? 1.f : 0.f);
  to("first_condition", has(stem.first_classes, condition) ? 1.f : 0.f);
  to("first_create", has(stem.first_classes, create) ? 1.f : 0.f);
  to("first_small", has(stem.first_classes, small) ? 1.f : 0.f);
}

struct options_seen {
  std::array<tally, asked_options::most> all;
  std::size_t count = 0;
  double words = 0, least = 0, most = 0, spread = 0, alike = 0, alike_most = 0, in_stem = 0;

  std::span<const tally> seen() const { return std::span(all).first(count); }
  template <class what_t>
  double sum(what_t what) const {
    return std::transform_reduce(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), 0.0, std::plus<>(),
                                 [&](const tally& each) { return static_cast<double>(what(each)); });
  }
};

void compare(options_seen& of, const tally& stem) {
  if (of.count == 0) return;
  const auto each = static_cast<double>(of.count);
  const auto size = [](const tally& t) { return t.words + t.numbers; };
  of.words = of.sum(size) / each;
  const auto [least, most] = std::ranges::minmax(of.seen() | std::views::transform(size));
  of.least = least;
  of.most = most;
  of.spread = std::sqrt(of.sum([&](const tally& t) { return std::pow(size(t) - of.words, 2); }) / each);
  int pairs = 0;
  for (std::size_t i = 0; i < of.count; ++i) {
    const auto& one = of.all[i].content;
    of.in_stem +=
        share(static_cast<double>((one & stem.content).count()), static_cast<double>(one.count())) / each;
    for (std::size_t j = i + 1; j < of.count; ++j, ++pairs) {
      const auto& other = of.all[j].content;
      const auto both = static_cast<double>((one & other).count());
      const double alike = share(both, static_cast<double>((one | other).count()));
      of.alike += alike;
      of.alike_most = std::max(of.alike_most, alike);
    }
  }
  of.alike /= std::max(pairs, 1);
}

template <class to_t>
void show_options(const options_seen& of, const tally& stem, to_t& to) {
  const auto each = static_cast<double>(of.count);
  const double words = of.words * each;
  to("options", static_cast<float>(each));
  to("option_words", log1(of.words));
  to("option_least", log1(of.least));
  to("option_most", log1(of.most));
  to("option_spread", share(of.spread, of.words));
  to("option_alike", static_cast<float>(of.alike));
  to("option_alike_most", static_cast<float>(of.alike_most));
  to("option_in_stem", static_cast<float>(of.in_stem));
  to("option_numbers", share(of.sum([](const tally& t) { return t.numbers > 0; }), each));
  to("option_only_numbers", share(of.sum([](const tally& t) { return t.numbers > 0 && t.words < 2; }), each));
  to("option_rarity", share(of.sum([](const tally& t) { return t.rarity; }), words));
  to("option_unknown", share(of.sum([](const tally& t) { return t.unknown; }), words));
  to("option_letters", share(of.sum([](const tally& t) { return t.letters; }), words));
  to("option_names", share(of.sum([](const tally& t) { return t.names; }), words));
  to("option_operators", share(of.sum([](const tally& t) { return t.operators + t.latex; }), each));
  to("option_causes", share(of.sum([](const tally& t) { return count_of(t, word_class::cause) > 0; }), each));
  to("option_negations",
     share(of.sum([](const tally& t) { return count_of(t, word_class::negation) > 0; }), each));
  to("option_all_of", share(of.sum([](const tally& t) { return count_of(t, word_class::all_of) > 0; }), each));
  to("option_stops", share(of.sum([](const tally& t) { return t.end == U'.'; }), each));
  to("all_words", log1(words + stem.words + stem.numbers));
  to("all_rarity", share(stem.rarity + of.sum([](const tally& t) { return t.rarity; }), words + stem.words));
  to("all_numbers", log1(stem.numbers + of.sum([](const tally& t) { return t.numbers; })));
}

template <class to_t>
void show(const tally& stem, const options_seen& options, to_t& to) {
  show_shape(stem, to);
  show_marks(stem, to);
  show_words(stem, to);
  show_options(options, stem, to);
}

template <class what_t>
class filler {
 public:
  explicit filler(std::array<what_t, form_size>& into) : into_(into) {}
  void operator()(std::string_view name, float value) {
    if constexpr (std::is_same_v<what_t, float>) {
      into_[at_++] = value;
    } else {
      into_[at_++] = name;
    }
  }
  std::size_t filled() const { return at_; }

 private:
  std::array<what_t, form_size>& into_;
  std::size_t at_ = 0;
};

struct ends {
  std::string_view front, back;
};
ends ends_of(std::string_view text) {
  if (text.size() <= form_front + form_back) return {text, {}};
  return {text.substr(0, form_front), text.substr(text.size() - form_back)};
}

}  // namespace

common_words::common_words(std::span<const std::uint32_t> commonest_first) : places_(2 * most) {
  const auto count = std::min(commonest_first.size(), most);
  const auto whole = std::log(static_cast<double>(most + 1));
  for (std::size_t i = 0; i < count; ++i) {
    auto at = commonest_first[i] & (places_.size() - 1);
    while (places_[at].rarity >= 0) at = (at + 1) & (places_.size() - 1);
    places_[at] = {commonest_first[i], static_cast<float>(std::log(static_cast<double>(i + 1)) / whole)};
  }
}

float common_words::rarity(std::uint32_t hash) const {
  if (places_.empty()) return 1;
  const auto last = places_.size() - 1;  // a power of two less one
  for (auto at = hash & last; places_[at].rarity >= 0; at = (at + 1) & last) {
    if (places_[at].hash == hash) return places_[at].rarity;
  }
  return 1;
}

bool lists_options(std::string_view text) {
  const auto [front, back] = ends_of(text);
  return options_in(back.empty() ? front : back).count > 0;
}

form form_of(std::string_view text, const common_words& known, std::vector<std::uint32_t>* words) {
  const auto [front, back] = ends_of(text);
  tally stem;
  options_seen options;
  const auto asked = options_in(back.empty() ? front : back);
  if (!back.empty()) count(front, known, words, stem);
  count(asked.stem, known, words, stem);
  options.count = asked.count;
  for (std::size_t i = 0; i < asked.count; ++i) count(asked.options[i], known, words, options.all[i]);
  compare(options, stem);
  form made{};
  filler to(made);
  show(stem, options, to);
  return made;
}

std::span<const std::string_view, form_size> form_names() {
  static const auto names = [] {
    std::array<std::string_view, form_size> all{};
    filler to(all);
    show({}, {}, to);
    return all;
  }();
  return names;
}

std::size_t option_count(const form& of) {
  static const auto at =
      static_cast<std::size_t>(std::ranges::find(form_names(), "options") - form_names().begin());
  return static_cast<std::size_t>(of[at]);
}

}  // namespace meshai::route
