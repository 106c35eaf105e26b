// front: the x-mesh-* request headers, which say the same as the `mesh` member of a body.
#pragma once

#include <string_view>

#include "chat/chat.hpp"

namespace meshai::front {

// Takes one header into `into`. Where body and header differ, the stricter one holds. An x-mesh-* header that this
// build does not implement, or a value it does not know, is a problem that names it; any other header is none of
// its business.
chat::parsed<void> take_mesh_header(std::string_view name, std::string_view value, chat::mesh_options& into);

}  // namespace meshai::front
