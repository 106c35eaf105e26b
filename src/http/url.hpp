// http: where a URL leads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/reach.hpp"
#include "base/secret.hpp"

namespace meshai::http {

// A forward proxy. http targets are asked for in absolute form, https ones through CONNECT.
struct proxy {
  bool tls = false;  // the way to the proxy itself
  std::string host;  // name or numeric address, without brackets
  std::uint16_t port = 0;
  secret authorization;  // value of Proxy-Authorization; empty where the URL had no user
};

// Who is asked, and the way there. Connections are pooled per origin: all of these together.
struct origin {
  bool tls = false;
  std::string host;  // name or numeric address, without brackets; empty for a Unix socket
  std::uint16_t port = 0;
  std::string socket_path;                 // Unix socket, plain HTTP
  std::shared_ptr<const http::proxy> via;  // direct where empty; must be empty for a Unix socket
  std::vector<std::string> ca_files;       // PEM, believed besides the system's authorities
  // How far away its addresses may be, looked at each time it is dialled, since a name may lead anywhere tomorrow:
  // device = loopback, site = private or loopback, others = anywhere. Nearer than mesh there is no proxy.
  meshai::reach bound = meshai::reach::cloud;

  // Where its pooled connections are kept. Computed by parse_origin; call again after a change of the other
  // members.
  std::string key;
  void make_key();

  bool is_unix() const { return !socket_path.empty(); }
  std::string authority() const;  // for Host: "api.example.com", "[::1]:8080", "localhost" for a Unix socket
  std::string text() const;       // for people: "https://api.example.com", "unix:///run/x.sock"; never a secret
};

struct base_url {
  http::origin origin;
  std::string path;   // "" or "/v1": percent-encoded, without a slash at the end
  std::string query;  // without the question mark; mostly empty
};

// http://host[:port][/path][?query], https://..., unix:///absolute/path (all of it is the socket's path).
// malformed, saying what to write instead, for anything else; user names and fragments are refused.
result<base_url> parse_origin(std::string_view text);

// http://[user[:password]@]host[:port] or https://..., without path. As found in HTTPS_PROXY; a missing scheme is
// http.
result<std::shared_ptr<const proxy>> parse_proxy(std::string_view text);

}  // namespace meshai::http
