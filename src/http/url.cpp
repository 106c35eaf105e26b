#include "http/url.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <utility>

namespace meshai::http {
namespace {

constexpr std::size_t longest_url = 2048;
constexpr std::size_t longest_socket_path = 107;  // sun_path less its NUL

bool is_name_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_';
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) {
      return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0u;
    };
    const auto three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    out += digits[three >> 18];
    out += digits[three >> 12 & 63];
    out += i + 1 < bytes.size() ? digits[three >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? digits[three & 63] : '=';
  }
  return out;
}

std::string in_brackets(const std::string& host) {
  return host.contains(':') ? "[" + host + "]" : host;
}

struct place {
  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
};

// Scheme, host and port. No error repeats the URL: it may hold a password.
result<place> where(const boost::urls::url_view& url) {
  using boost::urls::host_type;
  using boost::urls::scheme;
  place out;
  if (url.scheme_id() != scheme::http && url.scheme_id() != scheme::https)
    return fail(error_kind::malformed, "a URL begins with http://, https:// or unix://");
  out.tls = url.scheme_id() == scheme::https;
  if (url.host_type() == host_type::ipvfuture)
    return fail(error_kind::malformed, "the URL's address is of no known kind");
  out.host = url.host_address();
  const bool numeric = url.host_type() == host_type::ipv4 || url.host_type() == host_type::ipv6;
  if (out.host.empty()) return fail(error_kind::malformed, "the URL names no host");
  if (out.host.size() > 253 || (!numeric && !std::ranges::all_of(out.host, is_name_char)))
    return fail(error_kind::malformed,
                "the URL's host is not a name (names beyond ASCII are written in their xn-- form)");
  out.port = out.tls ? 443 : 80;
  if (url.has_port() && !url.port().empty()) {
    out.port = url.port_number();  // 0 where it is beyond 65535
    if (out.port == 0) return fail(error_kind::malformed, "the URL's port is not a number from 1 to 65535");
  }
  return out;
}

result<base_url> parse_unix(std::string_view path) {
  if (path.starts_with("//")) path.remove_prefix(2);
  if (!path.starts_with('/') || path.size() < 2)
    return fail(error_kind::malformed, "a Unix socket is given by its absolute path: unix:///run/name.sock");
  if (path.size() > longest_socket_path || path.contains('\0'))
    return fail(error_kind::malformed, "the path of a Unix socket has at most 107 bytes");
  base_url out;
  out.origin.socket_path = path;
  out.origin.make_key();
  return out;
}

}  // namespace

std::string origin::authority() const {
  if (is_unix()) return "localhost";
  const bool usual = port == (tls ? 443 : 80);
  return usual ? in_brackets(host) : in_brackets(host) + ":" + std::to_string(port);
}

std::string origin::text() const {
  if (is_unix()) return "unix://" + socket_path;
  return (tls ? "https://" : "http://") + authority();
}

void origin::make_key() {
  key = text();
  if (via) {
    key += via->tls ? " via https://" : " via http://";
    key += in_brackets(via->host) + ":" + std::to_string(via->port);
  }
  if (bound < reach::mesh) {
    key += " within ";
    key += to_string(bound);
  }
  for (const auto& file : ca_files) {
    key += " ca ";
    key += file;
  }
}

result<base_url> parse_origin(std::string_view text) {
  if (text.size() > longest_url) return fail(error_kind::malformed, "the URL is longer than 2048 bytes");
  if (text.starts_with("unix:")) return parse_unix(text.substr(5));
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed) return fail(error_kind::malformed, "this is not a URL such as https://api.example.com/v1");
  if (parsed->has_userinfo())
    return fail(error_kind::malformed, "a URL holds no user or password: keys are given by `key`");
  if (parsed->has_fragment()) return fail(error_kind::malformed, "the URL has a fragment (#...): leave it out");
  auto place = where(*parsed);
  if (!place) return std::unexpected(std::move(place.error()));
  base_url out;
  out.origin.tls = place->tls;
  out.origin.host = std::move(place->host);
  out.origin.port = place->port;
  out.origin.make_key();
  out.path = std::string_view(parsed->encoded_path());
  while (out.path.ends_with('/')) out.path.pop_back();
  out.query = std::string_view(parsed->encoded_query());
  return out;
}

result<std::shared_ptr<const proxy>> parse_proxy(std::string_view text) {
  if (text.size() > longest_url) return fail(error_kind::malformed, "the proxy's URL is longer than 2048 bytes");
  const auto whole = text.contains("://") ? std::string(text) : "http://" + std::string(text);
  const auto parsed = boost::urls::parse_uri(whole);
  if (!parsed) return fail(error_kind::malformed, "the proxy is not given as http://host:port");
  if (parsed->has_fragment() || parsed->has_query() ||
      (!parsed->encoded_path().empty() && parsed->encoded_path() != "/"))
    return fail(error_kind::malformed, "a proxy's URL ends after its port");
  auto place = where(*parsed);
  if (!place) return std::unexpected(std::move(place.error()));
  auto out = std::make_shared<proxy>();
  out->tls = place->tls;
  out->host = std::move(place->host);
  out->port = place->port;
  if (parsed->has_userinfo()) {
    auto pair = std::string(parsed->user()) + ":" + std::string(parsed->password());
    auto value = "Basic " + base64(pair);
    out->authorization = secret(value);
    wipe_memory(pair.data(), pair.size());
    wipe_memory(value.data(), value.size());
  }
  return out;
}

}  // namespace meshai::http
