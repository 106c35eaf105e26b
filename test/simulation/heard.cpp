#include "heard.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>

namespace meshai::simulation {
namespace {

namespace json = boost::json;

std::string_view head_of(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  return end == bytes.npos ? std::string_view() : bytes.substr(0, end + 4);
}

void read_head(std::string_view head, heard& out) {
  std::from_chars(head.data() + 9, head.data() + 12, out.status);
  for (auto at = head.find("\r\n") + 2; at + 2 < head.size();) {
    const auto end = head.find("\r\n", at);
    const auto line = head.substr(at, end - at);
    const auto colon = line.find(": ");
    std::string name(line.substr(0, colon));
    for (auto& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!out.headers.emplace(name, colon == line.npos ? "" : line.substr(colon + 2)).second) {
      out.wrong.emplace_back("the header " + name + " stands twice");
    }
    at = end + 2;
  }
}

// The body of an answer, and whether it has come whole.
struct body {
  std::string bytes;
  bool whole = false;
};

body read_body(std::string_view rest, heard& out) {
  body made;
  if (!out.headers.contains("transfer-encoding")) {
    std::size_t length = 0;
    const auto& text = out.headers["content-length"];
    std::from_chars(text.data(), text.data() + text.size(), length);
    if (rest.size() > length) out.wrong.emplace_back("bytes after the end of the answer");
    made.bytes = rest.substr(0, length);
    made.whole = rest.size() >= length;
    return made;
  }
  while (!rest.empty()) {
    std::size_t size = 0;
    const auto line = rest.find("\r\n");
    if (line == rest.npos) return made;
    const auto digits = rest.substr(0, line);
    const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (bad != std::errc() || end != digits.data() + digits.size()) {
      out.wrong.emplace_back("a chunk without a size");
      return made;
    }
    rest.remove_prefix(line + 2);
    made.bytes += rest.substr(0, size);
    if (rest.size() < size + 2) return made;
    rest.remove_prefix(size + 2);
    if (size == 0) {
      made.whole = true;
      if (!rest.empty()) out.wrong.emplace_back("bytes after the last chunk");
      return made;
    }
  }
  return made;
}

std::string text_at(const json::object& in, std::string_view name) {
  const auto* found = in.if_contains(name);
  return found && found->is_string() ? std::string(found->get_string()) : std::string();
}
const json::object* object_at(const json::object& in, std::string_view name) {
  const auto* found = in.if_contains(name);
  return found ? found->if_object() : nullptr;
}

// Reads one answer of one dialect, whole or event by event, as a strict client would.
class reader {
 public:
  explicit reader(heard& out) : out_(out) {}
  virtual ~reader() = default;
  virtual void whole(const json::object& answer) = 0;
  virtual void event(std::string_view name, std::string_view data) = 0;
  virtual bool done() const = 0;

  void take_error(const json::object& in) {
    const auto* error = object_at(in, "error");
    if (!error) return wrong("an error without an error object");
    out_.error_type = text_at(*error, "type");
    out_.error_code = text_at(*error, "code");
    out_.hint = text_at(*error, "hint");
    out_.message = text_at(*error, "message");
    if (out_.message.empty()) wrong("an error without a message");
  }
  bool failed() const { return failed_; }

 protected:
  void wrong(std::string what) { out_.wrong.push_back(std::move(what)); }
  void take_story(const json::object& in) {
    const auto* story = object_at(in, "mesh");
    if (!story || !story->contains("node")) return;
    if (!out_.node.empty()) wrong("the story is told twice");
    out_.node = text_at(*story, "node");
    out_.attempts = static_cast<int>(story->at("attempts").as_int64());
    const auto* failed = story->if_contains("failed");
    if (!failed) return;
    for (const auto& each : failed->as_array()) {
      const auto& one = each.as_object();
      out_.failed.push_back({text_at(one, "node"), text_at(one, "fault"), one.at("streamed").as_bool()});
    }
  }
  // The one way in for text, so that nothing follows the end.
  void say(std::string& where, const std::string& text) {
    if (!text.empty() && !out_.finish.empty()) wrong("text after the finish reason");
    const bool thinks = &where == &out_.reasoning && !text.empty();
    if (thinks && !(out_.text.empty() && out_.calls.empty())) wrong("a thought after the answer has begun");
    where += text;
  }
  void call(std::size_t index, const std::string& name, const std::string& arguments) {
    if (!out_.finish.empty()) wrong("a call after the finish reason");
    if (index > out_.calls.size()) return wrong("a call out of turn");
    if (index == out_.calls.size()) out_.calls.emplace_back();
    out_.calls[index].first += name;
    out_.calls[index].second += arguments;
  }
  void finish(const std::string& reason) {
    if (reason.empty()) return;
    if (!out_.finish.empty()) wrong("a second finish reason");
    out_.finish = reason;
  }

