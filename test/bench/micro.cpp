// The parts of the hot path by themselves: what one request and one chunk cost without a socket.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "care/care.hpp"
#include "chat/chat.hpp"
#include "route/route.hpp"
#include "wire/wire.hpp"

namespace meshai {
namespace {

const std::string body =
    R"({"model":"whole","messages":[{"role":"system","content":"You are a helpful assistant. Keep it short."},)"
    R"({"role":"user","content":"Tell me about the river Danube, number 00000042."}],"temperature":0.7,)"
    R"("max_tokens":256,"stream":true})";

const std::string head =
    "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:9437\r\nAccept: */*\r\nUser-Agent: bench\r\n"
    "Content-Type: application/json\r\nAuthorization: Bearer k-bench\r\nContent-Length: " +
    std::to_string(body.size()) + "\r\n\r\n";

std::string chunk(std::string_view delta, std::string_view finish) {
  std::string out =
      R"({"id":"chatcmpl-BenchBenchBenchBenchBench","object":"chat.completion.chunk","created":1760000000,)"
      R"("model":"whole","service_tier":"default","system_fingerprint":"fp_bench","choices":[{"index":0,"delta":)";
  out += delta;
  out += R"(,"logprobs":null,"finish_reason":)";
  out += finish;
  return out + "}]}";
}

const std::string answer =
    R"({"id":"chatcmpl-Bench","object":"chat.completion","created":1760000000,"model":"whole","choices":[{"index":0,)"
    R"("message":{"role":"assistant","content":"The Danube rises in the Black Forest and flows through ten countries )"
    R"(before it reaches the Black Sea.","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{)"
    R"("prompt_tokens":31,"completion_tokens":48,"total_tokens":79}})";

const chat::target provider{.dialect = chat::dialect::openai, .model = "whole", .stream = true};

void http_head(benchmark::State& state) {
  wire::request_parser parser;
  for (auto _ : state) {
    parser.reset();
    benchmark::DoNotOptimize(parser.feed(head));
  }
}
BENCHMARK(http_head);

void http_chunk(benchmark::State& state) {
  constexpr int chunks = 1000;
  const std::string event = "data: " + chunk(R"({"content":" word"})", "null") + "\n\n";
  std::string stream = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < chunks; ++i) {
    wire::append_chunk_size(stream, event.size());
    stream += event;
    stream += wire::chunk_end;
  }
  wire::response_parser parser;
  for (auto _ : state) {
    parser.reset();
    std::string_view left = stream;
    for (auto got = parser.feed(left); got->what != wire::progress::need_more; got = parser.feed(left))
      left.remove_prefix(got->consumed);
  }
  state.SetItemsProcessed(state.iterations() * chunks);
}
BENCHMARK(http_chunk);

void sse_event(benchmark::State& state) {
  const std::string event = "data: " + chunk(R"({"content":" word"})", "null") + "\n\n";
  wire::sse_parser parser;
  wire::sse_event out;
  for (auto _ : state) {
    parser.feed(event);
    while (*parser.next(out)) benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(sse_event);

void request_parse(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(chat::parse_request(chat::endpoint::chat_completions, body));
}
BENCHMARK(request_parse);

void request_write(benchmark::State& state) {
  const auto request = chat::parse_request(chat::endpoint::chat_completions, body);
  for (auto _ : state) benchmark::DoNotOptimize(chat::write_request(*request, provider));
}
BENCHMARK(request_write);

void answer_read(benchmark::State& state) {
  const auto request = chat::parse_request(chat::endpoint::chat_completions, body);
  for (auto _ : state) benchmark::DoNotOptimize(chat::read_answer(*request, provider, answer));
}
BENCHMARK(answer_read);

void answer_write(benchmark::State& state) {
  const auto request = chat::parse_request(chat::endpoint::chat_completions, body);
  const auto whole = chat::read_answer(*request, provider, answer);
  const chat::answer_head identity{.id = "chatcmpl-1", .created = 1, .model = "whole"};
  const chat::story told{
      .request_id = "req_1", .node = "openai", .model = "whole", .where = tier::cloud, .dropped = {}};
  for (auto _ : state) benchmark::DoNotOptimize(chat::write_answer(*request, *whole, identity, told));
}
BENCHMARK(answer_write);

void chunk_read(benchmark::State& state) {
  const auto request = chat::parse_request(chat::endpoint::chat_completions, body);
  const auto reader = chat::make_stream_reader(*request, provider);
  const auto event = chunk(R"({"content":" word"})", "null");
  std::vector<chat::delta> steps;
  for (auto _ : state) {
    steps.clear();
    benchmark::DoNotOptimize(reader->event({}, event, steps));
  }
}
BENCHMARK(chunk_read);

void chunk_write(benchmark::State& state) {
  const auto request = chat::parse_request(chat::endpoint::chat_completions, body);
  const auto reader = chat::make_stream_reader(*request, provider);
  const auto writer = chat::make_stream_writer(*request, {.id = "chatcmpl-1", .created = 1, .model = "whole"});
  std::vector<chat::delta> steps;
  if (!reader->event({}, chunk(R"({"content":" word"})", "null"), steps)) return state.SkipWithError("no chunk");
  writer->model("whole");
  std::string out;
  for (auto _ : state) {
    out.clear();
    writer->step(steps.front(), out);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(chunk_write);

// How hard a prompt of 1 KB looks.
void judge_1k(benchmark::State& state) {
  chat::request asked;
  auto& text = asked.messages.emplace_back().parts.emplace_back().text;
  while (text.size() < 1024) text += "A baker sells 48 loaves at 3 euros each, and writes down what is left over. ";
  text.resize(1024);
  asked.text_size = text.size();
  for (auto _ : state) benchmark::DoNotOptimize(route::judge(asked));
}
BENCHMARK(judge_1k);

// What a text of 1 KB holds, as people write and as it is worst: digits in groups only.
void care_1k(benchmark::State& state) {
  const std::string_view part = state.range(0) == 0
                                    ? "A baker sells 48 loaves at 3 euros each; write to ann@example.com about it. "
                                    : "12 34 56 78 90 ";
  std::string text;
  while (text.size() < 1024) text += part;
  text.resize(1024);
  for (auto _ : state) benchmark::DoNotOptimize(care::look(text));
}
BENCHMARK(care_1k)->Arg(0)->Arg(1);

}  // namespace
}  // namespace meshai
