// The provider's side: a request as Anthropic wants it.
//
// Where other dialects are freer, the choices are these. System and developer messages all go into `system`, in
// their order: it keeps their authority, and a text of ours between a call and its result would be refused.
// Messages of one role in a row become one message. Without max_tokens, which Anthropic demands, 4,096 are asked
// for.
#include <algorithm>
#include <array>

#include "chat/anthropic.hpp"
#include "chat/anthropic_pass.hpp"
#include "chat/anthropic_words.hpp"
#include "chat/continuation.hpp"
#include "chat/lenient.hpp"
#include "chat/shortfall.hpp"
#include "chat/splice.hpp"

namespace meshai::chat::anthropic {
namespace {

constexpr std::int64_t default_max_tokens = 4096;
constexpr std::int64_t least_budget = 1024;  // Anthropic refuses a smaller one

// Anthropic takes letters, digits, _ and - in the id of a call; others write "functions.get:0".
std::string call_id(std::string_view id) {
  std::string out(id);
  for (auto& c : out) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (!plain) c = '_';
  }
  return out;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// Claude 4.6 and later.
bool is_adaptive(std::string_view model) {
  const auto claude = generation_of(model);
  return claude && *claude >= generation{.major = 4, .minor = 6};
}

bool forces_call(const request& of) {
  const auto kind = of.tool_choice.kind;
  return !of.tools.empty() && (kind == tool_choice_kind::required || kind == tool_choice_kind::named);
}

// Anthropic's mark for its cache, which callers of other dialects send as it is.
void write_cache_control(json::writer& out, const raw_members& extra) {
  const auto mark = std::ranges::find(extra, "cache_control", &raw_member::name);
  if (mark != extra.end()) out.member_raw("cache_control", mark->raw);
}

raw_members without_cache_control(raw_members extra) {
  std::erase_if(extra, [](const raw_member& one) { return one.name == "cache_control"; });
  return extra;
}

// How many tokens of thought a request asks for; 0 where it asks for none.
std::int64_t thinking_budget(const request& of) {
  struct grade {
    std::string_view effort;
    std::int64_t budget;
  };
  constexpr std::array grades{grade{"none", 0},      grade{"minimal", 1024}, grade{"low", 2048},
                              grade{"medium", 8192}, grade{"high", 16384},   grade{"xhigh", 32768}};
  if (of.reasoning_budget && *of.reasoning_budget >= 0) return *of.reasoning_budget;
  if (of.reasoning_effort.empty()) return of.reasoning_budget ? 8192 : 0;
  const auto known = std::ranges::find(grades, of.reasoning_effort, &grade::effort);
  return known == grades.end() ? grades.back().budget : known->budget;
}

class call_writer {
 public:
  // Thoughts count among max_tokens and must leave room for an answer.
  call_writer(const request& of, const target& to)
      : of_(of),
        to_(to),
        budget_(thinking_budget(of)),
        max_tokens_(of.max_tokens.value_or(default_max_tokens + budget_)),
        short_(of, "Anthropic's API"),
        out_(body_) {}

  parsed<upstream_call> write();

 private:
  void settings();
  void sampling();
  void thinking();
  bool thinks() const;
  bool interrupts_thinking() const;
  void output_config(std::string_view effort);
  void tools();
  void tool_choice();
  void system();
  void messages();
  void block(const part& piece, const message& in);
  void text(const part& piece, bool prefill);
  void refuse_part(const part& piece);
  void media(const part& piece);
  void reasoning_block(const part& piece);
  void result(const part& piece, const message& in);
  void unsupported_settings();

