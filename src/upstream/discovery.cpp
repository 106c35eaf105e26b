#include "upstream/discovery.hpp"

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace meshai::upstream {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_name = 256;

const json::array* array_at(const json::value& in, std::string_view name) {
  const auto* object = in.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains(name);
  return found == nullptr ? nullptr : found->if_array();
}

std::string_view text_at(const json::object& in, std::string_view name) {
  const auto* found = in.if_contains(name);
  const auto* text = found == nullptr ? nullptr : found->if_string();
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::optional<std::int64_t> context_at(const json::object& in) {
  // vLLM, OpenRouter and Groq, LM Studio, Gemini
  static constexpr std::array<std::string_view, 5> names{"max_model_len", "context_length", "context_window",
                                                         "max_context_length", "inputTokenLimit"};
  for (const auto name : names) {
    const auto* found = in.if_contains(name);
    if (found == nullptr) continue;
    if (const auto* n = found->if_int64(); n != nullptr && *n > 0) return *n;
  }
  return std::nullopt;
}

bool lists(const json::object& in, std::string_view member, std::string_view word) {
  const auto* found = in.if_contains(member);
  const auto* words = found == nullptr ? nullptr : found->if_array();
  return words != nullptr && std::ranges::any_of(*words, [&](const json::value& v) {
           return v.is_string() && std::string_view(v.get_string()) == word;
         });
}

std::optional<discovered> read_entry(chat::dialect dialect, const json::object& entry) {
  auto name = text_at(entry, dialect == chat::dialect::gemini ? "name" : "id");
  if (dialect == chat::dialect::gemini && name.starts_with("models/")) name.remove_prefix(7);
  if (name.empty() || name.size() > longest_name) return std::nullopt;
  discovered made{.name = std::string(name), .context = context_at(entry)};
  if (dialect == chat::dialect::gemini) {
    made.embeddings = lists(entry, "supportedGenerationMethods", "embedContent");
  } else {
    made.embeddings = text_at(entry, "type") == "embeddings";  // LM Studio
    made.remote = !text_at(entry, "remote_host").empty();
  }
  return made;
}

}  // namespace

std::string list_path(chat::dialect dialect, std::string_view after) {
  std::string path = "/models";
  switch (dialect) {
    case chat::dialect::openai:
      break;
    case chat::dialect::anthropic:
      path += "?limit=1000";
      if (!after.empty()) path += "&after_id=" + std::string(after);
      break;
    case chat::dialect::gemini:
      path += "?pageSize=1000";
      if (!after.empty()) path += "&pageToken=" + std::string(after);
      break;
  }
  return path;
}

result<model_list> read_model_list(chat::dialect dialect, std::string_view body) {
  boost::system::error_code why;
  const auto parsed = json::parse(body, why);
  const auto* entries = why ? nullptr : array_at(parsed, dialect == chat::dialect::gemini ? "models" : "data");
  if (entries == nullptr)
    return fail(error_kind::malformed, "its list of models is none; check that its url leads to an AI API");
  model_list out;
  for (const auto& each : *entries) {
    const auto* entry = each.if_object();
    if (entry == nullptr) continue;
    if (auto made = read_entry(dialect, *entry)) out.models.push_back(std::move(*made));
  }
  const auto& whole = parsed.get_object();
  if (dialect == chat::dialect::gemini) out.next = text_at(whole, "nextPageToken");
  const auto* more = whole.if_contains("has_more");
  if (dialect == chat::dialect::anthropic && more != nullptr && more->is_bool() && more->get_bool()) {
    out.next = text_at(whole, "last_id");
  }
  // It goes into a URL: a token with other letters than these is no token.
  if (!std::ranges::all_of(out.next, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '=' || c == '.';
      })) {
    out.next.clear();
  }
  return out;
}

void mark_remote(std::string_view tags, std::vector<discovered>& all) {
  boost::system::error_code why;
  const auto parsed = json::parse(tags, why);
  const auto* entries = why ? nullptr : array_at(parsed, "models");
  if (entries == nullptr) return;
  for (const auto& each : *entries) {
    const auto* entry = each.if_object();
    if (entry == nullptr || text_at(*entry, "remote_host").empty()) continue;
    for (auto& model : all) {
      if (model.name == text_at(*entry, "name") || model.name == text_at(*entry, "model")) model.remote = true;
    }
  }
}

}  // namespace meshai::upstream
