#include "app/owner.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json.hpp>

#include "app/commands.hpp"
#include "app/instance.hpp"
#include "app/terminal.hpp"
#include "env/clock.hpp"
#include "os/os.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr std::size_t max_reply = 16 << 20;
// Longer than any limit of the node's own: it is the one to give up.
constexpr auto patience_for_answer = 2h;

http::origin node_at(const paths& where) {
  http::origin out;
  out.socket_path = owner_socket(where).string();
  out.make_key();
  return out;
}

// The member at this path, or null.
const json::value* at(const json::value& in, std::initializer_list<std::string_view> path) {
  const auto* here = &in;
  for (const auto name : path) {
    const auto* object = here->if_object();
    here = object ? object->if_contains(name) : nullptr;
    if (!here) return nullptr;
  }
  return here;
}

std::string text_at(const json::value& in, std::initializer_list<std::string_view> path) {
  const auto* found = at(in, path);
  return found && found->is_string() ? std::string(found->get_string()) : "";
}

std::int64_t number_at(const json::value& in, std::initializer_list<std::string_view> path) {
  const auto* found = at(in, path);
  return found && found->is_int64() ? found->get_int64() : 0;
}

void take_problem(const json::value& from, spoken& into) {
  into.problem = text_at(from, {"error", "message"});
  into.hint = text_at(from, {"error", "hint"});
  if (into.problem.empty()) into.problem = "the node's answer could not be read";
}

json::array list_at(const json::value& in, std::string_view name) {
  const auto* found = at(in, {name});
  return found && found->is_array() ? found->get_array() : json::array();
}

bool is_true(const json::value& in, std::string_view name) {
  const auto* found = at(in, {name});
  return found && found->is_bool() && found->get_bool();
}

void take_story(const json::value& told, spoken& into) {
  into.node = text_at(told, {"node"});
  into.model = text_at(told, {"model"});
  into.tier = text_at(told, {"tier"});
  into.attempts = static_cast<int>(number_at(told, {"attempts"}));
  if (const auto* route = at(told, {"route"})) into.route = *route;
  for (const auto& one : list_at(told, "failed")) {
    into.failed.push_back(
        {text_at(one, {"node"}), text_at(one, {"model"}), text_at(one, {"fault"}), is_true(one, "streamed")});
  }
  for (const auto& one : list_at(told, "doubted")) {
    const auto* value = at(one, {"confidence"});
    into.doubted.push_back({text_at(one, {"node"}), text_at(one, {"model"}),
                            value && value->is_number() ? value->to_number<double>() : 1, is_true(one, "unknowing")});
  }
}

struct piece {
  std::string text, thought;
};

// One chunk of a chat completion.
piece take_chunk(const json::value& chunk, spoken& into) {
  piece out;
  if (at(chunk, {"error"})) {
    take_problem(chunk, into);
    return out;
  }
  if (const auto* choices = at(chunk, {"choices"});
      choices && choices->is_array() && !choices->get_array().empty()) {
    const auto& choice = choices->get_array().front();
    out = {text_at(choice, {"delta", "content"}), text_at(choice, {"delta", "reasoning_content"})};
    if (auto why = text_at(choice, {"finish_reason"}); !why.empty()) into.finish = std::move(why);
  }
  if (at(chunk, {"usage", "completion_tokens"})) {
    into.input_tokens = number_at(chunk, {"usage", "prompt_tokens"});
    into.output_tokens = number_at(chunk, {"usage", "completion_tokens"});
  }
  if (at(chunk, {"mesh", "node"})) take_story(*at(chunk, {"mesh"}), into);
  return out;
}

}  // namespace

std::string write_question(const question& what) {
  json::array messages;
  for (const auto& one : what.lines) messages.push_back({{"role", one.role}, {"content", one.text}});
  json::object body{{"model", what.model},
                    {"messages", std::move(messages)},
                    {"stream", true},
                    {"stream_options", {{"include_usage", true}}}};
  if (what.temperature) body["temperature"] = *what.temperature;
  if (what.max_tokens) body["max_tokens"] = *what.max_tokens;
  json::object mesh;
  if (!what.reach.empty()) mesh["reach"] = what.reach;
  if (!what.fallback) mesh["fallback"] = false;
  if (!what.prefer.empty()) mesh["prefer"] = what.prefer;
  if (what.explain) mesh["explain"] = true;
  if (!mesh.empty()) body["mesh"] = std::move(mesh);
  return json::serialize(body);
}

owner_client::owner_client(env::world& world, const paths& where)
    : world_(world), http_(world), node_(node_at(where)) {}

task<result<http::answer>> owner_client::send(std::string_view method, std::string_view path,
                                              std::string_view body, instant by) {
  const std::array<wire::header, 1> headers{{{"Content-Type", "application/json"}}};
  co_return co_await http_.send(node_, {.method = method, .target = path, .headers = headers, .body = body},
                                {.connect_timeout = 2s, .headers_by = by});
}

