// wire: who and what a request's first line asks for (RFC 9112 3.2).
#pragma once

#include <optional>
#include <string_view>

namespace meshai::wire {

// uri-host with an optional port, by its characters; no user, no path. The empty text is one.
bool is_authority(std::string_view text);

struct request_target {
  std::string_view authority;  // of an absolute-form target, else empty
  std::string_view path;       // what follows it: "/path?query", "?query" or nothing; "*" for asterisk-form
};

// Origin-form, absolute-form (http and https) or, for OPTIONS, asterisk-form; nothing for anything else.
std::optional<request_target> parse_target(std::string_view method, std::string_view target);

}  // namespace meshai::wire
