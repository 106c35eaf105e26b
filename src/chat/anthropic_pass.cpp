#include "chat/anthropic_pass.hpp"

#include "chat/anthropic_words.hpp"
#include "chat/json.hpp"
#include "chat/splice.hpp"

namespace meshai::chat::anthropic {
namespace {

bool is_foreign(std::string_view block) {
  json::document document;
  const auto root = document.parse(block);
  const auto* whole = root ? (*root)->if_object() : nullptr;
  if (whole == nullptr) return false;
  const auto type = json::string_or_empty(*whole, "type");
  if (type != "thinking" && type != "redacted_thinking") return false;
  const auto seal = unseal(json::string_or_empty(*whole, type == "thinking" ? "signature" : "data"));
  return !seal || seal->from != dialect::anthropic;
}

// The array without the blocks for which `is_out` holds, and whether it held for any.
template <class Predicate>
std::pair<std::string, bool> without(std::string_view array, Predicate is_out) {
  std::string kept = "[";
  bool any = false;
  for (json::walk elements(array); elements.next();) {
    if (is_out(elements.raw())) {
      any = true;
      continue;
    }
    if (kept.size() > 1) kept += ',';
    kept += elements.raw();
  }
  return {kept + "]", any};
}

// Thoughts of other providers are taken out; a message of nothing else goes with them.
std::string own_messages(std::string_view messages) {
  std::string out = "[";
  for (json::walk each(messages); each.next();) {
    auto one = std::string(each.raw());
    const auto content = json::raw_member_of(one, "content");
    if (content.starts_with('[') && content.find("meshai:") != std::string_view::npos) {
      const auto [kept, any] = without(content, is_foreign);
      if (any && kept == "[]") continue;
      if (any) one = splice(one, {{"content", kept}});
    }
    if (out.size() > 1) out += ',';
    out += one;
  }
  return out + "]";
}

}  // namespace

upstream_call pass(const request& of, const target& to) {
  std::string model;
  json::append_string(model, to.model);
  const bool counts = of.endpoint == endpoint::count_tokens;
  const std::string_view stream = counts || !to.stream ? "" : "true";
  upstream_call out{.path = counts ? "/messages/count_tokens" : "/messages",
                    .body = splice(of.body, {{"model", model}, {"stream", stream}})};
  if (of.body.find("meshai:") == std::string::npos) return out;
  const auto all = json::raw_member_of(of.body, "messages");
  if (all.starts_with('[')) out.body = splice(out.body, {{"messages", own_messages(all)}});
  return out;
}

}  // namespace meshai::chat::anthropic
