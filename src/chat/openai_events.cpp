// The caller's side of a stream: deltas in, chunks out.
//
// One id, one creation time, one role chunk per choice, one finish reason per choice. The chunk that ends a choice
// is held until the end, when the story is known: `mesh` stands on the last JSON chunk before [DONE], which is
// that of usage where the caller asked for it and the last finish chunk otherwise. A chunk of its own, without
// choices, would break the clients that look at choices[0] of whatever comes.
#include <algorithm>

#include "chat/mesh.hpp"
#include "chat/openai.hpp"
#include "chat/openai_chunk.hpp"
#include "chat/openai_words.hpp"

namespace meshai::chat::openai {
namespace {

class writer : public stream_writer {
 public:
  writer(const request& of, answer_head head)
      : completions_(of.endpoint == endpoint::completions),
        legacy_(of.legacy_functions),
        include_usage_(of.include_usage),
        head_(std::move(head)) {
    write_prefix();
  }

  void model(std::string_view answered_by) override {
    if (answered_by == head_.model) return;
    head_.model = answered_by;
    write_prefix();
  }
  void step(const delta& d, std::string& out) override;
  void end(const usage& delivered, const story& told, std::string& out) override;
  void fail(const problem& why, const story& told, std::string& out) override;

 private:
  struct open_choice {
    bool begun = false, finished = false;
    int details = 0;           // of the reasoning so far
    bool detail_open = false;  // pieces of the last one may follow
    dialect from = dialect::openai;
  };

  void write_prefix();
  open_choice& begin(int index, std::string& out);
  void native(const delta& d, open_choice* to, std::string& out);
  void anew(const delta& d, open_choice& to, std::string& out);
  void write_change(json::writer& out, const delta& d, open_choice& to);
  void write_thought(json::writer& out, const reasoning& thought, open_choice& to);
  void write_calls(json::writer& out, const delta& d);
  // A chunk goes out, or waits where it ends a choice. `chunk` lacks its last brace.
  void send(std::string_view chunk, bool ends_choice, std::string& out);
  static void close(std::string_view chunk, std::string& out) {
    out.append("data: ").append(chunk).append("}\n\n");
  }

