// Anthropic's dialect: what a caller asks and what a provider answers. The first byte says which: q a request, s a
// stream with one event a line, a whole answer, e an error. Whatever comes in, only valid JSON goes out, and a
// stream that is written keeps its order of events.
#include <boost/json.hpp>
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "chat/anthropic.hpp"
#include "chat/chat.hpp"
#include "chat/gemini.hpp"

namespace {

using namespace meshai::chat;

const target claude{.dialect = dialect::anthropic, .model = "claude-sonnet-4-5"};
const target gemini_3{.dialect = dialect::gemini, .model = "gemini-3-pro"};

boost::json::value parse(std::string_view text) {
  boost::system::error_code fault;
  boost::json::parse_options deep;
  deep.max_depth = 200;
  auto out = boost::json::parse(text, fault, {}, deep);
  CHECK(!fault);
  return out;
}

// Events come one after the other; blocks open and close in turn, with indexes that count up.
void check_stream(std::string_view stream) {
  bool started = false, open = false;
  std::int64_t next = 0;
  while (!stream.empty()) {
    constexpr std::string_view begin = "event: ", middle = "\ndata: ";
    CHECK(stream.starts_with(begin));
    const auto name_end = stream.find(middle), end = stream.find("\n\n");
    CHECK(name_end < end && end != std::string_view::npos);
    const auto name = stream.substr(begin.size(), name_end - begin.size());
    const auto data = stream.substr(name_end + middle.size(), end - name_end - middle.size());
    CHECK(data.find('\n') == std::string_view::npos);
    const auto event = parse(data);
    if (name == "message_start") {
      CHECK(!std::exchange(started, true));
    } else if (name == "content_block_start") {
      CHECK(started && !std::exchange(open, true));
      CHECK(event.at("index") == next++);
    } else if (name == "content_block_delta") {
      CHECK(open && event.at("index") == next - 1);
    } else if (name == "content_block_stop") {
      CHECK(std::exchange(open, false) && event.at("index") == next - 1);
    } else if (name == "message_delta") {
      CHECK(started && !open);
    }
    stream.remove_prefix(end + 2);
  }
}

void ask(std::string_view body) {
  const auto of = anthropic::parse_request(endpoint::messages, body);
  if (!of) {
    parse(anthropic::write_problem(of.error(), "req"));
    return;
  }
  parse(of->body);
  if (const auto call = anthropic::write_request(*of, claude)) parse(call->body);
  if (const auto call = gemini::write_request(*of, gemini_3)) parse(call->body);
  // The same as another dialect would bring it.
  auto other = *of;
  other.dialect = dialect::openai;
  other.mesh.drop = true;
  if (const auto call = anthropic::write_request(other, claude)) parse(call->body);
  for (const auto& more : {continue_by_prefill(*of, "so \"far\"", 7), continue_by_asking(*of, "so \"far\"", 7)}) {
    for (const auto to : {dialect::openai, dialect::anthropic, dialect::gemini}) {
      if (const auto call = write_request(more, {.dialect = to, .model = "m"})) parse(call->body);
    }
  }
}

void stream(std::string_view events, dialect caller) {
  const request of{.dialect = caller};
  const auto reader = anthropic::make_stream_reader(of, claude);
  const auto writer = anthropic::make_stream_writer(of, {.id = "msg"});
  std::string out;
  writer->model("one");
  while (!events.empty()) {
    const auto data = events.substr(0, events.find('\n'));
    events.remove_prefix(std::min(data.size() + 1, events.size()));
    std::vector<delta> steps;
    if (!reader->event({}, data, steps)) break;
    for (const auto& step : steps) writer->step(step, out);
  }
  // Native events go out in the provider's own order, which is not ours to check.
  writer->end({}, {}, out);
  if (caller == dialect::openai) check_stream(out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  switch (bytes[0]) {
    case 'q':
      ask(text);
      break;
    case 's':
      stream(text, dialect::openai);
      stream(text, dialect::anthropic);
      break;
    case 'a':
      for (const auto caller : {dialect::openai, dialect::anthropic}) {
        const request of{.dialect = caller};
        if (const auto got = anthropic::read_answer(of, claude, text)) {
          parse(anthropic::write_answer(of, *got, {.id = "msg"}, {}));
        }
      }
      break;
    case 'e':
      CHECK(anthropic::read_error(500, text).message.size() <= 2048);
      break;
    default:
      break;
  }
  return 0;
}
