#include "route/complexity_words.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace meshai::route {
namespace {

constexpr auto sorted_stems = [] {
  // clang-format off
  std::array<weighted_stem, 761> all{{
      // English; many stems serve its neighbours too
      {"5-year", 2}, {"advantage", 3}, {"advice", 3}, {"agreement", 6}, {"algorit", 6}, {"analy", 6},
      {"architect", 6}, {"article", 3}, {"assess", 6}, {"benefit", 3}, {"blog", 3}, {"brainstorm", 3},
      {"budget", 2}, {"bug", 2}, {"business", 6}, {"campaign", 6}, {"chapter", 6}, {"code", 3},
      {"compar", 3}, {"compiler", 6}, {"complex", 2}, {"comprehensive", 2}, {"concurren", 6},
      {"consider", 3}, {"construct", 6}, {"contract", 6}, {"cook", 3}, {"cover", 3}, {"create", 3},
      {"critically", 6}, {"critique", 6}, {"curriculum", 6}, {"debug", 6}, {"depth", 2}, {"deriv", 6},
      {"describ", 3}, {"design", 6}, {"detail", 2}, {"develop", 6}, {"diagnos", 6}, {"difference", 3},
      {"differential", 6}, {"dissertation", 6}, {"draft", 3}, {"e-mail", 3}, {"edit", 3}, {"email", 3},
      {"equation", 3}, {"essay", 6}, {"evaluat", 6}, {"explain", 3}, {"far", -3}, {"five-year", 2},
      {"fix", 3}, {"forecast", 6}, {"framework", 6}, {"function", 3}, {"generate", 3}, {"haiku", 3}, {"hello", -3},
      {"how", 3}, {"hypothes", 6}, {"idea", 3}, {"implement", 6}, {"improve", 3}, {"in-depth", 2},
      {"induction", 6}, {"integral", 6}, {"investigat", 6}, {"invitation", 3}, {"itinerary", 2},
      {"jurisdiction", 6}, {"justif", 2}, {"kubernetes", 6}, {"lagrangian", 6}, {"lawsuit", 6}, {"learn", 3},
      {"legal", 3}, {"legislation", 6}, {"letter", 3}, {"liabilit", 6}, {"list", 3}, {"literature", 6},
      {"many", -3}, {"message", 3}, {"microservice", 6}, {"migrat", 6}, {"months", 2}, {"much", -3},
      {"negotiat", 6}, {"novel", 6}, {"old", -3}, {"optimi", 6}, {"outline", 3}, {"pack", 3},
      {"paragraph", 3}, {"paraphrase", 3}, {"partnership", 6}, {"plan", 3}, {"plane", 0}, {"planet", 0},
      {"plant", 0}, {"plot", 3}, {"poem", 3}, {"portfolio", 6}, {"program", 3}, {"proof", 6},
      {"proofread", 3}, {"proposal", 6}, {"pros", 3}, {"prove", 6}, {"recipe", 3}, {"recommend", 3},
      {"recommendations", 2}, {"reduce", 3}, {"refactor", 6}, {"regex", 3}, {"rephrase", 3}, {"report", 3},
      {"research", 2}, {"rewrite", 3}, {"risk", 2}, {"roadmap", 6}, {"say", -3}, {"schema", 6},
      {"screenplay", 6}, {"script", 3}, {"shorter", 3}, {"should", 3}, {"simplif", 3}, {"simulat", 6},
      {"solve", 3}, {"song", 3}, {"speech", 3}, {"spell", -3}, {"sql", 3}, {"step", 2}, {"step-by-step", 2},
      {"steps", 2}, {"story", 3}, {"strateg", 6}, {"suggest", 3}, {"summar", 3}, {"syllabus", 6},
      {"tall", -3}, {"theorem", 6}, {"thesis", 6}, {"thorough", 2}, {"thread-safe", 6}, {"timeline", 2},
      {"tips", 3}, {"trade-off", 2}, {"training", 2}, {"turn", 3}, {"tutorial", 3}, {"two-week", 2},
      {"whitepaper", 6}, {"why", 3}, {"write", 3},
      // German
      {"abhandlung", 6}, {"analysier", 6}, {"arbeitsvertrag", 6}, {"architektur", 6}, {"aufsatz", 6},
      {"ausführlich", 2}, {"begründ", 2}, {"beschreib", 3}, {"beurteil", 6}, {"beweis", 6}, {"bewerbung", 3},
      {"bewerte", 6}, {"businessplan", 6}, {"detaillier", 2}, {"differentialgl", 6}, {"diskutier", 6},
      {"einladung", 3}, {"empfehl", 3}, {"empfiehl", 3}, {"entschuldig", 3}, {"entwerf", 6}, {"entwickl", 6},
      {"entwirf", 6}, {"erklär", 3}, {"erstell", 3}, {"erörter", 6}, {"evaluier", 6}, {"facharbeit", 6},
      {"fass", 3}, {"fasse", 3}, {"finanz", 2}, {"finanzplan", 6}, {"formulie", 3}, {"formulier", 3},
      {"funktion", 3}, {"gedicht", 3}, {"geschichte", 3}, {"geschäftsplan", 6}, {"gib", 3}, {"gründlich", 2},
      {"gutachten", 6}, {"hausarbeit", 6}, {"heißt", -3}, {"herleit", 6}, {"idee", 3}, {"implementier", 6},
      {"klausel", 2}, {"konzept", 6}, {"korrigier", 3}, {"kürz", 3}, {"leite", 2}, {"lerne", 3}, {"lös", 3},
      {"marketing", 6}, {"mietvertrag", 6}, {"nachteil", 3}, {"nenn", 3}, {"optimier", 6},
      {"programmier", 6}, {"prüf", 2}, {"ratschl", 3}, {"rezept", 3}, {"schreib", 3}, {"schritt", 2},
      {"seminararbeit", 6}, {"strategie", 6}, {"tipp", 3}, {"trainingsplan", 2}, {"umfassend", 2},
      {"umformulier", 3}, {"unterschied", 3}, {"untersuch", 6}, {"ursachen", 2}, {"verbesser", 3},
      {"verfass", 3}, {"vergleich", 3}, {"vertrag", 6}, {"vor-", 3}, {"vorschl", 3}, {"vorteil", 3},
      {"warum", 3}, {"weshalb", 3}, {"wieso", 3}, {"wissenschaftlich", 2}, {"wochen", 2},
      {"zusammenfass", 3}, {"überarbeit", 3},
      // French
      {"affaires", 6}, {"algorithme", 6}, {"améliore", 3}, {"analyse", 6}, {"approfondi", 2},
      {"architecture", 6}, {"astuce", 3}, {"avantage", 3}, {"cahier", 6}, {"causes", 2}, {"comment", 3},
      {"compare", 3}, {"complet", 2}, {"concevoir", 6}, {"conseil", 3}, {"contrat", 6}, {"conçoi", 6},
      {"conçois", 6}, {"corrige", 3}, {"crée", 3}, {"différence", 3}, {"différentielle", 6}, {"dit", -3},
      {"donne", 3}, {"décri", 3}, {"démontr", 6}, {"détail", 2}, {"développe", 6}, {"entraînement", 2},
      {"explique", 3}, {"fais", 3}, {"fonctionne", 3}, {"histoire", 3}, {"idée", 3}, {"implément", 6},
      {"inconvén", 3}, {"invente", 3}, {"juridique", 6}, {"justifi", 2}, {"lettre", 3}, {"mémoire", 6},
      {"optimise", 6}, {"pourquoi", 3}, {"poème", 3}, {"programme", 3}, {"propose", 3}, {"prouve", 6},
      {"prépare", 3}, {"prévisionnel", 2}, {"raconte", 3}, {"recette", 3}, {"reformule", 3}, {"rédige", 3},
      {"résou", 3}, {"résum", 3}, {"semaines", 2}, {"simplifie", 3}, {"stratég", 6}, {"suggère", 3},
      {"thèse", 6}, {"échecs", 2}, {"écri", 3}, {"élabor", 6}, {"établi", 3}, {"étape", 2}, {"évalue", 6},
      // Spanish, Italian, Portuguese
      {"aconsej", 3}, {"aiutami", 3}, {"ajedrez", 2}, {"ajuda-me", 3}, {"algoritmo", 6}, {"allenamento", 2},
      {"analis", 6}, {"analiz", 6}, {"approfondit", 2}, {"architettura", 6}, {"arquitectura", 6},
      {"arquitetura", 6}, {"avalia", 6}, {"ayúdame", 3}, {"aziendale", 6}, {"bostez", 3}, {"capitolo", 6},
      {"carta", 3}, {"como", 3}, {"confront", 3}, {"confrontalo", 6}, {"consecuencias", 2}, {"consejo", 3},
      {"conselh", 3}, {"consigli", 3}, {"contrato", 6}, {"contratto", 6}, {"correggi", 3}, {"correo", 3},
      {"crea", 3}, {"cria", 3}, {"critic", 2}, {"crític", 2}, {"cuenta", 3}, {"cuento", 3}, {"cómo", 3},
      {"dame", 3}, {"dammi", 3}, {"demonstr", 6}, {"demostr", 6}, {"demuestr", 6}, {"desarroll", 6},
      {"descrev", 3}, {"describe", 3}, {"descriv", 3}, {"desenvolv", 6}, {"desvantage", 3}, {"desventaj", 3},
      {"detalhad", 2}, {"detallad", 2}, {"detalle", 2}, {"dettagliat", 2}, {"dica", 3}, {"dice", -3},
      {"diferencia", 3}, {"diferencial", 6}, {"diferença", 3}, {"differenza", 3}, {"differenzial", 6},
      {"dimostr", 6}, {"diseñ", 6}, {"diz", -3}, {"dá-me", 3}, {"elabora", 6}, {"ensaio", 6}, {"ensayo", 6},
      {"entrenamiento", 2}, {"equação", 6}, {"escrev", 3}, {"escrib", 3}, {"estrateg", 6}, {"estratég", 6},
      {"estudos", 2}, {"evalúa", 6}, {"explic", 3}, {"explica", 3}, {"explíca", 3}, {"faz", 3}, {"faça", 3},
      {"finanziari", 2}, {"fondo", 2}, {"función", 3}, {"funzion", 3}, {"função", 3}, {"guion", 6},
      {"historia", 3}, {"história", 3}, {"ideia", 3}, {"implementa", 6}, {"lettera", 3}, {"mail", 3},
      {"mejora", 3}, {"melhora", 3}, {"migliora", 3}, {"negocio", 6}, {"negócio", 6}, {"optimiza", 6},
      {"orçament", 6}, {"otimiz", 6}, {"paso", 2}, {"passagg", 2}, {"passo", 2}, {"perché", 3}, {"piano", 2},
      {"plano", 2}, {"poema", 3}, {"poesia", 3}, {"porque", 3}, {"prepara", 3}, {"presupuest", 2},
      {"preventiv", 2}, {"profundidade", 2}, {"progett", 6}, {"programa", 3}, {"projet", 6}, {"proponi", 3},
      {"prós", 3}, {"raccont", 3}, {"receita", 3}, {"receta", 3}, {"recomend", 3}, {"recomiend", 3},
      {"recomiénd", 3}, {"redact", 3}, {"reescrev", 3}, {"reescribe", 3}, {"resolv", 3}, {"resuelv", 3},
      {"resum", 3}, {"riassum", 3}, {"ricetta", 3}, {"riscriv", 3}, {"risolv", 3}, {"romanzo", 6},
      {"saggio", 6}, {"scacchi", 2}, {"scriv", 3}, {"spieg", 3}, {"storia", 3}, {"strategi", 6},
      {"suger", 3}, {"suggerisc", 3}, {"sugier", 3}, {"svantagg", 3}, {"svilupp", 6}, {"tese", 6},
      {"tesi", 6}, {"tesis", 6}, {"treino", 2}, {"valuta", 6}, {"vantage", 3}, {"vantagg", 3}, {"ventaj", 3},
      {"visitar", 3}, {"xadrez", 2},
      // Russian
      {"алгоритм", 6}, {"анализ", 6}, {"архитектур", 6}, {"бизнес", 6}, {"быстрее", 3}, {"бюджет", 2},
      {"вежлив", 3}, {"глубоко", 2}, {"дай", 3}, {"детальн", 2}, {"диссертац", 6}, {"дифференциал", 6},
      {"договор", 6}, {"докаж", 6}, {"зачем", 3}, {"зовут", -3}, {"идеи", 3}, {"идею", 3}, {"исправ", 3},
      {"исследован", 6}, {"как", 3}, {"кака", 0}, {"какие", 0}, {"како", 0}, {"каком", 0}, {"код", 3},
      {"контракт", 6}, {"кратко", 3}, {"критическ", 6}, {"курсов", 6}, {"напиш", 3}, {"обоснуй", 6},
      {"объясн", 3}, {"опиши", 3}, {"оптимиз", 6}, {"отлича", 3}, {"оцени", 6}, {"перепиш", 3},
      {"перескаж", 3}, {"письмо", 3}, {"план", 3}, {"плюсы", 3}, {"по-англ", -3}, {"подробн", 2},
      {"помоги", 3}, {"посмотре", 3}, {"посовет", 3}, {"почему", 3}, {"пошагов", 2}, {"предлож", 3},
      {"преимуществ", 3}, {"придума", 3}, {"проанализ", 6}, {"проект", 6}, {"разниц", 3}, {"разработ", 6},
      {"расскаж", 3}, {"рассказ", 3}, {"реализ", 6}, {"рекоменд", 3}, {"реферат", 6}, {"рецепт", 3},
      {"реши", 3}, {"роман", 6}, {"сделай", 3}, {"сказать", -3}, {"совет", 3}, {"составь", 3},
      {"сочинени", 6}, {"спроектир", 6}, {"сравн", 3}, {"стих", 3}, {"стратег", 6}, {"тренировок", 2},
      {"улучш", 3}, {"финансов", 6}, {"функци", 3}, {"шаг", 2}, {"шахмат", 2}, {"эссе", 6},
      // Chinese, Japanese, Korean
      {"ありがとう", -1}, {"おすすめ", 3}, {"おはよう", -1}, {"こんにちは", -1}, {"すべて", 2}, {"どうして", 3}, {"どうやって", 3},
      {"どこ", -1}, {"なぜ", 3}, {"まとめ", 3}, {"アイデア", 3}, {"アルゴリズム", 6}, {"アーキテクチャ", 6}, {"コツ", 3}, {"コード", 3},
      {"ステップ", 2}, {"データベース", 6}, {"ビジネスプラン", 6}, {"プレゼント", 3}, {"マーケティング", 6}, {"メリット", 3}, {"メール", 3},
      {"レシピ", 3}, {"レポート", 6}, {"为什么", 3}, {"举例", 3}, {"事業計画", 6}, {"什么", -1}, {"介绍", 3}, {"仕組み", 3},
      {"代码", 3}, {"企画書", 6}, {"优化", 6}, {"优缺点", 3}, {"何", -1}, {"何と言", -3}, {"作って", 3}, {"作成", 3},
      {"你好", -1}, {"修改", 3}, {"做法", 3}, {"全面", 2}, {"写", 3}, {"几", -1}, {"函数", 3}, {"分析", 6}, {"制定", 3},
      {"区别", 3}, {"协议", 6}, {"可以玩", 3}, {"合同", 6}, {"哪", -1}, {"商业策划", 6}, {"商业计划", 6}, {"国际象棋", 6},
      {"多少", -1}, {"契約書", 6}, {"如何", 3}, {"实现", 6}, {"実装", 6}, {"审查", 6}, {"小説", 6}, {"小说", 6}, {"帮我", 3},
      {"建议", 3}, {"微分", 6}, {"怎么产生", 3}, {"怎么做", 3}, {"怎么工作", 3}, {"怎么说", -3}, {"怎么读", -3}, {"总结", 3},
      {"战略", 6}, {"戦略", 6}, {"所有", 2}, {"批判", 6}, {"推导", 6}, {"推荐", 3}, {"描述", 3}, {"提案", 3}, {"提案書", 6},
      {"改写", 3}, {"改得", 3}, {"改正", 3}, {"故事", 3}, {"教えて", 3}, {"数据库", 6}, {"方案", 6}, {"方法", 3}, {"是怎么", 3},
      {"書いて", 3}, {"書き直", 3}, {"最適化", 6}, {"架构", 6}, {"概括", 3}, {"步骤", 2}, {"比較", 3}, {"比較して", 6}, {"比较", 3},
      {"润色", 3}, {"深入", 6}, {"物語", 3}, {"直して", 3}, {"研究报告", 6}, {"示して", 2}, {"程序", 6}, {"策略", 6}, {"算法", 6},
      {"编写", 3}, {"翻訳", -1}, {"翻译", -1}, {"考えて", 3}, {"营销", 6}, {"要約", 3}, {"見れば", 3}, {"规划", 6}, {"解释", 3},
      {"計画", 2}, {"設計", 6}, {"証明", 6}, {"詩", 3}, {"詳し", 2}, {"詳細", 2}, {"説明", 3}, {"誰", -1}, {"論じ", 6},
      {"論文", 6}, {"计划", 2}, {"讲", 3}, {"论文", 6}, {"论述", 6}, {"设计", 6}, {"证明", 6}, {"评价", 6}, {"诗", 3},
      {"详细", 2}, {"谁", -1}, {"谢谢", -1}, {"資金計画", 6}, {"起草", 3}, {"途中", 2}, {"違い", 3}, {"邮件", 3}, {"開発", 6},
      {"関数", 3}, {"食谱", 3}, {"감사", -1}, {"개발", 6}, {"계약서", 6}, {"계획", 2}, {"고마", -1}, {"고쳐", 3}, {"구현", 6},
      {"기획", 6}, {"논문", 6}, {"논해", 6}, {"누구", -1}, {"단계", 2}, {"단점", 3}, {"도와", 3}, {"마케팅", 6}, {"만들어", 3},
      {"메시지", 3}, {"몇", -1}, {"모두", 2}, {"무슨", -1}, {"뭐", -1}, {"뭐라고", -3}, {"미분", 6}, {"바꿔", 3}, {"방법", 3},
      {"번역", -1}, {"보고서", 6}, {"보면 좋", 3}, {"분석", 6}, {"비교", 3}, {"비판", 6}, {"사업", 6}, {"상세", 2}, {"설계", 6},
      {"설명", 3}, {"세워", 2}, {"소설", 6}, {"시를", 3}, {"써", 3}, {"써줘", 3}, {"아이디어", 3}, {"아키텍처", 6}, {"안녕", -1},
      {"알고리즘", 6}, {"알려", 3}, {"어디", -1}, {"어떻게", 3}, {"얼마", -1}, {"왜", 3}, {"요리법", 3}, {"요약", 3},
      {"이메일", 3}, {"이야기", 3}, {"자세히", 2}, {"작성", 3}, {"장점", 3}, {"재무", 6}, {"전략", 6}, {"제안서", 6}, {"조언", 3},
      {"증명", 6}, {"차이", 3}, {"최적화", 6}, {"추천", 3}, {"코드", 3}, {"편지", 3}, {"프로그램", 2}, {"함수", 3},
  }};
  // clang-format on
  std::ranges::sort(all, {}, &weighted_stem::stem);
  return all;
}();

constexpr bool each_once() {
  return std::ranges::adjacent_find(sorted_stems, {}, &weighted_stem::stem) == sorted_stems.end();
}
static_assert(each_once());

// Where the stems begin that begin with this byte.
constexpr auto first_of_byte = [] {
  std::array<std::uint16_t, 257> starts{};
  for (std::size_t byte = 0, at = 0; byte < starts.size(); ++byte) {
    while (at < sorted_stems.size() && static_cast<unsigned char>(sorted_stems[at].stem[0]) < byte) ++at;
    starts[byte] = static_cast<std::uint16_t>(at);
  }
  return starts;
}();

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
const weighted_stem* longest_stem(std::string_view word) {
  if (word.empty()) return nullptr;
  const auto byte = static_cast<unsigned char>(word[0]);
  const auto* first = sorted_stems.data() + first_of_byte[byte];
  const auto* last = sorted_stems.data() + first_of_byte[byte + 1u];
  const weighted_stem* longest = nullptr;
  // All of [first, last) begin as the word does, up to `at`.
  for (std::size_t at = 1; first != last; ++at) {
    if (first->stem.size() == at) longest = first++;
    if (at == word.size()) break;
    const auto next = [at](const weighted_stem& s) { return static_cast<unsigned char>(s.stem[at]); };
    const auto same = std::ranges::equal_range(first, last, static_cast<unsigned char>(word[at]), {}, next);
    first = same.data();
    last = first + same.size();
  }
  return longest;
}
std::span<const std::string_view> easy_words() {
  return sorted_easy_words;
}

}  // namespace meshai::route
