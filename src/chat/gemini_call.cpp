// A request as Gemini wants it.
//
// Instructions, also later ones, all go into systemInstruction, in their order. Messages of one role in a row
// become one content. Schemas go in the members that take JSON Schema as it is (parametersJsonSchema,
// responseJsonSchema).
#include <algorithm>
#include <array>
#include <format>
#include <unordered_map>
#include <utility>

#include "chat/gemini.hpp"
#include "chat/json.hpp"
#include "chat/lenient.hpp"
#include "chat/shortfall.hpp"
#include "chat/splice.hpp"

namespace meshai::chat::gemini {
namespace {

// Google's documented stand-in for calls that no Gemini model made: from version 3 on, a call without a signature
// is refused, and history that another model wrote has none.
constexpr std::string_view no_signature = "skip_thought_signature_validator";

bool is_before_3(std::string_view model) {
  return model.find("gemini-1") != std::string_view::npos || model.find("gemini-2") != std::string_view::npos;
}

// Pro models have no lowest level, and the first of them no middle one. As Google's own OpenAI-compatible endpoint
// does it.
std::string_view level_at(std::string_view level, std::string_view model) {
  if (model.find("-pro") == std::string_view::npos) return level;
  if (level == "MINIMAL") return "LOW";
  return level == "MEDIUM" && model.find("gemini-3-pro") != std::string_view::npos ? "HIGH" : level;
}

bool instructs(const message& one) {
  return one.role == role::system || one.role == role::developer;
}

class call_writer {
 public:
  call_writer(const request& of, const target& to)
      : of_(of), model_(to.model), before_3_(is_before_3(to.model)), short_(of, "the Gemini API"), out_(body_) {}

  parsed<upstream_call> write();

 private:
  void system();
  void contents();
  void part_of(const part& piece, const message& in);
  void refuse_part(const part& piece);
  void text(std::string_view text);
  void sign_nothing();
  void media(const part& piece);
  void reasoning_part(const reasoning& thought);
  void call(const tool_call& made);
  void result(const part& piece, const message& in);
  void tools();
  void tool_config();
  void generation();
  void format();
  void thinking();