task<result<reply>> owner_client::get(std::string_view path, milliseconds patience) {
  const auto by = world_.clock.now() + patience;
  auto came = co_await send("GET", path, {}, by);
  if (!came) co_return std::unexpected(came.error());
  came->read_by(by);
  auto body = co_await came->read_all(max_reply);
  if (!body) co_return std::unexpected(body.error());
  co_return reply{came->status(), *std::move(body)};
}

task<result<reply>> owner_client::post(std::string_view path, std::string_view body, milliseconds patience) {
  const auto by = world_.clock.now() + patience;
  auto came = co_await send("POST", path, body, by);
  if (!came) co_return std::unexpected(came.error());
  came->read_by(by);
  auto all = co_await came->read_all(max_reply);
  if (!all) co_return std::unexpected(all.error());
  co_return reply{came->status(), *std::move(all)};
}

task<result<spoken>> owner_client::ask(const question& what, const hearing& as_it_comes) {
  const auto begun = world_.clock.now();
  const auto since = [&] { return duration_cast<milliseconds>(world_.clock.now() - begun); };
  const auto body = write_question(what);
  auto came = co_await send("POST", "/v1/chat/completions", body, begun + patience_for_answer);
  if (!came) co_return std::unexpected(came.error());
  spoken out;
  boost::system::error_code wrong;
  if (came->status() != 200) {
    const auto refusal = co_await came->read_all(max_reply);
    take_problem(refusal ? std::string_view(*refusal) : std::string_view(), out);
    co_return out;
  }
  wire::sse_parser events;
  for (;;) {
    const auto bytes = co_await came->read_some();
    if (!bytes) co_return std::unexpected(bytes.error());
    if (bytes->empty()) break;
    events.feed(*bytes);
    wire::sse_event event;
    for (;;) {
      const auto more = events.next(event);
      if (!more) co_return std::unexpected(more.error());
      if (!*more) break;
      if (event.data == "[DONE]") continue;
      const auto [text, thought] = take_chunk(json::parse(event.data, wrong), out);
      if (text.empty() && thought.empty()) continue;
      if (out.first_token == milliseconds::zero()) out.first_token = since();
      out.text += text;
      if (!thought.empty() && as_it_comes.thought) as_it_comes.thought(thought);
      if (!text.empty() && as_it_comes.text) as_it_comes.text(text);
    }
  }
  out.total = since();
  if (out.finish.empty() && out.problem.empty()) out.problem = "the answer broke off";
  co_return out;
}

task<std::string> owner_client::engine_trouble() {
  const auto came = co_await get("/mesh/status", 5s);
  boost::system::error_code wrong;
  const auto status = came ? json::parse(came->body, wrong) : json::value();
  const auto* engines = at(status, {"engines"});
  std::string out;
  if (!engines || !engines->is_array()) co_return out;
  for (const auto& one : engines->get_array()) {
    const auto state = text_at(one, {"state"});
    if (state == "ready") continue;
    const auto reason = text_at(one, {"reason"});
    out += fmt::format("engine \"{}\" is {}{}{}\n", text_at(one, {"node"}), state, reason.empty() ? "" : ": ",
                       printable(reason));
  }
  co_return out;
}

namespace {

task<void> run_and_stop(const std::function<task<void>(env::world)>& work, os::worker& on) {
  co_await work(on.world());
  on.stop();
}

}  // namespace

void run_to_end(const std::function<task<void>(env::world)>& work) {
  os::runtime runtime({.log_level = env::log_level::error, .pool_threads = 1});
  const auto worker = runtime.make_worker();
  boost::asio::co_spawn(worker->world().loop, run_and_stop(work, *worker), boost::asio::detached);
  worker->run();
}

std::optional<int> missing_node(const paths& where, bool json) {
  if (running_node(where)) return std::nullopt;
  return complain("no node runs; type: meshai up", exit_not_running, json);
}

void take_problem(std::string_view body, spoken& into) {
  boost::system::error_code wrong;
  const auto read = json::parse(body, wrong);
  take_problem(wrong ? json::value() : read, into);
}

std::string describe_problem(const spoken& of) {
  return printable(of.hint.empty() ? of.problem : of.problem + "\n  " + of.hint);
}

std::string describe_route(const spoken& of) {
  std::string out;
  for (const auto& one : of.failed) {
    out += fmt::format("{}/{}: {}{}\n", one.node, one.model, one.fault,
                       one.streamed ? ", in the middle of its answer" : "");
  }
  for (const auto& one : of.doubted) {
    out += one.unknowing ? fmt::format("{}/{}: does not know\n", one.node, one.model)
                         : fmt::format("{}/{}: unsure ({:.2f})\n", one.node, one.model, one.confidence);
  }
  if (of.node.empty()) {
    if (out.ends_with('\n')) out.pop_back();
    return printable(out);
  }
  out += fmt::format("{}/{} ({}), {} attempt{}, first token after {} ms, {} tokens in {:.1f} s", of.node, of.model,
                     of.tier, of.attempts, of.attempts == 1 ? "" : "s", of.first_token.count(), of.output_tokens,
                     static_cast<double>(of.total.count()) / 1000);
  return printable(out);
}

}  // namespace meshai::app
