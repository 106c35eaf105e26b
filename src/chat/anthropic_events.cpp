// The caller's side of a stream: deltas in, Anthropic's events out.
//
// Anthropic's blocks come one after the other, each with its index. Deltas may interleave parallel calls; the
// first of them streams, the others wait in `blocks_` until the answer ends.
#include <algorithm>
#include <deque>

#include "chat/anthropic.hpp"
#include "chat/anthropic_blocks.hpp"
#include "chat/anthropic_words.hpp"
#include "chat/json.hpp"
#include "chat/mesh.hpp"
#include "chat/splice.hpp"

namespace meshai::chat::anthropic {
namespace {

void pass_event(std::string_view name, std::string_view data, std::string& out) {
  out.append("event: ").append(name).append("\ndata: ");
  // A line feed in JSON is only ever white space, and would end the line here.
  std::ranges::replace_copy_if(data, std::back_inserter(out), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  out.append("\n\n");
}

// Writes one event whose data an object `fill` completes, after its type.
template <class Fill>
void write_event(std::string_view name, std::string& out, Fill fill) {
  out.append("event: ").append(name).append("\ndata: ");
  json::writer data(out);
  data.begin_object().member("type", name);
  fill(data);
  data.end_object();
  out.append("\n\n");
}

class writer : public stream_writer {
 public:
  explicit writer(answer_head head) : head_(std::move(head)) {}

  void model(std::string_view answered_by) override;
  void step(const delta& d, std::string& out) override;
  void end(const usage& delivered, const story& told, std::string& out) override;
  void fail(const problem& why, const story& told, std::string& out) override;

 private:
  enum class shape { text, thinking, redacted, call, native };
  struct block {
    shape kind = shape::text;
    int call = 0;
    std::string id, name;   // of a call
    std::string data;       // redacted
    std::string waiting;    // text, thinking or arguments that came before the block could be opened
    std::string signature;  // of thinking, as it goes out
    dialect from = dialect::anthropic;
    int attempt = 0;
  };

  void start_message(std::string& out);
  void pass(const delta& d, std::string& out);
  void pass_block(const delta& d, std::string& out);
  void pass_start(const delta& d, std::string& out);
  void pass_in_block(const delta& d, std::string& out);
  void add_thought(const reasoning& thought, std::string& out);
  void add_call(const delta::call_step& call, std::string& out);
  void add_text(block what, std::string_view text, std::string& out);
  void sign(dialect from, std::string signature, std::string& out);
  block& push(block what, std::string& out);
  static std::pair<std::string_view, std::string_view> change_words(shape kind);
  void extend(block& what, std::string_view text, std::string& out);
  template <class Fill>
  void write_change(std::string& out, Fill fill);
  void open(std::string& out);
  void close(std::string& out);
  void drain(std::string& out);

  answer_head head_;
  int attempts_ = 0;  // that have written something, this one included
  bool started_ = false;
  std::deque<block> blocks_;  // the first is open, the others wait for it to close
  int next_index_ = 0;        // of the next block to open
  int base_ = 0;              // what this attempt's own indexes are counted from
  delta held_;                // the provider's start of a block, until something stands in it
  usage usage_;
  finish finish_ = finish::stop;
  bool refused_ = false;
  std::string stop_sequence_;
  std::string last_change_;        // the provider's message_delta, kept for the end
  bool last_change_ends_ = false;  // it says why the answer ends
};

void writer::model(std::string_view answered_by) {
  attempts_ = started_ ? attempts_ + 1 : 1;
  if (!answered_by.empty()) head_.model = answered_by;
  base_ = next_index_;
  held_ = {};
  last_change_.clear();
  last_change_ends_ = false;
}

void writer::start_message(std::string& out) {
  if (std::exchange(started_, true)) return;
  write_event("message_start", out, [&](json::writer& data) {
    data.key("message").begin_object();
    data.member("id", head_.id).member("type", "message").member("role", "assistant").member("model", head_.model);
    data.key("content").begin_array().end_array();
    data.member_null("stop_reason").member_null("stop_sequence");
    write_usage(data, usage_);
    data.end_object();
  });
}

void writer::step(const delta& d, std::string& out) {
  if (d.choice != 0) return;  // this dialect has one
  if (d.usage) usage_ = *d.usage;
  refused_ |= !d.refusal.empty();
  if (d.finish != finish::none) {
    finish_ =
        refused_ && d.finish == finish::stop ? finish::refusal : d.finish;  // OpenAI's refusals end with "stop"
    stop_sequence_ = d.stop_sequence;
  }
  if (!d.native.empty()) return pass(d, out);

  // A signature that stands with text and without a thought is the text's own, and follows it.
  const bool seals_text = !d.text.empty() && d.thought.text.empty();
  if (!seals_text) add_thought(d.thought, out);
  for (const auto* text : {&d.text, &d.refusal}) {
    if (!text->empty()) add_text({.kind = shape::text}, *text, out);
  }
  if (seals_text) add_thought(d.thought, out);
  for (const auto& call : d.calls) add_call(call, out);
}

// ---- the provider's own events
// ------------------------------------------------------------------------------------

void writer::pass(const delta& d, std::string& out) {
  if (d.native_event == "message_start") {
    if (!std::exchange(started_, true)) pass_event(d.native_event, d.native, out);
  } else if (d.native_event.starts_with("content_block_")) {
    start_message(out);
    pass_block(d, out);
  } else if (d.native_event == "message_delta") {
    // A reason to stop is told once, however often the provider gives one.
    const bool again = last_change_ends_ && d.finish != finish::none;
    if (!last_change_.empty() && !again) pass_event("message_delta", last_change_, out);
    last_change_ = d.native;
    last_change_ends_ = d.finish != finish::none;
  } else if (d.native_event != "message_stop") {
    pass_event(d.native_event, d.native, out);
  }
}

// A block of which nothing was written when its provider failed must not stand in the answer: Anthropic refuses a
// conversation with an empty one.
void writer::pass_block(const delta& d, std::string& out) {
  if (d.native_event == "content_block_start") {
    drain(out);
    held_ = d;
    if (!d.is_token()) return;
  }
  if (!held_.native.empty()) pass_start(std::exchange(held_, {}), out);
  if (d.native_event != "content_block_start") pass_in_block(d, out);
}

void writer::pass_start(const delta& d, std::string& out) {
  block opened{.kind = shape::native, .call = d.calls.empty() ? 0 : d.calls.front().index, .attempt = attempts_};
  if (!d.calls.empty()) opened.kind = shape::call;
  blocks_.push_back(std::move(opened));
  ++next_index_;
  pass_in_block(d, out);
}

void writer::pass_in_block(const delta& d, std::string& out) {
  if (d.native_event == "content_block_stop") {
    blocks_.clear();
  } else if (!blocks_.empty() && blocks_.front().kind == shape::native) {
    // Known for the case that another provider goes on from here.
    if (!d.text.empty()) blocks_.front().kind = shape::text;
    if (!d.thought.text.empty()) blocks_.front().kind = shape::thinking;
  }
  if (!blocks_.empty() && !d.thought.signature.empty()) blocks_.front().signature = d.thought.signature;
  if (base_ == 0) return pass_event(d.native_event, d.native, out);
  json::document event;
  const auto root = event.parse(d.native);
  if (!root || !(*root)->is_object()) return;
  const auto index = std::to_string(base_ + json::integer_or((*root)->get_object(), "index", 0));
  pass_event(d.native_event, splice(d.native, {{"index", index}}), out);
}

// ---- everything else, written anew
// --------------------------------------------------------------------------------

void writer::add_thought(const reasoning& thought, std::string& out) {
  if (!thought.redacted.empty()) push({.kind = shape::redacted, .data = seal(thought)}, out);
  if (!thought.text.empty()) add_text({.kind = shape::thinking, .from = thought.from}, thought.text, out);
  if (!thought.signature.empty()) sign(thought.from, seal(thought), out);
}

// Signs the thought that came just before, or an empty one where none did.
void writer::sign(dialect from, std::string signature, std::string& out) {
  const bool fits = !blocks_.empty() && blocks_.back().kind == shape::thinking &&
                    blocks_.back().signature.empty() && blocks_.back().attempt == attempts_;
  auto& thought = fits ? blocks_.back() : push({.kind = shape::thinking, .from = from}, out);
  thought.signature = std::move(signature);
}

void writer::add_text(block what, std::string_view text, std::string& out) {
  const bool continues = !blocks_.empty() && blocks_.back().kind == what.kind && blocks_.back().signature.empty();
  if (!continues) push(std::move(what), out);
  extend(blocks_.back(), text, out);
}

void writer::add_call(const delta::call_step& call, std::string& out) {
  auto known =
      std::ranges::find_if(blocks_, [&](const block& b) { return b.kind == shape::call && b.call == call.index; });
  if (known != blocks_.end() && known->attempt != attempts_ && !call.id.empty()) {
    drain(out);  // the next attempt begins this call anew
    known = blocks_.end();
  }
  if (known == blocks_.end()) {
    if (call.name.empty()) return;  // the rest of a call that an end has closed
    if (!call.signature.empty()) sign(dialect::gemini, seal_of_call(call.signature), out);
    auto id = call.id.empty() ? "toolu_" + head_.id + "_" + std::to_string(call.index) : call.id;
    push({.kind = shape::call, .call = call.index, .id = std::move(id), .name = call.name}, out);
    known = std::prev(blocks_.end());
  }
  if (!call.arguments.empty()) extend(*known, call.arguments, out);
}

// The first block is open at all times. Text and thoughts end where something else begins; a call ends with the
// answer, since pieces of it may follow until then.
writer::block& writer::push(block what, std::string& out) {
  start_message(out);
  what.attempt = attempts_;
  blocks_.push_back(std::move(what));
  if (blocks_.size() == 1) open(out);
  while (blocks_.size() > 1 && blocks_.front().kind != shape::call) close(out);
  return blocks_.back();
}

// The type of a delta and the member that holds its text.
std::pair<std::string_view, std::string_view> writer::change_words(shape kind) {
  switch (kind) {
    case shape::thinking:
      return {"thinking_delta", "thinking"};
    case shape::call:
      return {"input_json_delta", "partial_json"};
    default:
      return {"text_delta", "text"};
  }
}

void writer::extend(block& what, std::string_view text, std::string& out) {
  if (&what != &blocks_.front()) {
    what.waiting += text;
    return;
  }
  const auto [type, name] = change_words(what.kind);
  write_change(out, [&](json::writer& change) { change.member("type", type).member(name, text); });
}

template <class Fill>
void writer::write_change(std::string& out, Fill fill) {
  write_event("content_block_delta", out, [&](json::writer& data) {
    data.member_integer("index", next_index_ - 1).key("delta").begin_object();
    fill(data);
    data.end_object();
  });
}

void writer::open(std::string& out) {
  auto& first = blocks_.front();
  write_event("content_block_start", out, [&](json::writer& data) {
    data.member_integer("index", next_index_++).key("content_block").begin_object();
    switch (first.kind) {
      case shape::thinking:
        data.member("type", "thinking").member("thinking", "").member("signature", "");
        break;
      case shape::redacted:
        data.member("type", "redacted_thinking").member("data", first.data);
        break;
      case shape::call:
        data.member("type", "tool_use").member("id", first.id).member("name", first.name);
        data.key("input").begin_object().end_object();
        break;
      default:
        data.member("type", "text").member("text", "");
    }
    data.end_object();
  });
  if (const auto waiting = std::exchange(first.waiting, {}); !waiting.empty()) extend(first, waiting, out);
}

// Closes the first block and opens the one that waits for it.
void writer::close(std::string& out) {
  const auto& first = blocks_.front();
  if (first.kind == shape::thinking) {
    const auto signature = first.signature.empty() ? seal({.from = first.from}) : first.signature;
    write_change(out, [&](json::writer& change) {
      change.member("type", "signature_delta").member("signature", signature);
    });
  }
  write_event("content_block_stop", out,
              [&](json::writer& data) { data.member_integer("index", next_index_ - 1); });
  blocks_.pop_front();
  if (!blocks_.empty()) open(out);
}

void writer::drain(std::string& out) {
  while (!blocks_.empty()) close(out);
}

// ---- the end
// ------------------------------------------------------------------------------------------------------

void writer::end(const usage& delivered, const story& told, std::string& out) {
  start_message(out);
  drain(out);
  // The provider's own words where it alone was asked, with all that it told us and we do not know.
  if (attempts_ <= 1 && !last_change_.empty()) {
    pass_event("message_delta", splice(last_change_, {{"mesh", story_text(told)}}), out);
  } else {
    write_event("message_delta", out, [&](json::writer& data) {
      data.key("delta").begin_object().member("stop_reason", stop_reason(finish_));
      stop_sequence_.empty() ? data.member_null("stop_sequence") : data.member("stop_sequence", stop_sequence_);
      data.end_object();
      write_usage(data, delivered);
      write_story(data, told);
    });
  }
  write_event("message_stop", out, [](json::writer&) {});
}

void writer::fail(const problem& why, const story& told, std::string& out) {
  write_event("error", out, [&](json::writer& data) {
    write_error(data, why, told.request_id);
    write_story(data, told);
  });
}

}  // namespace

std::unique_ptr<stream_writer> make_stream_writer(const request&, answer_head head) {
  return std::make_unique<writer>(std::move(head));
}

}  // namespace meshai::chat::anthropic
