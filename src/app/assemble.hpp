// app: from the configuration file's words to the rooms' own.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "app/config.hpp"
#include "app/paths.hpp"
#include "base/error.hpp"
#include "node/node.hpp"

namespace meshai::app {

// Reads every secret. A node whose key is unset is there and off, with the reason; a caller's key that cannot be
// read fails with the line to type.
result<node::plan> assemble(const config& from, const paths& where);

// The proxy of the environment for this URL: HTTPS_PROXY (or https_proxy) for https, http_proxy for http, but for
// what NO_PROXY lists; empty for none. Upper-case HTTP_PROXY is not read: a request header can set it (httpoxy).
std::string proxy_from_environment(std::string_view url, const std::function<std::string(const char*)>& read);

}  // namespace meshai::app
