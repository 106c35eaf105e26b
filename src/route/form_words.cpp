#include "route/form_words.hpp"

#include <algorithm>
#include <array>

namespace meshai::route {
namespace {

struct listed {
  word_class is;
  std::string_view name, words;  // words: apart by one space
};

constexpr std::array<listed, word_class_count> lists{{
    {word_class::what, "what", "what what's whats"},
    {word_class::which, "which", "which"},
    {word_class::who, "who", "who whose whom who's"},
    {word_class::when, "when", "when"},
    {word_class::where, "where", "where"},
    {word_class::why, "why", "why"},
    {word_class::how, "how", "how"},
    {word_class::condition, "condition", "if suppose assume assuming given let consider imagine whether unless"},
    {word_class::negation, "negation",
     "not except never no none cannot can't don't doesn't isn't wasn't won't least incorrect false neither nor "
     "without unlikely"},
    {word_class::quantity, "quantity",
     "each every twice total half many much per times remaining altogether sum average double triple left rest "
     "third quarter dozen percent number amount"},
    {word_class::reckon, "reckon",
     "find compute calculate determine evaluate solve simplify value equation integer function prove positive "
     "real ratio probability area polynomial triangle root square matrix vector group ring x y n"},
    {word_class::create, "create",
     "write explain describe implement design list summarize compose create draft translate discuss suggest "
     "generate rewrite outline analyze develop give provide make help"},
    {word_class::small, "small",
     "the of a an to in is are was were and or for on at by with from as that this it its be been has have had "
     "but into do does did there these those than then so"},
    {word_class::person, "person",
     "he she his her him they their them man woman boy girl mr mrs mother father wife husband friend friends son "
     "daughter brother sister child"},
    {word_class::you, "you", "i you my your me we our us i'm you're"},
    {word_class::modal, "modal",
     "would should could may might must can will likely best most usually generally typically often always"},
    {word_class::cause, "cause",
     "because cause causes caused due therefore reason since result results effect effects affect leads happens "
     "responsible"},
    {word_class::compare, "compare",
     "more less than greater most least better compared larger smaller higher lower faster increase decrease same "
     "difference different equal"},
    {word_class::numeral, "numeral",
     "one two three four five six seven eight nine ten twelve twenty thirty hundred thousand million billion "
     "first "
     "second"},
    {word_class::time, "time",
     "year years day days week weeks hour hours month months minute minutes seconds today yesterday tomorrow "
     "century"},
    {word_class::logic, "logic",
     "statement statements true false following correct correctly according argument conclusion premise refers "
     "described known called defined term concept theory"},
    {word_class::law, "law",
     "court law legal defendant plaintiff contract jury crime criminal statute constitution constitutional rights "
     "property evidence testimony liable negligence attorney judge trial seller buyer"},
    {word_class::body, "body",
     "patient disease blood treatment symptoms cell cells gene genes protein muscle nerve infection virus drug "
     "clinical medical health pain heart cancer dna bacteria brain hospital physician"},
    {word_class::nature, "nature",
     "energy force mass temperature water gas electron electrons atom acid reaction velocity pressure light "
     "charge "
     "current voltage wave earth planet sun star species plants animals oxygen carbon speed"},
    {word_class::society, "society",
     "government policy war economic market demand price political state social president power religion people "
     "country countries world women culture behavior moral self students school company cost firm"},
    {word_class::code, "code",
     "code python program algorithm data array string class return def int variable network security computer "
     "software server function"},
    {word_class::all_of, "all_of", "all above none both only"},
}};

struct entry {
  std::uint32_t hash = 0, classes = 0;
};

constexpr std::size_t count_words() {
  std::size_t count = 0;
  for (const auto& each : lists) count += 1 + static_cast<std::size_t>(std::ranges::count(each.words, ' '));
  return count;
}

constexpr auto entries = [] {
  std::array<entry, count_words()> all{};
  std::size_t at = 0;
  for (const auto& each : lists) {
    auto hash = hash_begin;
    const auto end = [&] {
      all[at++] = {hash, 1u << static_cast<unsigned>(each.is)};
      hash = hash_begin;
    };
    for (const char c : each.words) c == ' ' ? end() : void(hash = hash_on(hash, static_cast<char32_t>(c)));
    end();
  }
  std::ranges::sort(all, {}, &entry::hash);
  return all;
}();

// Where the hashes begin that begin with these eight bits.
constexpr auto first_of = [] {
  std::array<std::uint16_t, 257> starts{};
  std::size_t at = 0;
  for (std::size_t bits = 0; bits < starts.size(); ++bits) {
    while (at < entries.size() && entries[at].hash >> 24 < bits) ++at;
    starts[bits] = static_cast<std::uint16_t>(at);
  }
  return starts;
}();

}  // namespace

std::uint32_t classes_of(std::uint32_t hash) {
  std::uint32_t classes = 0;
  for (std::size_t at = first_of[hash >> 24]; at < first_of[(hash >> 24) + 1]; ++at) {
    if (entries[at].hash == hash) classes |= entries[at].classes;
  }
  return classes;
}

std::string_view to_string(word_class of) {
  return lists[static_cast<std::size_t>(of)].name;
}

}  // namespace meshai::route
