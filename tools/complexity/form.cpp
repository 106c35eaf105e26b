// The numbers that the gain is trained on, from the code that it runs on (route/form.hpp).
//
//   complexity_form names            what each number is called
//   complexity_form words            prompts on standard input, each ended by a NUL: a line of word hashes for
//   each complexity_form show HASH...     a line of numbers for each; the hashes are of the common words,
//   commonest first
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>

#include "route/form.hpp"

int main(int count, char** given) {
  namespace route = meshai::route;
  const std::string how = count > 1 ? given[1] : "";
  if (how == "names") {
    for (const auto name : route::form_names()) std::printf("%s\n", std::string(name).c_str());
    return 0;
  }
  if (how != "words" && how != "show") {
    std::fprintf(stderr, "complexity_form: say names, words, or show HASH...\n");
    return 2;
  }
  std::vector<std::uint32_t> commonest;
  for (int i = 2; i < count; ++i)
    std::from_chars(given[i], given[i] + std::strlen(given[i]), commonest.emplace_back());
  const route::common_words known(commonest);
  for (std::string prompt; std::getline(std::cin, prompt, '\0');) {
    std::vector<std::uint32_t> words;
    const auto seen = route::form_of(prompt, known, &words);
    if (how == "words") {
      for (const auto hash : words) std::printf("%u ", hash);
    } else {
      for (const auto value : seen) std::printf("%.9g ", static_cast<double>(value));
    }
    std::printf("\n");
  }
}
