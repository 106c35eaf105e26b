#include "chat/anthropic_blocks.hpp"

#include <algorithm>

#include "chat/anthropic_words.hpp"
#include "chat/lenient.hpp"

namespace meshai::chat::anthropic {
namespace {

// A member that says what would be so without it.
bool is_default(std::string_view name, const json::value& v) {
  if (v.is_null()) return true;
  if (name != "citations") return false;
  if (const auto* made = v.if_array()) return made->empty();
  const auto* asked = v.if_object();
  const auto* enabled = asked ? json::find(*asked, "enabled") : nullptr;
  return enabled && enabled->is_bool() && !enabled->get_bool();
}

// The members of a block that its part has no place for.
raw_members rest(const json::object& block, std::initializer_list<std::string_view> known) {
  raw_members out;
  for (const auto& [name, value] : block) {
    if (name != "type" && !is_default(name, value) &&
        std::ranges::find(known, std::string_view(name)) == known.end()) {
      out.push_back({std::string(name), json::to_text(value)});
    }
  }
  return out;
}

part read_media(json::checker& check, const json::object& block, part_kind kind) {
  const auto* source = check.required_object(block, "source");
  if (source == nullptr) return {};
  const auto type = check.required_string(*source, "type");
  part out{.kind = kind};
  if (type == "base64") {
    out.media_type = check.required_string(*source, "media_type");
    out.data = check.required_string(*source, "data");
  } else if (type == "text") {
    out.media_type = "text/plain";
    out.text = check.required_string(*source, "data");
  } else if (type == "url") {
    out.url = check.required_string(*source, "url");
  } else {  // a file in the provider's store, nested content: only the provider knows it
    return {.kind = part_kind::other, .raw = json::to_text(block)};
  }
  out.detail = check.string(block, "title").value_or("");
  out.extra = rest(block, {"source", "title"});
  return out;
}

part read_result(json::checker& check, const json::object& block) {
  part out{.kind = part_kind::tool_result, .text = std::string(check.required_string(block, "tool_use_id"))};
  out.is_error = check.boolean(block, "is_error").value_or(false);
  out.extra = rest(block, {"tool_use_id", "content", "is_error"});
  const auto* content = check.find(block, "content");
  if (content == nullptr) return out;
  if (const auto* pieces = content->if_array()) {
    out.content = read_blocks(check, *pieces);
  } else if (const auto text = check.as_string(*content)) {
    out.content.push_back({.kind = part_kind::text, .text = std::string(*text)});
  }
  return out;
}

part read_call(json::checker& check, const json::object& block) {
  part out{.kind = part_kind::tool_call};
  out.call.id = check.required_string(block, "id");
  out.call.name = check.required_string(block, "name");
  if (const auto* input = check.required_object(block, "input")) out.call.arguments = json::to_text(*input);
  out.extra = rest(block, {"id", "name", "input"});
  return out;
}

part read_block(json::checker& check, const json::object& block) {
  const auto type = check.required_string(block, "type");
  if (type == "text") {
    return {.text = std::string(check.required_string(block, "text")), .extra = rest(block, {"text"})};
  }
  if (type == "image") return read_media(check, block, part_kind::image);
  if (type == "document") return read_media(check, block, part_kind::document);
  if (type == "tool_use") return read_call(check, block);
  if (type == "tool_result") return read_result(check, block);
  part out{.kind = part_kind::reasoning};
  out.thought.from = dialect::anthropic;
  if (type == "thinking") {
    out.thought.text = check.string(block, "thinking").value_or("");
    out.thought.signature = check.string(block, "signature").value_or("");
    return out;
  }
  if (type == "redacted_thinking") {
    const auto sealed = check.required_string(block, "data");
    const auto own = unseal(sealed).value_or(unsealed{.signature = sealed});
    out.thought.redacted = own.signature;
    out.thought.from = own.from;
    return out;
  }
  return {.kind = part_kind::other, .raw = json::to_text(block)};
}

// A call's signature stands in the thought before it; an empty one where there is none.
void write_thought(json::writer& out, std::string_view text, std::string_view signature) {
  out.begin_object()
      .member("type", "thinking")
      .member("thinking", text)
      .member("signature", signature)
      .end_object();
}

}  // namespace

std::vector<part> read_blocks(json::checker& check, const json::array& blocks) {
  std::vector<part> out;
  std::string call_signature;
  for (const auto& element : blocks) {
    const auto* block = check.as_object(element);
    if (block == nullptr) return out;
    auto piece = read_block(check, *block);
    if (piece.kind == part_kind::tool_call) piece.call.signature = std::exchange(call_signature, {});
    if (auto& thought = piece.thought; piece.kind == part_kind::reasoning && thought.redacted.empty()) {
      const auto seal = unseal(thought.signature).value_or(unsealed{});
      if (seal.on_call) call_signature = seal.signature;
      thought.from = seal.from;
      thought.signature = seal.on_call ? std::string() : std::string(seal.signature);
      if (thought.text.empty() && thought.signature.empty()) continue;
    }
    out.push_back(std::move(piece));
  }
  return out;
}

void write_answer_blocks(json::writer& out, const std::vector<part>& parts) {
  for (auto piece = parts.begin(); piece != parts.end(); ++piece) {
    switch (piece->kind) {
      case part_kind::text:
        if (!piece->text.empty())
          out.begin_object().member("type", "text").member("text", piece->text).end_object();
        break;
      case part_kind::reasoning: {
        if (!piece->thought.redacted.empty()) {
          out.begin_object().member("type", "redacted_thinking").member("data", seal(piece->thought)).end_object();
          break;
        }
        // Takes the signature of the call that follows along, where it has none of its own.
        const auto next = std::next(piece);
        const bool lends =
            piece->thought.signature.empty() && next != parts.end() && !next->call.signature.empty();
        write_thought(out, piece->thought.text, lends ? seal_of_call(next->call.signature) : seal(piece->thought));
        break;
      }
      case part_kind::tool_call: {
        const bool lent = piece != parts.begin() && std::prev(piece)->kind == part_kind::reasoning &&
                          std::prev(piece)->thought.signature.empty() &&
                          std::prev(piece)->thought.redacted.empty();
        if (!piece->call.signature.empty() && !lent) write_thought(out, "", seal_of_call(piece->call.signature));
        out.begin_object()
            .member("type", "tool_use")
            .member("id", piece->call.id)
            .member("name", piece->call.name);
        out.member_raw("input", arguments_object(piece->call.arguments)).end_object();
        break;
      }
      case part_kind::other:
        out.raw(piece->raw);
        break;
      default:
        break;  // a model answers with nothing else
    }
  }
}

}  // namespace meshai::chat::anthropic
