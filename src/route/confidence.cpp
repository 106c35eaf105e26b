#include "route/confidence.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/letters.hpp"

namespace meshai::route {
namespace {

constexpr std::size_t looked_at = 192;    // bytes of an answer
constexpr std::size_t latest_begin = 64;  // bytes of it before the words

// In lower case, with the plain apostrophe; a star stands for the rest of a word. What is said of oneself only:
// "nobody knows" is an answer.
constexpr std::array<std::string_view, 76> words{
    "i don't know",
    "i do not know",
    "i dont know",
    "i'm not sure",
    "i am not sure",
    "i don't have information",
    "i do not have information",
    "i don't have any information",
    "i do not have any information",
    "i don't have access",
    "i do not have access",
    "i have no access",
    "i have no information",
    "i have no way of knowing",
    "i can't answer",
    "i cannot answer",
    "i'm unable to",
    "i am unable to",
    "ich weiß es nicht",
    "ich weiß nicht",
    "das weiß ich nicht",
    "ich weiss es nicht",
    "ich weiss nicht",
    "ich bin mir nicht sicher",
    "ich bin nicht sicher",
    "ich habe keine informationen",
    "je ne sais pas",
    "je ne suis pas sûr*",
    "je n'ai pas d'information*",
    "je n'ai pas accès",
    "no lo sé",
    "no sé",
    "no estoy segur*",
    "no tengo información",
    "no tengo acceso",
    "non lo so",
    "non so",
    "non sono sicur*",
    "non ho informazioni",
    "não sei",
    "não tenho certeza",
    "não tenho informações",
    "não tenho acesso",
    "ik weet het niet",
    "ik weet niet",
    "dat weet ik niet",
    "ik ben niet zeker",
    "jag vet inte",
    "nie wiem",
    "nie jestem pewien",
    "nie jestem pewna",
    "nie mam informacji",
    "не знаю",
    "я не уверен",
    "у меня нет информации",
    "не впевнен",
    "bilmiyorum",
    "emin değilim",
    "bilgim yok",
    "لا أعرف",
    "لا أعلم",
    "لا أدري",
    "لست متأكد*",
    "मुझे नहीं पता",
    "मुझे नहीं मालूम",
    "मैं नहीं जानत*",
    "我不知道",
    "我不清楚",
    "我不确定",
    "我无法回答",
    "我不太清楚",
    "わかりません",
    "分かりません",
    "知りません",
    "わからない",
    "잘 모르겠",
};

bool is_space(char32_t c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

std::string plain(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto one = letter_at(text, at);
    at += one.size;
    if (is_space(one.code)) {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else if (one.code == U'\u2019') {
      out += '\'';
    } else if (one.code < 0x10000) {
      append_letter(out, lower(one.code));
    }
  }
  return out;
}

bool is_word(char32_t c) {
  return is_letter(c) && c != '\'' && c != '-';
}

// What is quoted is somebody else's word. Between letters the mark is an apostrophe.
bool quoted(std::string_view text, std::size_t at) {
  constexpr std::array<std::string_view, 7> marks{"\"", "'", "“", "‘", "«", "„", "「"};
  const auto before = text.substr(0, at);
  return std::ranges::any_of(marks, [&](std::string_view mark) { return before.ends_with(mark); });
}

// Where `said` stands as words of their own; npos where it does not.
std::size_t find_words(std::string_view text, std::string_view said) {
  const bool stem = said.ends_with('*');
  if (stem) said.remove_suffix(1);
  for (auto at = text.find(said); at != text.npos; at = text.find(said, at + 1)) {
    auto before = at - std::min<std::size_t>(at, 1);
    while (before > 0 && (static_cast<unsigned char>(text[before]) & 0xc0u) == 0x80u) --before;
    const auto end = at + said.size();
    const bool begins = at == 0 || !is_word(letter_at(text, before).code);
    if (begins && (stem || end == text.size() || !is_word(letter_at(text, end).code))) return at;
  }
  return text.npos;
}

}  // namespace

bool says_it_does_not_know(std::string_view answer) {
  const auto text = plain(answer.substr(0, looked_at));
  return std::ranges::any_of(words, [&](std::string_view said) {
    const auto at = find_words(text, said);
    return at <= latest_begin && !quoted(text, at);
  });
}

void confidence::add(std::string_view text) {
  if (begin_.size() < looked_at) begin_ += text.substr(0, looked_at - begin_.size());
}

void confidence::add(std::span<const chat::delta> steps) {
  for (const auto& step : steps) {
    told_ += step.certainty;
    steps_ += step.is_token();
    acts_ = acts_ || !step.calls.empty();
    add(step.text);
  }
}

void confidence::add(const chat::answer& whole) {
  for (const auto& choice : whole.choices) {
    told_ += choice.certainty;
    for (const auto& part : choice.parts) {
      acts_ = acts_ || part.kind == chat::part_kind::tool_call;
      if (part.kind != chat::part_kind::text) continue;
      add(part.text);
      ++steps_;
    }
  }
}

double confidence::value() const {
  return told_.tokens > 0 ? std::exp(-std::sqrt(told_.squares / static_cast<double>(told_.tokens))) : 1;
}

}  // namespace meshai::route
