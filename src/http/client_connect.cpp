// The way to an origin: its name, TCP or a Unix socket, a proxy, TLS.
#include <utility>

#include "http/client_pool.hpp"

namespace meshai::http {
namespace {

using opened = result<std::unique_ptr<env::stream>>;

error refused_by_proxy(int status) {
  const auto said = "the proxy refuses the connection with status " + std::to_string(status);
  if (status == 407) return {error_kind::denied, said + ": it wants a user and a password in its URL"};
  if (status >= 500) return {error_kind::unreachable, said};
  return {error_kind::denied, said};
}

// RFC 9110 9.3.6.
task<result<void>> open_tunnel(env::stream& to_proxy, const origin& to, instant deadline) {
  const auto authority = to.host.contains(':') ? "[" + to.host + "]:" + std::to_string(to.port)
                                               : to.host + ":" + std::to_string(to.port);
  std::string head;
  bool good = wire::append_request_line(head, "CONNECT", authority) && wire::append_field(head, "Host", authority);
  if (!to.via->authorization.empty())
    good = good && wire::append_field(head, "Proxy-Authorization", to.via->authorization.reveal());
  if (!good) co_return fail(error_kind::malformed, "the proxy cannot be asked for this host");
  wire::append_head_end(head);
  const std::string_view pieces[] = {head};
  to_proxy.write_by(deadline);
  to_proxy.read_by(deadline);
  auto asked = co_await to_proxy.write_all(pieces);
  wipe_memory(head.data(), head.size());
  if (!asked) co_return asked;
  wire::response_parser parser;
  parser.reset(wire::asked::connect);
  buffer in(wire::head_limits{}.bytes + buffer::smallest);
  for (;;) {
    const auto size = co_await to_proxy.read_some(in.room());
    if (!size) co_return std::unexpected(size.error());
    if (*size == 0) co_return fail(error_kind::unreachable, "the proxy closes the connection");
    in.filled(*size);
    const auto got = parser.feed(in.data());
    if (!got) co_return std::unexpected(got.error());
    in.consume(got->consumed);
    if (got->what != wire::progress::head) continue;
    const int status = parser.head().status;
    if (status >= 300) co_return std::unexpected(refused_by_proxy(status));
    // The server behind it says nothing before TLS begins.
    if (!in.empty()) co_return fail(error_kind::malformed, "the proxy sends more than its answer");
    to_proxy.read_by(never);
    to_proxy.write_by(never);
    co_return result<void>{};
  }
}

task<opened> connect_through_proxy(const env::world& world, const origin& to, instant deadline) {
  if (to.bound < reach::mesh) co_return fail(error_kind::denied, "a proxy would carry it beyond where it may go");
  auto stream = co_await dial_first(world, to.via->host, to.via->port, to.bound, deadline);
  if (stream && to.via->tls)
    stream = co_await world.network.secure_client(std::move(*stream), to.via->host, {}, deadline);
  if (stream && to.tls) {
    auto tunnel = co_await open_tunnel(**stream, to, deadline);
    if (!tunnel) stream = std::unexpected(std::move(tunnel.error()));
  }
  if (!stream) stream.error().detail = "proxy " + to.via->host + ": " + stream.error().detail;
  co_return stream;
}

}  // namespace

task<opened> connect(const env::world& world, const origin& to, instant deadline) {
  opened stream;
  if (to.is_unix()) {
    stream = co_await world.network.dial({.ip = {}, .port = 0, .path = to.socket_path}, deadline);
  } else if (to.via) {
    stream = co_await connect_through_proxy(world, to, deadline);
  } else {
    stream = co_await dial_first(world, to.host, to.port, to.bound, deadline);
  }
  if (stream && to.tls) {
    stream = co_await world.network.secure_client(std::move(*stream), to.host, {.extra_ca_files = to.ca_files},
                                                  deadline);
  }
  if (!stream) stream.error().detail = to.text() + ": " + stream.error().detail;
  co_return stream;
}

}  // namespace meshai::http
