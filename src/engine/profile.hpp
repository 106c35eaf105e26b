// engine: a model's profile, `<stem>.toml` beside its GGUF: what it is, and how it is asked best.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "chat/chat.hpp"

namespace meshai::engine {

struct profile {
  std::string title, license, source, parameters, form;  // for people
  std::string card;                                      // Markdown
  std::string system;                                    // system prompt for callers that send none; empty: none
  std::optional<int> context;                            // tokens of one conversation
  std::optional<int> max_tokens;                         // of an answer, for callers that set no bound
  // llama-server's option (without dashes) and its number, in the order of the file: what holds where the caller
  // says nothing else.
  std::vector<std::pair<std::string, double>> sampling;
};

// `file` is only the name that errors begin with. At most 256 KB; unknown keys are errors, so that a misspelt one
// is not silently ignored.
result<profile> parse_profile(std::string_view text, std::string_view file);
// The profile beside `gguf`, or an empty one where there is none. Blocking.
result<profile> read_profile(const std::filesystem::path& gguf);

// The request as the engine shall get it: with the profile's system prompt in front where the caller sent none.
// Sampling needs no help: it is given to the engine as its defaults, and what the caller sets wins there. Only for
// endpoints that have messages; others come back unchanged.
chat::request apply(const profile& of, chat::request asked);

}  // namespace meshai::engine