  const request& of_;
  const target& to_;
  std::int64_t budget_, max_tokens_;
  shortfall short_;
  std::string body_;
  json::writer out_;
};

parsed<upstream_call> call_writer::write() {
  out_.begin_object().member("model", to_.model);
  settings();
  thinking();
  tools();
  system();
  messages();
  out_.end_object();
  unsupported_settings();
  auto dropped = short_.take();
  if (!dropped) return std::unexpected(std::move(dropped.error()));
  return upstream_call{.path = "/messages", .body = std::move(body_), .dropped = std::move(*dropped)};
}

void call_writer::settings() {
  out_.member_integer("max_tokens", max_tokens_);
  if (to_.stream) out_.member_boolean("stream", true);
  sampling();
  if (std::ranges::any_of(of_.stop, is_blank)) {
    short_.refuse("stop", "each stop needs a character that is no white space");
  } else if (!of_.stop.empty()) {
    out_.key("stop_sequences").begin_array();
    for (const auto& text : of_.stop) out_.string(text);
    out_.end_array();
  }
  if (!of_.user.empty()) out_.key("metadata").begin_object().member("user_id", of_.user).end_object();
}

// 1 is what it would be anyway. Claude takes only one of temperature and top_p from 4.1 on, and none of the three
// from 4.7 on; while it thinks, it takes no temperature, no top_k and a top_p of 0.95 at least.
void call_writer::sampling() {
  const auto claude = generation_of(to_.model).value_or(generation{});
  const auto heat = of_.temperature.value_or(1), mass = of_.top_p.value_or(1);
  const bool none = claude >= generation{.major = 4, .minor = 7};
  const std::string_view why = none ? "leave it out: this model takes none" : "leave it or the thinking out";
  if (heat > 1) {
    short_.refuse("temperature", "Anthropic's API takes 0 to 1");
  } else if (heat < 1 && (none || thinks())) {
    short_.refuse("temperature", why);
  } else if (heat < 1) {
    out_.member_number("temperature", heat);
  }
  if (mass < 1 && (none || (mass < 0.95 && thinks()))) {
    short_.refuse("top_p", why);
  } else if (mass < 1 && heat < 1 && claude >= generation{.major = 4, .minor = 1}) {
    short_.refuse("top_p", "leave it or temperature out: this model takes one of them");
  } else if (mass < 1) {
    out_.member_number("top_p", mass);
  }
  if (of_.top_k && (none || thinks())) {
    short_.refuse("top_k", why);
  } else if (of_.top_k) {
    out_.member_integer("top_k", *of_.top_k);
  }
}

// Whether the model is asked to think in the end.
bool call_writer::thinks() const {
  if (budget_ == 0 || forces_call(of_)) return false;
  return is_adaptive(to_.model) || (std::min(budget_, max_tokens_ - 1) >= least_budget && !interrupts_thinking());
}

// Claude 4.6 and later choose for themselves how much to think, guided by an effort; older ones want a budget.
void call_writer::thinking() {
  const auto& effort = of_.reasoning_effort;
  const bool off = of_.reasoning_budget == 0 || effort == "none";
  if (off) out_.key("thinking").begin_object().member("type", "disabled").end_object();
  if (budget_ == 0) return output_config({});

  const auto budget = std::min(budget_, max_tokens_ - 1);
  const bool adaptive = is_adaptive(to_.model);
  if (thinks()) {
    out_.key("thinking").begin_object().member("type", adaptive ? "adaptive" : "enabled");
    if (!adaptive) out_.member_integer("budget_tokens", budget);
    const bool newer = generation_of(to_.model).value_or(generation{}) >= generation{.major = 4, .minor = 7};
    if (newer) out_.member("display", "summarized");  // before, thoughts were shown to whoever asked for them
    out_.end_object();
    if (adaptive)
      return output_config(effort == "minimal" ? "low" : effort == "xhigh" && !newer ? "high" : effort);
  } else if (forces_call(of_)) {
    short_.refuse_named("reasoning_effort", "thinking",
                        "a call that is forced cannot be thought about: let the choice be auto");
  } else if (budget < least_budget) {
    short_.refuse_named("reasoning_effort", "thinking", "let the answer have more than 1,024 tokens");
  } else {
    short_.refuse_named("reasoning_effort", "thinking",
                        "this turn was begun by another model; leave thinking out until it ends");
  }
  output_config({});
}

// With a budget, a turn that waits for results of tools must have begun with a thought that Anthropic signed.
bool call_writer::interrupts_thinking() const {
  if (of_.messages.empty() || of_.messages.back().role != role::tool) return false;
  const auto turn = std::ranges::find(of_.messages.rbegin(), of_.messages.rend(), role::assistant, &message::role);
  if (turn == of_.messages.rend()) return false;
  return std::ranges::none_of(turn->parts, [](const part& piece) {
    const auto& thought = piece.thought;
    return piece.kind == part_kind::reasoning && thought.from == dialect::anthropic &&
           !(thought.signature.empty() && thought.redacted.empty());
  });
}

void call_writer::output_config(std::string_view effort) {
  const bool schema = of_.response_format.kind == format_kind::json_schema;
  if (of_.response_format.kind == format_kind::json_object) {
    short_.refuse("response_format", "Anthropic's API wants a schema: use response_format of type json_schema");
  }
  if (effort.empty() && !schema) return;
  out_.key("output_config").begin_object();
  if (!effort.empty()) out_.member("effort", effort);
  if (schema) {
    out_.key("format").begin_object().member("type", "json_schema");
    out_.member_raw("schema", of_.response_format.raw_schema.empty() ? "{}" : of_.response_format.raw_schema);
    out_.end_object();
  }
  out_.end_object();
}

void call_writer::tools() {
  tool_choice();
  if (of_.tools.empty()) return;
  out_.key("tools").begin_array();
  for (const auto& one : of_.tools) {
    if (!one.raw.empty()) {
      short_.refuse("tools." + one.name);
      continue;
    }
    out_.begin_object().member("name", one.name);
    if (!one.description.empty()) out_.member("description", one.description);
    const bool typed = !json::raw_member_of(one.raw_schema, "type").empty();  // Anthropic demands it
    const auto schema = one.raw_schema.empty() ? R"({"properties":{}})" : std::string_view(one.raw_schema);
    out_.member_raw("input_schema", typed ? schema : splice(schema, {{"type", R"("object")"}}));
    if (one.strict) out_.member_boolean("strict", *one.strict);
    write_cache_control(out_, one.extra);
    out_.end_object();
    short_.refuse_extra(without_cache_control(one.extra));
  }
  out_.end_array();
}

void call_writer::tool_choice() {
  if (of_.tools.empty()) return;
  const bool alone = of_.parallel_tool_calls == false || of_.legacy_functions;  // these know one call at a time
  const auto kind = of_.tool_choice.kind;
  if (kind == tool_choice_kind::unset && !alone) return;
  out_.key("tool_choice").begin_object();
  switch (kind) {
    case tool_choice_kind::none:
      out_.member("type", "none");
      break;
    case tool_choice_kind::required:
      out_.member("type", "any");
      break;
    case tool_choice_kind::named:
      out_.member("type", "tool").member("name", of_.tool_choice.name);
      break;
    case tool_choice_kind::unset:
    case tool_choice_kind::automatic:
      out_.member("type", "auto");
      break;
  }
  if (alone && kind != tool_choice_kind::none) out_.member_boolean("disable_parallel_tool_use", true);
  out_.end_object();
}

bool instructs(const message& one) {
  return one.role == role::system || one.role == role::developer;
}

void call_writer::system() {
  // A request of nothing but instructions is a question all the same.
  if (std::ranges::all_of(of_.messages, instructs)) return;
  bool any = false;
  for (const auto& one : of_.messages) {
    if (!instructs(one)) continue;
    if (!one.name.empty()) short_.let_go("name");
    for (const auto& piece : one.parts) {
      short_.refuse_extra(without_cache_control(piece.extra));
      if (piece.kind != part_kind::text) refuse_part(piece);
      if (piece.kind != part_kind::text || is_blank(piece.text)) continue;
      if (!std::exchange(any, true)) out_.key("system").begin_array();
      text(piece, false);
    }
  }
  if (any) out_.end_array();
}

void call_writer::messages() {
  const bool only_instructions = std::ranges::all_of(of_.messages, instructs);
  out_.key("messages").begin_array();
  std::string_view open;  // the role of the message that is being written
  for (const auto& one : of_.messages) {
    if (instructs(one) && !only_instructions) continue;
    const std::string_view who = one.role == role::assistant ? "assistant" : "user";
    const auto before = body_.size();
    const bool turns = who != open;
    if (turns) {
      if (!open.empty()) out_.end_array().end_object();
      out_.begin_object().member("role", who).key("content").begin_array();
    }
    const auto empty = body_.size();
    for (const auto& piece : one.parts) block(piece, one);
    if (!one.name.empty()) short_.let_go("name");
    if (!turns) continue;
    if (body_.size() == empty) {
      // Nothing of it can be said; Anthropic refuses a message without content.
      body_.resize(before);
    } else {
      open = who;
    }
  }
  if (!open.empty()) out_.end_array().end_object();
  out_.end_array();
}

void call_writer::block(const part& piece, const message& in) {
  short_.refuse_extra(without_cache_control(piece.extra));
  short_.refuse_extra(piece.call.extra);
  switch (piece.kind) {
    case part_kind::text:
      return text(piece, in.role == role::assistant && &in == &of_.messages.back() && &piece == &in.parts.back());
    case part_kind::image:
    case part_kind::document:
      return media(piece);
    case part_kind::audio:
    case part_kind::other:
      return refuse_part(piece);
    case part_kind::reasoning:
      return reasoning_block(piece);
    case part_kind::tool_call:
      out_.begin_object().member("type", "tool_use").member("id", call_id(piece.call.id));
      out_.member("name", piece.call.name)
          .member_raw("input", arguments_object(piece.call.arguments))
          .end_object();
      return;
    case part_kind::tool_result:
      return result(piece, in);
  }
}

void call_writer::refuse_part(const part& piece) {
  if (piece.kind == part_kind::audio) return short_.refuse("input_audio");
  if (piece.kind == part_kind::image) return short_.refuse("image_url", "send it in a message of the user");
  if (piece.kind == part_kind::document) return short_.refuse("file", "send it in a message of the user");
  const auto type = json::raw_member_of(piece.raw, "type");
  short_.refuse(type.size() > 2 ? type.substr(1, type.size() - 2) : "content");
}

// Anthropic refuses text without a character in it, and a prefill with white space at its end.
void call_writer::text(const part& piece, bool prefill) {
  if (is_blank(piece.text)) return;
  out_.begin_object().member("type", "text").member("text", prefill ? prefill_of(piece.text) : piece.text);
  write_cache_control(out_, piece.extra);
  out_.end_object();
}

void call_writer::media(const part& piece) {
  const bool image = piece.kind == part_kind::image;
  const std::string_view name = image ? "image_url" : "file";
  if (!piece.url.empty() && !to_.urls) return short_.refuse(name, "send the data itself, as base64");
  const bool data = !piece.data.empty() && (image || piece.media_type == "application/pdf");
  if (!data && piece.url.empty() && piece.text.empty()) return short_.refuse(name, "send an image, a PDF or text");

  out_.begin_object().member("type", image ? "image" : "document").key("source").begin_object();
  if (!piece.url.empty()) {
    out_.member("type", "url").member("url", piece.url);
  } else if (data) {
    out_.member("type", "base64").member("media_type", piece.media_type).member("data", piece.data);
  } else {
    out_.member("type", "text").member("media_type", "text/plain").member("data", piece.text);
  }
  out_.end_object();
  if (!image && !piece.detail.empty()) out_.member("title", piece.detail);
  write_cache_control(out_, piece.extra);
  out_.end_object();
  if (image && !piece.detail.empty() && piece.detail != "auto") short_.let_go("detail");
}

// Only what Anthropic signed may come back to it. Other thoughts helped another model; the answer they led to
// stays.
void call_writer::reasoning_block(const part& piece) {
  const auto& thought = piece.thought;
  if (thought.from != dialect::anthropic || (thought.signature.empty() && thought.redacted.empty())) {
    return short_.let_go("reasoning");
  }
  out_.begin_object();
  if (!thought.redacted.empty()) {
    out_.member("type", "redacted_thinking").member("data", thought.redacted);
  } else {
    out_.member("type", "thinking").member("thinking", thought.text).member("signature", thought.signature);
  }
  out_.end_object();
}

void call_writer::result(const part& piece, const message& in) {
  out_.begin_object().member("type", "tool_result").member("tool_use_id", call_id(piece.text));
  out_.key("content").begin_array();
  for (const auto& inner : piece.content) block(inner, in);
  out_.end_array();
  if (piece.is_error) out_.member_boolean("is_error", true);
  out_.end_object();
}

void call_writer::unsupported_settings() {
  if (of_.n.value_or(1) != 1) short_.refuse("n");
  if (of_.logprobs.value_or(false)) short_.refuse("logprobs");
  if (of_.top_logprobs.value_or(0) > 0) short_.refuse("top_logprobs");
  if (of_.seed) short_.refuse("seed");
  if (of_.frequency_penalty.value_or(0) != 0) short_.refuse("frequency_penalty");
  if (of_.presence_penalty.value_or(0) != 0) short_.refuse("presence_penalty");
  for (const auto& one : of_.messages) short_.refuse_extra(one.extra);
  short_.refuse_extra(of_.extra);
}

}  // namespace

parsed<upstream_call> write_request(const request& of, const target& to) {
  auto call = of.dialect == dialect::anthropic ? pass(of, to) : call_writer(of, to).write();
  if (call) call->headers = {{"anthropic-version", "2023-06-01"}};
  return call;
}

}  // namespace meshai::chat::anthropic
