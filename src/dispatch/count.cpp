// Whether a prompt fits is worth a look at the engine's own tokenizer where its length in bytes leaves that open.
#include <algorithm>

#include "dispatch/dispatch.hpp"
#include "dispatch/running.hpp"

namespace meshai::dispatch {
namespace {

using namespace std::chrono_literals;

constexpr auto counted_within = 500ms;            // else it goes by its length
constexpr std::size_t longest_counted = 4 << 20;  // bytes: no engine takes so much
constexpr std::int64_t short_prompt = 512;        // tokens that every engine takes

bool is_chat(const chat::request& asked) {
  return asked.endpoint == chat::endpoint::chat_completions || asked.endpoint == chat::endpoint::messages;
}

// The engines to which this prompt may or may not be too long.
std::vector<const route::node*> undecided(const means& by, const query& what) {
  std::vector<const route::node*> out;
  const auto size = route::measure(*what.request);
  if (!is_chat(*what.request) || size.at_most <= short_prompt || what.request->text_size > longest_counted)
    return out;
  for (const auto& node : what.setup->directory->nodes()) {
    if (!node.running_context || !node.off.empty() || node.where != meshai::tier::local) continue;
    const auto takes = node.context ? *node.context : node.running_context();
    if (takes <= 0 || size.at_most <= takes || size.at_least > takes) continue;
    const auto* at = what.setup->endpoints->find(node.name);
    if (at == nullptr || !upstream::counts_at(*at)) continue;
    if (by.known.look(route::make_target_id(node.name), by.world.clock.now()).available()) out.push_back(&node);
  }
  return out;
}

}  // namespace

bool dispatcher::wants_count(const query& what) const {
  return !undecided(*means_, what).empty();
}

task<void> dispatcher::count(query& what) {
  for (const auto* node : undecided(*means_, what)) {
    const auto* at = what.setup->endpoints->find(node->name);
    const std::string_view model = node->models.empty() ? "default" : std::string_view(node->models.front().name);
    const auto deadline = means_->world.clock.now() + counted_within;
    const auto counted = co_await means_->upstream.count(*at, model, *what.request, deadline);
    if (counted) what.counted.push_back({node->name, *counted});
  }
}

}  // namespace meshai::dispatch
