#include "upstream/attempt.hpp"

#include <algorithm>
#include <array>

#include "env/pool.hpp"

namespace meshai::upstream {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_answer = 32 << 20;
constexpr std::size_t longest_error = 64 << 10;
constexpr std::size_t parsed_elsewhere = 256 << 10;  // larger answers would hold up the loop
constexpr std::size_t longest_batch = 256;           // steps of one read
constexpr auto error_body_within = 2s;
constexpr auto usage_within = 250ms;  // after the last finish reason
constexpr auto close_within = 50ms;   // after the provider said that it is done
constexpr auto refused_key_rests = 5min;

bool goes_through(chat::dialect dialect, std::string_view name) {
  const auto is = [&](std::string_view other) { return wire::equals_ignoring_case(name, other); };
  switch (dialect) {
    case chat::dialect::anthropic:
      return is("anthropic-beta") || is("anthropic-version");
    case chat::dialect::openai:
      return is("OpenAI-Organization") || is("OpenAI-Project") || is("OpenAI-Beta");
    case chat::dialect::gemini:
      return false;
  }
  return false;
}

bool holds(std::string_view type, std::string_view what) {
  return !std::ranges::search(type, what, [](char a, char b) { return (a | 0x20) == (b | 0x20); }).empty();
}

// "Your organization must be verified to stream this model" (param `stream`), "streaming is not supported".
bool refuses_streams(const chat::provider_error& said) {
  if (said.status != 400 && said.status != 405 && said.status != 422 && said.status != 501) return false;
  return said.param.starts_with("stream") || holds(said.message, "streaming") || holds(said.message, "to stream");
}

}  // namespace

conversation::conversation(env::world& world, http::client& over, route::health& known, const call& what)
    : world_(world), http_(over), known_(known), what_(what) {
  const bool collects = what.collect && known.streams(what.candidate->model_id).value_or(true);
  mode_ = what.request->stream || collects ? mode::stream : mode::whole;
}

task<progress> conversation::read(std::vector<chat::delta>& into) {
  if (!begun_) {
    begun_ = true;
    if (!co_await begin()) co_return progress::fault;
  }
  if (mode_ == mode::stream) co_return co_await read_steps(into);
  co_return co_await read_whole();
}

// ---- asking

chat::target conversation::target() const {
  return {.dialect = what_.to->dialect,
          .model = what_.candidate->model,
          .stream = mode_ == mode::stream,
          .urls = what_.node->image_urls,
          .max_completion_tokens = what_.node->max_completion_tokens,
          .certainty = what_.certainty};
}

// The operator's headers stand over the caller's, those over the protocol's; each name once.
std::vector<wire::header> conversation::headers(const chat::upstream_call& written) const {
  std::vector<wire::header> out;
  out.reserve(8);
  const auto add = [&](std::string_view name, std::string_view value) {
    const auto same = [&](const wire::header& h) { return wire::equals_ignoring_case(h.name, name); };
    if (std::ranges::none_of(out, same)) out.push_back({name, value});
  };
  for (const auto& [name, value] : what_.to->headers) add(name, value);
  if (key_ != nullptr) add(what_.to->key_header, key_->header.reveal());
  if (what_.headers != nullptr && what_.request->dialect == what_.to->dialect) {
    for (const auto& [name, value] : *what_.headers) {
      if (goes_through(what_.to->dialect, name)) add(name, value);
    }
  }
  for (const auto& [name, value] : written.headers) add(name, value);
  add("Content-Type", "application/json");
  add("Accept", mode_ == mode::whole ? "application/json" : "text/event-stream");
  return out;
}

// A node that makes no streams for this model, or for us, is asked whole from then on.
task<bool> conversation::begin() {
  if (co_await ask()) co_return true;
  if (!streams_not_) co_return false;
  known_.learn_streams(what_.candidate->model_id, false);
  mode_ = mode::whole;
  why_.reset();
  co_return co_await ask();
}

