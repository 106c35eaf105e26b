// OpenAI's dialect: what a caller asks and what a provider answers. The first byte says which: q a chat request, c
// one for completions, v one for embeddings, s a stream with one event a line, t a stream of completions, a a
// whole answer, e an error. Whatever comes in, only valid JSON goes out; what a caller may ask can be written for
// every provider of its dialect; a stream that is written has one role and one finish reason for each choice.
#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <string>

#include "base/check.hpp"
#include "chat/chat.hpp"

namespace {

using namespace meshai::chat;

const target own{.dialect = dialect::openai, .model = "gpt", .stream = true, .max_completion_tokens = true};
const target other{.dialect = dialect::openai, .model = "llama \"3\""};

boost::json::value parse(std::string_view text) {
  boost::system::error_code fault;
  boost::json::parse_options deep;
  deep.max_depth = 200;
  auto out = boost::json::parse(text, fault, {}, deep);
  CHECK(!fault);
  return out;
}

void ask(endpoint door, std::string_view body) {
  const auto of = parse_request(door, body);
  if (!of) {
    CHECK(!of.error().message.empty() && !of.error().hint.empty());
    parse(write_problem(door, of.error(), "req"));
    return;
  }
  CHECK(!parse(of->body).as_object().contains("mesh"));
  for (const auto* to : {&own, &other}) {
    const auto call = write_request(*of, *to);
    CHECK(call);
    CHECK(parse(call->body).at("model").as_string() == to->model);
  }
  for (const auto foreign : {dialect::anthropic, dialect::gemini}) {
    if (const auto call = write_request(*of, {.dialect = foreign, .model = "m"})) parse(call->body);
  }
  if (!can_continue(*of)) return;
  for (const auto& more : {continue_by_prefill(*of, "so \"far\"", 7), continue_by_asking(*of, "so \"far\"", 7)}) {
    for (const auto to : {dialect::openai, dialect::anthropic, dialect::gemini}) {
      if (const auto call = write_request(more, {.dialect = to, .model = "m"})) parse(call->body);
    }
  }
}

void check_stream(std::string_view stream) {
  struct seen {
    bool role = false, finish = false;
  };
  std::map<std::int64_t, seen> choices;
  bool done = false;
  while (!stream.empty()) {
    constexpr std::string_view begin = "data: ";
    const auto end = stream.find("\n\n");
    CHECK(!done && stream.starts_with(begin) && end != std::string_view::npos);
    const auto data = stream.substr(begin.size(), end - begin.size());
    stream.remove_prefix(end + 2);
    CHECK(data.find('\n') == std::string_view::npos && data.find('\r') == std::string_view::npos);
    done = data == "[DONE]";
    if (done) break;
    const auto chunk = parse(data);
    for (const auto& choice : chunk.at("choices").as_array()) {
      const auto* index = choice.as_object().if_contains("index");
      auto& known = choices[index && index->is_int64() ? index->get_int64() : 0];
      if (const auto* change = choice.as_object().if_contains("delta"); change && change->is_object()) {
        if (change->as_object().contains("role")) CHECK(!std::exchange(known.role, true));
      }
      const auto* reason = choice.as_object().if_contains("finish_reason");
      if (reason && reason->is_string() && !reason->get_string().empty())
        CHECK(!std::exchange(known.finish, true));
    }
  }
  CHECK(done && stream.empty());
}

void stream(std::string_view events, const request& of) {
  const auto reader = make_stream_reader(of, other);
  const auto writer = make_stream_writer(of, {.id = "id"});
  std::string out;
  writer->model("one");
  while (!events.empty()) {
    const auto data = events.substr(0, events.find('\n'));
    events.remove_prefix(std::min(data.size() + 1, events.size()));
    std::vector<delta> steps;
    if (!reader->event({}, data, steps)) break;
    for (const auto& step : steps) writer->step(step, out);
  }
  reader->finished();
  writer->end({}, {}, out);
  if (of.dialect == dialect::openai) check_stream(out);
}

void answers(std::string_view body, const request& of) {
  if (const auto got = read_answer(of, other, body)) parse(write_answer(of, *got, {.id = "id"}, {}));
}

request from(dialect caller, endpoint door) {
  request of{.dialect = caller, .endpoint = door, .include_usage = true};
  message one;
  one.parts.emplace_back();
  of.messages.push_back(one);
  return of;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auto chat = from(dialect::openai, endpoint::chat_completions);
  const auto completion = from(dialect::openai, endpoint::completions);
  const auto anthropic = from(dialect::anthropic, endpoint::messages);
  switch (bytes[0]) {
    case 'q':
      ask(endpoint::chat_completions, text);
      break;
    case 'c':
      ask(endpoint::completions, text);
      break;
    case 'v':
      ask(endpoint::embeddings, text);
      break;
    case 's':
      stream(text, chat);
      stream(text, anthropic);
      break;
    case 't':
      stream(text, completion);
      break;
    case 'a':
      for (const auto* of : {&chat, &completion, &anthropic}) answers(text, *of);
      answers(text, from(dialect::openai, endpoint::embeddings));
      break;
    case 'e':
      CHECK(read_error(dialect::openai, 500, text).message.size() <= 2048);
      break;
    default:
      break;
  }
  return 0;
}
