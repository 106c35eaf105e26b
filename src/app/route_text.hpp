// app: why who is asked, as a person reads it.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace meshai::app {

// The lines for what api/openapi.yaml calls Route; empty where `told` is none. `fd`: where they go.
std::string show_route(const boost::json::value& told, int fd);

}  // namespace meshai::app
