#include "route/complexity_words.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace meshai::route {
namespace {

// In any order: they are too many to be sorted by a compiler.
constexpr auto given_stems = [] {
  // clang-format off
  return std::array<weighted_stem, 1782>{{
      // English; many stems serve its neighbours too
      {"5-year", 2}, {"a server", 2}, {"acquisition", 6}, {"advantage", 3}, {"advice", 3}, {"agreement", 6},
      {"algorit", 6}, {"analy", 6}, {"apolog", 3}, {"architect", 6}, {"article", 3}, {"assess", 6},
      {"audit", 2}, {"authentication", 2}, {"avoid", 3}, {"bake", 3}, {"benefit", 3}, {"best", 3},
      {"better", 3}, {"blog", 3}, {"brainstorm", 3}, {"budget", 2}, {"bug", 2}, {"business", 6},
      {"business case", 6}, {"bylaws", 6}, {"campaign", 6}, {"can i", 3}, {"caption", 4}, {"chapter", 6},
      {"checklist", 3}, {"choose", 3}, {"clean", 3}, {"clinical trial", 6}, {"code", 3}, {"come up", 3},
      {"compar", 3}, {"compiler", 6}, {"complain", 3}, {"complete", 2}, {"complex", 2}, {"comprehensive", 2},
      {"concurren", 6}, {"congratul", 3}, {"consensus", 6}, {"consider", 3}, {"construct", 6}, {"contract", 6},
      {"controls", 2}, {"cook", 3}, {"correct", 3}, {"cover", 3}, {"cover letter", 4}, {"create", 3},
      {"critically", 6}, {"critique", 6}, {"cryptograph", 6}, {"curriculum", 6}, {"deadlock", 6}, {"debug", 6},
      {"decide", 3}, {"depth", 2}, {"deriv", 6}, {"describ", 3}, {"design", 6}, {"detail", 2}, {"develop", 6},
      {"diagnos", 6}, {"diet", 3}, {"differ", 3}, {"difference", 3}, {"differential", 6}, {"discuss", 3},
      {"disprove", 6}, {"dissertation", 6}, {"distributed", 6}, {"downtime", 2}, {"draft", 5},
      {"due diligence", 6}, {"e-mail", 4}, {"each of", 2}, {"econometric", 6}, {"edge cases", 2}, {"edit", 3},
      {"email", 4}, {"equation", 3}, {"essay", 6}, {"evaluat", 6}, {"every possible", 2}, {"explain", 3},
      {"explore", 3}, {"far", -3}, {"fare", 0}, {"farm", 0}, {"feasib", 6}, {"feedback", 3}, {"five-year", 2},
      {"fix", 3}, {"forecast", 6}, {"formal verif", 6}, {"framework", 6}, {"full", 2}, {"function", 4},
      {"generate", 3}, {"gift", 3}, {"give", 3}, {"go-to-market", 6}, {"grammar", 3}, {"grant proposal", 6},
      {"guide", 3}, {"haiku", 4}, {"happens", 3}, {"hello", -3}, {"help", 3}, {"how", 3}, {"hypothes", 6},
      {"idea", 3}, {"implement", 6}, {"improve", 3}, {"in detail", 2}, {"in-depth", 2}, {"induction", 6},
      {"infrastructure", 6}, {"integral", 6}, {"interpreter", 6}, {"interview", 3}, {"introduc", 3},
      {"investigat", 6}, {"invitation", 4}, {"invite", 3}, {"itinerary", 2}, {"jurisdiction", 6}, {"justif", 2},
      {"knot", 3}, {"kubernetes", 6}, {"lagrangian", 6}, {"lawsuit", 6}, {"learn", 3}, {"legal", 3},
      {"legislation", 6}, {"letter", 3}, {"liabilit", 6}, {"limerick", 3}, {"list", 3}, {"literature", 6},
      {"look over", 3}, {"machine learning", 6}, {"make me", 3}, {"manifesto", 6}, {"many", -3}, {"meal", 3},
      {"memorandum", 6}, {"memory leak", 6}, {"merger", 6}, {"message", 4}, {"meta-analys", 6}, {"meter", 2},
      {"microservice", 6}, {"migrat", 6}, {"milestone", 2}, {"months", 2}, {"much", -3}, {"multi", 2},
      {"multiplayer", 2}, {"negotiat", 6}, {"neural", 6}, {"novel", 6}, {"novella", 6}, {"old", -3},
      {"opera", 6}, {"operating system", 6}, {"optimi", 6}, {"organi", 3}, {"outline", 3}, {"pack", 3},
      {"paragraph", 4}, {"paraphrase", 3}, {"parser", 6}, {"partnership", 6}, {"peer", 6}, {"penetration", 6},
      {"plan", 3}, {"plane", 0}, {"planet", 0}, {"plant", 0}, {"plot", 3}, {"poem", 4}, {"policies", 2},
      {"policy", 6}, {"portfolio", 6}, {"possible cause", 6}, {"post-mortem", 6}, {"prepare", 3},
      {"prioriti", 3}, {"production", 2}, {"program", 3}, {"proof", 6}, {"proofread", 3}, {"proposal", 6},
      {"pros", 3}, {"prove", 6}, {"provide", 3}, {"quiz", 3}, {"race condition", 6}, {"recipe", 4},
      {"recommend", 3}, {"recommendations", 2}, {"reduce", 3}, {"refactor", 6}, {"reforms", 2}, {"regex", 4},
      {"regression", 6}, {"reinforcement", 6}, {"remove", 3}, {"rephrase", 3}, {"reply", 3}, {"report", 3},
      {"research", 2}, {"respond", 3}, {"retirement savings", 6}, {"rewrite", 3}, {"rhyme", 3}, {"rigorous", 6},
      {"risk", 2}, {"roadmap", 6}, {"rollback", 2}, {"root cause", 6}, {"sample size", 6}, {"say hello", -3},
      {"say it", -3}, {"scal", 2}, {"scenario", 2}, {"schema", 6}, {"screenplay", 6}, {"script", 3},
      {"shareholder", 6}, {"shorten", 3}, {"shorter", 3}, {"should", 3}, {"should i", 3}, {"show me", 3},
      {"show that", 6}, {"simplif", 3}, {"simulat", 6}, {"slogan", 4}, {"solve", 3}, {"song", 3},
      {"sonnet cycle", 6}, {"speech", 3}, {"spell", -3}, {"sql", 4}, {"stain", 3}, {"statistic", 2},
      {"statute", 6}, {"step", 2}, {"step-by-step", 2}, {"steps", 2}, {"story", 3}, {"strateg", 6},
      {"suggest", 3}, {"summar", 3}, {"syllabus", 6}, {"symptom", 3}, {"systematic", 6}, {"tall", -3},
      {"tax", 6}, {"teach", 3}, {"tests", 2}, {"theorem", 6}, {"thesis", 6}, {"thorough", 2},
      {"thread-safe", 6}, {"threat model", 6}, {"throughput", 6}, {"timeline", 2}, {"tips", 3}, {"title", 3},
      {"trade-off", 2}, {"training", 2}, {"trilogy", 6}, {"troubleshoot", 3}, {"turn", 3}, {"tutorial", 3},
      {"two-week", 2}, {"understand", 3}, {"valuation", 6}, {"vesting", 6}, {"walk me", 3}, {"weekend", 3},
      {"white paper", 6}, {"whitepaper", 6}, {"why", 3}, {"work", 3}, {"workout", 3}, {"would", 3},
      {"write", 3}, {"wrong", 3}, {"you say", -3},
      // German
      {"abhandlung", 6}, {"absag", 3}, {"analysier", 6}, {"antwort", 3}, {"arbeite", 3}, {"arbeitsvertrag", 6},
      {"architektur", 6}, {"aufsatz", 6}, {"ausflug", 3}, {"ausflüge", 3}, {"ausführlich", 2},
      {"bachelorarbeit", 6}, {"begründ", 2}, {"beschreib", 3}, {"betriebsvereinbarung", 6}, {"beurteil", 6},
      {"beweis", 6}, {"bewerbung", 4}, {"bewerte", 6}, {"businessplan", 6}, {"denk", 3}, {"detaillier", 2},
      {"dichte", 3}, {"differentialgl", 6}, {"diskutier", 6}, {"drehbuch", 6}, {"eingehend", 2},
      {"einladung", 4}, {"empfehl", 3}, {"empfehlungen", 2}, {"empfiehl", 3}, {"entschuldig", 3},
      {"entwerf", 6}, {"entwickl", 6}, {"entwirf", 6}, {"erklär", 3}, {"erstell", 5}, {"erzähl", 3},
      {"erörter", 6}, {"evaluier", 6}, {"facharbeit", 6}, {"fass", 3}, {"fasse", 3}, {"fehler", 3},
      {"fehlerbehandlung", 2}, {"finanz", 2}, {"finanzplan", 6}, {"find", 3}, {"formulie", 3}, {"formulier", 3},
      {"funktion", 4}, {"gedicht", 4}, {"geschichte", 3}, {"geschäftsplan", 6}, {"gesellschaft", 6}, {"gib", 3},
      {"glückwunsch", 3}, {"gründlich", 2}, {"gutachten", 6}, {"hausarbeit", 6}, {"heißt", -3}, {"herleit", 6},
      {"hilf", 3}, {"hilft", 3}, {"idee", 3}, {"im detail", 2}, {"implementier", 6}, {"induktion", 6},
      {"interpretier", 6}, {"kann ich", 3}, {"kannst du", 3}, {"kapitel", 2}, {"kennzahl", 6}, {"klage", 6},
      {"klausel", 2}, {"koch", 3}, {"konzept", 6}, {"korrigier", 3}, {"kosten", 2}, {"kritisch", 2},
      {"kürz", 3}, {"leite", 2}, {"lerne", 3}, {"lös", 3}, {"machbarkeit", 6}, {"marketing", 6},
      {"masterarbeit", 6}, {"mietvertrag", 6}, {"nachteil", 3}, {"nebenläufig", 6}, {"nenn", 3},
      {"ohne ausfall", 2}, {"optimier", 6}, {"ordne", 3}, {"plane das", 3}, {"plane den", 3}, {"plane die", 3},
      {"plane eine", 3}, {"plane einen", 3}, {"programmier", 6}, {"prüf", 2}, {"ratschl", 3},
      {"rechenzentrum", 6}, {"reform", 2}, {"reim", 3}, {"rezept", 4}, {"risiken", 2}, {"rückfall", 2},
      {"samt tests", 2}, {"sanierung", 6}, {"satzung", 6}, {"schlag", 3}, {"schreib", 3}, {"schritt", 2},
      {"schrittweise", 2}, {"seminararbeit", 6}, {"setze", 3}, {"soll ich", 3}, {"spruch", 3}, {"stell", 3},
      {"stichwort", 3}, {"strategie", 6}, {"studie", 6}, {"szenari", 2}, {"tipp", 3}, {"trainingsplan", 2},
      {"umfassend", 2}, {"umformulier", 3}, {"umsatz", 2}, {"umsätze", 2}, {"unterscheid", 3},
      {"unterschied", 3}, {"untersuch", 6}, {"untersuchung", 6}, {"ursachen", 2}, {"verbesser", 3},
      {"verfass", 5}, {"vergleich", 3}, {"verklemm", 6}, {"verteilt", 6}, {"vertrag", 6}, {"vollständig", 2},
      {"vor-", 3}, {"vorschl", 3}, {"vorteil", 3}, {"wandle", 3}, {"warum", 3}, {"webserver", 2},
      {"weshalb", 3}, {"widerleg", 6}, {"wie funktioniert", 3}, {"wie kann", 3}, {"wieso", 3},
      {"wissenschaftlich", 2}, {"wochen", 2}, {"worin", 3}, {"zeige", 3}, {"zeige dass", 6}, {"zeitplan", 2},
      {"zusammenfass", 4}, {"überarbeit", 3}, {"überleg", 3},
      // French
      {"affaires", 6}, {"aide", 3}, {"aidez", 3}, {"algorithme", 6}, {"améliore", 3}, {"améliorer", 3},
      {"analyse", 6}, {"approfondi", 2}, {"approfondie", 2}, {"architecture", 6}, {"astuce", 3},
      {"avantage", 3}, {"bilan prévisionnel", 6}, {"bâti", 3}, {"cahier", 6}, {"causes", 2}, {"chapitre", 2},
      {"choisi", 3}, {"clause", 6}, {"combien", -3}, {"comment", 3}, {"commente", 3}, {"compare", 3},
      {"complet", 2}, {"compose", 3}, {"concevoir", 6}, {"conseil", 3}, {"contrat", 6}, {"conçoi", 6},
      {"conçois", 6}, {"corrige", 3}, {"crée", 3}, {"cuisin", 3}, {"différence", 3}, {"différentielle", 6},
      {"dissert", 6}, {"distingue", 3}, {"distribué", 6}, {"dit", -3}, {"dois-je", 3}, {"donne", 3},
      {"dresse", 3}, {"décri", 3}, {"démontr", 6}, {"détail", 2}, {"développe", 6}, {"en quelle", -3},
      {"enlev", 3}, {"entraînement", 2}, {"essai clinique", 6}, {"explique", 3}, {"fais", 3},
      {"faisabilité", 6}, {"financement", 2}, {"fonctionne", 3}, {"félicit", 3}, {"histoire", 3}, {"idée", 3},
      {"imagine", 3}, {"implément", 6}, {"inconvén", 3}, {"infirme", 6}, {"intelligence artificielle", 6},
      {"invente", 3}, {"juridique", 6}, {"justifi", 2}, {"lettre", 4}, {"marche", 3}, {"marchent", 3},
      {"mets", 3}, {"montre que", 6}, {"mémoire", 6}, {"nettoy", 3}, {"optimise", 6}, {"organise", 3},
      {"peux-tu", 3}, {"plaidoirie", 6}, {"planifie", 3}, {"possibles", 2}, {"pourquoi", 3}, {"pourrais", 3},
      {"poème", 4}, {"profondeur", 2}, {"programme", 3}, {"propose", 3}, {"protocole", 6}, {"prouve", 6},
      {"prépar", 3}, {"prépare", 3}, {"prévisionnel", 2}, {"puis-je", 3}, {"que faire", 3}, {"raconte", 3},
      {"recette", 4}, {"reformule", 3}, {"risques", 2}, {"rédige", 5}, {"réforme", 2}, {"répond", 3},
      {"réquisitoire", 6}, {"résou", 3}, {"résum", 4}, {"scénario", 2}, {"scénario complet", 6},
      {"semaines", 2}, {"simplifie", 3}, {"statuts", 6}, {"stratég", 6}, {"suggère", 3}, {"thèse", 6},
      {"titre", 3}, {"transforme", 3}, {"trouve", 3}, {"échecs", 2}, {"écri", 3}, {"écrit-on", -3},
      {"élabor", 6}, {"établi", 5}, {"étape", 2}, {"étude", 6}, {"évalue", 6},
      // Spanish, Italian, Portuguese
      {"a fondo", 2}, {"aconsej", 3}, {"aiut", 3}, {"aiutami", 3}, {"ajedrez", 2}, {"ajuda", 3},
      {"ajuda-me", 3}, {"algoritmo", 6}, {"allenamento", 2}, {"alternativas", 2}, {"analis", 6}, {"analiz", 6},
      {"approfondit", 2}, {"approfondito", 2}, {"architettura", 6}, {"arquitectura", 6}, {"arquitetura", 6},
      {"arregla", 3}, {"auguri", 3}, {"autenticación", 2}, {"autenticação", 2}, {"avalia", 6}, {"ayuda", 3},
      {"ayúdame", 3}, {"aziendale", 6}, {"biglietto", 3}, {"bostez", 3}, {"business plan", 6}, {"capitolo", 6},
      {"capítulo", 6}, {"carta", 4}, {"cenários", 2}, {"clausol", 6}, {"cláusula", 6}, {"cocin", 3},
      {"como", 3}, {"compara", 3}, {"compilador", 6}, {"compilatore", 6}, {"compon", 3}, {"conclusiones", 2},
      {"confront", 3}, {"confrontalo", 6}, {"confuta", 6}, {"consecuencias", 2}, {"consejo", 3}, {"conselh", 3},
      {"consigli", 3}, {"consiglia", 3}, {"conte", 3}, {"contrato", 6}, {"contrato social", 6},
      {"contratto", 6}, {"convierte", 3}, {"correggi", 3}, {"correo", 4}, {"cozinh", 3}, {"crea", 3},
      {"cria", 3}, {"critic", 2}, {"crític", 2}, {"cucin", 3}, {"cuenta", 3}, {"cuento", 3}, {"cómo", 3},
      {"dame", 3}, {"dammi", 3}, {"debería", 3}, {"debo", 3}, {"demonstr", 6}, {"demostr", 6}, {"demuestr", 6},
      {"desarroll", 6}, {"descrev", 3}, {"describe", 3}, {"descriv", 3}, {"desenvolv", 6}, {"desvantage", 3},
      {"desventaj", 3}, {"detalhad", 2}, {"detallad", 2}, {"detalle", 2}, {"dettagliat", 2}, {"devo", 3},
      {"dica", 3}, {"dice", -3}, {"diferencia", 3}, {"diferencial", 6}, {"diferença", 3}, {"differenza", 3},
      {"differenzial", 6}, {"dimostr", 6}, {"diseñ", 6}, {"dissertação", 6}, {"distribuid", 6},
      {"distribuit", 6}, {"distribuíd", 6}, {"diz", -3}, {"dovrei", 3}, {"doze meses", 2}, {"dá-me", 3},
      {"dê", 3}, {"elabora", 6}, {"elenca", 3}, {"ensaio", 6}, {"ensaio clínico", 6}, {"ensayo", 6},
      {"ensayo clínico", 6}, {"entrenamiento", 2}, {"equação", 6}, {"escenarios", 2}, {"escrev", 3},
      {"escrib", 3}, {"estatuto", 6}, {"estatutos", 6}, {"estrateg", 6}, {"estratég", 6}, {"estudio de", 6},
      {"estudo de", 2}, {"estudos", 2}, {"evalúa", 6}, {"explic", 3}, {"explica", 3}, {"explíca", 3},
      {"fattibilità", 6}, {"faz", 3}, {"faça", 3}, {"felicit", 3}, {"finanziari", 2}, {"fondo", 2},
      {"función", 4}, {"funzion", 4}, {"funziona", 3}, {"função", 4}, {"giustific", 2}, {"guion", 6},
      {"haz", 3}, {"hipótese", 6}, {"hipótesis", 6}, {"historia", 3}, {"história", 3}, {"ideia", 3},
      {"implementa", 6}, {"invent", 3}, {"inventa", 3}, {"ipotesi", 6}, {"lettera", 4}, {"limpar", 3},
      {"limpi", 3}, {"lista", 4}, {"liste", 4}, {"mail", 4}, {"medidas", 2}, {"mejor", 3}, {"mejora", 3},
      {"melhor", 3}, {"melhora", 3}, {"migliora", 3}, {"monografia", 6}, {"monografía", 6}, {"monte", 3},
      {"negocio", 6}, {"negócio", 6}, {"novela", 6}, {"optimiza", 6}, {"organiz", 3}, {"organiza", 3},
      {"organizza", 3}, {"orçament", 6}, {"otimiz", 6}, {"parabéns", 3}, {"paso", 2}, {"passagg", 2},
      {"passo", 2}, {"penalizacion", 2}, {"perche", 3}, {"perché", 3}, {"pianifica", 3}, {"piano di", 2},
      {"piano industriale", 6}, {"planej", 3}, {"planifica", 3}, {"plano", 2}, {"plantea", 3}, {"poema", 4},
      {"poesia", 4}, {"ponle", 3}, {"por que", 3}, {"por qué", 3}, {"porque", 3}, {"possibili cause", 2},
      {"posso", 3}, {"prepar", 3}, {"prepara", 3}, {"presupuest", 2}, {"preventiv", 2}, {"profundidade", 2},
      {"progett", 6}, {"programa", 3}, {"prográma", 3}, {"proiezioni", 2}, {"projet", 6}, {"proponi", 3},
      {"pruebas", 2}, {"prós", 3}, {"puedo", 3}, {"pulir", 3}, {"quito ", 3}, {"raccont", 3}, {"receita", 4},
      {"receta", 4}, {"recomend", 3}, {"recomiend", 3}, {"recomiénd", 3}, {"redact", 5}, {"reescrev", 3},
      {"reescribe", 3}, {"reforma", 2}, {"refuta", 6}, {"refute", 6}, {"resolv", 3}, {"resuelv", 3},
      {"resum", 4}, {"riassum", 4}, {"ricetta", 4}, {"riesgos", 2}, {"riforma", 2}, {"rischi", 2},
      {"riscos", 2}, {"riscriv", 3}, {"risolv", 3}, {"rispond", 3}, {"romanzo", 6}, {"saggio", 6},
      {"scacchi", 2}, {"scegli", 3}, {"scenari", 2}, {"scriv", 3}, {"servidor", 2}, {"sperimentazione", 6},
      {"spieg", 3}, {"statuto", 6}, {"storia", 3}, {"strategi", 6}, {"suger", 3}, {"sugest", 3},
      {"suggerisc", 3}, {"sugier", 3}, {"svantagg", 3}, {"svilupp", 6}, {"tese", 6}, {"tesi", 6}, {"tesis", 6},
      {"test", 2}, {"testes", 2}, {"tirar", 3}, {"toglier", 3}, {"traduce este", 3}, {"traduci questo", 3},
      {"transform", 3}, {"trasforma", 3}, {"treino", 2}, {"título", 3}, {"un estudio", 2}, {"valuta", 6},
      {"vantage", 3}, {"vantagg", 3}, {"ventaj", 3}, {"verific", 2}, {"viabilidad", 6}, {"viabilidade", 6},
      {"visitar", 3}, {"xadrez", 2},
      // Several of these
      {"a inventé", -3}, {"a lungo", 2}, {"a écrit", -3}, {"absatz", 4}, {"actes", 2}, {"actos", 2},
      {"ansprache", 3}, {"apelación", 6}, {"apelação", 6}, {"appeal brief", 6}, {"appello", 6}, {"argoment", 5},
      {"argue", 5}, {"argument", 5}, {"assets", 2}, {"at length", 2}, {"atos", 2}, {"atti", 2},
      {"ausgesprochen", -3}, {"baufinanzierung", 6}, {"bedeutet", -3}, {"begründet", 2}, {"berufung", 6},
      {"besser", 3}, {"bildunterschrift", 4}, {"blank verse", 6}, {"breve", 1}, {"brevets", 6}, {"brief an", 4},
      {"brief for", 6}, {"bullet", 4}, {"business model", 6}, {"card", 4}, {"case study", 6}, {"cash flow", 6},
      {"chiedo", 3}, {"citing", 2}, {"come faccio", 3}, {"come posso", 3}, {"come tolgo", 3}, {"como faço", 3},
      {"como tiro", 3}, {"completa", 2}, {"completo", 2}, {"complète", 2}, {"conclusions d'avocat", 6},
      {"convite", 4}, {"corta", 1}, {"corto", 1}, {"cosa fa", 3}, {"cosa faccio", 3}, {"costs", 2},
      {"courriel", 4}, {"court", 1}, {"courte", 1}, {"curta", 1}, {"curto", 1}, {"datenschutz", 6},
      {"de estudios", 2}, {"deduc", 5}, {"deduz", 5}, {"demanda", 6}, {"depreciation", 6}, {"detalhe", 2},
      {"dettaglio", 2}, {"didaktisch", 6}, {"didascal", 4}, {"didattica", 6}, {"didáctica", 6}, {"didática", 6},
      {"discorso", 3}, {"discours", 3}, {"discurso", 3}, {"discurso curto", 3}, {"discute", 5}, {"dramma", 6},
      {"du roman", 6}, {"ecuaciones", 6}, {"einen roman", 6}, {"einfach", 1}, {"einspruch", 6},
      {"equazioni", 6}, {"equações", 6}, {"erarbeit", 5}, {"escreveu", -3}, {"escribió", -3},
      {"extensamente", 2}, {"faccio", 3}, {"faço primeiro", 3}, {"five-act", 6}, {"fonction", 4}, {"frase", 4},
      {"fundamentos", 2}, {"gegenüber", 2}, {"ha inventato", -3}, {"ha scritto", -3}, {"hablan", -3},
      {"handbook", 6}, {"handbuch", 6}, {"helpful", 0}, {"hilfe", 0}, {"how come", 3}, {"i am", 3},
      {"i have", 3}, {"i need", 3}, {"i want", 3}, {"i'm", 3}, {"ich bin", 3}, {"ich habe", 3},
      {"ich möchte", 3}, {"ich will", 3}, {"invented", -3}, {"inventou", -3}, {"inventó", -3},
      {"invitación", 4}, {"invito", 4}, {"is it", 3}, {"je dois", 3}, {"je veux", 3}, {"je voudrais", 3},
      {"jurisprudence", 2}, {"karte", 4}, {"klageerwiderung", 6}, {"komplett", 2}, {"kurz", 1}, {"kurze", 1},
      {"kurzen", 1}, {"kurzes", 1}, {"lay out", 6}, {"legenda", 4}, {"leite den", 5}, {"leite die", 5},
      {"lohnt", 3}, {"longamente", 2}, {"longuement", 2}, {"légende", 4}, {"ma ", 3}, {"mach aus", 3},
      {"mach das", 3}, {"mach einen", 3}, {"mach mir", 3}, {"mache", 3}, {"make a", 3}, {"make this", 3},
      {"make up", 3}, {"mean", -3}, {"meaning", -3}, {"meglio", 3}, {"mein ", 3}, {"meine ", 3}, {"meinen ", 3},
      {"mensagem", 4}, {"mensaje", 4}, {"mes ", 3}, {"messaggio", 4}, {"methodology", 2}, {"meu ", 3},
      {"mi ", 3}, {"mia ", 3}, {"mieux", 3}, {"mind", 0}, {"minha ", 3}, {"mio ", 3}, {"mis ", 3},
      {"modello finanz", 6}, {"modelo financ", 6}, {"modèle financ", 6}, {"mon ", 3}, {"my ", 3},
      {"my boss", 3}, {"my landlord", 3}, {"nachricht", 4}, {"name a", -3}, {"name the", -3},
      {"navier-stokes", 6}, {"necesito", 3}, {"normativ", 2}, {"note", 4}, {"notiz", 4}, {"o que", 3},
      {"objeciones", 2}, {"objections", 2}, {"objections et", 2}, {"objezioni", 2}, {"objeções", 2},
      {"obra de", 6}, {"ombre", 2}, {"one-liner", 4}, {"orçamento", 2}, {"over five", 2}, {"over three", 2},
      {"où commencer", 3}, {"paragrafen", 2}, {"paragrafo", 4}, {"parlano", -3}, {"parle-t-on", -3},
      {"parágrafo", 4}, {"pequen", 1}, {"pequeño", 1}, {"petit", 1}, {"petite", 1}, {"petição", 6}, {"peça", 6},
      {"phrase", 4}, {"piccol", 1}, {"pièce", 6}, {"politique de", 6}, {"política de", 6}, {"preciso", 3},
      {"privacy", 6}, {"privacy policy", 6}, {"profundidad", 2}, {"prononce", -3}, {"pronounced", -3},
      {"pronuncia", -3}, {"párrafo", 4}, {"pédagogique", 6}, {"que fait", 3}, {"quero", 3},
      {"questions for", 3}, {"quiero", 3}, {"qué hace", 3}, {"rank", 3}, {"ray tracer", 6}, {"raytracer", 6},
      {"rechtssicher", 6}, {"recours", 6}, {"recurso", 6}, {"rede ", 3}, {"redig", 5}, {"redij", 5},
      {"reflejos", 2}, {"reflets", 2}, {"reflexos", 2}, {"ricav", 5}, {"ricorso", 6}, {"riflessi", 2},
      {"romance histórico", 6}, {"roteiro", 6}, {"réplicas", 2}, {"sagt man", -3}, {"sceneggiatura", 6},
      {"schlussfolger", 5}, {"schreibt man", -3}, {"script that", 4}, {"se dice", -3}, {"se diz", -3},
      {"se escreve", -3}, {"se escribe", -3}, {"se trouve", -3}, {"semplice", 1}, {"sencill", 1},
      {"sensitivity", 2}, {"short", 1}, {"si dice", -3}, {"si scrive", -3}, {"significa", -3}, {"signifie", -3},
      {"simple", 1}, {"simples", 1}, {"sms", 4}, {"sobre cinco", 2}, {"spelled", -3}, {"spiegelungen", 2},
      {"spreadsheet model", 6}, {"spricht für", 3}, {"spricht man", -3}, {"stellung", 2}, {"stichpunkt", 4},
      {"su cinque", 2}, {"summary", 4}, {"séquence pédagogique", 6}, {"tagline", 4}, {"tarjeta", 4},
      {"tener", 0}, {"tengo", 3}, {"tenho", 3}, {"terms of", 6}, {"theaterstück", 6}, {"toast", 4},
      {"tweet", 4}, {"un roman", 6}, {"unità didattica", 6}, {"unterrichtsreihe", 6}, {"vaut-il", 3},
      {"voglio", 3}, {"vorrei", 3}, {"was macht", 3}, {"was spricht", 3}, {"what does", 3}, {"wie bekomme", 3},
      {"wie frage", 3}, {"wie gehe", 3}, {"wie mache", 3}, {"wie schreibe", 3}, {"wie soll", 3},
      {"wie werde", 3}, {"worth", 3}, {"wozu", 3}, {"written", -3}, {"year plan", 2}, {"é melhor", 3},
      {"équations", 6},
      // Russian
      {"актах", 2}, {"алгоритм", 6}, {"анализ", 6}, {"апелляц", 6}, {"архитектур", 6}, {"бизнес", 6},
      {"быстрее", 3}, {"бюджет", 2}, {"вежлив", 3}, {"возражен", 2}, {"выбрать", 3}, {"выведи", 5},
      {"вывод", 2}, {"гипотез", 6}, {"глава", 6}, {"главу", 2}, {"глубоко", 2}, {"дай", 3}, {"детальн", 2},
      {"диплом", 6}, {"диссертац", 6}, {"дифференциал", 6}, {"договор", 6}, {"докаж", 6}, {"доказательств", 6},
      {"жалоб", 6}, {"зачем", 3}, {"значит", -3}, {"зовут", -3}, {"идеи", 3}, {"идею", 3}, {"изобрёл", -3},
      {"иск", 6}, {"исков", 6}, {"исправ", 3}, {"исследован", 6}, {"как", 3}, {"как вывести", 3},
      {"как лучше", 3}, {"как сказать", -3}, {"кака", 0}, {"какие", 0}, {"како", 0}, {"каком", 0},
      {"клиническ", 6}, {"код", 3}, {"компилятор", 6}, {"контракт", 6}, {"коротк", 1}, {"кратк", 1},
      {"кратко", 3}, {"критик", 6}, {"критическ", 6}, {"курсов", 6}, {"лучше", 3}, {"мне нужно", 3},
      {"многопоточ", 6}, {"модел", 6}, {"мой ", 3}, {"моя ", 3}, {"моё ", 3}, {"найди ошиб", 3}, {"напиш", 3},
      {"небольш", 1}, {"нужна ли", 3}, {"обоснуй", 6}, {"объясн", 3}, {"окупаемост", 6}, {"опиши", 3},
      {"опроверг", 6}, {"оптимиз", 6}, {"организ", 3}, {"ответить", 3}, {"открыт", 4}, {"отлича", 3},
      {"отражен", 2}, {"отстира", 3}, {"оцени", 6}, {"перевод", -3}, {"переводится", -3}, {"переделай", 3},
      {"перепиш", 3}, {"перескаж", 3}, {"перечисл", 3}, {"письмо", 4}, {"пишется", -3}, {"план", 3},
      {"планет", 0}, {"плюсы", 3}, {"по-англ", -3}, {"повест", 6}, {"подбери", 3}, {"подготов", 5},
      {"подпис", 4}, {"подробн", 2}, {"подскаж", 3}, {"поздравл", 3}, {"поздравь", 3}, {"политику", 6},
      {"полн", 2}, {"помоги", 3}, {"помоч", 3}, {"посмотре", 3}, {"посовет", 3}, {"посоветуй", 3},
      {"почему", 3}, {"пошагов", 2}, {"предлож", 3}, {"предложени", 4}, {"преимуществ", 3}, {"приглаш", 4},
      {"приготов", 3}, {"придума", 3}, {"придумать", 3}, {"причин", 2}, {"проанализ", 6}, {"проверит", 2},
      {"проект", 6}, {"произносится", -3}, {"прост", 1}, {"пул потоков", 6}, {"пьесу", 6}, {"разниц", 3},
      {"разработ", 6}, {"распределён", 6}, {"расскаж", 3}, {"расскажи о", 3}, {"рассказ", 3}, {"расчёт", 2},
      {"реализ", 6}, {"рекоменд", 3}, {"реферат", 6}, {"реформ", 2}, {"рецепт", 4}, {"речь ", 3}, {"реши", 3},
      {"риски", 2}, {"роман", 6}, {"сделай", 3}, {"сервер", 2}, {"сказать", -3}, {"сколько", -3}, {"совет", 3},
      {"сократ", 3}, {"сообщен", 4}, {"составить", 3}, {"составь", 5}, {"сочинени", 6}, {"список", 4},
      {"спланируй", 3}, {"способ", 2}, {"спроектир", 6}, {"сравн", 3}, {"ссылками", 2}, {"статьи", 2},
      {"стих", 4}, {"стоит ли", 3}, {"стратег", 6}, {"сценари", 6}, {"тенями", 2}, {"тестами", 2}, {"тесты", 2},
      {"технико", 6}, {"тренировок", 2}, {"убрать", 3}, {"улучш", 3}, {"уравнени", 6}, {"устав", 6},
      {"учебный модуль", 6}, {"финансов", 6}, {"финансовую модель", 6}, {"функци", 4}, {"хочу", 3},
      {"чем занимается", 3}, {"чем отлича", 3}, {"что делать", 3}, {"что лучше", 3}, {"шаг", 2}, {"шахмат", 2},
      {"штраф", 2}, {"эссе", 6}, {"этапы", 2},
      // Chinese, Japanese, Korean
      {"ありがとう", -1}, {"おすすめ", 3}, {"おはよう", -1}, {"お礼", 3}, {"こんにちは", -1}, {"すべて", 2},
      {"すればいい", 3}, {"たい", 3}, {"どうして", 3}, {"どうすれば", 3}, {"どうやって", 3}, {"どこ", -1},
      {"どちらが", 3}, {"なぜ", 3}, {"の仕事", 3}, {"まとめ", 3}, {"まとめて", 3}, {"やり方", 3},
      {"ればいい", 3}, {"アイデア", 3}, {"アルゴリズム", 6}, {"アーキテクチャ", 6}, {"コツ", 3},
      {"コンパイラ", 6}, {"コード", 3}, {"システム", 2}, {"シナリオ", 2}, {"ステップ", 2}, {"スピーチ", 3},
      {"スレッド", 2}, {"スレッドプール", 6}, {"テスト", 2}, {"データベース", 6}, {"ビジネスプラン", 6},
      {"プレゼント", 3}, {"マーケティング", 6}, {"メッセージ", 4}, {"メリット", 3}, {"メール", 4},
      {"リスク", 2}, {"レシピ", 3}, {"レシート", 3}, {"レポート", 6}, {"上诉", 6}, {"临床", 6}, {"为什么", 3},
      {"举例", 3}, {"事業計画", 6}, {"什么", -1}, {"介绍", 3}, {"仕組み", 3}, {"代码", 3}, {"仮説", 6},
      {"仲裁", 6}, {"企画", 6}, {"企画書", 6}, {"优化", 6}, {"优缺点", 3}, {"何", -1}, {"何と言", -3},
      {"作って", 3}, {"作り方", 3}, {"作成", 5}, {"作文", 3}, {"你好", -1}, {"修改", 3}, {"做什么工作", 3},
      {"做法", 3}, {"光线追踪", 6}, {"全面", 2}, {"写", 3}, {"几", -1}, {"函数", 4}, {"分布式", 6}, {"分散", 6},
      {"分析", 6}, {"切り分け", 6}, {"列出", 3}, {"制定", 5}, {"剧本", 6}, {"包括", 2}, {"区别", 3},
      {"十年", 2}, {"十年間", 2}, {"千字", 2}, {"协议", 6}, {"博弈", 6}, {"原因", 2}, {"反証", 6}, {"反論", 2},
      {"反驳", 6}, {"収支", 6}, {"发明了", -3}, {"句话", 4}, {"可以玩", 3}, {"可行性", 6}, {"合同", 6},
      {"哪", -1}, {"哪些", 3}, {"商业策划", 6}, {"商业计划", 6}, {"回复", 3}, {"国际象棋", 6}, {"多少", -1},
      {"契約書", 6}, {"好处和", 3}, {"好还是", 3}, {"如何", 3}, {"安排", 3}, {"完成", 2}, {"完整", 2},
      {"定款", 6}, {"实现", 6}, {"実現可能性", 6}, {"実装", 6}, {"审查", 6}, {"客气", 3}, {"導出", 5},
      {"小説", 6}, {"小说", 6}, {"帮我", 3}, {"幕剧", 6}, {"应该", 3}, {"建议", 3}, {"引用", 2}, {"微分", 6},
      {"怎么产生", 3}, {"怎么做", 3}, {"怎么写", -3}, {"怎么办", 3}, {"怎么去", 3}, {"怎么向", 3},
      {"怎么工作", 3}, {"怎么说", -3}, {"怎么读", -3}, {"怎样", 3}, {"总结", 3}, {"情景", 2}, {"我想", 3},
      {"我的", 3}, {"我该", 3}, {"战略", 6}, {"戦略", 6}, {"戯曲", 6}, {"所有", 2}, {"所有可能", 2},
      {"手伝って", 3}, {"手順", 2}, {"打招呼", 3}, {"批判", 6}, {"挙げて", 3}, {"授業計画", 6}, {"排查", 6},
      {"控訴", 6}, {"推导", 5}, {"推荐", 3}, {"描述", 3}, {"提案", 3}, {"提案して", 3}, {"提案書", 6},
      {"提醒", 3}, {"撰写", 5}, {"改写", 3}, {"改得", 3}, {"改成", 3}, {"改正", 3}, {"改革", 2}, {"故事", 3},
      {"教えて", 3}, {"教学单元", 6}, {"数据库", 6}, {"文を", 4}, {"断り", 3}, {"方案", 6}, {"方法", 3},
      {"是怎么", 3}, {"書いて", 3}, {"書き直", 3}, {"最適化", 6}, {"条文", 2}, {"条款", 6}, {"架构", 6},
      {"株主", 6}, {"检查", 3}, {"概括", 3}, {"歌詞", 3}, {"步骤", 2}, {"每一步", 2}, {"比較", 3},
      {"比較し", 2}, {"比較して", 6}, {"比较", 3}, {"法令", 2}, {"法条", 2}, {"法规", 2}, {"洗い出", 6},
      {"测试", 2}, {"消息", 4}, {"润色", 3}, {"深く", 2}, {"深入", 6}, {"添削", 3}, {"点子", 3}, {"物語", 3},
      {"申立書", 6}, {"申请书", 6}, {"直し", 3}, {"直して", 3}, {"短い", 1}, {"短信", 4}, {"短編", 6},
      {"研究报告", 6}, {"研究計画", 6}, {"示して", 2}, {"祝福", 3}, {"祝酒词", 3}, {"程序", 6}, {"立証", 6},
      {"章程", 6}, {"笑话大全", 3}, {"策定", 5}, {"策略", 6}, {"简短", 1}, {"简述", 3}, {"算法", 6},
      {"系统地", 2}, {"系统架构", 6}, {"紹介して", 3}, {"続きを", 3}, {"網羅", 2}, {"纠正", 3}, {"线程", 2},
      {"线程池", 6}, {"编写", 3}, {"编译器", 6}, {"缩短", 3}, {"翻訳", -1}, {"翻译", -1}, {"考え", 3},
      {"考えて", 3}, {"股东", 6}, {"能做什么", 3}, {"脚本", 6}, {"臨床試験", 6}, {"营销", 6}, {"落とし方", 3},
      {"要約", 3}, {"見れば", 3}, {"规划", 6}, {"解释", 3}, {"言い換え", 3}, {"言えば", 3}, {"計画", 2},
      {"設計", 6}, {"訴状", 6}, {"証明", 6}, {"評論", 6}, {"詩", 3}, {"話を作", 3}, {"詳し", 2}, {"詳細", 2},
      {"説明", 3}, {"誰", -1}, {"論じ", 6}, {"論文", 6}, {"计划", 2}, {"计划书", 6}, {"讲", 3}, {"讲讲", 3},
      {"论文", 6}, {"论证", 6}, {"论述", 6}, {"设计", 6}, {"证明", 6}, {"评价", 6}, {"诗", 3}, {"该做什么", 3},
      {"该怎么", 3}, {"详细", 2}, {"谁", -1}, {"谢谢", -1}, {"財務モデル", 6}, {"資金計画", 6}, {"财务", 6},
      {"起草", 5}, {"起诉", 6}, {"返信", 3}, {"这句话", 3}, {"适合", 3}, {"逐步", 2}, {"途中", 2}, {"違い", 3},
      {"選び方", 3}, {"邮件", 4}, {"配文", 4}, {"長編", 6}, {"长篇", 6}, {"開発", 6}, {"関数", 4},
      {"隐私政策", 6}, {"预测", 2}, {"风险", 2}, {"食谱", 3}, {"가설", 6}, {"감사", -1}, {"개발", 6},
      {"개혁", 2}, {"거절", 3}, {"계약서", 6}, {"계획", 2}, {"고르", 3}, {"고마", -1}, {"고쳐", 3}, {"골라", 3},
      {"구현", 6}, {"기획", 6}, {"깊이", 2}, {"나아", 3}, {"나열", 3}, {"내가", 3}, {"논문", 6}, {"논해", 6},
      {"누구", -1}, {"단계", 2}, {"단점", 3}, {"답장", 3}, {"도와", 3}, {"도움", 3}, {"레이트레이서", 6},
      {"마케팅", 6}, {"만드는 법", 3}, {"만들어", 3}, {"메시지", 4}, {"몇", -1}, {"모두", 2}, {"무슨", -1},
      {"무슨 일", 3}, {"무엇을", 3}, {"문자", 4}, {"문장", 4}, {"뭐", -1}, {"뭐라고", -3}, {"뭐부터", 3},
      {"미분", 6}, {"바꿔", 3}, {"반론", 2}, {"반증", 6}, {"방법", 3}, {"방정식", 6}, {"번역", -1},
      {"법 조항", 2}, {"보고서", 6}, {"보면 좋", 3}, {"분산", 6}, {"분석", 6}, {"비교", 3}, {"비판", 6},
      {"사업", 6}, {"사업계획", 6}, {"상고", 6}, {"상세", 2}, {"설계", 6}, {"설명", 3}, {"세워", 2},
      {"소설", 6}, {"소장", 6}, {"소정리", 6}, {"스레드", 2}, {"스레드 풀", 6}, {"시나리오", 6}, {"시를", 3},
      {"시스템", 2}, {"신청서", 6}, {"십 년", 2}, {"싶은데", 3}, {"써", 3}, {"써줘", 3}, {"아이디어", 3},
      {"아키텍처", 6}, {"안녕", -1}, {"알고리즘", 6}, {"알려", 3}, {"어디", -1}, {"어떻게", 3},
      {"어떻게 해야", 3}, {"얼마", -1}, {"연구 계획", 6}, {"예측", 2}, {"왜", 3}, {"요리", 3}, {"요리법", 3},
      {"요약", 3}, {"우리 집", 3}, {"원인", 2}, {"위험", 2}, {"유도", 5}, {"이메일", 4}, {"이야기", 3},
      {"임상", 6}, {"자세히", 2}, {"작성", 5}, {"장점", 3}, {"장편", 6}, {"재무", 6}, {"재무 모델", 6},
      {"전략", 6}, {"절차", 2}, {"점검", 2}, {"정관", 6}, {"정리해", 3}, {"제시", 2}, {"제안서", 6},
      {"조언", 3}, {"좋을까", 3}, {"주주", 6}, {"줄여", 3}, {"증명", 6}, {"지어", 3}, {"지워", 3}, {"짜 줘", 3},
      {"짜줘", 3}, {"짧", 1}, {"차이", 3}, {"처리방침", 6}, {"최적화", 6}, {"추천", 3}, {"축사", 3},
      {"축하", 3}, {"컴파일러", 6}, {"코드", 3}, {"타당성", 6}, {"테스트", 2}, {"편지", 3}, {"평론", 6},
      {"프로그램", 2}, {"하는 법", 3}, {"하면 돼", 3}, {"학설", 6}, {"함수", 4}, {"항소", 6}, {"해 줘", 3},
      {"해줘", 3}, {"희곡", 6},
  }};
  // clang-format on
}();

struct sorted_stems {
  std::array<weighted_stem, given_stems.size()> all = given_stems;
  std::array<std::uint16_t, 257> first_of_byte{};  // where the stems begin that begin with this byte

  sorted_stems() {
    std::ranges::sort(all, {}, &weighted_stem::stem);
    for (std::size_t byte = 0, at = 0; byte < first_of_byte.size(); ++byte) {
      while (at < all.size() && static_cast<unsigned char>(all[at].stem[0]) < byte) ++at;
      first_of_byte[byte] = static_cast<std::uint16_t>(at);
    }
  }
};
const sorted_stems& sorted() {
  static const sorted_stems once;
  return once;
}

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
  return sorted().all;
}
const weighted_stem* longest_stem(std::string_view word) {
  if (word.empty()) return nullptr;
  const auto byte = static_cast<unsigned char>(word[0]);
  const auto& table = sorted();
  const auto* first = table.all.data() + table.first_of_byte[byte];
  const auto* last = table.all.data() + table.first_of_byte[byte + 1u];
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
