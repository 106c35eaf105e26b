// One question to a model: read it, hand it to dispatch, write what comes back in the caller's dialect.
#include <fmt/format.h>

#include <utility>

#include "env/clock.hpp"
#include "env/pool.hpp"
#include "front/options.hpp"
#include "front/visit.hpp"
#include "wire/wire.hpp"

namespace meshai::front {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

// Parsing a body of this size takes about as long as a small request in all: the loop does not wait for it.
constexpr std::size_t parse_elsewhere = 256 * 1024;

// What x-mesh-route says: who answers, or who was asked last.
std::string route_text(const dispatch::head& facts) {
  if (facts.node.empty()) return std::string(no_route);
  auto text =
      fmt::format("{}/{}; tier={}; attempts={}", facts.node, facts.model, to_string(facts.where), facts.attempts);
  if (facts.judged) fmt::format_to(std::back_inserter(text), "; complexity={}", to_string(*facts.judged));
  for (std::size_t i = 0; i < facts.held.size(); ++i) {
    text += i == 0 ? "; care=" : "+";
    text += to_string(facts.held[i]);
  }
  return text;
}

chat::problem body_problem(const error& why, std::size_t limit) {
  switch (why.kind) {
    case error_kind::refused:
      return {.status = 413,
              .type = "invalid_request_error",
              .code = "request_too_large",
              .message = fmt::format("The body is larger than {} bytes.", limit),
              .hint = "Send less, or raise max_body in [limits]."};
    case error_kind::exhausted:
      return {.status = 503,
              .type = "overloaded_error",
              .code = "bodies_in_flight",
              .message = "Too many large requests are being read at this moment.",
              .hint = "Try again in a second."};
    default:
      return {.status = 400,
              .type = "invalid_request_error",
              .code = "invalid_body",
              .message = fmt::format("The body could not be read: {}.", why.detail),
              .hint = "Send it with a Content-Length, and quicker where it came too slowly."};
  }
}

task<chat::parsed<std::shared_ptr<chat::request>>> read_request(visit& v, chat::endpoint door) {
  const auto body = co_await v.in.body(v.now->max_body);
  if (!body) co_return std::unexpected(body_problem(body.error(), v.now->max_body));
  chat::parsed<chat::request> parsed;
  if (body->size() > parse_elsewhere) {
    // Names the frame's own variables only, and the frame waits for it.
    co_await v.world.pool.run([&parsed, door, text = *body] { parsed = chat::parse_request(door, text); });
  } else {
    parsed = chat::parse_request(door, *body);
  }
  if (!parsed) co_return std::unexpected(std::move(parsed.error()));
  parsed->mesh = stricter(parsed->mesh, v.asked);
  co_return std::make_shared<chat::request>(*std::move(parsed));
}

dispatch::query make_query(visit& v, std::shared_ptr<const chat::request> asked) {
  dispatch::query what;
  what.request = std::move(asked);
  what.setup = v.now->setup;
  what.request_id = v.request_id;
  what.owner = v.owner;
  if (v.who) {
    what.who = v.who->name;
    what.key = v.who->reach;
    what.allowed = v.who->models;
    what.budget = v.who->limits.budget();
    what.only_priced = v.who->limits.only_priced();
  }
  for (const auto& [name, value] : v.in.head().headers) {
    for (const std::string_view passes :
         {"anthropic-beta", "anthropic-version", "openai-organization", "openai-project"}) {
      if (wire::equals_ignoring_case(name, passes)) what.headers.emplace_back(passes, value);
    }
  }
  return what;
}

chat::answer_head make_head(visit& v, chat::endpoint door, std::string_view model) {
  const auto prefix = door == chat::endpoint::messages      ? "msg_"
                      : door == chat::endpoint::completions ? "cmpl-"
                                                            : "chatcmpl-";
  const auto now = duration_cast<seconds>(v.world.clock.wall().time_since_epoch()).count();
  return {.id = make_id(v.world, prefix), .created = now, .model = std::string(model)};
}

std::string answer_body(visit& v, const chat::request& asked, dispatch::exchange& exchange) {
  if (asked.endpoint == chat::endpoint::count_tokens)
    return chat::write_token_count(exchange.answer().usage.input);
  const auto head = make_head(v, asked.endpoint, exchange.facts().model);
  return chat::write_answer(asked, exchange.answer(), head, exchange.story());
}

task<void> answer_whole(visit& v, const chat::request& asked, dispatch::exchange& exchange) {
  std::vector<chat::delta> unused;
  const auto came = co_await exchange.next(unused);
  v.route = route_text(exchange.facts());
  v.tell_rate();
  if (came != dispatch::progress::answer) {
    co_return co_await v.refuse(exchange.why().why, exchange.why().retry_after);
  }
  const auto body = answer_body(v, asked, exchange);
  co_await v.send_json(body);
}

// A stream to the caller: its head leaves with the first token, or after headers_after of silence.
class stream_out {
 public:
  stream_out(visit& v, const chat::request& asked, dispatch::exchange& from) : v_(v), asked_(asked), from_(from) {}

