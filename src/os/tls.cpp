#include "os/tls.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <unordered_map>

#include "base/check.hpp"
#include "os/tls_stream.hpp"

namespace meshai::os {
namespace {

struct context_free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using context_ptr = std::unique_ptr<SSL_CTX, context_free>;

struct session_free {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using session_ptr = std::unique_ptr<SSL_SESSION, session_free>;

constexpr unsigned char http_1_1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};  // RFC 7301 6

// Both sides' rules. The key shares of a hello are the groups with a star: one of them is right for nearly every
// peer, which saves the round trip of a second hello.
context_ptr new_context(const SSL_METHOD* side) {
  context_ptr context(SSL_CTX_new(side));
  CHECK(context);
  CHECK(SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) == 1);
  CHECK(SSL_CTX_set1_groups_list(context.get(), "*X25519MLKEM768:*X25519:P-256:P-384") == 1);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
  return context;
}

// What makes a file the one that was read: its name, size and time of change.
std::string file_mark(const std::string& file) {
  struct stat found{};
  if (::stat(file.c_str(), &found) != 0) return file + '\0';
  return file + '\0' + fmt::format("{} {}.{}", found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec) + '\0';
}

bool is_readable(const std::string& file) {
  return ::access(file.c_str(), R_OK) == 0;
}

bool is_ip(const std::string& host) {
  boost::system::error_code bad;
  boost::asio::ip::make_address(host, bad);
  return !bad;
}

class certificate final : public env::identity {
 public:
  explicit certificate(context_ptr made) : context(std::move(made)) {}
  const context_ptr context;
};

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int found = SSL_select_next_proto(&chosen, out_size, http_1_1, sizeof http_1_1, offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Never asks on the terminal.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

struct client_context {
  static constexpr std::size_t session_bound = 256;

  context_ptr context = new_context(TLS_client_method());
  std::mutex mutex;
  std::unordered_map<std::string, session_ptr> sessions;  // by host: the newest ticket

  // Each ticket is used once, so that nobody on the way links two connections by it (RFC 8446 C.4).
  session_ptr take(const std::string& host) {
    const std::lock_guard lock(mutex);
    const auto found = sessions.find(host);
    if (found == sessions.end()) return nullptr;
    auto session = std::move(found->second);
    sessions.erase(found);
    return session;
  }

  void keep(const std::string& host, session_ptr session) {
    const std::lock_guard lock(mutex);
    if (sessions.size() >= session_bound) sessions.erase(sessions.begin());
    sessions.insert_or_assign(host, std::move(session));
  }

  static int on_ticket(SSL* ssl, SSL_SESSION* session) {
    auto* const self = static_cast<client_context*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    const auto* const host = static_cast<const std::string*>(SSL_get_app_data(ssl));
    self->keep(*host, session_ptr(session));
    return 1;  // the session is ours now
  }
};

namespace {

result<std::shared_ptr<client_context>> new_client_context(const env::trust& anchors) {
  auto made = std::make_shared<client_context>();
  auto* const context = made->context.get();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  // Read from the folder of hashed names as they are needed, not all into memory.
  if (SSL_CTX_set_default_verify_paths(context) != 1) {
    return fail(error_kind::unavailable, "the system's certificate authorities: " + openssl_words());
  }
  // What the operator adds is believed as it stands, also an intermediate authority or a single server's
  // certificate.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  for (const auto& file : anchors.extra_ca_files) {
    ERR_clear_error();
    if (!is_readable(file))
      return fail(error_kind::unavailable, "cannot read the certificate authorities in " + file);
    if (SSL_CTX_load_verify_file(context, file.c_str()) != 1) {
      return fail(error_kind::malformed,
                  fmt::format("{} holds no certificates in PEM: {}", file, openssl_words()));
    }
  }
  CHECK(SSL_CTX_set_alpn_protos(context, http_1_1, sizeof http_1_1) == 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(context, made.get());
  SSL_CTX_sess_set_new_cb(context, client_context::on_ticket);
  return made;
}

// RFC 9525; an IP address is looked for among the certificate's IP addresses and not announced (RFC 6066 3).
bool expect_host(SSL* ssl, const std::string& host) {
  if (is_ip(host)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

}  // namespace

tls_contexts::tls_contexts() = default;
tls_contexts::~tls_contexts() = default;

result<std::shared_ptr<client_context>> tls_contexts::find(const env::trust& anchors) {
  constexpr std::size_t bound = 64;
  std::string mark;
  for (const auto& file : anchors.extra_ca_files) mark += file_mark(file);
  const std::lock_guard lock(mutex_);
  if (const auto found = contexts_.find(mark); found != contexts_.end()) return found->second;
  auto made = new_client_context(anchors);
  if (!made) return made;
  if (contexts_.size() >= bound) contexts_.clear();  // connections keep theirs
  contexts_.emplace(std::move(mark), *made);
  return made;
}

task<result<std::unique_ptr<env::stream>>> tls_contexts::secure_client(executor loop,
                                                                       std::unique_ptr<env::stream> plain,
                                                                       std::string host, env::trust anchors,
                                                                       instant deadline) {
  const auto context = find(anchors);
  if (!context) co_return std::unexpected(context.error());
  if (host.ends_with('.')) host.pop_back();  // the root's dot stands in no certificate
  ssl_ptr ssl(SSL_new((*context)->context.get()));
  CHECK(ssl);
  SSL_set_connect_state(ssl.get());
  if (host.empty() || !expect_host(ssl.get(), host)) {
    co_return fail(error_kind::malformed, "not a host name that a certificate can bear: " + host);
  }
  if (const auto session = (*context)->take(host)) SSL_set_session(ssl.get(), session.get());
  co_return co_await start_tls(std::move(loop), std::move(ssl), *context, std::move(plain), std::move(host),
                               deadline);
}

task<result<std::unique_ptr<env::stream>>> secure_server(executor loop, std::unique_ptr<env::stream> plain,
                                                         std::shared_ptr<const env::identity> who,
                                                         instant deadline) {
  const auto* const ours = dynamic_cast<const certificate*>(who.get());
  CHECK(ours != nullptr);
  ssl_ptr ssl(SSL_new(ours->context.get()));
  CHECK(ssl);
  SSL_set_accept_state(ssl.get());
  co_return co_await start_tls(std::move(loop), std::move(ssl), std::move(who), std::move(plain), {}, deadline);
}

result<std::shared_ptr<const env::identity>> load_identity(const std::string& cert_file,
                                                           const std::string& key_file) {
  for (const auto& file : {cert_file, key_file}) {
    if (!is_readable(file)) return fail(error_kind::unavailable, "cannot read " + file);
  }
  auto context = new_context(TLS_server_method());
  bool asked = false;
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context.get(), &asked);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context.get(), cert_file.c_str()) != 1) {
    return fail(error_kind::malformed,
                fmt::format("{} is no certificate chain in PEM: {}", cert_file, openssl_words()));
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool mismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH ||
                          ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_TYPE_MISMATCH;
    const auto words = openssl_words();
    if (asked) {
      return fail(error_kind::denied, fmt::format("{} is locked by a passphrase; write it without one "
                                                  "(openssl pkey -in {} -out plain.pem)",
                                                  key_file, key_file));
    }
    if (mismatch) {
      return fail(error_kind::malformed,
                  fmt::format("the key {} does not belong to the certificate {}", key_file, cert_file));
    }
    return fail(error_kind::malformed, fmt::format("{} is no private key in PEM: {}", key_file, words));
  }
  SSL_CTX_set_default_passwd_cb_userdata(context.get(), nullptr);
  SSL_CTX_set_alpn_select_cb(context.get(), select_protocol, nullptr);
  return std::make_shared<const certificate>(std::move(context));
}

}  // namespace meshai::os
