// engine: the models on this disk: <data>/models/*.gguf, the default among them, and their profiles.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "engine/gguf.hpp"
#include "engine/profile.hpp"

namespace meshai::engine {

struct model_entry {
  std::string name;            // the file's name without .gguf
  std::filesystem::path file;  // the file itself, never the link default.gguf
  bool is_default = false;
  result<gguf_header> header;     // or why it cannot be used
  result<engine::profile> about;  // empty where there is no profile; or what is wrong in it
};

// Every call looks at the disk; all are blocking. Errors say what to do next.
class catalogue {
 public:
  explicit catalogue(std::filesystem::path data_folder) : data_(std::move(data_folder)) {}

  // By name. Broken files are listed with their reason.
  std::vector<model_entry> list() const;

  // "default", a name as list() gives it, or a path to a .gguf below the data folder (relative) or anywhere
  // (absolute). refused with the names there are.
  result<std::filesystem::path> resolve(std::string_view model) const;
  result<model_entry> find(std::string_view model) const;

  // Takes a GGUF file in, with the profile beside it where there is one: checked first, then reflinked,
  // hard-linked or copied under a temporary name and renamed, so that it is there whole or not at all. The first
  // model becomes the default. refused where another file has that name. `as` is its new name; empty keeps the
  // file's.
  result<model_entry> add(const std::filesystem::path& file, std::string_view as = {}) const;

  // What list() knows of it, as Markdown; the profile's card where there is one.
  result<std::string> card(std::string_view model) const;

  // A running engine takes it up between two requests.
  result<void> set_default(std::string_view model) const;

 private:
  std::filesystem::path models() const { return data_ / "models"; }
  std::vector<std::filesystem::path> files() const;  // by name
  std::filesystem::path data_;
};

// The name under which a file is known: its own without .gguf.
std::string model_name(const std::filesystem::path& file);

}  // namespace meshai::engine
