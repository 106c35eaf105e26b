#include "fake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "env/clock.hpp"
#include "fake_show.hpp"
#include "wire/wire.hpp"

namespace meshai::fake {
namespace {

namespace json = boost::json;

constexpr std::size_t max_kept = 1000;

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

// Reads one request; nothing at the connection's end.
class reader {
 public:
  explicit reader(env::stream& from) : from_(from) {}

  task<std::optional<seen>> next() {
    seen out;
    parser_.reset();
    for (;;) {
      for (bool more = true; more;) {
        const auto fed =
            parser_.feed(std::string_view(buffer_.data() + begin_, static_cast<std::size_t>(end_ - begin_)));
        if (!fed) co_return std::nullopt;
        begin_ += static_cast<std::ptrdiff_t>(fed->consumed);
        if (fed->what == wire::progress::head) take_head(out);
        if (fed->what == wire::progress::body) out.body.append(fed->body);
        if (fed->what == wire::progress::end) co_return out;
        more = fed->what != wire::progress::need_more;
      }
      std::copy(buffer_.begin() + begin_, buffer_.begin() + end_, buffer_.begin());
      end_ -= std::exchange(begin_, 0);
      if (std::cmp_equal(end_, buffer_.size())) co_return std::nullopt;
      const auto got = co_await from_.read_some(std::span(buffer_).subspan(static_cast<std::size_t>(end_)));
      if (!got || *got == 0) co_return std::nullopt;
      end_ += static_cast<std::ptrdiff_t>(*got);
    }
  }

 private:
  void take_head(seen& out) {
    out.method = parser_.head().method;
    out.target = parser_.head().target;
    for (const auto& [name, value] : parser_.head().headers) out.headers.emplace_back(lower(name), value);
  }