  const request& of_;
  std::string_view model_;
  bool before_3_;
  shortfall short_;
  std::string body_;
  json::writer out_;
  std::unordered_map<std::string_view, std::string_view> names_;  // of the calls so far, by id
  bool called_ = false;                                           // the open content holds a call
  bool spoke_ = false;                                            // the message being written has text
  std::string_view signature_;                                    // of the message's text, which is still to come
  std::optional<problem> broken_;
};

parsed<upstream_call> call_writer::write() {
  out_.begin_object();
  system();
  contents();
  tools();
  generation();
  out_.end_object();
  short_.refuse_extra(of_.extra);
  if (broken_) return std::unexpected(std::move(*broken_));
  auto dropped = short_.take();
  if (!dropped) return std::unexpected(std::move(dropped.error()));
  return upstream_call{.body = std::move(body_), .dropped = std::move(*dropped)};
}

void call_writer::system() {
  if (std::ranges::all_of(of_.messages, instructs)) return;  // nothing but instructions: they are the question
  bool any = false;
  for (const auto& one : of_.messages) {
    if (!instructs(one)) continue;
    short_.refuse_extra(one.extra);
    if (!one.name.empty()) short_.let_go("name");
    for (const auto& piece : one.parts) {
      short_.refuse_extra(piece.extra);
      if (piece.kind != part_kind::text) refuse_part(piece);
      if (piece.kind != part_kind::text || piece.text.empty()) continue;
      if (!std::exchange(any, true)) out_.key("systemInstruction").begin_object().key("parts").begin_array();
      text(piece.text);
    }
  }
  if (any) out_.end_array().end_object();
}

void call_writer::contents() {
  const bool only_instructions = std::ranges::all_of(of_.messages, instructs);
  out_.key("contents").begin_array();
  std::string_view open;  // the role of the content that is being written
  for (const auto& one : of_.messages) {
    if (instructs(one) && !only_instructions) continue;
    short_.refuse_extra(one.extra);
    if (!one.name.empty() && one.role != role::tool) short_.let_go("name");
    const std::string_view who = one.role == role::assistant ? "model" : "user";
    const auto before = body_.size();
    const bool turns = who != open;
    if (turns) {
      if (!open.empty()) out_.end_array().end_object();
      out_.begin_object().member("role", who).key("parts").begin_array();
      called_ = false;
    }
    const auto empty = body_.size();
    for (const auto& piece : one.parts) part_of(piece, one);
    sign_nothing();
    if (!turns) continue;
    if (body_.size() == empty) {
      body_.resize(before);  // nothing of it can be said, and a content without parts is refused
    } else {
      open = who;
    }
  }
  if (!open.empty()) out_.end_array().end_object();
  out_.end_array();
}

void call_writer::part_of(const part& piece, const message& in) {
  short_.refuse_extra(piece.extra);
  short_.refuse_extra(piece.call.extra);
  switch (piece.kind) {
    case part_kind::text:
      if (!piece.text.empty()) text(piece.text);
      return;
    case part_kind::image:
    case part_kind::audio:
    case part_kind::document:
      return media(piece);
    case part_kind::reasoning:
      return reasoning_part(piece.thought);
    case part_kind::tool_call:
      return call(piece.call);
    case part_kind::tool_result:
      return result(piece, in);
    case part_kind::other:
      return refuse_part(piece);
  }
}

void call_writer::refuse_part(const part& piece) {
  if (piece.kind == part_kind::image) return short_.refuse("image_url", "send it in a message of the user");
  if (piece.kind != part_kind::other) return short_.refuse("file", "send it in a message of the user");
  const auto type = json::raw_member_of(piece.raw, "type");
  short_.refuse(type.size() > 2 ? type.substr(1, type.size() - 2) : "content");
}

void call_writer::text(std::string_view text) {
  out_.begin_object().member("text", text);
  if (!signature_.empty()) out_.member("thoughtSignature", std::exchange(signature_, {}));
  out_.end_object();
  spoke_ = true;
}

// A signature whose text is not here stands in an empty part of its own.
void call_writer::sign_nothing() {
  if (!signature_.empty()) text("");
  spoke_ = false;
}

void call_writer::media(const part& piece) {
  const bool document = piece.kind == part_kind::document;
  if (document && !piece.text.empty()) {
    return text(piece.detail.empty() ? piece.text : std::format("{}\n\n{}", piece.detail, piece.text));
  }
  if (piece.data.empty() || piece.media_type.empty()) {
    const bool image = piece.kind == part_kind::image;
    return short_.refuse_named(image ? "image_url" : "file", image ? "image.source" : "document.source",
                               "send the data itself, as base64 with its media type");
  }
  out_.begin_object().key("inlineData").begin_object();
  out_.member("mimeType", piece.media_type).member("data", piece.data).end_object().end_object();
  if (piece.kind == part_kind::image && !piece.detail.empty() && piece.detail != "auto") short_.let_go("detail");
  if (document && !piece.detail.empty()) short_.let_go(of_.dialect == dialect::anthropic ? "title" : "filename");
}

// A signature without a thought is that of the text, before which OpenAI's dialect has it and after which
// Anthropic's.
void call_writer::reasoning_part(const reasoning& thought) {
  if (thought.from != dialect::gemini) return short_.let_go("reasoning");
  if (thought.text.empty()) {
    signature_ = thought.signature;
    if (spoke_) sign_nothing();
    return;
  }
  out_.begin_object().member("text", thought.text).member_boolean("thought", true);
  if (!thought.signature.empty()) out_.member("thoughtSignature", thought.signature);
  out_.end_object();
}

void call_writer::call(const tool_call& made) {
  names_[made.id] = made.name;
  out_.begin_object().key("functionCall").begin_object();
  if (!made.id.empty()) out_.member("id", made.id);
  out_.member("name", made.name).member_raw("args", arguments_object(made.arguments)).end_object();
  // Of parallel calls only the first is signed.
  const bool first = !std::exchange(called_, true);
  if (!made.signature.empty()) {
    out_.member("thoughtSignature", made.signature);
  } else if (first && !before_3_) {
    out_.member("thoughtSignature", no_signature);
  }
  out_.end_object();
}

void call_writer::result(const part& piece, const message& in) {
  const auto known = names_.find(piece.text);
  const std::string_view name = known != names_.end() ? known->second : std::string_view(in.name);
  if (name.empty() && !broken_) {
    const std::string_view param = of_.dialect == dialect::anthropic ? "tool_use_id" : "tool_call_id";
    broken_ = problem{.status = 400,
                      .type = "invalid_request_error",
                      .code = "invalid_value",
                      .param = std::string(param),
                      .message = std::format("{} names no call of an earlier message", param),
                      .hint = "send the assistant's message with the call before its result"};
  }
  std::string said;
  for (const auto& inner : piece.content) {
    if (inner.kind == part_kind::text) said += inner.text;
  }
  out_.begin_object().key("functionResponse").begin_object();
  if (!piece.text.empty()) out_.member("id", piece.text);
  out_.member("name", name).key("response").begin_object().member(piece.is_error ? "error" : "output", said);
  out_.end_object().end_object().end_object();
  for (const auto& inner : piece.content) {
    if (inner.kind != part_kind::text) part_of(inner, in);
  }
}

void call_writer::tools() {
  if (of_.tools.empty()) return;
  out_.key("tools").begin_array().begin_object().key("functionDeclarations").begin_array();
  for (const auto& one : of_.tools) {
    if (!one.raw.empty()) {
      short_.refuse("tools." + one.name);
      continue;
    }
    out_.begin_object().member("name", one.name).member("description", one.description);
    if (!one.raw_schema.empty()) out_.member_raw("parametersJsonSchema", one.raw_schema);
    out_.end_object();
    short_.refuse_extra(one.extra);
  }
  out_.end_array().end_object().end_array();
  tool_config();
}

void call_writer::tool_config() {
  if (of_.parallel_tool_calls == false) {
    short_.refuse_named("parallel_tool_calls", "tool_choice.disable_parallel_tool_use");
  }
  const bool strict = std::ranges::any_of(of_.tools, [](const tool& one) { return one.strict.value_or(false); });
  std::string_view mode;
  switch (of_.tool_choice.kind) {
    case tool_choice_kind::none:
      mode = "NONE";
      break;
    case tool_choice_kind::required:
    case tool_choice_kind::named:
      mode = "ANY";
      break;
    // VALIDATED holds calls to their schemas and leaves the choice to the model.
    case tool_choice_kind::automatic:
      mode = strict ? "VALIDATED" : "AUTO";
      break;
    case tool_choice_kind::unset:
      mode = strict ? "VALIDATED" : "";
      break;
  }
  if (mode.empty()) return;
  out_.key("toolConfig").begin_object().key("functionCallingConfig").begin_object().member("mode", mode);
  if (of_.tool_choice.kind == tool_choice_kind::named) {
    out_.key("allowedFunctionNames").begin_array().string(of_.tool_choice.name).end_array();
  }
  out_.end_object().end_object();
}

void call_writer::generation() {
  out_.key("generationConfig").begin_object();
  if (of_.max_tokens) out_.member_integer("maxOutputTokens", *of_.max_tokens);
  if (of_.temperature) out_.member_number("temperature", *of_.temperature);
  if (of_.top_p) out_.member_number("topP", *of_.top_p);
  if (of_.top_k) out_.member_integer("topK", *of_.top_k);
  if (of_.frequency_penalty) out_.member_number("frequencyPenalty", *of_.frequency_penalty);
  if (of_.presence_penalty) out_.member_number("presencePenalty", *of_.presence_penalty);
  if (of_.seed) out_.member_integer("seed", *of_.seed);
  if (of_.n) out_.member_integer("candidateCount", *of_.n);
  if (of_.logprobs) out_.member_boolean("responseLogprobs", *of_.logprobs);
  if (of_.top_logprobs) out_.member_integer("logprobs", *of_.top_logprobs);
  if (of_.stop.size() > 5) {
    short_.refuse_named("stop", "stop_sequences", "the Gemini API takes up to five");
  } else if (!of_.stop.empty()) {
    out_.key("stopSequences").begin_array();
    for (const auto& text : of_.stop) out_.string(text);
    out_.end_array();
  }
  format();
  thinking();
  out_.end_object();
  if (!of_.user.empty()) short_.let_go(of_.dialect == dialect::anthropic ? "metadata.user_id" : "user");
}

void call_writer::format() {
  const auto& wanted = of_.response_format;
  if (wanted.kind != format_kind::json_object && wanted.kind != format_kind::json_schema) return;
  if (before_3_ && !of_.tools.empty()) {
    return short_.refuse_named("response_format", "output_config.format",
                               "models before Gemini 3 take it or tools, not both");
  }
  out_.member("responseMimeType", "application/json");
  if (!wanted.raw_schema.empty()) out_.member_raw("responseJsonSchema", wanted.raw_schema);
}

// Version 3 takes levels, and cannot be kept from thinking; before it there were budgets. The budgets of efforts
// are those of Google's own OpenAI-compatible endpoint.
void call_writer::thinking() {
  struct grade {
    std::string_view effort, level;
    std::int64_t budget;
  };
  constexpr std::array grades{grade{"none", "MINIMAL", 0}, grade{"minimal", "MINIMAL", 1024},
                              grade{"low", "LOW", 1024}, grade{"medium", "MEDIUM", 8192},
                              grade{"high", "HIGH", 24576}};
  if (of_.reasoning_effort.empty() && !of_.reasoning_budget) return;
  const auto known = std::ranges::find(grades, of_.reasoning_effort, &grade::effort);
  const auto& effort = known == grades.end() ? grades.back() : *known;
  const bool off = of_.reasoning_budget == 0 || of_.reasoning_effort == "none";

  out_.key("thinkingConfig").begin_object().member_boolean("includeThoughts", !off);
  if (before_3_) {
    const bool graded = of_.reasoning_budget.value_or(-1) < 0 && !of_.reasoning_effort.empty();
    out_.member_integer("thinkingBudget", off ? 0 : graded ? effort.budget : of_.reasoning_budget.value_or(-1));
  } else if (off) {
    out_.member("thinkingLevel", level_at("MINIMAL", model_));
    short_.let_go(of_.dialect == dialect::anthropic ? "thinking" : "reasoning_effort");
  } else if (!of_.reasoning_effort.empty()) {
    out_.member("thinkingLevel", level_at(effort.level, model_));
  } else {
    out_.member_integer("thinkingBudget", *of_.reasoning_budget);
  }
  out_.end_object();
}

// As it stands in a path.
std::string escaped(std::string_view model) {
  std::string out;
  for (const char c : model) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : std::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

parsed<upstream_call> write_request(const request& of, const target& to) {
  auto model = std::string_view(to.model);
  if (model.starts_with("models/")) model.remove_prefix(7);
  auto call = call_writer(of, to).write();
  if (!call) return call;
  call->path = "/models/" + escaped(model);
  if (of.endpoint == endpoint::count_tokens) {
    call->path += ":countTokens";
    std::string name, counted;
    json::append_string(name, "models/" + std::string(model));
    json::writer out(counted);
    out.begin_object().member_raw("generateContentRequest", splice(call->body, {{"model", name}})).end_object();
    call->body = std::move(counted);
  } else {
    call->path += to.stream ? ":streamGenerateContent?alt=sse" : ":generateContent";
  }
  return call;
}

}  // namespace meshai::chat::gemini
