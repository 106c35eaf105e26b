#include "chat/shortfall.hpp"

#include <algorithm>
#include <array>
#include <format>

namespace meshai::chat {
namespace {

// Members that tell a provider about the caller or its caches; the answer is the same without them.
constexpr std::array<std::string_view, 12> hints{"cache_control",
                                                 "caller",
                                                 "metadata",
                                                 "service_tier",
                                                 "store",
                                                 "user",
                                                 "prompt_cache_key",
                                                 "stream_options.include_obfuscation",
                                                 "response_format.json_schema.description",
                                                 "prompt_cache_retention",
                                                 "safety_identifier",
                                                 "thinking.display"};

}  // namespace

void shortfall::refuse(std::string_view param, std::string_view hint) {
  if (of_.mesh.drop.value_or(false)) return let_go(param);
  if (refused_) return;
  if (hint.empty())
    hint = "leave it out, ask for a model that takes it, or set mesh.drop = true to let it be dropped";
  refused_ = problem{.status = 400,
                     .type = "invalid_request_error",
                     .code = "unsupported_parameter",
                     .param = std::string(param),
                     .message = std::format("{} cannot express {}", target_, param),
                     .hint = std::string(hint)};
}

void shortfall::refuse_named(std::string_view openai, std::string_view anthropic, std::string_view hint) {
  refuse(of_.dialect == dialect::anthropic ? anthropic : openai, hint);
}

void shortfall::let_go(std::string_view param) {
  if (std::ranges::find(dropped_, param) == dropped_.end()) dropped_.emplace_back(param);
}

void shortfall::refuse_extra(const raw_members& extra) {
  for (const auto& member : extra) {
    if (member.raw == "null") continue;
    // Citations that stand in an answer of before are a note on it; an object asks for new ones.
    const bool note = member.name == "citations" && member.raw.starts_with('[');
    if (note || std::ranges::find(hints, member.name) != hints.end()) {
      let_go(member.name);
    } else {
      refuse(member.name);
    }
  }
}

parsed<std::vector<std::string>> shortfall::take() {
  if (refused_) return std::unexpected(*refused_);
  return std::move(dropped_);
}

}  // namespace meshai::chat