task<bool> conversation::ask() {
  std::optional<chat::request> prepared;
  if (what_.to->prepare) prepared = what_.to->prepare(*what_.request);
  auto written = chat::write_request(prepared ? *prepared : *what_.request, target());
  if (!written) {
    why_ = route::unsupported_fault(std::move(written.error()));
    co_return false;
  }
  dropped_ = std::move(written->dropped);
  key_ = what_.to->choose(known_, world_.clock.now());
  const auto sent = headers(*written);
  const auto path = what_.to->target(written->path);
  const auto connect = what_.limits.connect_timeout_of(what_.to->where);
  // No deadline for the head: how long to wait for it is failover's to decide.
  auto answered = co_await http_.send(what_.to->origin,
                                      {.target = path, .headers = sent, .body = written->body, .where = &asking_},
                                      {.connect_timeout = connect, .headers_by = never});
  if (!answered) {
    auto how = answered.error();
    if (how.kind == error_kind::timeout) {
      how = {error_kind::unreachable, "connect_timeout of " + std::to_string(connect.count()) + " ms passed"};
    }
    why_ = route::transport_fault(node(), how);
    co_return false;
  }
  answer_.emplace(std::move(*answered));
  if (answer_->status() != 200) {
    co_await judge_status();
    co_return false;
  }
  if (mode_ == mode::whole) co_return true;
  const auto type = answer_->header("content-type").value_or("");
  if (what_.collect && holds(type, "json")) {
    mode_ = mode::whole;
    co_return true;
  }
  if (holds(type, "json") || holds(type, "html")) {
    co_await judge_body(type);
    co_return false;
  }
  reader_ = chat::make_stream_reader(*what_.request, target());
  co_return true;
}

task<void> conversation::judge_status() {
  const int status = answer_->status();
  if (status < 400) {
    why_ = status < 300 ? route::malformed_fault(node(), "status " + std::to_string(status))
                        : route::redirect_fault(node(), status);
    answer_.reset();
    co_return;
  }
  std::vector<route::header> about;
  for (const auto& [name, value] : answer_->headers()) about.push_back({name, value});
  auto wait = route::retry_after(about, world_.clock.wall());
  answer_->read_by(world_.clock.now() + error_body_within);
  const auto body = co_await answer_->read_all(longest_error);
  auto said = chat::read_error(what_.to->dialect, status, body ? std::string_view(*body) : std::string_view());
  if (!wait && body) wait = route::retry_after_in_body(*body);
  said.status = status;
  what_.to->scrub(said);
  streams_not_ = what_.collect && mode_ == mode::stream && refuses_streams(said);
  auto made = route::status_fault(node(), said, wait);
  answer_.reset();
  using enum route::fault_kind;
  if (key_ != nullptr && (made.kind == rate_limited || made.kind == quota || made.kind == key_refused)) {
    const auto now = world_.clock.now();
    made.another_key = what_.to->has_another(key_, known_, now);
    if (what_.to->keys.size() > 1) {
      constexpr std::chrono::milliseconds refused_for = refused_key_rests;
      known_.rest(key_->id, made.kind == rate_limited ? made.rest : refused_for, now);
    }
  }
  why_ = std::move(made);
}

task<void> conversation::judge_body(std::string_view said_type) {
  const bool html = holds(said_type, "html");
  answer_->read_by(world_.clock.now() + error_body_within);
  const auto body = co_await answer_->read_all(longest_error);
  answer_.reset();
  if (!html && body) {
    const auto read = chat::read_answer(*what_.request, target(), *body);
    if (!read && !read.error().malformed) {
      judge(read.error());
      co_return;
    }
  }
  why_ = route::malformed_fault(node(), html ? "an HTML page" : "no stream of events");
}

// ---- whole answers

task<progress> conversation::read_whole() {
  const auto type = answer_->header("content-type").value_or("");
  if (holds(type, "html")) co_return fail_with(route::malformed_fault(node(), "an HTML page"));
  const auto body = co_await answer_->read_all(longest_answer);
  if (!body) co_return broken(body.error());
  answer_.reset();
  std::optional<chat::readable<chat::answer>> read;
  const auto from = target();
  auto parse = [&] { read = chat::read_answer(*what_.request, from, *body); };
  if (body->size() > parsed_elsewhere) {
    co_await world_.pool.run(std::ref(parse));
  } else {
    parse();
  }
  if (!*read) co_return judge(read->error());
  whole_ = std::move(**read);
  co_return progress::answer;
}

