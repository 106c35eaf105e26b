// The provider's side: a request as OpenAI, or a server that speaks its dialect, wants it.
//
// From a caller of the same dialect the body goes as it came but for a few members: the model's name, what
// concerns the stream, the name of max_tokens, and in the messages what that one server would refuse. Usage is
// always asked for: the node accounts by it. Other callers' requests are written anew.
#include <algorithm>
#include <format>
#include <vector>

#include "chat/json.hpp"
#include "chat/openai.hpp"
#include "chat/openai_words.hpp"
#include "chat/shortfall.hpp"
#include "chat/splice.hpp"

namespace meshai::chat::openai {
namespace {

std::string_view path_of(endpoint door) {
  switch (door) {
    case endpoint::completions:
      return "/completions";
    case endpoint::embeddings:
      return "/embeddings";
    default:
      return "/chat/completions";
  }
}

std::string json_text(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

// ---- the same dialect
// ---------------------------------------------------------------------------------------------

// OpenAI's own API knows the role of a developer and refuses the members that carry reasoning back; everyone else
// knows `system`, and ignores or understands the rest.
struct mending {
  bool roles = false;
  bool reasoning = false;

  mending(const request& of, const target& to) {
    for (const auto& one : of.messages) {
      roles |= !to.max_completion_tokens && one.role == role::developer;
      for (const auto& piece : one.parts) {
        reasoning |=
            to.max_completion_tokens && (piece.kind == part_kind::reasoning || !piece.call.signature.empty());
      }
    }
  }
  bool any() const { return roles || reasoning; }
};

bool has_image_url(const request& of) {
  return std::ranges::any_of(of.messages, [](const message& one) {
    return std::ranges::any_of(one.parts,
                               [](const part& p) { return p.kind == part_kind::image && !p.url.empty(); });
  });
}

std::string mend_calls(std::string_view calls) {
  std::string out;
  json::writer array(out);
  array.begin_array();
  for (json::walk each(calls); each.next();) array.raw(splice(each.raw(), {{"extra_content", ""}}));
  array.end_array();
  return out;
}

std::string mend_message(std::string_view text, const mending& how) {
  std::vector<edit> edits;
  if (how.roles && json::raw_member_of(text, "role") == "\"developer\"") edits.push_back({"role", "\"system\""});
  std::string calls;
  if (how.reasoning) {
    for (json::walk members(text); members.next();) {
      if (members.name().starts_with("reasoning")) edits.push_back({members.name(), ""});
    }
    // Of several members of one name the last one counts, as it does for the parser.
    if (const auto given = json::raw_member_of(text, "tool_calls"); given.starts_with('[')) {
      calls = mend_calls(given);
      edits.push_back({"tool_calls", calls});
    }
  }
  return edits.empty() ? std::string(text) : splice(text, edits);
}

std::string mend_messages(std::string_view body, const mending& how) {
  std::string out;
  json::writer array(out);
  array.begin_array();
  for (json::walk each(json::raw_member_of(body, "messages")); each.next();)
    array.raw(mend_message(each.raw(), how));
  array.end_array();
  return out;
}

parsed<upstream_call> pass_on(const request& of, const target& to) {
  if (!to.urls && has_image_url(of)) {
    return std::unexpected(problem{.status = 400,
                                   .type = "invalid_request_error",
                                   .code = "unsupported_parameter",
                                   .param = "image_url",
                                   .message = "this provider fetches no image_url",
                                   .hint = "send the data itself, as data:image/png;base64,..."});
  }
  const bool chat = of.endpoint == endpoint::chat_completions;
  const auto model = json_text(to.model);
  std::vector<edit> edits{{"model", model}};

  std::string options;
  if (of.endpoint != endpoint::embeddings) {
    edits.push_back({"stream", to.stream ? "true" : ""});
    if (to.stream) {
      const auto given = json::raw_member_of(of.body, "stream_options");
      options = splice(given.starts_with('{') ? given : "{}", {{"include_usage", "true"}});
    }
    edits.push_back({"stream_options", options});
  }
  std::string most;
  if (chat && of.max_tokens) {
    most = std::to_string(*of.max_tokens);
    edits.push_back({to.max_completion_tokens ? "max_completion_tokens" : "max_tokens", most});
    edits.push_back({to.max_completion_tokens ? "max_tokens" : "max_completion_tokens", {}});
  }
  if (chat && to.certainty && !of.logprobs.value_or(false)) {
    edits.push_back({"logprobs", "true"});
    edits.push_back({"top_logprobs", "1"});  // llama-server takes 0 for none at all
  }
  std::string messages;
  const mending how(of, to);
  if (chat && how.any()) {
    messages = mend_messages(of.body, how);
    edits.push_back({"messages", messages});
  }
  upstream_call out{.path = std::string(path_of(of.endpoint)), .body = splice(of.body, edits)};
  if (how.reasoning) out.dropped.emplace_back("reasoning");
  return out;
}

// ---- from another dialect
// -----------------------------------------------------------------------------------------

class call_writer {
 public:
  call_writer(const request& of, const target& to)
      : of_(of),
        to_(to),
        own_(to.max_completion_tokens),
        short_(of, own_ ? "OpenAI's API" : "this provider's API"),
        out_(body_) {}

  parsed<upstream_call> write();

 private:
  void settings();
  void reasoning();
  void tools();
  void tool_choice();
  void format();
  void messages();
  void instructions(const message& one);
  void user(const message& one);
  void assistant(const message& one);
  void result(const part& piece);
  void results_media();
  void content_part(const part& piece);
  void media(const part& piece);
  void thoughts(const message& one);
  void refuse_other(const part& piece);

  const request& of_;
  const target& to_;
  bool own_;  // OpenAI itself
  shortfall short_;
  std::string body_;
  json::writer out_;
  std::vector<const part*> shown_;  // what results of tools hold besides text
};

parsed<upstream_call> call_writer::write() {
  out_.begin_object().member("model", to_.model);
  settings();
  reasoning();
  tools();
  format();
  messages();
  out_.end_object();
  short_.refuse_extra(of_.extra);
  auto dropped = short_.take();
  if (!dropped) return std::unexpected(std::move(dropped.error()));
  return upstream_call{.path = "/chat/completions", .body = std::move(body_), .dropped = std::move(*dropped)};
}

void call_writer::settings() {
  if (to_.stream) {
    out_.member_boolean("stream", true);
    out_.key("stream_options").begin_object().member_boolean("include_usage", true).end_object();
  }
  if (of_.max_tokens) out_.member_integer(own_ ? "max_completion_tokens" : "max_tokens", *of_.max_tokens);
  if (of_.temperature) out_.member_number("temperature", *of_.temperature);
  if (of_.top_p) out_.member_number("top_p", *of_.top_p);
  if (of_.top_k && own_) short_.refuse("top_k");
  if (of_.top_k && !own_) out_.member_integer("top_k", *of_.top_k);
  if (of_.frequency_penalty) out_.member_number("frequency_penalty", *of_.frequency_penalty);
  if (of_.presence_penalty) out_.member_number("presence_penalty", *of_.presence_penalty);
  if (of_.seed) out_.member_integer("seed", *of_.seed);
  if (of_.n) out_.member_integer("n", *of_.n);
  const bool certainty = to_.certainty && !of_.logprobs.value_or(false);
  if (certainty || of_.logprobs) out_.member_boolean("logprobs", certainty || *of_.logprobs);
  if (certainty || of_.top_logprobs) out_.member_integer("top_logprobs", certainty ? 1 : *of_.top_logprobs);
  if (own_ && of_.stop.size() > 4) {
    short_.refuse("stop_sequences", "OpenAI's API takes up to four");
  } else if (!of_.stop.empty()) {
    out_.key("stop").begin_array();
    for (const auto& text : of_.stop) out_.string(text);
    out_.end_array();
  }
  if (!of_.user.empty()) out_.member("user", of_.user);
}

// A budget in tokens becomes the effort whose budget it would be. No thinking at all cannot be asked for: models
// without thoughts refuse the parameter, and others have no word for it.
void call_writer::reasoning() {
  if (!of_.reasoning_effort.empty()) {
    const bool most = of_.reasoning_effort == "max";  // Anthropic's word for the highest
    out_.member("reasoning_effort", most ? "high" : std::string_view(of_.reasoning_effort));
  } else if (of_.reasoning_budget.value_or(0) > 0) {
    const auto budget = *of_.reasoning_budget;
    out_.member("reasoning_effort", budget <= 2048 ? "low" : budget <= 8192 ? "medium" : "high");
  } else if (of_.reasoning_budget.value_or(0) < 0) {
    out_.member("reasoning_effort", "medium");
  } else if (of_.reasoning_budget) {
    short_.let_go("thinking");
  }
}

void call_writer::tools() {
  if (of_.tools.empty()) return;
  out_.key("tools").begin_array();
  for (const auto& one : of_.tools) {
    if (!one.raw.empty()) {
      short_.refuse("tools." + one.name);
      continue;
    }
    out_.begin_object().member("type", "function").key("function").begin_object().member("name", one.name);
    if (!one.description.empty()) out_.member("description", one.description);
    if (!one.raw_schema.empty()) out_.member_raw("parameters", one.raw_schema);
    if (one.strict) out_.member_boolean("strict", *one.strict);
    out_.end_object().end_object();
    short_.refuse_extra(one.extra);
  }
  out_.end_array();
  tool_choice();
  if (of_.parallel_tool_calls) out_.member_boolean("parallel_tool_calls", *of_.parallel_tool_calls);
}

void call_writer::tool_choice() {
  switch (of_.tool_choice.kind) {
    case tool_choice_kind::unset:
      return;
    case tool_choice_kind::automatic:
      out_.member("tool_choice", "auto");
      return;
    case tool_choice_kind::none:
      out_.member("tool_choice", "none");
      return;
    case tool_choice_kind::required:
      out_.member("tool_choice", "required");
      return;
    case tool_choice_kind::named:
      out_.key("tool_choice").begin_object().member("type", "function").key("function").begin_object();
      out_.member("name", of_.tool_choice.name).end_object().end_object();
  }
}

void call_writer::format() {
  const auto& wanted = of_.response_format;
  if (wanted.kind == format_kind::unset || wanted.kind == format_kind::text) return;
  out_.key("response_format").begin_object();
  if (wanted.kind == format_kind::json_object) {
    out_.member("type", "json_object");
  } else {
    out_.member("type", "json_schema").key("json_schema").begin_object();
    out_.member("name", wanted.name.empty() ? "answer" : std::string_view(wanted.name));
    if (!wanted.raw_schema.empty()) out_.member_raw("schema", wanted.raw_schema);
    // Where a schema stands without `strict`, its own dialect (Anthropic's) always holds to it.
    out_.member_boolean("strict", wanted.strict.value_or(true)).end_object();
  }
  out_.end_object();
}

void call_writer::messages() {
  out_.key("messages").begin_array();
  for (const auto& one : of_.messages) {
    short_.refuse_extra(one.extra);
    for (const auto& piece : one.parts) short_.refuse_extra(piece.extra);
    if (one.role != role::tool) results_media();
    switch (one.role) {
      case role::system:
      case role::developer:
        instructions(one);
        break;
      case role::assistant:
        assistant(one);
        break;
      case role::user:
        user(one);
        break;
      case role::tool:
        for (const auto& piece : one.parts) {
          if (piece.kind == part_kind::tool_result) result(piece);
        }
    }
  }
  results_media();
  out_.end_array();
}

void call_writer::refuse_other(const part& piece) {
  const auto type = json::raw_member_of(piece.raw, "type");
  short_.refuse(type.size() > 2 ? type.substr(1, type.size() - 2) : "content");
}

// Many servers want these as one string.
void call_writer::instructions(const message& one) {
  std::string text;
  for (const auto& piece : one.parts) {
    if (piece.kind != part_kind::text) {
      refuse_other(piece);
      continue;
    }
    if (!text.empty() && !piece.text.empty()) text += "\n\n";
    text += piece.text;
  }
  out_.begin_object().member("role", "system").member("content", text).end_object();
}

void call_writer::user(const message& one) {
  out_.begin_object().member("role", "user");
  if (!one.name.empty()) out_.member("name", one.name);
  if (one.parts.size() == 1 && one.parts.front().kind == part_kind::text) {
    out_.member("content", one.parts.front().text).end_object();
    return;
  }
  out_.key("content").begin_array();
  for (const auto& piece : one.parts) content_part(piece);
  out_.end_array().end_object();
}

void call_writer::content_part(const part& piece) {
  switch (piece.kind) {
    case part_kind::text:
      out_.begin_object().member("type", "text").member("text", piece.text).end_object();
      return;
    case part_kind::image:
    case part_kind::audio:
    case part_kind::document:
      return media(piece);
    default:
      refuse_other(piece);
  }
}

void call_writer::media(const part& piece) {
  const auto data_url = [&] { return std::format("data:{};base64,{}", piece.media_type, piece.data); };
  if (piece.kind == part_kind::image) {
    if (piece.data.empty() && !to_.urls) {
      return short_.refuse_named("image_url", "image.source", "send the data itself, as base64");
    }
    out_.begin_object().member("type", "image_url").key("image_url").begin_object();
    out_.member("url", piece.data.empty() ? piece.url : data_url());
    if (!piece.detail.empty()) out_.member("detail", piece.detail);
    out_.end_object().end_object();
  } else if (piece.kind == part_kind::audio) {
    out_.begin_object().member("type", "input_audio").key("input_audio").begin_object().member("data", piece.data);
    out_.member("format", std::string_view(piece.media_type).substr(piece.media_type.find('/') + 1));
    out_.end_object().end_object();
  } else if (!piece.text.empty()) {
    const auto text = piece.detail.empty() ? piece.text : std::format("{}\n\n{}", piece.detail, piece.text);
    out_.begin_object().member("type", "text").member("text", text).end_object();
  } else if (!piece.data.empty()) {
    out_.begin_object().member("type", "file").key("file").begin_object();
    out_.member("filename", piece.detail.empty() ? "document.pdf" : std::string_view(piece.detail));
    out_.member("file_data", data_url()).end_object().end_object();
  } else {
    short_.refuse_named("file", "document.source", "send the data itself, as base64");
  }
}

void call_writer::assistant(const message& one) {
  const auto is_call = [](const part& piece) { return piece.kind == part_kind::tool_call; };
  std::string text;
  for (const auto& piece : one.parts) {
    if (piece.kind == part_kind::text) {
      text += piece.text;
    } else if (!is_call(piece) && piece.kind != part_kind::reasoning) {
      refuse_other(piece);
    }
  }
  const bool calls = std::ranges::any_of(one.parts, is_call);
  out_.begin_object().member("role", "assistant");
  if (text.empty() && calls) {
    out_.member_null("content");
  } else {
    out_.member("content", text);
  }
  thoughts(one);
  if (calls) {
    out_.key("tool_calls").begin_array();
    for (const auto& piece : one.parts) {
      if (!is_call(piece)) continue;
      out_.begin_object().member("id", piece.call.id).member("type", "function").key("function").begin_object();
      out_.member("name", piece.call.name);
      out_.member("arguments", piece.call.arguments.empty() ? "{}" : std::string_view(piece.call.arguments));
      out_.end_object();
      if (!own_) write_call_signature(out_, piece.call.signature);
      out_.end_object();
    }
    out_.end_array();
  }
  out_.end_object();
}

void call_writer::thoughts(const message& one) {
  std::string text;
  bool any = false, seals = false;
  for (const auto& piece : one.parts) {
    if (piece.kind != part_kind::reasoning) continue;
    any = true;
    text += piece.thought.text;
    seals |= needs_detail(piece.thought);
  }
  if (!any) return;
  if (own_) return short_.let_go("reasoning");
  if (!text.empty()) out_.member("reasoning_content", text);
  if (!seals) return;
  out_.key("reasoning_details").begin_array();
  int index = 0;
  for (const auto& piece : one.parts) {
    if (piece.kind == part_kind::reasoning) write_detail(out_, piece.thought, index++, true);
  }
  out_.end_array();
}

// The result of a tool is text here; what failed says so in front. Its images and files follow when all results of
// the turn have been told, in a message of the user.
void call_writer::result(const part& piece) {
  std::string text = piece.is_error ? "Error: " : "";
  for (const auto& inner : piece.content) {
    short_.refuse_extra(inner.extra);
    if (inner.kind == part_kind::text || (inner.kind == part_kind::document && !inner.text.empty())) {
      text += inner.text;
    } else if (inner.kind == part_kind::image || inner.kind == part_kind::document) {
      shown_.push_back(&inner);
      text += text.empty() ? "" : "\n";
      text += inner.kind == part_kind::image ? "[an image: it follows]" : "[a file: it follows]";
    } else {
      refuse_other(inner);
    }
  }
  out_.begin_object()
      .member("role", "tool")
      .member("tool_call_id", piece.text)
      .member("content", text)
      .end_object();
}

void call_writer::results_media() {
  if (shown_.empty()) return;
  out_.begin_object().member("role", "user").key("content").begin_array();
  for (const auto* piece : std::exchange(shown_, {})) media(*piece);
  out_.end_array().end_object();
}

}  // namespace

parsed<upstream_call> write_request(const request& of, const target& to) {
  if (of.endpoint == endpoint::count_tokens) {
    return std::unexpected(problem{.status = 400,
                                   .type = "invalid_request_error",
                                   .code = "unsupported_parameter",
                                   .param = "model",
                                   .message = "OpenAI's API counts no tokens",
                                   .hint = "ask for a model of Anthropic's"});
  }
  if (of.dialect == dialect::openai) return pass_on(of, to);
  return call_writer(of, to).write();
}

}  // namespace meshai::chat::openai
