#include "engine/catalogue.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "engine/adapter.hpp"
#include "engine/install.hpp"

namespace meshai::engine {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view link_name = "default.gguf";

// What default.gguf leads to; empty where it leads nowhere.
fs::path default_of(const fs::path& models) {
  std::error_code missing;
  auto target = fs::canonical(models / link_name, missing);
  return missing ? fs::path() : target;
}

model_entry describe(const fs::path& file, const fs::path& standard) {
  std::error_code missing;
  const auto real = fs::canonical(file, missing);
  return {.name = model_name(file),
          .file = file,
          .is_default = !missing && real == standard,
          .header = read_gguf(file),
          .about = read_profile(file)};
}

std::string megabytes(std::uint64_t bytes) {
  return bytes >= 1'000'000'000 ? fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9)
                                : fmt::format("{} MB", (bytes + 500'000) / 1'000'000);
}

// A name that needs no quoting in a shell, in a configuration or in a URL.
std::string tidy_name(std::string_view wish) {
  std::string out;
  for (const char c : wish) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    if (plain)
      out += c;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  out.erase(0, out.find_first_not_of(".-"));
  if (out.size() > 100) out.resize(100);
  while (out.ends_with('-') || out.ends_with('.')) out.pop_back();
  return out;
}

// What can be run as a model of its own.
result<void> check_usable(const gguf_header& header, const fs::path& file) {
  const auto refuse = [&](std::string what) {
    return fail(error_kind::refused, file.string() + ": " + std::move(what));
  };
  if (header.parts > 1)
    return refuse(fmt::format("this is one of {} parts of a model; join them first: llama-gguf-split --merge",
                              header.parts));
  if (header.type != "model")
    return refuse(
        fmt::format("this is no model but a part for one (its type is {}); add the model itself", header.type));
  if (header.architecture == "clip") return refuse("this is the image reader of a model; add the model itself");
  if (header.tensors == 0) return refuse("there are no weights in it, only a vocabulary; add the model itself");
  return {};
}

}  // namespace

std::string model_name(const fs::path& file) {
  return file.stem().string();
}

std::vector<fs::path> catalogue::files() const {
  std::vector<fs::path> out;
  std::error_code ended;
  for (fs::directory_iterator at(models(), ended), end; !ended && at != end; at.increment(ended)) {
    const auto& file = at->path();
    const auto name = file.filename().string();
    std::error_code none;
    if (file.extension() == ".gguf" && !name.starts_with('.') && name != link_name &&
        fs::is_regular_file(file, none))
      out.push_back(file);
  }
  std::ranges::sort(out);
  return out;
}

std::vector<model_entry> catalogue::list() const {
  std::vector<model_entry> out;
  const auto standard = default_of(models());
  for (const auto& file : files()) out.push_back(describe(file, standard));
  return out;
}

result<fs::path> catalogue::resolve(std::string_view model) const {
  const auto refuse = [&](std::string what) { return fail(error_kind::refused, std::move(what)); };
  std::error_code none;
  if (model == "default") {
    if (auto file = default_of(models()); !file.empty()) return file;
    return refuse(
        fmt::format("there is no default model in {}; run make up, or add one: meshai models add FILE.gguf",
                    models().string()));
  }
  if (model.empty()) return refuse("no model is named; write \"default\" or a name that meshai models lists");
  const fs::path asked(model);
  if (model.contains('/')) {
    auto file = (asked.is_absolute() ? asked : data_ / asked).lexically_normal();
    if (asked.is_relative() && file.lexically_relative(data_.lexically_normal()).string().starts_with(".."))
      return refuse(fmt::format("{} leads out of {}; name the whole path", model, data_.string()));
    if (fs::is_regular_file(file, none)) return file;
    return refuse(fmt::format("there is no model file {}", file.string()));
  }
  auto file = models() / (asked.extension() == ".gguf" ? asked : fs::path(std::string(model) + ".gguf"));
  if (fs::is_regular_file(file, none)) return file;
  std::vector<std::string> names;
  for (const auto& one : files()) names.push_back(model_name(one));
  return refuse(
      names.empty()
          ? fmt::format("there is no model {}, and none at all in {}; add one: meshai models add FILE.gguf", model,
                        models().string())
          : fmt::format("there is no model {}; there are: {}", model, fmt::join(names, ", ")));
}

result<model_entry> catalogue::find(std::string_view model) const {
  const auto file = resolve(model);
  if (!file) return std::unexpected(file.error());
  return describe(*file, default_of(models()));
}

result<model_entry> catalogue::add(const fs::path& file, std::string_view as) const {
  const auto header = read_gguf(file);
  if (!header) return std::unexpected(header.error());
  if (auto ok = check_usable(*header, file); !ok) return std::unexpected(ok.error());
  if (const auto about = read_profile(file); !about) return std::unexpected(about.error());
  const auto on_top = read_adapter(file, *header);
  if (!on_top) return std::unexpected(on_top.error());

  const auto name = tidy_name(as.empty() ? file.stem().string() : std::string(as));
  if (name.empty() || name == "default")
    return fail(error_kind::refused,
                fmt::format("a model cannot be called {}; give it another name", as.empty() ? file.string() : as));
  std::error_code failed;
  fs::create_directories(models(), failed);
  if (failed)
    return fail(error_kind::refused, fmt::format("cannot make {}: {}", models().string(), failed.message()));

  const auto target = models() / (name + ".gguf");
  if (auto ok = install_file(file, target); !ok) return std::unexpected(ok.error());
  auto profile_from = file, profile_to = target;
  profile_from.replace_extension(".toml");
  profile_to.replace_extension(".toml");
  if (fs::is_regular_file(profile_from, failed) && !fs::exists(profile_to, failed)) {
    if (auto ok = install_file(profile_from, profile_to); !ok) return std::unexpected(ok.error());
  }
  if (const auto to = adapter_of(target); !on_top->file.empty() && !fs::exists(to, failed)) {
    if (auto ok = install_file(on_top->file, to); !ok) return std::unexpected(ok.error());
  }
  if (default_of(models()).empty()) {
    if (auto ok = set_default(name); !ok) return std::unexpected(ok.error());
  }
  return describe(target, default_of(models()));
}

result<std::string> catalogue::card(std::string_view model) const {
  const auto entry = find(model);
  if (!entry) return std::unexpected(entry.error());
  if (!entry->header) return std::unexpected(entry->header.error());
  if (!entry->about) return std::unexpected(entry->about.error());
  const auto& header = *entry->header;
  const auto& about = *entry->about;
  const auto first = [](const std::string& a, const std::string& b) { return a.empty() ? b : a; };

  std::string out;
  if (!about.card.starts_with("# ")) {
    const auto& title = first(about.title, first(header.name, entry->name));
    out += fmt::format("# {}\n\n", title);
  }
  if (!about.card.empty()) out += about.card + (about.card.ends_with('\n') ? "\n" : "\n\n");
  const auto line = [&out](std::string_view what, const std::string& is) {
    if (!is.empty()) out += fmt::format("- {}: {}\n", what, is);
  };
  line("name", entry->name + (entry->is_default ? " (the default)" : ""));
  line("file", fmt::format("{}, {}", entry->file.string(), megabytes(header.file_size)));
  std::error_code none;
  if (const auto on_top = adapter_of(entry->file); fs::exists(on_top, none))
    line("adapter", fmt::format("{}, {}", on_top.string(), megabytes(fs::file_size(on_top, none))));
  line("architecture", header.architecture);
  line("parameters", parameter_count(header.parameters));
  line("form", header.quantisation);
  line("context", header.context ? fmt::format("{} tokens", header.context) : "");
  const auto tokens = std::min<std::uint64_t>(header.context, 8192);
  line("memory for a context",
       header.kv_bytes ? fmt::format("{} for {} tokens", megabytes(tokens * header.kv_bytes), tokens) : "");
  line("chat template", header.chat_template ? "yes" : "no: ChatML is used");
  line("made for", header.embeds ? "embeddings" : "");
  line("license", first(about.license, header.license));
  line("source", about.source);
  return out;
}

result<void> catalogue::set_default(std::string_view model) const {
  if (model == "default") return {};
  const auto entry = find(model);
  if (!entry) return std::unexpected(entry.error());
  if (!entry->header) return std::unexpected(entry->header.error());
  if (auto ok = check_usable(*entry->header, entry->file); !ok) return ok;
  // A link within the folder is relative, so that the folder can be moved.
  const auto target = entry->file.parent_path() == models() ? entry->file.filename() : fs::absolute(entry->file);
  return replace_link(models() / link_name, target);
}

}  // namespace meshai::engine