// ---- streams

task<progress> conversation::read_steps(std::vector<chat::delta>& into) {
  for (;;) {
    auto ready = answer_->read_ready();
    if (!ready) co_return broken(ready.error());
    auto piece = std::string_view();
    if (*ready) {
      piece = **ready;
    } else {
      if (!into.empty()) co_return progress::more;
      const auto got = co_await answer_->read_some();
      if (!got) co_return broken(got.error());
      piece = *got;
    }
    if (piece.empty()) co_return at_end();
    const auto from = into.size();
    if (const auto over = take(piece, into)) co_return *over;
    if (what_.to->where == meshai::tier::local && cut_loop(into, from)) co_return end();
    if (into.size() >= longest_batch) co_return progress::more;
  }
}

std::optional<progress> conversation::take(std::string_view piece, std::vector<chat::delta>& into) {
  parser_.feed(piece);
  for (;;) {
    wire::sse_event event;
    const auto got = parser_.next(event);
    if (!got) {
      if (ending_) return end();
      return fail_with(route::malformed_fault(node(), got.error().detail));
    }
    if (!*got) return std::nullopt;
    if (const auto over = take_event(event, into)) return over;
  }
}

std::optional<progress> conversation::take_event(const wire::sse_event& event, std::vector<chat::delta>& into) {
  const auto from = into.size();
  const auto read = reader_->event(event.name, event.data, into);
  if (!read) {
    if (ending_) return end();
    return judge(read.error());
  }
  const bool said_so = std::any_of(into.begin() + static_cast<std::ptrdiff_t>(from), into.end(),
                                   [](const chat::delta& d) { return d.end; });
  if (reader_->finished()) watch_the_end(said_so);
  return std::nullopt;
}

// Nothing that is still to come is worth waiting for long, and the connection is kept only if it ends by itself.
void conversation::watch_the_end(bool said_so) {
  if (ending_ && !said_so) return;
  ending_ = true;
  answer_->read_by(world_.clock.now() + (said_so ? std::chrono::milliseconds(close_within) : usage_within));
}

progress conversation::at_end() {
  if (ending_) return end();
  if (!parser_.at_boundary())
    return fail_with(route::malformed_fault(node(), "the stream ends inside of an event"));
  return fail_with(route::cut_fault(node()));
}

progress conversation::broken(const error& how) {
  if (ending_) return end();
  if (how.kind == error_kind::malformed) return fail_with(route::cut_fault(node()));
  return fail_with(route::transport_fault(node(), how));
}

progress conversation::end() {
  answer_.reset();
  return progress::ended;
}

progress conversation::fail_with(route::fault why) {
  answer_.reset();
  why_ = std::move(why);
  return progress::fault;
}

progress conversation::judge(const chat::bad_answer& bad) {
  if (bad.malformed) return fail_with(route::malformed_fault(node(), "neither an answer nor an error of its API"));
  auto said = bad.said;
  what_.to->scrub(said);
  return fail_with(route::event_fault(node(), said));
}

// A choice that goes round in circles ends every choice with `length`, as if its room were used up.
bool conversation::cut_loop(std::vector<chat::delta>& into, std::size_t from) {
  bool loop = false;
  for (auto i = from; i < into.size(); ++i) {
    const auto& step = into[i];
    auto found = std::ranges::find(loops_, step.choice, &watched::choice);
    if (found == loops_.end())
      found = loops_.insert(loops_.end(), {.choice = step.choice, .finished = false, .text = {}});
    if (step.finish != chat::finish::none) found->finished = true;
    if (found->finished || step.text.empty()) continue;
    loop = found->text.feed(step.text) || loop;
  }
  if (!loop) return false;
  for (const auto& each : loops_) {
    if (each.finished) continue;
    chat::delta last;
    last.choice = each.choice;
    last.finish = chat::finish::length;
    into.push_back(std::move(last));
  }
  return true;
}

}  // namespace meshai::upstream
