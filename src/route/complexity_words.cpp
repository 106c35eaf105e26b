#include "route/complexity_words.hpp"

#include <algorithm>
#include <array>

namespace meshai::route {
namespace {

constexpr auto sorted_stems = [] {
  std::array all{
      // English; many stems serve its neighbours too
      weighted_stem{"algorit", 3},
      weighted_stem{"analy", 3},
      weighted_stem{"architect", 3},
      weighted_stem{"article", 2},
      weighted_stem{"budget", 2},
      weighted_stem{"business", 3},
      weighted_stem{"code", 2},
      weighted_stem{"compar", 2},
      weighted_stem{"comprehensive", 3},
      weighted_stem{"contract", 2},
      weighted_stem{"create", 1},
      weighted_stem{"critique", 3},
      weighted_stem{"debug", 4},
      weighted_stem{"deriv", 4},
      weighted_stem{"design", 3},
      weighted_stem{"detail", 2},
      weighted_stem{"develop", 2},
      weighted_stem{"email", 1},
      weighted_stem{"equation", 2},
      weighted_stem{"essay", 4},
      weighted_stem{"evaluat", 3},
      weighted_stem{"explain", 2},
      weighted_stem{"function", 2},
      weighted_stem{"generate", 1},
      weighted_stem{"implement", 4},
      weighted_stem{"in-depth", 3},
      weighted_stem{"integral", 3},
      weighted_stem{"legal", 2},
      weighted_stem{"negotiat", 2},
      weighted_stem{"novel", 3},
      weighted_stem{"optimi", 3},
      weighted_stem{"plan", 2},
      weighted_stem{"program", 2},
      weighted_stem{"proof", 4},
      weighted_stem{"proposal", 3},
      weighted_stem{"prove", 5},
      weighted_stem{"refactor", 4},
      weighted_stem{"regex", 2},
      weighted_stem{"report", 2},
      weighted_stem{"roadmap", 3},
      weighted_stem{"script", 2},
      weighted_stem{"speech", 2},
      weighted_stem{"sql", 2},
      weighted_stem{"step-by-step", 2},
      weighted_stem{"story", 2},
      weighted_stem{"strateg", 3},
      weighted_stem{"summar", 2},
      weighted_stem{"theorem", 4},
      weighted_stem{"thesis", 4},
      weighted_stem{"why", 1},
      weighted_stem{"write", 1},
      // German
      weighted_stem{"aufsatz", 4},
      weighted_stem{"ausführlich", 2},
      weighted_stem{"beweis", 5},
      weighted_stem{"entwickl", 3},
      weighted_stem{"entwirf", 3},
      weighted_stem{"erklär", 2},
      weighted_stem{"erörter", 3},
      weighted_stem{"funktion", 2},
      weighted_stem{"geschäftsplan", 5},
      weighted_stem{"schreib", 1},
      weighted_stem{"vergleich", 2},
      weighted_stem{"zusammenfass", 2},
      weighted_stem{"warum", 1},
      // French
      weighted_stem{"affaires", 3},
      weighted_stem{"conçois", 3},
      weighted_stem{"détaill", 2},
      weighted_stem{"développ", 3},
      weighted_stem{"démontre", 5},
      weighted_stem{"dissertation", 4},
      weighted_stem{"expli", 2},
      weighted_stem{"fonction", 2},
      weighted_stem{"pourquoi", 1},
      weighted_stem{"prouve", 5},
      weighted_stem{"résum", 2},
      weighted_stem{"rédige", 2},
      weighted_stem{"stratég", 3},
      weighted_stem{"écri", 1},
      // Spanish, Italian, Portuguese
      weighted_stem{"analis", 3},
      weighted_stem{"analiz", 3},
      weighted_stem{"aziendale", 3},
      weighted_stem{"demuestr", 5},
      weighted_stem{"desarroll", 3},
      weighted_stem{"desenvolv", 3},
      weighted_stem{"detalhad", 2},
      weighted_stem{"detallad", 2},
      weighted_stem{"dettagliat", 2},
      weighted_stem{"dimostr", 5},
      weighted_stem{"diseñ", 3},
      weighted_stem{"ensaio", 4},
      weighted_stem{"ensayo", 4},
      weighted_stem{"escrev", 1},
      weighted_stem{"escrib", 1},
      weighted_stem{"estrateg", 3},
      weighted_stem{"estratég", 3},
      weighted_stem{"función", 2},
      weighted_stem{"funzione", 2},
      weighted_stem{"função", 2},
      weighted_stem{"negocio", 3},
      weighted_stem{"negócio", 3},
      weighted_stem{"progett", 3},
      weighted_stem{"projet", 3},
      weighted_stem{"redact", 2},
      weighted_stem{"resum", 2},
      weighted_stem{"riassum", 2},
      weighted_stem{"saggio", 4},
      weighted_stem{"scriv", 1},
      weighted_stem{"spieg", 2},
      weighted_stem{"svilupp", 3},
      // Russian
      weighted_stem{"алгоритм", 3},
      weighted_stem{"анализ", 3},
      weighted_stem{"бизнес", 4},
      weighted_stem{"докаж", 5},
      weighted_stem{"код", 2},
      weighted_stem{"напиш", 1},
      weighted_stem{"объясн", 2},
      weighted_stem{"план", 2},
      weighted_stem{"подробн", 2},
      weighted_stem{"проанализ", 3},
      weighted_stem{"разработ", 3},
      weighted_stem{"реализ", 4},
      weighted_stem{"сравн", 2},
      weighted_stem{"стратег", 3},
      weighted_stem{"функци", 2},
      weighted_stem{"эссе", 4},
      // Chinese, Japanese, Korean
      weighted_stem{"事業計画", 5},
      weighted_stem{"代码", 2},
      weighted_stem{"分析", 3},
      weighted_stem{"函数", 2},
      weighted_stem{"商业计划", 5},
      weighted_stem{"実装", 4},
      weighted_stem{"实现", 4},
      weighted_stem{"总结", 2},
      weighted_stem{"戦略", 3},
      weighted_stem{"書いて", 1},
      weighted_stem{"比較", 2},
      weighted_stem{"比较", 2},
      weighted_stem{"策略", 3},
      weighted_stem{"算法", 3},
      weighted_stem{"要約", 2},
      weighted_stem{"解释", 2},
      weighted_stem{"計画", 2},
      weighted_stem{"計算", 1},
      weighted_stem{"計劃", 2},
      weighted_stem{"設計", 3},
      weighted_stem{"証明", 5},
      weighted_stem{"詳し", 2},
      weighted_stem{"説明", 2},
      weighted_stem{"论文", 4},
      weighted_stem{"証拠", 1},
      weighted_stem{"证明", 5},
      weighted_stem{"设计", 3},
      weighted_stem{"詳細", 2},
      weighted_stem{"详细", 2},
      weighted_stem{"論文", 4},
      weighted_stem{"计划", 2},
      weighted_stem{"写", 1},
      weighted_stem{"アルゴリズム", 3},
      weighted_stem{"コード", 2},
      weighted_stem{"ビジネスプラン", 5},
      weighted_stem{"関数", 2},
      weighted_stem{"계획", 2},
      weighted_stem{"분석", 3},
      weighted_stem{"사업", 3},
      weighted_stem{"설명", 2},
      weighted_stem{"작성", 1},
      weighted_stem{"증명", 5},
      weighted_stem{"什么", -1},
      weighted_stem{"你好", -1},
      weighted_stem{"翻译", -1},
      weighted_stem{"翻訳", -1},
      weighted_stem{"谁", -1},
      weighted_stem{"谢谢", -1},
      weighted_stem{"何", -1},
      weighted_stem{"誰", -1},
      weighted_stem{"こんにちは", -1},
      weighted_stem{"ありがとう", -1},
  };
  std::ranges::sort(all, {}, &weighted_stem::stem);
  return all;
}();

constexpr bool free_of_prefixes() {
  for (std::size_t i = 1; i < sorted_stems.size(); ++i) {
    if (sorted_stems[i].stem.starts_with(sorted_stems[i - 1].stem)) return false;
  }
  return true;
}
static_assert(free_of_prefixes());

constexpr auto sorted_easy_words = [] {
  std::array<std::string_view, 73> all{
      "bye",    "capital", "convert",  "date",      "define",    "hello",      "hey",     "hi",      "ok",
      "spell",  "thank",   "thanks",   "time",      "translate", "what",       "what's",  "when",    "where",
      "which",  "who",     "yes",      "danke",     "hallo",     "hauptstadt", "wann",    "was",     "welche",
      "wer",    "wie",     "wo",       "übersetze", "bonjour",   "capitale",   "merci",   "quand",   "quel",
      "quelle", "qui",     "traduis",  "où",        "capitaux",  "cuál",       "cuándo",  "dónde",   "gracias",
      "hola",   "qué",     "quién",    "traduce",   "chi",       "ciao",       "cosa",    "dove",    "grazie",
      "quando", "traduci", "obrigado", "olá",       "onde",      "qual",       "quem",    "traduza", "где",
      "какая",  "какой",   "когда",    "кто",       "переведи",  "привет",     "сколько", "спасибо", "столица",
      "что"};
  std::ranges::sort(all);
  return all;
}();

}  // namespace

std::span<const weighted_stem> stems() {
  return sorted_stems;
}
std::span<const std::string_view> easy_words() {
  return sorted_easy_words;
}

}  // namespace meshai::route
