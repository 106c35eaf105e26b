// app: what a configuration must fulfil beyond its syntax.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "app/config.hpp"
#include "env/network.hpp"

namespace meshai::app {

inline constexpr std::string_view plain_name_form = "must be 1 to 64 letters, digits, '.', '_' or '-'";
bool is_plain_name(std::string_view text);

// Somebody says what it costs, or some of its models.
bool has_price(const node_config& node);

// One node by itself: fills the provider's own url, holds the tier to the address. The key at fault and what is
// wrong.
std::optional<std::pair<std::string, std::string>> check_node(node_config& node);

// Names that must be unique, routes that must lead somewhere, files that come in pairs. What is wrong, or nothing.
std::optional<std::string> check_whole(const config& all);

// "127.0.0.1:9437" or "[::1]:9437".
std::optional<env::address> parse_listen(std::string_view text);

// Where the API listens: `listen`, or both loopback addresses.
std::vector<env::address> listen_addresses(const api_config& api);

}  // namespace meshai::app