  heard& out_;
  bool failed_ = false;
};

class openai_reader final : public reader {
 public:
  using reader::reader;

  void whole(const json::object& answer) override {
    take_story(answer);
    const auto& choices = answer.at("choices").as_array();
    if (choices.size() != 1) return wrong(fmt::format("{} choices", choices.size()));
    const auto& choice = choices.front().as_object();
    const auto& message = choice.at("message").as_object();
    if (text_at(message, "role") != "assistant") wrong("no role");
    say(out_.reasoning, text_at(message, "reasoning_content"));
    say(out_.text, text_at(message, "content"));
    take_calls(message);
    finish(text_at(choice, "finish_reason"));
    done_ = true;
  }

  void event(std::string_view, std::string_view data) override {
    if (done_ || failed_) return wrong("an event after the end");
    if (data == "[DONE]") {
      done_ = true;
      return;
    }
    const auto parsed = json::parse(data).as_object();
    take_story(parsed);
    if (parsed.contains("error")) {
      take_error(parsed);
      failed_ = true;
      return;
    }
    const auto id = text_at(parsed, "id");
    if (!id_.empty() && id != id_) wrong("a second id");
    id_ = id;
    for (const auto& each : parsed.at("choices").as_array()) {
      const auto& choice = each.as_object();
      const auto& delta = choice.at("delta").as_object();
      if (delta.contains("role") && roles_++ > 0) wrong("a second role");
      const auto text = text_at(delta, "content");
      if (!text.empty() && roles_ == 0) wrong("text before the role");
      say(out_.reasoning, text_at(delta, "reasoning_content"));
      say(out_.text, text);
      take_calls(delta);
      finish(text_at(choice, "finish_reason"));
    }
  }

  bool done() const override { return done_; }

 private:
  void take_calls(const json::object& in) {
    const auto* calls = in.if_contains("tool_calls");
    if (!calls) return;
    std::size_t place = 0;
    for (const auto& each : calls->as_array()) {
      const auto* index = each.as_object().if_contains("index");
      const auto* function = object_at(each.as_object(), "function");
      const auto at = index ? static_cast<std::size_t>(index->as_int64()) : place++;
      if (function) call(at, text_at(*function, "name"), text_at(*function, "arguments"));
    }
  }

  std::string id_;
  int roles_ = 0;
  bool done_ = false;
};

class anthropic_reader final : public reader {
 public:
  using reader::reader;

  void whole(const json::object& answer) override {
    take_story(answer);
    if (text_at(answer, "role") != "assistant") wrong("no role");
    for (const auto& each : answer.at("content").as_array()) {
      const auto& block = each.as_object();
      say(out_.reasoning, text_at(block, "thinking"));
      say(out_.text, text_at(block, "text"));
      if (text_at(block, "type") == "tool_use") {
        call(out_.calls.size(), text_at(block, "name"), json::serialize(block.at("input")));
      }
    }
    finish(text_at(answer, "stop_reason"));
    done_ = true;
  }

  void event(std::string_view name, std::string_view data) override {
    if (done_ || failed_) return wrong("an event after the end");
    const auto parsed = json::parse(data).as_object();
    const auto type = text_at(parsed, "type");
    if (type != name) wrong("an event under another name: " + type);
    take_story(parsed);
    if (type == "error") {
      take_error(parsed);
      failed_ = true;
    } else if (type == "message_start") {
      if (std::exchange(started_, true)) wrong("a second message_start");
    } else if (type == "ping") {
      return;
    } else if (!started_) {
      wrong(type + " before message_start");
    } else {
      step(type, parsed);
    }
  }

  bool done() const override { return done_; }