  bool completions_, legacy_, include_usage_;
  answer_head head_;
  std::string prefix_;  // of every chunk, up to what differs
  std::vector<open_choice> choices_;
  std::string held_;     // the chunk that waits, without its last brace
  std::string scratch_;  // keeps its memory from chunk to chunk
  std::string native_usage_;
  std::optional<usage> native_counts_;
};

void writer::write_prefix() {
  prefix_.clear();
  json::writer out(prefix_);
  out.begin_object()
      .member("id", head_.id)
      .member("object", completions_ ? "text_completion" : "chat.completion.chunk");
  out.member_integer("created", head_.created).member("model", head_.model);
  if (include_usage_) out.member_null("usage");
}

void writer::send(std::string_view chunk, bool ends_choice, std::string& out) {
  if (!ends_choice) return close(chunk, out);
  if (!held_.empty()) close(held_, out);
  held_ = chunk;
}

writer::open_choice& writer::begin(int index, std::string& out) {
  const auto at = static_cast<std::size_t>(index);
  if (choices_.size() <= at) choices_.resize(at + 1);
  auto& choice = choices_[at];
  if (!std::exchange(choice.begun, true) && !completions_) {
    std::string chunk = prefix_;
    json::writer role(chunk);
    role.key("choices").begin_array().begin_object().member_integer("index", index).key("delta").begin_object();
    role.member("role", "assistant").member("content", "").end_object();
    role.member_null("logprobs").member_null("finish_reason").end_object().end_array();
    close(chunk, out);
  }
  return choice;
}

void writer::step(const delta& d, std::string& out) {
  if (is_silent(d)) {
    if (!d.native.empty()) native(d, nullptr, out);
    return;
  }
  auto& choice = begin(d.choice, out);
  if (d.finish != finish::none && std::exchange(choice.finished, true)) return;
  if (d.native.empty()) {
    anew(d, choice, out);
  } else {
    native(d, &choice, out);
  }
}

// The provider's own chunk, with our id, time and model. Its usage waits for the end, or stays away.
void writer::native(const delta& d, open_choice* to, std::string& out) {
  scratch_.assign(prefix_);
  json::writer chunk(scratch_);
  bool empty = true;
  for (json::walk members(d.native); members.next();) {
    const auto name = members.name();
    if (name == "usage") {
      if (d.usage) {
        native_usage_ = members.raw();
        native_counts_ = d.usage;
      }
      continue;
    }
    if (name == "id" || name == "object" || name == "created" || name == "model" || name == "mesh") continue;
    if (name == "choices") empty = members.raw() == "[]";
    scratch_ += ',';
    scratch_ += '"';
    scratch_ += name;
    scratch_ += "\":";
    scratch_ += members.raw();
  }
  if (to == nullptr && empty && d.usage) return;  // nothing but usage
  send(scratch_, to != nullptr && d.finish != finish::none, out);
}

void writer::anew(const delta& d, open_choice& to, std::string& out) {
  scratch_.assign(prefix_);
  json::writer chunk(scratch_);
  chunk.key("choices").begin_array().begin_object().member_integer("index", d.choice);
  if (completions_) {
    chunk.member("text", d.text);
  } else {
    chunk.key("delta").begin_object();
    write_change(chunk, d, to);
    chunk.end_object();
  }
  chunk.member_raw("logprobs", d.raw_logprobs.empty() ? "null" : d.raw_logprobs);
  if (d.finish == finish::none) {
    chunk.member_null("finish_reason");
  } else {
    chunk.member("finish_reason", finish_word(d.finish, legacy_));
  }
  chunk.end_object().end_array();
  send(scratch_, d.finish != finish::none, out);
}

void writer::write_change(json::writer& out, const delta& d, open_choice& to) {
  write_thought(out, d.thought, to);
  if (!d.text.empty()) out.member("content", d.text);
  if (!d.refusal.empty()) out.member("refusal", d.refusal);
  if (!d.calls.empty()) write_calls(out, d);
}

// A detail ends where it is signed, and where one of another kind begins.
void writer::write_thought(json::writer& out, const reasoning& thought, open_choice& to) {
  if (!thought.text.empty()) out.member("reasoning_content", thought.text);
  if (thought.text.empty() && thought.signature.empty() && thought.redacted.empty()) return;
  if (!needs_detail(thought)) return;
  const bool continues = to.detail_open && to.from == thought.from && thought.redacted.empty();
  if (!continues) ++to.details;
  out.key("reasoning_details").begin_array();
  write_detail(out, thought, to.details - 1, !continues);
  out.end_array();
  to.detail_open = thought.signature.empty() && thought.redacted.empty();
  to.from = thought.from;
}

void writer::write_calls(json::writer& out, const delta& d) {
  if (legacy_) {  // it knows one call at a time
    for (const auto& call : d.calls) {
      if (call.index != 0) continue;
      out.key("function_call").begin_object();
      if (!call.name.empty()) out.member("name", call.name);
      out.member("arguments", call.arguments).end_object();
      return;
    }
    return;
  }
  out.key("tool_calls").begin_array();
  for (const auto& call : d.calls) {
    out.begin_object().member_integer("index", call.index);
    if (!call.id.empty()) out.member("id", call.id).member("type", "function");
    out.key("function").begin_object();
    if (!call.name.empty()) out.member("name", call.name);
    out.member("arguments", call.arguments).end_object();
    write_call_signature(out, call.signature);
    out.end_object();
  }
  out.end_array();
}

void writer::end(const usage& delivered, const story& told, std::string& out) {
  std::string last = std::exchange(held_, {});
  if (include_usage_ || last.empty()) {
    if (!last.empty()) close(last, out);
    std::string_view base = prefix_;
    if (include_usage_) base.remove_suffix(std::string_view(",\"usage\":null").size());
    last = base;
    json::writer chunk(last);
    chunk.key("choices").begin_array().end_array();
    if (include_usage_) {
      chunk.key("usage");
      if (native_counts_ == delivered) {
        chunk.raw(native_usage_);  // with all that the provider told and we do not know
      } else {
        write_usage(chunk, delivered, endpoint::chat_completions);
      }
    }
  }
  json::writer chunk(last);
  write_story(chunk, told);
  close(last, out);
  out += "data: [DONE]\n\n";
}

// Instead of the chunk that would have ended the choice, and without [DONE]: nobody shall take it for a whole
// answer.
void writer::fail(const problem& why, const story& told, std::string& out) {
  std::string event;
  json::writer chunk(event);
  chunk.begin_object().key("error").begin_object();
  write_problem_members(chunk, why);
  chunk.end_object();
  write_story(chunk, told);
  close(event, out);
}

}  // namespace

std::unique_ptr<stream_writer> make_stream_writer(const request& of, answer_head head) {
  return std::make_unique<writer>(of, std::move(head));
}

}  // namespace meshai::chat::openai