  env::stream& from_;
  wire::request_parser parser_;
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
  std::ptrdiff_t begin_ = 0, end_ = 0;
};

std::string chunk(std::string_view bytes) {
  return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

std::string head_of(const show& of, const script& how) {
  auto out =
      fmt::format("HTTP/1.1 {} X\r\nContent-Type: {}\r\nx-request-id: req_fake\r\n", of.status, of.content_type);
  for (const auto& [name, value] : of.headers) out += fmt::format("{}: {}\r\n", name, value);
  const bool lies = how.fault == fault::short_body;
  if (of.stream && !lies) return out + "Transfer-Encoding: chunked\r\n\r\n";
  std::size_t size = lies ? 100 : 0;
  for (const auto& one : of.pieces) size += one.bytes.size();
  return out + fmt::format("Content-Length: {}\r\n\r\n", size);
}

// The index of the piece where a fault at token `at` strikes.
std::size_t strike(const show& of, int at) {
  int token = -1;
  for (std::size_t i = 0; i < of.pieces.size(); ++i) {
    if (at == in_call ? of.pieces[i].in_call : of.pieces[i].token && ++token == at) return i;
  }
  return of.pieces.size();
}

void replace(std::string& in, std::string_view what, std::string_view by) {
  if (const auto at = in.find(what); at != in.npos) in.replace(at, what.size(), by);
}

seen without_stream(seen asked) {
  replace(asked.body, "\"stream\":true", "\"stream\":false");
  replace(asked.target, "streamGenerateContent?alt=sse", "generateContent");
  return asked;
}

// Changes the pieces as the fault says; what only a connection can do wrong is done while sending.
void spoil(show& of, const script& how) {
  const bool of_streams =
      how.fault == fault::no_done || how.fault == fault::no_finish || how.fault == fault::double_finish;
  if (of_streams && !of.stream) return;  // a whole answer has no end of its own
  switch (how.fault) {
    case fault::html:
      of = {};
      of.content_type = "text/html";
      of.pieces.push_back({"<html><body><h1>502 Bad Gateway</h1></body></html>", false, false, true});
      return;
    case fault::error_body:  // as all three protocols read it
      of = {};
      of.pieces.push_back(
          {R"({"type":"error","error":{"type":"overloaded_error","status":"UNAVAILABLE","message":"Overloaded"}})",
           false, false, true});
      return;
    case fault::no_done:
      std::erase_if(of.pieces, [](const piece& p) { return p.done; });
      return;
    case fault::no_finish:
      std::erase_if(of.pieces, [](const piece& p) { return p.finish || p.done; });
      return;
    case fault::double_finish:
      for (std::size_t i = 0; i < of.pieces.size(); ++i) {
        if (of.pieces[i].finish) {
          of.pieces.insert(of.pieces.begin() + static_cast<std::ptrdiff_t>(i), of.pieces[i]);
          return;
        }
      }
      return;
    case fault::garbage:
    case fault::error_event: {
      const auto at = strike(of, how.at);
      if (at >= of.pieces.size()) return;
      of.pieces[at].bytes = how.fault == fault::garbage ? "data: {\"choices\":[{]\n\n" : of.error_piece;
      of.pieces.erase(of.pieces.begin() + static_cast<std::ptrdiff_t>(at) + 1, of.pieces.end());
      return;
    }
    default:
      return;
  }
}

}  // namespace

task<void> provider::serve(env::listener& at) {
  for (;;) {
    auto stream = co_await at.accept();
    if (!stream) co_return;
    connections_.spawn(attend(*std::move(stream)));
  }
}

task<void> provider::attend(std::unique_ptr<env::stream> stream) {
  if (how_.deaf) co_await world_.clock.sleep_until(never);
  reader requests(*stream);
  for (;;) {
    auto asked = co_await requests.next();
    if (!asked) co_return;
    if (how_.keep_requests && !asked->target.starts_with("/fake/")) {
      requests_.push_back(*asked);
      if (requests_.size() > max_kept) requests_.pop_front();
    }
    const bool control = asked->target.starts_with("/fake/");
    if (!(control ? co_await answer_control(*stream, *asked) : co_await answer(*stream, *asked))) {
      stream->close();
      co_return;
    }
  }
}

namespace {

bool knows_key(const options& how, const seen& asked) {
  if (how.key.empty()) return true;
  switch (how.speaks) {
    case protocol::openai:
      return asked.header("authorization") == "Bearer " + how.key;
    case protocol::anthropic:
      return asked.header("x-api-key") == how.key && !asked.header("anthropic-version").empty();
    case protocol::gemini:
      return asked.header("x-goog-api-key") == how.key;
  }
  return false;
}

show key_refused(const options& how) {
  switch (how.speaks) {
    case protocol::openai:
      return openai_error(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.");
    case protocol::anthropic:
      return anthropic_error(401, "authentication_error", "invalid x-api-key");
    case protocol::gemini:
      break;
  }
  return gemini_error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.");
}

show list_models(const options& how) {
  json::array data;
  for (const auto& name : how.models) {
    if (how.speaks == protocol::gemini) {
      data.push_back({{"name", "models/" + name}, {"supportedGenerationMethods", {"generateContent"}}});
    } else {
      data.push_back({{"id", name}, {"object", "model"}, {"type", "model"}, {"created", 1}, {"owned_by", "fake"}});
    }
  }
  json::object body{{how.speaks == protocol::gemini ? "models" : "data", std::move(data)}};
  if (how.speaks == protocol::openai) body["object"] = "list";
  if (how.speaks == protocol::anthropic) body["has_more"] = false;
  show out;
  out.pieces.push_back({json::serialize(body), true, true, true});
  return out;
}

// Ollama's own list, the one place where it says what runs on another host.
show list_tags(const options& how) {
  json::array all;
  for (const auto& name : how.models) {
    json::object one{{"name", name}, {"model", name}, {"size", 1}};
    if (std::ranges::contains(how.remote, name)) one["remote_host"] = "https://ollama.com:443";
    all.push_back(std::move(one));
  }
  show out;
  out.pieces.push_back({json::serialize(json::object{{"models", std::move(all)}}), true, true, true});
  return out;
}

// The script that the prompt itself carries, or an empty one.
std::optional<script> scripted(std::string_view body) {
  const auto begin = body.rfind("fake:{");
  if (begin == std::string_view::npos) return std::nullopt;
  // It stands inside a JSON string: its quotes are escaped, and it ends with that string.
  std::string text;
  for (std::size_t i = begin + 5; i < body.size() && body[i] != '"'; ++i) {
    if (body[i] == '\\' && i + 1 < body.size()) ++i;
    text += body[i];
  }
  return parse_script(text);
}

show perform(const options& how, const seen& asked, const script& plays) {
  const auto path = std::string_view(asked.target).substr(0, asked.target.find('?'));
  if (!knows_key(how, asked)) return key_refused(how);
  if (asked.method == "GET" && path.ends_with("/models")) return list_models(how);
  if (asked.method == "GET" && path == "/api/tags" && !how.remote.empty()) return list_tags(how);
  boost::system::error_code wrong;
  const auto parsed = json::parse(asked.body, wrong);
  if (wrong || !parsed.is_object())
    return openai_error(400, "invalid_request_error", "", "We could not parse the JSON body.");
  switch (how.speaks) {
    case protocol::openai:
      return perform_openai(path, parsed.get_object(), plays, how);
    case protocol::anthropic:
      return perform_anthropic(path, parsed.get_object(), plays, how);
    case protocol::gemini:
      break;
  }
  return perform_gemini(path, parsed.get_object(), plays, how);
}

}  // namespace

task<bool> provider::send(env::stream& to, std::string_view bytes, const script& how) {
  const auto size = how.drip.count() > 0 ? std::max<std::size_t>(how.drip_bytes, 1) : bytes.size();
  while (!bytes.empty()) {
    const std::string_view pieces[] = {bytes.substr(0, size)};
    if (!co_await to.write_all(pieces)) {
      ++broken_off_;
      co_return false;
    }
    bytes.remove_prefix(pieces[0].size());
    if (how.drip.count() > 0) co_await world_.clock.sleep_until(world_.clock.now() + how.drip);
  }
  co_return true;
}

// Says nothing more until the asker goes away.
task<bool> provider::hold(env::stream& to) {
  char byte[1];
  (void)co_await to.read_some(byte);
  ++broken_off_;
  co_return false;
}

// False: the connection is to be closed.
task<bool> provider::answer(env::stream& to, const seen& asked) {
  script plays;
  if (!rules_.empty() && asked.method == "POST") {
    plays = rules_.front();
    if (--rules_.front().times == 0) rules_.pop_front();
  } else if (auto own = scripted(asked.body)) {
    plays = *std::move(own);
  }
  if (plays.fault == fault::reset && plays.at == -1) co_return false;
  if (plays.fault == fault::stall && plays.at == -1) {
    co_return co_await hold(to);
  }
  auto shown = perform(how_, how_.streams ? asked : without_stream(asked), plays);
  shown.headers.insert(shown.headers.end(), plays.headers.begin(), plays.headers.end());
  spoil(shown, plays);
  if (plays.first_token.count() > 0) co_await world_.clock.sleep_until(world_.clock.now() + plays.first_token);
  if (shown.stream) {
    co_return co_await stream(to, shown, plays);
  }
  const bool cut = plays.fault == fault::truncate || plays.fault == fault::end;
  const std::string_view body = shown.pieces.front().bytes;
  const auto bytes = head_of(shown, plays).append(body.substr(0, cut ? body.size() / 2 : body.size()));
  co_return co_await send(to, bytes, plays) && !cut && plays.fault != fault::short_body;
}

task<bool> provider::stream(env::stream& to, const show& shown, const script& plays) {
  const auto at = plays.at == -1 ? shown.pieces.size() : strike(shown, plays.at);
  const bool plain = plays.fault == fault::short_body;
  if (!co_await send(to, head_of(shown, plays), plays)) co_return false;
  for (std::size_t i = 0; i < shown.pieces.size(); ++i) {
    if (i == at && plays.fault == fault::reset) co_return false;
    if (i == at && plays.fault == fault::stall) {
      co_return co_await hold(to);
    }
    if (i == at && plays.fault == fault::end) break;
    const std::string_view bytes = shown.pieces[i].bytes;
    if (i == at && plays.fault == fault::truncate) {
      (void)co_await send(to, chunk(bytes.substr(0, bytes.size() / 2)), plays);
      co_return false;
    }
    if (i == at && plays.pause.count() > 0) co_await world_.clock.sleep_until(world_.clock.now() + plays.pause);
    if (plays.gap.count() > 0 && shown.pieces[i].token)
      co_await world_.clock.sleep_until(world_.clock.now() + plays.gap);
    if (!co_await send(to, plain ? std::string(bytes) : chunk(bytes), plays)) co_return false;
    if (plays.fault == fault::endless && i == at) --i;
  }
  if (plays.fault == fault::no_done) {
    co_return co_await hold(to);
  }
  if (plain) co_return false;
  co_return co_await send(to, "0\r\n\r\n", plays);
}

// POST /fake/rules: a list of scripts; GET /fake/requests: what was asked; both for tests in other languages.
task<bool> provider::answer_control(env::stream& to, const seen& asked) {
  json::array out;
  if (asked.target == "/fake/rules") {
    rules_.clear();
    const auto rules = json::parse(asked.body);
    for (const auto& one : rules.as_array()) rules_.push_back(parse_script(json::serialize(one)));
  } else if (asked.target == "/fake/clear") {
    rules_.clear();
    requests_.clear();
    broken_off_ = 0;
  } else if (asked.target == "/fake/broken_off") {
    out.push_back(broken_off_);
  } else {
    for (const auto& one : requests_) {
      json::object headers;
      for (const auto& [name, value] : one.headers) headers[name] = value;
      out.push_back(
          {{"method", one.method}, {"target", one.target}, {"headers", std::move(headers)}, {"body", one.body}});
    }
  }
  show shown;
  shown.pieces.push_back({json::serialize(out), true, true, true});
  co_return co_await send(to, head_of(shown, {}) + shown.pieces.front().bytes, {});
}

}  // namespace meshai::fake