 private:
  void step(const std::string& type, const json::object& parsed) {
    if (type == "content_block_start") {
      if (open_) wrong("a block inside of a block");
      open_ = true;
      if (parsed.at("index").as_int64() != blocks_++) wrong("a block out of turn");
      const auto& block = parsed.at("content_block").as_object();
      if (text_at(block, "type") == "tool_use") call(out_.calls.size(), text_at(block, "name"), "");
    } else if (type == "content_block_stop") {
      if (!std::exchange(open_, false)) wrong("the end of no block");
    } else if (type == "content_block_delta") {
      if (!open_ || parsed.at("index").as_int64() != blocks_ - 1) wrong("a delta of no open block");
      const auto& delta = parsed.at("delta").as_object();
      say(out_.reasoning, text_at(delta, "thinking"));
      say(out_.text, text_at(delta, "text"));
      if (delta.contains("partial_json")) {
        if (out_.calls.empty()) return wrong("arguments of no call");
        call(out_.calls.size() - 1, "", text_at(delta, "partial_json"));
      }
    } else if (type == "message_delta") {
      if (open_) wrong("an end inside of a block");
      finish(text_at(parsed.at("delta").as_object(), "stop_reason"));
    } else if (type == "message_stop") {
      done_ = true;
    } else {
      wrong("an event that nobody knows: " + type);
    }
  }

  int blocks_ = 0;
  bool started_ = false, open_ = false, done_ = false;
};

void read_events(std::string_view bytes, reader& into, heard& out) {
  while (!bytes.empty()) {
    const auto end = bytes.find("\n\n");
    if (end == bytes.npos) {
      out.wrong.emplace_back("an event that is cut in two");
      return;
    }
    std::string_view name, data;
    for (auto event = bytes.substr(0, end + 1); !event.empty();) {
      const auto line = event.substr(0, event.find('\n'));
      if (line.starts_with("event: ")) name = line.substr(7);
      if (line.starts_with("data: ")) data = line.substr(6);
      event.remove_prefix(line.size() + 1);
    }
    if (!data.empty()) into.event(name, data);
    bytes.remove_prefix(end + 2);
  }
}

void conclude(const body& made, bool stream, reader& by, heard& out) {
  const bool events = out.headers["content-type"].starts_with("text/event-stream");
  if (events != (stream && out.status == 200)) out.wrong.emplace_back("a content type of another kind of answer");
  if (!made.whole) {
    // What came of a stream that broke off must still be right as far as it goes.
    const auto last = made.bytes.rfind("\n\n");
    if (events && last != std::string::npos) read_events(made.bytes.substr(0, last + 2), by, out);
    out.how = ending::broken;
    return;
  }
  if (events) {
    read_events(made.bytes, by, out);
  } else if (out.status == 200) {
    by.whole(json::parse(made.bytes).as_object());
  } else {
    by.take_error(json::parse(made.bytes).as_object());
  }
  out.in_stream = events;
  out.how = out.status != 200 || by.failed() ? ending::refused : ending::whole;
  if (out.how == ending::whole && !by.done()) out.wrong.emplace_back("a stream without its end");
  if (out.how == ending::whole && out.finish.empty()) out.wrong.emplace_back("an answer without a finish reason");
}

}  // namespace

bool is_complete(std::string_view bytes) {
  const auto head = head_of(bytes);
  if (head.empty()) return false;
  if (head.contains("Transfer-Encoding")) return bytes.ends_with("\r\n0\r\n\r\n");
  const auto at = head.find("Content-Length: ");
  if (at == head.npos) return true;
  std::size_t length = 0;
  std::from_chars(head.data() + at + 16, head.data() + head.size(), length);
  return bytes.size() >= head.size() + length;
}

void read_answer(std::string_view bytes, bool anthropic, bool stream, heard& out) {
  const auto head = head_of(bytes);
  if (head.empty()) {
    out.how = ending::broken;
    return;
  }
  try {
    read_head(head, out);
    const auto made = read_body(bytes.substr(head.size()), out);
    if (anthropic) {
      anthropic_reader by(out);
      conclude(made, stream, by, out);
    } else {
      openai_reader by(out);
      conclude(made, stream, by, out);
    }
  } catch (const std::exception& why) {
    out.how = out.how == ending::pending ? ending::broken : out.how;
    out.wrong.push_back(fmt::format("what came cannot be read: {}", why.what()));
  }
}

}  // namespace meshai::simulation
