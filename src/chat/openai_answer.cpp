// Whole answers and errors, read from a provider and written for a caller.
#include <format>

#include "chat/lenient.hpp"
#include "chat/mesh.hpp"
#include "chat/openai.hpp"
#include "chat/openai_chunk.hpp"
#include "chat/openai_words.hpp"
#include "chat/splice.hpp"

namespace meshai::chat::openai {
namespace {

std::unexpected<bad_answer> malformed() {
  return std::unexpected(bad_answer{.malformed = true});
}

// ---- reading
// ------------------------------------------------------------------------------------------------------

class answer_reader {
 public:
  explicit answer_reader(const request& of) : of_(of) {}
  readable<answer> read(std::string_view body);

 private:
  readable<void> choice(const json::object& in);
  void message(const json::object& in, chat::choice& out);
  void thoughts(const json::object& in, chat::choice& out);
  void call(const json::object& in, chat::choice& out);

  const request& of_;
  answer whole_;
  bool mended_ = false;  // differs from what the provider wrote, so that its own words cannot pass
};

readable<answer> answer_reader::read(std::string_view body) {
  json::document document;
  const auto root = document.parse(body);
  const auto* in = root ? (*root)->if_object() : nullptr;
  if (in == nullptr) return malformed();
  if (auto error = find_error(*in, 200)) return std::unexpected(bad_answer{.said = *std::move(error)});

  whole_.model = json::string_or_empty(*in, "model");
  if (const auto* counts = json::object_or_null(*in, "usage")) whole_.usage = read_usage(*counts);
  if (of_.endpoint == endpoint::embeddings) {
    if (!json::array_or_null(*in, "data")) return malformed();
  } else {
    const auto* choices = json::array_or_null(*in, "choices");
    if (choices == nullptr || choices->empty()) return malformed();
    for (const auto& element : *choices) {
      const auto* one = element.if_object();
      if (one == nullptr) return malformed();
      if (auto read = choice(*one); !read) return std::unexpected(std::move(read.error()));
    }
  }
  if (of_.dialect == dialect::openai && !mended_) whole_.native = body;
  return std::move(whole_);
}

readable<void> answer_reader::choice(const json::object& in) {
  const auto reason = json::string_or_empty(in, "finish_reason");
  if (auto failure = find_failure(reason)) return std::unexpected(bad_answer{.said = *std::move(failure)});
  chat::choice out{.index = static_cast<int>(whole_.choices.size())};
  if (of_.endpoint == endpoint::completions) {
    out.parts.push_back({.text = std::string(json::string_or_empty(in, "text"))});
  } else {
    const auto* said = json::object_or_null(in, "message");
    if (said == nullptr) return malformed();
    message(*said, out);
  }
  if (const auto* told = json::object_or_null(in, "logprobs")) {
    out.certainty = read_certainty(*told);
    out.raw_logprobs = json::to_text(*json::find(in, "logprobs"));
  }
  out.finish = parse_finish(reason);
  // A body that is whole has ended, whether its server says why or not; and some end every answer with "stop".
  const bool calls = !out.parts.empty() && out.parts.back().kind == part_kind::tool_call;
  if (out.finish == finish::none || (out.finish == finish::stop && calls)) {
    out.finish = calls ? finish::tool_calls : finish::stop;
  }
  mended_ |= finish_word(out.finish, reason == "function_call") != reason;
  out.stop_sequence = read_stop(in);
  if (out.finish == finish::stop && !out.stop_sequence.empty()) out.finish = finish::stop_sequence;
  whole_.choices.push_back(std::move(out));
  return {};
}

void answer_reader::message(const json::object& in, chat::choice& out) {
  thoughts(in, out);
  std::string text, thought;
  read_text(in, text, thought);
  if (!thought.empty())
    out.parts.push_back({.kind = part_kind::reasoning, .thought = {.text = std::move(thought)}});
  if (!text.empty()) out.parts.push_back({.text = std::move(text)});
  out.refusal = json::string_or_empty(in, "refusal");
  if (const auto* calls = json::array_or_null(in, "tool_calls")) {
    for (const auto& element : *calls) {
      if (const auto* one = element.if_object()) call(*one, out);
    }
  }
  if (const auto* legacy = json::object_or_null(in, "function_call")) {
    const bool before = mended_;
    call({{"function", *legacy}}, out);
    mended_ = before;  // callers of the same dialect asked for it in this form
  }
}

void answer_reader::thoughts(const json::object& in, chat::choice& out) {
  const auto plain = read_thought(in);
  std::vector<reasoning> details;
  if (const auto* given = json::array_or_null(in, "reasoning_details")) details = read_details(*given);
  if (details.empty() && !plain.empty()) details.push_back({.text = std::string(plain)});
  for (auto& thought : details) out.parts.push_back({.kind = part_kind::reasoning, .thought = std::move(thought)});
}

void answer_reader::call(const json::object& in, chat::choice& out) {
  const auto* function = json::object_or_null(in, "function");
  if (function == nullptr) {  // of a kind that only the same dialect knows
    out.parts.push_back({.kind = part_kind::other, .raw = json::to_text(in)});
    return;
  }
  part made{.kind = part_kind::tool_call};
  made.call = {.id = std::string(json::string_or_empty(in, "id")),
               .name = std::string(json::string_or_empty(*function, "name")),
               .arguments = read_arguments(*function),
               .signature = std::string(read_call_signature(in))};
  if (made.call.id.empty()) {
    made.call.id = std::format("call_{}_{}_{}", of_.messages.size(), out.index, out.parts.size());
    mended_ = true;
  }
  out.parts.push_back(std::move(made));
}

// ---- writing
// ------------------------------------------------------------------------------------------------------

void write_calls(json::writer& out, const std::vector<part>& parts, bool legacy) {
  bool any = false;
  for (const auto& piece : parts) {
    if (piece.kind != part_kind::tool_call) continue;
    const std::string_view arguments =
        piece.call.arguments.empty() ? "{}" : std::string_view(piece.call.arguments);
    if (legacy) {  // it knows one call at a time
      out.key("function_call").begin_object().member("name", piece.call.name).member("arguments", arguments);
      out.end_object();
      return;
    }
    if (!std::exchange(any, true)) out.key("tool_calls").begin_array();
    out.begin_object().member("id", piece.call.id).member("type", "function").key("function").begin_object();
    out.member("name", piece.call.name).member("arguments", arguments).end_object();
    write_call_signature(out, piece.call.signature);
    out.end_object();
  }
  if (any) out.end_array();
}

void write_thoughts(json::writer& out, const std::vector<part>& parts) {
  std::string text;
  bool seals = false;
  for (const auto& piece : parts) {
    text += piece.thought.text;
    seals |= piece.kind == part_kind::reasoning && needs_detail(piece.thought);
  }
  if (!text.empty()) out.member("reasoning_content", text);
  if (!seals) return;
  out.key("reasoning_details").begin_array();
  int index = 0;
  for (const auto& piece : parts) {
    if (piece.kind == part_kind::reasoning) write_detail(out, piece.thought, index++, true);
  }
  out.end_array();
}

std::string text_of(const std::vector<part>& parts) {
  std::string text;
  for (const auto& piece : parts) {
    if (piece.kind == part_kind::text) text += piece.text;
  }
  return text;
}

void write_message(json::writer& out, const chat::choice& one, bool legacy) {
  const auto text = text_of(one.parts);
  out.key("message").begin_object().member("role", "assistant");
  if (text.empty() && (one.finish == finish::tool_calls || !one.refusal.empty())) {
    out.member_null("content");
  } else {
    out.member("content", text);
  }
  if (one.refusal.empty()) {
    out.member_null("refusal");
  } else {
    out.member("refusal", one.refusal);
  }
  write_thoughts(out, one.parts);
  write_calls(out, one.parts, legacy);
  out.end_object();
}

}  // namespace

readable<answer> read_answer(const request& of, const target&, std::string_view body) {
  return answer_reader(of).read(body);
}

std::string write_answer(const request& of, const answer& whole, const answer_head& head, const story& told) {
  std::string mesh;
  json::writer mesh_writer(mesh);
  write_story(mesh_writer.begin_object(), told);
  mesh_writer.end_object();
  const auto story_text = json::raw_member_of(mesh, "mesh");

  std::string id, model;
  json::append_string(id, head.id);
  json::append_string(model, head.model);
  const auto created = std::to_string(head.created);
  if (!whole.native.empty() && of.endpoint == endpoint::embeddings) {
    return splice(whole.native, {{"model", model}, {"mesh", story_text}});
  }
  if (!whole.native.empty()) {
    return splice(whole.native, {{"id", id}, {"created", created}, {"model", model}, {"mesh", story_text}});
  }

  const bool text_only = of.endpoint == endpoint::completions;
  std::string text;
  json::writer out(text);
  out.begin_object().member_raw("id", id).member("object", text_only ? "text_completion" : "chat.completion");
  out.member_raw("created", created).member_raw("model", model).key("choices").begin_array();
  for (const auto& one : whole.choices) {
    out.begin_object().member_integer("index", one.index);
    if (text_only) {
      out.member("text", text_of(one.parts));
    } else {
      write_message(out, one, of.legacy_functions);
    }
    out.member_raw("logprobs", one.raw_logprobs.empty() ? "null" : one.raw_logprobs);
    out.member("finish_reason", finish_word(one.finish, of.legacy_functions)).end_object();
  }
  out.end_array().key("usage");
  if (whole.raw_usage.empty()) {
    write_usage(out, whole.usage, of.endpoint);
  } else {
    out.raw(whole.raw_usage);
  }
  for (const auto& [name, raw] : whole.extra) out.member_raw(name, raw);
  out.member_raw("mesh", story_text).end_object();
  return text;
}

std::string write_problem(const problem& why, std::string_view request_id) {
  std::string text;
  json::writer out(text);
  out.begin_object().key("error").begin_object();
  write_problem_members(out, why);
  out.end_object();
  if (!request_id.empty()) out.key("mesh").begin_object().member("request_id", request_id).end_object();
  out.end_object();
  return text;
}

provider_error read_error(int status, std::string_view body) {
  json::document document;
  const auto root = document.parse(body);
  const auto* in = root ? (*root)->if_object() : nullptr;
  if (in == nullptr) return {.status = status, .message = error_text(body)};
  if (auto error = find_error(*in, status)) {
    error->status = status;
    return *std::move(error);
  }
  // FastAPI's servers say {"detail": ...}, others {"message": ...}.
  auto text = json::string_or_empty(*in, "message");
  if (text.empty()) text = json::string_or_empty(*in, "detail");
  return {.status = status,
          .type = std::string(json::string_or_empty(*in, "type").substr(0, 256)),
          .message = json::clean_utf8(text, most_error_text)};
}

}  // namespace meshai::chat::openai
