// Gemini's answers: s a stream with one response a line, a a whole answer, e an error, as the first byte says.
// What they become for a caller of either dialect is valid JSON.
#include <boost/json.hpp>
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "chat/dialect.hpp"
#include "chat/gemini.hpp"

namespace {

using namespace meshai::chat;

const target gemini_3{.dialect = dialect::gemini, .model = "gemini-3-pro"};

boost::json::value parse(std::string_view text) {
  boost::system::error_code fault;
  boost::json::parse_options deep;
  deep.max_depth = 200;
  auto out = boost::json::parse(text, fault, {}, deep);
  CHECK(!fault);
  return out;
}

void stream(std::string_view events, const request& of) {
  const auto reader = gemini::make_stream_reader(of, gemini_3);
  const auto writer = make_stream_writer(of, {.id = "msg"});
  std::string out;
  writer->model("one");
  while (!events.empty()) {
    const auto data = events.substr(0, events.find('\n'));
    events.remove_prefix(std::min(data.size() + 1, events.size()));
    std::vector<delta> steps;
    if (!reader->event({}, data, steps)) break;
    for (const auto& step : steps) {
      writer->step(step, out);
      if (!step.raw_logprobs.empty()) parse(step.raw_logprobs);
      for (const auto& call : step.calls) CHECK(parse(call.arguments).is_object());
    }
  }
  writer->end({}, {}, out);
  for (std::size_t at = 0; (at = out.find("data: ", at)) != std::string::npos;) {
    at += 6;
    const auto data = std::string_view(out).substr(at, out.find('\n', at) - at);
    at += data.size();
    if (data != "[DONE]") parse(data);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const request anthropic{.dialect = dialect::anthropic, .endpoint = endpoint::messages};
  const request openai{.dialect = dialect::openai, .include_usage = true};
  for (const auto* of : {&anthropic, &openai}) {
    switch (bytes[0]) {
      case 's':
        stream(text, *of);
        break;
      case 'a':
        if (const auto got = gemini::read_answer(*of, gemini_3, text)) {
          parse(write_answer(*of, *got, {.id = "msg"}, {}));
        }
        break;
      case 'e':
        CHECK(gemini::read_error(500, text).message.size() <= 2048);
        break;
      default:
        break;
    }
  }
  return 0;
}
