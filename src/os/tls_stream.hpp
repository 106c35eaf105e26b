// os: one TLS connection over any stream. OpenSSL only ever sees memory; the stream below moves the bytes.
#pragma once

#include <memory>
#include <string>

#include "env/network.hpp"

struct ssl_st;  // OpenSSL's SSL

namespace meshai::os {

struct ssl_free {
  void operator()(ssl_st* ssl) const;
};
using ssl_ptr = std::unique_ptr<ssl_st, ssl_free>;

// Shakes hands as the side that `ssl` was set up for. denied: the certificate is not trusted or not `host`'s;
// refused: the peer ended it by an alert; malformed: what it speaks is not TLS, or not a version of ours.
// SSL_get_app_data of `ssl` is a const std::string*, the host, and `context` is kept, as long as the connection
// lives.
task<result<std::unique_ptr<env::stream>>> start_tls(executor loop, ssl_ptr ssl,
                                                     std::shared_ptr<const void> context,
                                                     std::unique_ptr<env::stream> plain, std::string host,
                                                     instant deadline);

// OpenSSL's own words for its last error, "" where it has none. Empties its queue.
std::string openssl_words();

}  // namespace meshai::os