  task<void> run() {
    for (bool more = true; more;) {
      const auto by = v_.world.clock.now() + v_.now->setup->limits.headers_after;
      const auto came = co_await from_.next(steps_, by);
      bytes_.clear();
      if (came == dispatch::progress::failed && !v_.out.started()) {
        v_.route = route_text(from_.facts());
        v_.tell_rate();
        co_return co_await v_.refuse(from_.why().why, from_.why().retry_after);
      }
      if (!v_.out.started() && !begin()) co_return;
      more = write(came);
      result<void> sent;
      if (more) {
        sent = co_await v_.out.write(bytes_);
      } else {
        sent = co_await v_.out.finish(bytes_);
      }
      if (!sent) co_return;
    }
  }

 private:
  bool begin() {
    v_.route = route_text(from_.facts());
    v_.tell_rate();
    const auto with = v_.headers("text/event-stream; charset=utf-8");
    return v_.out.start(200, with).has_value();
  }

  // Appends what came to bytes_; false when that was the end.
  bool write(dispatch::progress came) {
    if (came == dispatch::progress::quiet) {
      wire::append_sse_comment(bytes_, "waiting");
      return true;
    }
    if (!writer_) {
      writer_ = chat::make_stream_writer(asked_, make_head(v_, asked_.endpoint, from_.facts().model));
    }
    if (const auto& facts = from_.facts(); facts.answers != answers_) {
      answers_ = facts.answers;
      writer_->model(facts.model);
    }
    for (const auto& step : steps_) writer_->step(step, bytes_);
    if (came == dispatch::progress::deltas) return true;
    if (came == dispatch::progress::failed) {
      writer_->fail(from_.why().why, from_.story(), bytes_);
    } else {
      writer_->end(from_.usage(), from_.story(), bytes_);
    }
    return false;
  }

  visit& v_;
  const chat::request& asked_;
  dispatch::exchange& from_;
  std::unique_ptr<chat::stream_writer> writer_;
  int answers_ = 0;  // of facts(), that the writer knows of
  std::vector<chat::delta> steps_;
  std::string bytes_;
};

}  // namespace

task<void> ask_page(visit& v, chat::endpoint door) {
  if (v.who) {
    const ledger::moment at{.now = v.world.clock.now(), .wall = v.world.clock.wall()};
    if (const auto wrong = v.now->accounts->admit(v.who->name, at)) {
      v.tell_rate();
      const auto told = dispatch::describe(*wrong);
      co_return co_await v.refuse(told.why, told.retry_after);
    }
  }
  auto read = co_await read_request(v, door);
  if (!read) co_return co_await v.refuse(read.error());
  const std::shared_ptr<const chat::request> asked = std::move(*read);
  auto what = make_query(v, asked);
  if (v.asks.wants_count(what)) co_await v.asks.count(what);
  const auto exchange = v.asks.complete(std::move(what));
  if (!asked->stream) co_return co_await answer_whole(v, *asked, *exchange);
  stream_out out(v, *asked, *exchange);
  co_await out.run();
}

task<void> route_page(visit& v) {
  auto read = co_await read_request(v, chat::endpoint::chat_completions);
  if (!read) co_return co_await v.refuse(read.error());
  auto what = make_query(v, std::move(*read));
  if (v.asks.wants_count(what)) co_await v.asks.count(what);
  const auto text = v.asks.explain(what);
  co_await v.send_json(text);
}

}  // namespace meshai::front
