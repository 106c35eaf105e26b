// http: which fields of a head are nobody's to write but this room's. Inside of the room only.
#pragma once

#include <string_view>

namespace meshai::http {

// Host, Connection, Content-Length and the like: they decide where a message ends and who gets it. A second one
// beside ours would make two readers disagree.
bool is_framing_field(std::string_view name);

}  // namespace meshai::http
