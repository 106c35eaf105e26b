// meshai config check: what is wrong with a configuration, before it is put to use.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/commands.hpp"
#include "app/daemon.hpp"
#include "app/terminal.hpp"

namespace meshai::app {

int config_check(const std::string& file, bool json_wanted) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration, json_wanted);
  const auto read = load_config(file, *where);
  if (json_wanted) {
    boost::json::object out{{"valid", read.has_value()}};
    if (!read) out["error"] = boost::json::object{{"message", read.error().detail}};
    print(boost::json::serialize(out) + "\n");
  } else if (read) {
    print(fmt::format("valid: {} nodes, {} named models, {} keys\n", read->nodes.size(), read->models.size(),
                      read->keys.size()));
  } else {
    complain(read.error().detail, exit_configuration);
  }
  return read ? exit_ok : exit_configuration;
}

}  // namespace meshai::app
