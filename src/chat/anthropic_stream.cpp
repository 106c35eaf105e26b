// The provider's side of a stream: Anthropic's events in, deltas out.
#include <map>

#include "chat/anthropic.hpp"
#include "chat/anthropic_words.hpp"
#include "chat/json.hpp"

namespace meshai::chat::anthropic {
namespace {

// More blocks than an answer of any model has; beyond it the stream is garbage.
constexpr std::int64_t most_blocks = 4096;

std::unexpected<bad_answer> malformed() {
  return std::unexpected(bad_answer{.malformed = true});
}

class reader : public stream_reader {
 public:
  explicit reader(bool keep_native) : keep_native_(keep_native) {}

  readable<void> event(std::string_view name, std::string_view data, std::vector<delta>& out) override;
  bool finished() const override { return finished_; }

 private:
  struct open_block {
    int call = -1;           // which call, for a tool_use block
    bool arguments = false;  // some were streamed
    std::string raw_input;   // what content_block_start held, used where nothing is streamed
  };

  readable<void> start_message(const json::object& event, delta& step);
  readable<void> start_block(const json::object& event, delta& step);
  readable<void> extend_block(const json::object& event, delta& step);
  readable<void> stop_block(const json::object& event, delta& step);
  readable<void> change_message(const json::object& event, delta& step);
  std::optional<std::int64_t> block_index(const json::object& event) const;

  bool keep_native_;
  bool started_ = false, finished_ = false;
  int calls_ = 0;
  std::map<std::int64_t, open_block> open_;
  usage usage_;
};

readable<void> reader::event(std::string_view name, std::string_view data, std::vector<delta>& out) {
  json::document text;
  const auto root = text.parse(data);
  if (!root || !(*root)->is_object()) return malformed();
  const auto& event = (*root)->get_object();
  // Servers that imitate the protocol leave out the event's name or the type within; one of them is enough.
  auto type = json::string_or_empty(event, "type");
  if (type.empty()) type = name;
  if (type.empty()) return malformed();
  if (type == "ping") return {};
  if (type == "error") return std::unexpected(bad_answer{.said = read_error(0, data)});

  delta step;
  auto read = [&]() -> readable<void> {
    if (type == "message_start") return start_message(event, step);
    if (type == "content_block_start") return start_block(event, step);
    if (type == "content_block_delta") return extend_block(event, step);
    if (type == "content_block_stop") return stop_block(event, step);
    if (type == "message_delta") return change_message(event, step);
    if (type == "message_stop") step.end = true;
    return {};
  }();
  if (!read) return read;
  if (keep_native_) {
    step.native = data;
    step.native_event = type;
  }
  out.push_back(std::move(step));
  return {};
}

readable<void> reader::start_message(const json::object& event, delta& step) {
  const auto* message = json::object_or_null(event, "message");
  if (message == nullptr || started_) return malformed();
  started_ = true;
  if (const auto* counts = json::object_or_null(*message, "usage")) {
    read_usage(*counts, usage_);
    step.usage = usage_;
  }
  return {};
}

std::optional<std::int64_t> reader::block_index(const json::object& event) const {
  const auto index = json::integer_or(event, "index", -1);
  if (!started_ || index < 0 || index >= most_blocks) return std::nullopt;
  return index;
}

readable<void> reader::start_block(const json::object& event, delta& step) {
  const auto index = block_index(event);
  const auto* block = json::object_or_null(event, "content_block");
  if (!index || block == nullptr || open_.contains(*index)) return malformed();
  const auto type = json::string_or_empty(*block, "type");
  auto& opened = open_[*index];
  if (type == "text") {
    step.text = json::string_or_empty(*block, "text");
  } else if (type == "thinking") {
    step.thought.text = json::string_or_empty(*block, "thinking");
    step.thought.signature = json::string_or_empty(*block, "signature");
    step.thought.from = dialect::anthropic;
  } else if (type == "redacted_thinking") {
    step.thought.redacted = json::string_or_empty(*block, "data");
    step.thought.from = dialect::anthropic;
  } else if (type == "tool_use") {
    if (json::string_or_empty(*block, "name").empty()) return malformed();
    opened.call = calls_++;
    if (const auto* input = json::object_or_null(*block, "input"); input && !input->empty()) {
      opened.raw_input = json::to_text(*input);
    }
    step.calls.push_back({.index = opened.call,
                          .id = std::string(json::string_or_empty(*block, "id")),
                          .name = std::string(json::string_or_empty(*block, "name"))});
  }
  return {};
}

readable<void> reader::extend_block(const json::object& event, delta& step) {
  const auto index = block_index(event);
  const auto* change = json::object_or_null(event, "delta");
  if (!index || change == nullptr) return malformed();
  const auto opened = open_.find(*index);
  if (opened == open_.end()) return malformed();
  const auto type = json::string_or_empty(*change, "type");
  if (type == "text_delta") {
    step.text = json::string_or_empty(*change, "text");
  } else if (type == "thinking_delta") {
    step.thought.text = json::string_or_empty(*change, "thinking");
    step.thought.from = dialect::anthropic;
  } else if (type == "signature_delta") {
    step.thought.signature = json::string_or_empty(*change, "signature");
    step.thought.from = dialect::anthropic;
  } else if (type == "input_json_delta" && opened->second.call >= 0) {
    const auto piece = json::string_or_empty(*change, "partial_json");
    if (piece.empty()) return {};
    opened->second.arguments = true;
    step.calls.push_back({.index = opened->second.call, .arguments = std::string(piece)});
  }
  return {};
}

readable<void> reader::stop_block(const json::object& event, delta& step) {
  const auto index = block_index(event);
  if (!index) return malformed();
  const auto opened = open_.find(*index);
  if (opened == open_.end()) return malformed();
  // A call without arguments streams none; elsewhere they are JSON text, and no text is no JSON.
  if (const auto& block = opened->second; block.call >= 0 && !block.arguments) {
    step.calls.push_back({.index = block.call, .arguments = block.raw_input.empty() ? "{}" : block.raw_input});
  }
  open_.erase(opened);
  return {};
}

readable<void> reader::change_message(const json::object& event, delta& step) {
  const auto* change = json::object_or_null(event, "delta");
  if (change == nullptr || !started_) return malformed();
  if (const auto* counts = json::object_or_null(event, "usage")) {
    read_usage(*counts, usage_);
    step.usage = usage_;
  }
  if (const auto reason = json::string_or_empty(*change, "stop_reason"); !reason.empty()) {
    step.finish = parse_stop_reason(reason);
    step.stop_sequence = json::string_or_empty(*change, "stop_sequence");
    finished_ = true;
  }
  return {};
}

}  // namespace

std::unique_ptr<stream_reader> make_stream_reader(const request& of, const target&) {
  return std::make_unique<reader>(of.dialect == dialect::anthropic);
}

}  // namespace meshai::chat::anthropic
