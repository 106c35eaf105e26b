// upstream: the lists of models that nodes give. Pure. Internal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "upstream/upstream.hpp"

namespace meshai::upstream {

struct model_list {
  std::vector<discovered> models;
  std::string next;  // where the list goes on; empty at its end
};

// The path of a page of the list, below the base URL.
std::string list_path(chat::dialect dialect, std::string_view after);
// malformed for anything but such a list.
result<model_list> read_model_list(chat::dialect dialect, std::string_view body);
// Ollama's own list (GET /api/tags): entries with a `remote_host` run elsewhere. Anything else changes nothing.
void mark_remote(std::string_view tags, std::vector<discovered>& all);

}  // namespace meshai::upstream
