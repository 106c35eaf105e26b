// front: the x-mesh-* request headers, which say the same as the `mesh` member of a body.
#pragma once

#include <string_view>

#include "chat/chat.hpp"
#include "wire/wire.hpp"

namespace meshai::front {

// Takes one header into `into`; of several that differ the strictest holds. An x-mesh-* header that this build
// does not implement, or a value it does not know, is a problem that names it; any other header is none of its
// business.
chat::parsed<void> take_mesh_header(std::string_view name, std::string_view value, chat::mesh_options& into);
chat::parsed<void> take_mesh_headers(const wire::header_list& all, chat::mesh_options& into);

// Both together: where they differ, the stricter holds.
chat::mesh_options stricter(const chat::mesh_options& a, const chat::mesh_options& b);

}  // namespace meshai::front
