// The provider's side of a stream: chunks in, deltas out. Tolerant of what servers that speak the dialect leave
// out; strict about what is no chunk at all.
#include <algorithm>
#include <array>
#include <format>

#include "chat/openai.hpp"
#include "chat/openai_chunk.hpp"
#include "chat/openai_words.hpp"
#include "chat/splice.hpp"

namespace meshai::chat::openai {
namespace {

constexpr std::size_t most_event = 8 * 1024 * 1024;  // bytes; audio and images come in one event
constexpr std::int64_t most_choices = 128, most_calls = 256;

std::unexpected<bad_answer> malformed() {
  return std::unexpected(bad_answer{.malformed = true});
}
std::unexpected<bad_answer> said(provider_error why) {
  return std::unexpected(bad_answer{.said = std::move(why)});
}

// Server-sent events end their data at a line feed; in JSON it is only ever white space.
std::string one_line(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(out, [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return out;
}

bool says_nothing(const json::value& v) {
  return v.is_null() || (v.is_string() && v.get_string().empty()) || (v.is_array() && v.get_array().empty()) ||
         (v.is_object() && v.get_object().empty());
}

// Something in a choice beyond its words, for a caller who may know it (audio, annotations).
bool says_more(const json::object& choice) {
  const auto* change = json::object_or_null(choice, "delta");
  return change && std::ranges::any_of(*change, [](const auto& member) {
           return member.key() != "role" && member.key() != "content" && !says_nothing(member.value());
         });
}

// A chunk without choices may still carry what its caller knows (Azure's prompt_filter_results).
bool has_unknown(const json::object& chunk) {
  constexpr std::array<std::string_view, 8> known{
      "id", "object", "created", "model", "usage", "choices", "system_fingerprint", "service_tier"};
  return std::ranges::any_of(chunk, [&](const auto& member) {
    return !std::ranges::contains(known, std::string_view(member.key())) && !says_nothing(member.value());
  });
}

std::string without_choices(std::string_view text) {
  return splice(one_line(text), {{"choices", "[]"}});
}

// The provider's own chunk with this one choice, and without the role: a stream has one role chunk, which the
// writer writes, and some servers name the role in every chunk. `hide`: nor the log-probabilities that we asked for.
std::string native_of(const json::object& choice, std::string_view text, std::size_t nth, bool alone, bool hide) {
  const auto* change = json::object_or_null(choice, "delta");
  const bool role = change && change->contains("role");
  hide = hide && choice.contains("logprobs");
  std::string out = one_line(text);
  if (alone && !role && !hide) return out;
  json::walk each(json::raw_member_of(out, "choices"));
  for (std::size_t i = 0; i <= nth; ++i) each.next();
  std::string one(each.raw());
  if (role) one = splice(one, {{"delta", splice(json::raw_member_of(one, "delta"), {{"role", ""}})}});
  if (hide) one = splice(one, {{"logprobs", "null"}});
  return splice(out, {{"choices", "[" + one + "]"}});
}

// Several prompts at once: how many choices they make, only the provider knows.
bool is_batch(const request& of) {
  return of.endpoint == endpoint::completions && of.messages.front().parts.front().kind != part_kind::text;
}

class reader : public stream_reader {
 public:
  reader(const request& of, const target& from)
      : native_(of.dialect == dialect::openai),
        hides_(from.certainty && !of.logprobs.value_or(false)),
        completions_(of.endpoint == endpoint::completions),
        wanted_(is_batch(of) ? most_choices + 1 : of.n.value_or(1)),
        turn_(of.messages.size()) {}

  readable<void> event(std::string_view name, std::string_view data, std::vector<delta>& out) override;
  bool finished() const override;

 private:
  struct open_call {
    std::int64_t provider_index;
    std::string id;
  };
  struct open_choice {
    bool begun = false, finished = false;
    std::vector<open_call> calls;
    open_detail detail;
  };

  readable<void> chunk(const json::object& in, std::string_view text, std::vector<delta>& out);
  readable<void> choice(const json::object& in, delta& step);
  readable<void> read_delta(const json::object& in, open_choice& to, delta& step);
  readable<void> call(const json::object& in, int choice, open_choice& to, delta& step);
  std::size_t find_call(const json::object& in, std::string_view id, bool named, open_choice& to) const;

  bool native_;
  bool hides_;  // log-probabilities: they are ours
  bool completions_;
  std::int64_t wanted_;
  std::size_t turn_;
  bool done_ = false;
  bool mended_ =
      false;  // the step at hand differs from what the provider wrote, so that its own words cannot pass
  std::vector<open_choice> choices_;
};

readable<void> reader::event(std::string_view name, std::string_view data, std::vector<delta>& out) {
  if (done_ || data.empty()) return {};
  if (data == "[DONE]" || data == " [DONE]") {
    done_ = true;
    out.push_back({.end = true});
    return {};
  }
  if (data.size() > most_event) return malformed();
  json::document document;
  const auto root = document.parse(data);
  const auto* whole = root ? (*root)->if_object() : nullptr;
  if (whole == nullptr) return malformed();
  if (auto error = find_error(*whole, 0)) return said(*std::move(error));
  if (name == "error") {  // the event's own data is the error
    const auto message = json::string_or_empty(*whole, "message");
    return said({.type = "api_error", .message = json::clean_utf8(message, 2048)});
  }
  return chunk(*whole, data, out);
}

readable<void> reader::chunk(const json::object& in, std::string_view text, std::vector<delta>& out) {
  const auto* choices = json::array_or_null(in, "choices");
  const auto* counts = json::object_or_null(in, "usage");
  if (const auto* groq = json::object_or_null(in, "x_groq"); groq && !counts)
    counts = json::object_or_null(*groq, "usage");
  if (choices == nullptr && counts == nullptr) return malformed();

  const auto first = out.size();
  for (std::size_t i = 0; choices != nullptr && i < choices->size(); ++i) {
    const auto* one = (*choices)[i].if_object();
    if (one == nullptr) return malformed();
    delta step;
    if (auto read = choice(*one, step); !read) return read;
    if (is_silent(step) && (mended_ || !native_ || !says_more(*one))) continue;
    if (native_ && !mended_) step.native = native_of(*one, text, i, choices->size() == 1, hides_);
    out.push_back(std::move(step));
  }
  if (counts != nullptr) {
    if (out.size() == first) out.push_back({.native = native_ ? without_choices(text) : std::string()});
    out.back().usage = read_usage(*counts);
  } else if (native_ && choices->empty() && has_unknown(in)) {
    out.push_back({.native = one_line(text)});
  }
  return {};
}

readable<void> reader::choice(const json::object& in, delta& step) {
  const auto index = json::integer_or(in, "index", 0);
  if (index < 0 || index >= most_choices) return malformed();
  step.choice = static_cast<int>(index);
  const auto* number = json::find(in, "index");
  mended_ = number == nullptr || !number->is_int64();
  if (choices_.size() <= static_cast<std::size_t>(index)) choices_.resize(static_cast<std::size_t>(index) + 1);
  auto& to = choices_[static_cast<std::size_t>(index)];
  to.begun = true;

  if (completions_) {
    step.text = json::string_or_empty(in, "text");
  } else {
    const auto* change = json::object_or_null(in, "delta");
    if (change == nullptr) change = json::object_or_null(in, "message");  // a whole answer as one event
    if (change != nullptr) {
      if (auto read = read_delta(*change, to, step); !read) return read;
    }
  }
  if (const auto* told = json::object_or_null(in, "logprobs")) {
    step.certainty = read_certainty(*told);
    if (!hides_) step.raw_logprobs = json::to_text(*json::find(in, "logprobs"));
  }
  const auto reason = json::string_or_empty(in, "finish_reason");
  if (auto failure = find_failure(reason)) return said(*std::move(failure));
  const auto why = parse_finish(reason);
  if (why == finish::none) return {};
  if (to.finished) {  // again: the first one counts
    mended_ = true;
    return {};
  }
  to.finished = true;
  const bool calls = why == finish::stop && !to.calls.empty();  // some servers end every answer with "stop"
  mended_ |= calls || finish_word(why, reason == "function_call") != reason;
  step.finish = calls ? finish::tool_calls : why;
  step.stop_sequence = read_stop(in);
  if (step.finish == finish::stop && !step.stop_sequence.empty()) step.finish = finish::stop_sequence;
  return {};
}

readable<void> reader::read_delta(const json::object& in, open_choice& to, delta& step) {
  read_text(in, step.text, step.thought.text);
  step.refusal = json::string_or_empty(in, "refusal");
  if (step.thought.text.empty()) step.thought.text = read_thought(in);
  if (const auto* details = json::array_or_null(in, "reasoning_details")) {
    for (auto& detail : read_details(*details, to.detail)) {
      step.thought.from = detail.from;
      step.thought.signature += detail.signature;
      step.thought.redacted += detail.redacted;
      if (!in.contains("reasoning_content") && !in.contains("reasoning")) step.thought.text += detail.text;
    }
  }
  if (const auto* calls = json::array_or_null(in, "tool_calls")) {
    for (const auto& element : *calls) {
      const auto* one = element.if_object();
      if (one == nullptr) return malformed();
      if (auto read = call(*one, step.choice, to, step); !read) return read;
    }
  }
  if (const auto* legacy = json::object_or_null(in, "function_call")) {
    const bool before = mended_;
    if (auto read = call({{"index", 0}, {"function", *legacy}}, step.choice, to, step); !read) return read;
    mended_ = before;  // callers of the same dialect asked for it in this form
  }
  return {};
}

// Which of the open calls a piece belongs to; the number of open calls where it begins one.
std::size_t reader::find_call(const json::object& in, std::string_view id, bool named, open_choice& to) const {
  const auto index = json::integer_or(in, "index", -1);
  const auto by_id = std::ranges::find(to.calls, id, &open_call::id);
  if (!id.empty() && by_id != to.calls.end()) return static_cast<std::size_t>(by_id - to.calls.begin());
  // Servers that count every parallel call as number 0 tell them apart by id, and only the begin of a call has a
  // name.
  if (!id.empty() && named) return to.calls.size();
  if (index < 0) return to.calls.empty() || named ? to.calls.size() : to.calls.size() - 1;
  const auto latest = std::ranges::find(to.calls.rbegin(), to.calls.rend(), index, &open_call::provider_index);
  return latest == to.calls.rend() ? to.calls.size() : static_cast<std::size_t>(to.calls.rend() - latest) - 1;
}

readable<void> reader::call(const json::object& in, int choice, open_choice& to, delta& step) {
  const auto* function = json::object_or_null(in, "function");
  const auto id = json::string_or_empty(in, "id");
  const auto name = function ? json::string_or_empty(*function, "name") : std::string_view();
  const auto at = find_call(in, id, !name.empty(), to);
  delta::call_step piece{.index = static_cast<int>(at)};
  const auto index = json::integer_or(in, "index", -1);
  mended_ |= index != piece.index;
  if (at == to.calls.size()) {
    // A call without a name is of a kind that only the same dialect knows (custom tools).
    if (at == most_calls || (name.empty() && !native_)) return malformed();
    to.calls.push_back({index, std::string(id)});
    // A call without an id cannot be answered. The turn makes this one the only one of the conversation.
    mended_ |= id.empty();
    piece.id = id.empty() ? std::format("call_{}_{}_{}", turn_, choice, at) : std::string(id);
    piece.name = name;
  }
  if (function != nullptr) piece.arguments = read_arguments(*function);
  piece.signature = read_call_signature(in);
  step.calls.push_back(std::move(piece));
  return {};
}

bool reader::finished() const {
  if (choices_.empty()) return false;
  if (!std::ranges::all_of(choices_, [](const open_choice& c) { return c.finished || !c.begun; })) return false;
  // A server may make fewer choices than were asked for; [DONE] says that it means it.
  return done_ || std::ranges::count(choices_, true, &open_choice::finished) >= wanted_;
}

}  // namespace

std::unique_ptr<stream_reader> make_stream_reader(const request& of, const target& from) {
  return std::make_unique<reader>(of, from);
}

}  // namespace meshai::chat::openai
