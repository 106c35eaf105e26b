#include "route/language.hpp"

#include <algorithm>
#include <array>
#include <ranges>
#include <string>

#include "base/letters.hpp"

namespace meshai::route {
namespace {

constexpr std::size_t looked_at = 2048;  // bytes
constexpr int least_words = 2;           // of one language, before it is believed
constexpr int clear_lead = 2;            // words, before the next language
constexpr int least_letters = 2;         // of a script that only one language has

constexpr std::array<std::string_view, 21> languages{"ar", "de", "el", "en", "es", "fa", "fr",
                                                     "he", "hi", "it", "ja", "ko", "nl", "pl",
                                                     "pt", "ru", "sv", "th", "tr", "uk", "zh"};
static_assert(std::ranges::is_sorted(languages));

struct small_words {
  std::string_view language, words;  // words with a space on both sides
};
constexpr std::array<small_words, 10> latin{{
    {"en",
     " the of and is what how to in for with this that are you write why does my it an when who which explain can "
     "should would between from about your do i "},
    {"de",
     " der die das und ist wie was ein eine nicht ich mit für auf zu den von warum mir sind einen im wer wann "
     "kann "
     "schreibe eines einer zwischen mein dem soll "},
    {"fr",
     " le la de un en les des est une et pour dans je qui quel quelle comment du moi avec sur pas ce cette sont "
     "pourquoi entre au "
     "écris explique mon ma qu'est-ce "},
    {"es",
     " el la de un en los las es una y para en cómo qué por con del cuál mi cuándo quién escribe explica entre al "
     "se lo son "
     "cuánto "},
    {"it",
     " il la un le che è per di come cosa con del della qual gli non sono perché scrivi spiega mi tra quale una "
     "quanto chi "
     "quando nel dei "},
    {"pt",
     " o os as de me é um uma para em como qual por com do da não são escreva explique meu entre quem quando que "
     "no na "
     "quanto "},
    {"nl", " de het een en van wat hoe ik niet voor met op waarom dat zijn mijn wie tussen schrijf kan ben "},
    {"pl", " i w nie jest się na co jak do to z że czy dla o mnie kto kiedy dlaczego między napisz mój jaki "},
    {"sv", " och att är det ett som hur vad på för jag med inte av varför mellan skriv min vem när den "},
    {"tr", " ve bir bu ne nasıl için mi ile nedir mı neden kim arasında yaz benim çok daha kaç "},
}};

// How often each script's letters were met.
struct scripts {
  int han = 0, kana = 0, hangul = 0, cyrillic = 0, ukrainian = 0, arabic = 0, persian = 0;
  int hebrew = 0, greek = 0, devanagari = 0, thai = 0, latin = 0;

  void meet(char32_t c) {
    const auto in = [c](char32_t from, char32_t to) { return c >= from && c <= to; };
    if (c < 0x250) {
      latin += is_letter(c);
    } else if (in(0x3040, 0x30ff)) {
      ++kana;
    } else if (in(0x3400, 0x9fff)) {
      ++han;
    } else if (in(0xac00, 0xd7af)) {
      ++hangul;
    } else if (in(0x400, 0x4ff)) {
      ++cyrillic;
      ukrainian += c == 0x456 || c == 0x457 || c == 0x454 || c == 0x491;
    } else if (in(0x600, 0x6ff)) {
      ++arabic;
      persian += c == 0x67e || c == 0x686 || c == 0x698 || c == 0x6af || c == 0x6cc;
    } else if (in(0x590, 0x5ff)) {
      ++hebrew;
    } else if (in(0x370, 0x3ff)) {
      ++greek;
    } else if (in(0x900, 0x97f)) {
      ++devanagari;
    } else if (in(0xe00, 0xe7f)) {
      ++thai;
    }
  }

  // The language that nearly all letters speak for; empty: Latin letters, or several.
  std::string_view language() const {
    const int others = han + kana + hangul + cyrillic + arabic + hebrew + greek + devanagari + thai;
    // Names and terms in Latin letters stand in every language; a foreign word in an English question is less.
    const auto rules = [&](int letters) {
      return letters >= least_letters && 2 * letters >= others && 2 * others > latin;
    };
    if (kana > 0 && rules(han + kana)) return "ja";
    if (rules(han)) return "zh";
    if (rules(hangul)) return "ko";
    if (rules(cyrillic)) return ukrainian > 0 ? "uk" : "ru";
    if (rules(arabic)) return persian > 0 ? "fa" : "ar";
    if (rules(hebrew)) return "he";
    if (rules(greek)) return "el";
    if (rules(devanagari)) return "hi";
    if (rules(thai)) return "th";
    return {};
  }
};

void count_word(const std::string& word, std::array<int, latin.size()>& found) {
  for (std::size_t i = 0; i < latin.size(); ++i) found[i] += latin[i].words.contains(word);
}

}  // namespace

std::string_view language_of(std::string_view text) {
  text = text.substr(0, looked_at);
  scripts seen;
  std::array<int, latin.size()> found{};
  std::string word = " ";
  const auto end_of_word = [&] {
    if (word.size() > 1) count_word(word += ' ', found);
    word = " ";
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto [code, size] = letter_at(text, at);
    seen.meet(lower(code));
    if (code < 0x80 ? is_letter(code) : code < 0x250) {
      append_letter(word, lower(code));
    } else {
      end_of_word();
    }
    at += size;
  }
  end_of_word();
  if (const auto by_script = seen.language(); !by_script.empty()) return by_script;
  const auto best = std::ranges::max_element(found);
  int second = 0;
  for (auto one = found.begin(); one != found.end(); ++one) {
    if (one != best) second = std::max(second, *one);
  }
  if (*best < least_words || *best < second + clear_lead) return {};
  return latin[static_cast<std::size_t>(best - found.begin())].language;
}

std::string_view language_of(const chat::request& asked) {
  for (const auto& message : asked.messages | std::views::reverse) {
    if (message.role != chat::role::user) continue;
    for (const auto& part : message.parts) {
      if (part.kind != chat::part_kind::text) continue;
      if (const auto found = language_of(part.text); !found.empty()) return found;
    }
    return {};
  }
  return {};
}

std::span<const std::string_view> known_languages() {
  return languages;
}

}  // namespace meshai::route
