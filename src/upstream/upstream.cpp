#include "upstream/upstream.hpp"

#include <functional>

#include "env/pool.hpp"
#include "upstream/attempt.hpp"
#include "upstream/discovery.hpp"

namespace meshai::upstream {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_list = 4 << 20;
constexpr std::size_t most_models = 10'000;
constexpr int most_pages = 20;
constexpr auto stand_by_pause = 10s;
constexpr std::size_t most_standing_by = 1024;       // origins
constexpr std::size_t parsed_elsewhere = 256 << 10;  // a longer list would hold up the loop

// One page of a list by GET. `what` is the whole request target.
task<result<std::string>> get(http::client& over, const endpoint& of, const route::health& known,
                              std::string target, instant now, instant deadline) {
  std::vector<wire::header> headers{{"Accept", "application/json"}};
  for (const auto& [name, value] : of.headers) headers.push_back({name, value});
  if (const auto* key = of.choose(known, now)) headers.push_back({of.key_header, key->header.reveal()});
  if (of.dialect == chat::dialect::anthropic) headers.push_back({"anthropic-version", "2023-06-01"});
  auto answered =
      co_await over.send(of.origin, {.method = "GET", .target = target, .headers = headers, .body = {}},
                         {.connect_timeout = 2s, .headers_by = deadline});
  if (!answered) co_return std::unexpected(std::move(answered.error()));
  answered->read_by(deadline);
  if (answered->status() != 200) {
    const auto kind =
        answered->status() == 401 || answered->status() == 403 ? error_kind::denied : error_kind::refused;
    co_return fail(kind, "node \"" + of.node + "\" answers " + std::to_string(answered->status()) +
                             " when asked for its models");
  }
  co_return co_await answered->read_all(longest_list);
}

// `work` outlives the wait for it.
template <class Work>
task<void> run_where_it_fits(env::world& world, std::size_t bytes, Work& work) {
  if (bytes > parsed_elsewhere) co_return co_await world.pool.run(std::ref(work));
  work();
}

// Owns what it dials: the snapshot that names it may be gone before it has come through.
task<void> connect_for_later(http::client& over, http::origin to, std::chrono::nanoseconds connect_timeout) {
  (void)co_await over.warm(to, connect_timeout);
}

}  // namespace

client::client(env::world& world, http::client& over, route::health& known)
    : world_(world), http_(over), known_(known), connecting_(world.loop) {}

std::unique_ptr<attempt> client::open(const call& what) {
  return std::make_unique<conversation>(world_, http_, known_, what);
}

task<result<std::vector<discovered>>> client::models(const endpoint& of, instant deadline) {
  std::vector<discovered> all;
  std::string after;
  for (int page = 0; page < most_pages && all.size() < most_models; ++page) {
    const auto target = of.target(list_path(of.dialect, after));
    const auto body = co_await get(http_, of, known_, target, world_.clock.now(), deadline);
    if (!body) co_return std::unexpected(body.error());
    result<model_list> list;
    auto read = [&] { list = read_model_list(of.dialect, *body); };
    co_await run_where_it_fits(world_, body->size(), read);
    if (!list) co_return fail(error_kind::malformed, "node \"" + of.node + "\": " + list.error().detail);
    for (auto& each : list->models) all.push_back(std::move(each));
    if (list->next.empty() || list->next == after) break;
    after = std::move(list->next);
  }
  if (all.size() > most_models) all.resize(most_models);
  if (of.dialect == chat::dialect::openai && of.where != meshai::tier::cloud) {
    // Only an Ollama has this list, and only there it says what runs on another host. Whoever has none answers
    // 404.
    const auto tags = co_await get(http_, of, known_, "/api/tags", world_.clock.now(), deadline);
    auto mark = [&] { mark_remote(*tags, all); };
    if (tags) co_await run_where_it_fits(world_, tags->size(), mark);
  }
  co_return all;
}

task<result<void>> client::reach(const endpoint& of, std::chrono::nanoseconds connect_timeout) {
  return http_.warm(of.origin, connect_timeout);
}

void client::stand_by(const endpoint& of, std::chrono::nanoseconds connect_timeout) {
  if (http_.idle(of.origin) > 0) return;
  const auto now = world_.clock.now();
  if (stood_by_.size() > most_standing_by) stood_by_.clear();
  auto& last = stood_by_.try_emplace(of.origin.key, instant::min()).first->second;
  if (last != instant::min() && now < last + stand_by_pause) return;
  last = now;
  connecting_.spawn(connect_for_later(http_, of.origin, connect_timeout));
}

}  // namespace meshai::upstream
