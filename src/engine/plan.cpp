#include "engine/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/catalogue.hpp"

namespace meshai::engine {
namespace {

constexpr std::uint64_t mib = 1 << 20;
constexpr int usual_context = 8192, least_context = 2048;
constexpr int batch = 512;  // llama-server's physical batch, tokens

// One waiting request takes one of these; /health must find one free.
constexpr int http_threads = 16;
// Kept states of a model that forgets (sliding window, recurrent); llama-server's own 32 would be gigabytes.
constexpr int checkpoints = 2;

std::uint64_t cache_bytes(const gguf_header& model, int context, int slots) {
  return model.kv_bytes * static_cast<std::uint64_t>(context) * static_cast<std::uint64_t>(slots);
}

// Intermediate results of one batch: the scores of all words, the scores of all positions, and the program itself.
std::uint64_t compute_bytes(const gguf_header& model, int context) {
  return 64 * mib + 4 * batch *
                        (model.vocabulary + static_cast<std::uint64_t>(context) *
                                                std::min<std::uint64_t>(model.attention_heads, 256));
}

std::uint64_t need_of(const gguf_header& model, const adapter& on_top, int context, int slots) {
  return model.file_size + on_top.file_size + cache_bytes(model, context, slots) + compute_bytes(model, context);
}

std::string gigabytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

std::string number_text(double number) {
  return fmt::format("{}", number);  // the shortest text that reads back the same, never with a locale's comma
}

}  // namespace

result<plan> make_plan(const gguf_header& model, const adapter& on_top, const profile& of, const wishes& how,
                       const machine& here) {
  if (model.embeds && !how.embeddings)
    return fail(
        error_kind::refused,
        "the model is made for embeddings and does not chat; write embeddings = true in its [[node]], or choose "
        "another model");
  plan out;
  out.embeddings = how.embeddings;
  const auto trained =
      static_cast<int>(std::min<std::uint64_t>(model.context ? model.context : usual_context, 1 << 24));
  const bool chosen = how.context > 0;
  out.context = std::min(chosen ? how.context : of.context.value_or(usual_context), trained);
  out.threads = how.threads > 0 ? how.threads : std::max(1, here.cores - 1);  // a core is left to the node

  const auto fits = [&](int context, int slots, std::uint64_t times) {
    return need_of(model, on_top, context, slots) <= here.memory / times;
  };
  // Two conversations at once only where memory is plenty: nobody shall notice that the engine runs.
  out.slots = how.slots > 0 ? how.slots : !how.embeddings && fits(out.context, 2, 4) ? 2 : 1;
  while (!chosen && out.context > least_context && !fits(out.context, out.slots, 1))
    out.context = std::max(out.context / 2, least_context);
  out.need = need_of(model, on_top, out.context, out.slots);
  if (!fits(out.context, out.slots, 1)) {
    return fail(
        error_kind::exhausted,
        fmt::format(
            "the model needs {} of memory with {} tokens of context and {} slot(s), and {} can be had; choose a "
            "smaller model{}, or close other programs",
            gigabytes(out.need), out.context, out.slots, gigabytes(here.memory),
            chosen || how.slots > 1 ? ", a smaller context or fewer slots" : ""));
  }

  const auto window = std::min<std::uint64_t>(model.window, static_cast<std::uint64_t>(out.context));
  out.growth = how.growth
                   ? how.growth
                   : 256 * mib + checkpoints * static_cast<std::uint64_t>(out.slots) * window * model.kv_bytes;
  // Beside what it uses: the weights once more (rearranged for this processor), and for each thread a stack and
  // the 64 MB that glibc sets aside for its allocations.
  out.address_space = out.need + model.file_size + out.growth + 1024 * mib +
                      72 * mib * static_cast<std::uint64_t>(http_threads + 2 * out.threads);
  return out;
}

std::vector<std::string> make_flags(const plan& with, const gguf_header& model, const profile& of,
                                    const std::filesystem::path& file, const adapter& on_top,
                                    std::string_view socket, const std::set<std::string>& known) {
  std::vector<std::string> out;
  const auto give = [&](std::string_view flag, std::initializer_list<std::string> values = {}) {
    out.emplace_back(flag);
    out.insert(out.end(), values);
  };
  const auto offer = [&](std::string_view flag, std::initializer_list<std::string> values = {}) {
    if (known.contains(std::string(flag))) give(flag, values);
  };
  const auto context = std::to_string(with.context * with.slots);
  give("--model", {file.string()});
  if (!on_top.file.empty()) offer("--lora", {on_top.file.string()});
  give("--host", {std::string(socket)});
  give("--ctx-size", {context});
  give("--parallel", {std::to_string(with.slots)});
  give("--threads", {std::to_string(with.threads)});
  give("--cache-ram", {"0"});  // it would keep users' prompts, up to 8 GiB of them
  give("--no-slots");          // that page shows prompts
  give("--offline");
  give("--log-disable");
  give("--metrics");  // numbers only; says whether a request is running
  offer("--alias", {model_name(file)});
  offer(known.contains("--no-ui") ? "--no-ui" : "--no-webui");
  offer("--jinja");
  offer("--no-warmup");     // the first token is our own
  offer("--fit", {"off"});  // the plan is ours
  offer("--ctx-checkpoints", {std::to_string(checkpoints)});
  offer("--threads-http", {std::to_string(http_threads)});
  if (with.embeddings) {
    // A text is embedded in one piece, so the batch has to hold the longest.
    give("--embeddings");
    offer("--batch-size", {context});
    offer("--ubatch-size", {context});
    if (!model.embeds) offer("--pooling", {"mean"});
    return out;
  }
  if (of.max_tokens) offer("--predict", {std::to_string(*of.max_tokens)});
  for (const auto& [option, number] : of.sampling) offer("--" + option, {number_text(number)});
  return out;
}

}  // namespace meshai::engine
