#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fstream>

#include "env/event.hpp"
#include "env/scope.hpp"
#include "os/testing.hpp"

namespace meshai::os {
namespace {
using namespace std::chrono_literals;

// A small authority of the test's own.
struct key_pair {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = nullptr;
  ~key_pair() {
    EVP_PKEY_free(key);
    X509_free(certificate);
  }
};

struct wish {
  const char* name = "test";
  const char* alternatives = nullptr;  // as in openssl.cnf: "DNS:localhost,IP:127.0.0.1"
  long valid_from = -3600;             // seconds from now
  long valid_to = 3600;
  bool authority = false;
};

void extend(X509* certificate, X509V3_CTX& context, int which, const char* value) {
  auto* const extension = X509V3_EXT_conf_nid(nullptr, &context, which, value);
  ASSERT_NE(extension, nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

void certify(key_pair& whom, const wish& as, const key_pair& by) {
  static long serial = 1;
  auto* const made = X509_new();
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), serial++);
  X509_gmtime_adj(X509_getm_notBefore(made), as.valid_from);
  X509_gmtime_adj(X509_getm_notAfter(made), as.valid_to);
  auto* const name = X509_get_subject_name(made);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(as.name), -1, -1, 0);
  X509_set_issuer_name(made, by.certificate ? X509_get_subject_name(by.certificate) : name);
  X509_set_pubkey(made, whom.key);
  X509V3_CTX context;
  X509V3_set_ctx(&context, by.certificate ? by.certificate : made, made, nullptr, nullptr, 0);
  extend(made, context, NID_basic_constraints, as.authority ? "critical,CA:TRUE" : "CA:FALSE");
  extend(made, context, NID_subject_key_identifier, "hash");
  if (as.alternatives) extend(made, context, NID_subject_alt_name, as.alternatives);
  X509_sign(made, by.key, EVP_sha256());
  whom.certificate = made;
}

void save(const std::string& file, const std::vector<X509*>& chain) {
  auto* const out = std::fopen(file.c_str(), "w");
  for (auto* const one : chain) PEM_write_X509(out, one);
  std::fclose(out);
}

void save(const std::string& file, EVP_PKEY* key, const char* passphrase = nullptr) {
  auto* const out = std::fopen(file.c_str(), "w");
  PEM_write_PrivateKey(out, key, passphrase ? EVP_aes_256_cbc() : nullptr, nullptr, 0, nullptr,
                       const_cast<char*>(passphrase));
  std::fclose(out);
}

struct both_ends {
  result<std::unique_ptr<env::stream>> client = fail(error_kind::unavailable, "not tried");
  result<std::unique_ptr<env::stream>> server = fail(error_kind::unavailable, "not tried");
};

task<void> serve(env::network& network, std::unique_ptr<env::stream> plain,
                 std::shared_ptr<const env::identity> who, both_ends& out, env::event& done) {
  out.server = co_await network.secure_server(std::move(plain), std::move(who), soon());
  done.set();
}

task<both_ends> shake_hands(env::world world, connected plain, std::shared_ptr<const env::identity> who,
                            std::string host, env::trust anchors, instant deadline) {
  both_ends out;
  env::event done(world.loop);
  env::scope scope(world.loop);
  scope.spawn(serve(world.network, std::move(plain.server), std::move(who), out, done));
  out.client =
      co_await world.network.secure_client(std::move(plain.client), std::move(host), std::move(anchors), deadline);
  co_await done.wait();
  co_await scope.close();
  co_return out;
}

struct tls : testing::Test, fixture {
  tls() {
    certify(root, {.name = "root", .authority = true}, root);
    save(folder.file("root.pem"), {root.certificate});
  }

  std::shared_ptr<const env::identity> identity(const wish& as) {
    key_pair server;
    certify(server, as, root);
    return identity(server, {server.certificate});
  }
  std::shared_ptr<const env::identity> identity(const key_pair& server, const std::vector<X509*>& chain) {
    save(folder.file("cert.pem"), chain);
    save(folder.file("key.pem"), server.key);
    auto made = world.network.load_identity(folder.file("cert.pem"), folder.file("key.pem"));
    EXPECT_TRUE(made) << made.error().detail;
    return *made;
  }
  both_ends meet(std::shared_ptr<const env::identity> who, std::string host, env::trust anchors) {
    auto plain = finish(connect_pair(world.network, loopback()));
    return finish(
        shake_hands(world, std::move(*plain), std::move(who), std::move(host), std::move(anchors), soon()));
  }
  void expect_denied(const both_ends& ends, std::string_view word) {
    ASSERT_FALSE(ends.client);
    EXPECT_EQ(ends.client.error().kind, error_kind::denied) << ends.client.error().detail;
    EXPECT_NE(ends.client.error().detail.find(word), std::string::npos) << ends.client.error().detail;
  }

  temp_folder folder;
  key_pair root;
  const env::trust ours{{folder.file("root.pem")}};
};

constexpr wish localhost{.name = "server", .alternatives = "DNS:localhost,DNS:*.example.test,IP:127.0.0.1,IP:::1"};

task<int> talk(both_ends& ends) {
  auto& client = **ends.client;
  auto& server = **ends.server;
  const std::string_view pieces[] = {"POST ", "/ ", "HTTP/1.1"};
  EXPECT_TRUE(co_await client.write_all(pieces));
  EXPECT_EQ(*co_await read(server, 15), "POST / HTTP/1.1");
  EXPECT_TRUE(co_await write(server, "200"));
  EXPECT_EQ(*co_await read(client, 3), "200");
  server.close();
  const auto end = co_await read(client, 1);
  EXPECT_TRUE(end && end->empty()) << "close_notify makes it an orderly end";
  co_return 0;
}

TEST_F(tls, carries_bytes_for_a_trusted_host) {
  for (const auto* const host : {"localhost", "LOCALHOST", "localhost.", "a.example.test", "127.0.0.1", "::1"}) {
    auto ends = meet(identity(localhost), host, ours);
    ASSERT_TRUE(ends.client) << host << ": " << ends.client.error().detail;
    ASSERT_TRUE(ends.server);
    finish(talk(ends));
  }
}

TEST_F(tls, denies_another_host) {
  expect_denied(meet(identity(localhost), "example.org", ours), "hostname mismatch");
  expect_denied(meet(identity(localhost), "127.0.0.2", ours), "IP address mismatch");
  expect_denied(meet(identity(localhost), "a.b.example.test", ours), "hostname mismatch");
  expect_denied(meet(identity({.name = "localhost", .alternatives = "DNS:other"}), "localhost", ours), "mismatch");
}

TEST_F(tls, denies_what_is_expired_or_not_valid_yet) {
  auto late = localhost, early = localhost;
  late.valid_to = -60;
  early.valid_from = 1800;
  expect_denied(meet(identity(late), "localhost", ours), "expired");
  expect_denied(meet(identity(early), "localhost", ours), "not yet valid");
}

TEST_F(tls, denies_an_authority_nobody_named) {
  expect_denied(meet(identity(localhost), "localhost", {}), "unable to get local issuer");
  key_pair lone;
  certify(lone, localhost, lone);
  expect_denied(meet(identity(lone, {lone.certificate}), "localhost", ours), "self-signed");
}

TEST_F(tls, believes_a_single_certificate_that_was_named) {
  key_pair lone;
  certify(lone, localhost, lone);
  save(folder.file("lone.pem"), {lone.certificate});
  auto ends = meet(identity(lone, {lone.certificate}), "localhost", {{folder.file("lone.pem")}});
  EXPECT_TRUE(ends.client) << ends.client.error().detail;
}

TEST_F(tls, sends_the_whole_chain) {
  key_pair between, server;
  certify(between, {.name = "between", .authority = true}, root);
  certify(server, localhost, between);
  EXPECT_TRUE(meet(identity(server, {server.certificate, between.certificate}), "localhost", ours).client);
  expect_denied(meet(identity(server, {server.certificate}), "localhost", ours), "unable to get local issuer");
}

TEST_F(tls, sees_that_the_file_of_authorities_changed) {
  save(folder.file("own.pem"), {root.certificate});
  const env::trust own{{folder.file("own.pem")}};
  EXPECT_TRUE(meet(identity(localhost), "localhost", own).client);
  key_pair other;
  certify(other, {.name = "a root with a longer name", .authority = true}, other);
  save(folder.file("own.pem"), {other.certificate});
  expect_denied(meet(identity(localhost), "localhost", own), "unable to get local issuer");
}

TEST_F(tls, says_which_authorities_it_cannot_read) {
  auto ends = meet(identity(localhost), "localhost", {{folder.file("none.pem")}});
  ASSERT_FALSE(ends.client);
  EXPECT_NE(ends.client.error().detail.find("none.pem"), std::string::npos);
  std::ofstream(folder.file("bad.pem")) << "no certificate\n";
  ends = meet(identity(localhost), "localhost", {{folder.file("bad.pem")}});
  ASSERT_FALSE(ends.client);
  EXPECT_EQ(ends.client.error().kind, error_kind::malformed);
}

TEST_F(tls, says_what_is_wrong_with_an_identity) {
  key_pair server, other;
  certify(server, localhost, root);
  const auto cert = folder.file("c.pem"), key = folder.file("k.pem");
  save(cert, {server.certificate});
  save(key, other.key);
  auto& network = world.network;
  EXPECT_NE(network.load_identity(cert, key).error().detail.find("does not belong"), std::string::npos);
  EXPECT_NE(network.load_identity(folder.file("no.pem"), key).error().detail.find("cannot read"),
            std::string::npos);
  EXPECT_EQ(network.load_identity(key, key).error().kind, error_kind::malformed);
  EXPECT_EQ(network.load_identity(cert, cert).error().kind, error_kind::malformed);
  save(key, server.key, "open sesame");
  EXPECT_NE(network.load_identity(cert, key).error().detail.find("passphrase"), std::string::npos);
  save(key, server.key);
  EXPECT_TRUE(network.load_identity(cert, key));
}

task<result<std::unique_ptr<env::stream>>> secure(env::network& network, std::unique_ptr<env::stream> plain,
                                                  instant deadline) {
  co_return co_await network.secure_client(std::move(plain), "localhost", {}, deadline);
}

TEST_F(tls, a_silent_peer_is_a_timeout) {
  auto plain = *finish(connect_pair(world.network, loopback()));
  const auto got = finish(secure(world.network, std::move(plain.client), in(50ms)));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, error_kind::timeout) << got.error().detail;
}

TEST_F(tls, a_peer_that_speaks_plainly_is_malformed) {
  auto plain = *finish(connect_pair(world.network, loopback()));
  ASSERT_TRUE(finish(write(*plain.server, "HTTP/1.1 400 Bad Request\r\n\r\n")));
  const auto got = finish(secure(world.network, std::move(plain.client), soon()));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, error_kind::malformed) << got.error().detail;
}

TEST_F(tls, a_peer_that_hangs_up_is_unreachable) {
  auto plain = *finish(connect_pair(world.network, loopback()));
  plain.server->close();
  const auto got = finish(secure(world.network, std::move(plain.client), soon()));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, error_kind::unreachable) << got.error().detail;
}

// Carries bytes until it is cut: then its reader sees an end that TLS knows nothing of.
class cut_stream final : public env::stream {
 public:
  cut_stream(std::unique_ptr<env::stream> over, bool& cut) : over_(std::move(over)), cut_(cut) {}
  task<result<std::size_t>> read_some(std::span<char> into) override {
    if (cut_) co_return 0;
    co_return co_await over_->read_some(into);
  }
  task<result<void>> write_all(std::span<const std::string_view> pieces) override {
    return over_->write_all(pieces);
  }
  void read_by(instant when) override { over_->read_by(when); }
  void write_by(instant when) override { over_->write_by(when); }
  void close() noexcept override { over_->close(); }
  const env::address& peer() const override { return over_->peer(); }

 private:
  std::unique_ptr<env::stream> over_;
  bool& cut_;
};

TEST_F(tls, an_end_without_close_notify_is_an_error) {
  bool cut = false;
  auto plain = *finish(connect_pair(world.network, loopback()));
  plain.client = std::make_unique<cut_stream>(std::move(plain.client), cut);
  auto ends = finish(shake_hands(world, std::move(plain), identity(localhost), "localhost", ours, soon()));
  ASSERT_TRUE(ends.client) << ends.client.error().detail;
  ASSERT_TRUE(finish(write(**ends.server, "half an ans")));
  EXPECT_EQ(*finish(read(**ends.client, 11)), "half an ans");
  cut = true;
  const auto got = finish(read(**ends.client, 1));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, error_kind::unreachable);
  EXPECT_NE(got.error().detail.find("cut short"), std::string::npos);
}

TEST_F(tls, runs_over_any_stream_also_over_itself) {
  auto outer = meet(identity(localhost), "localhost", ours);
  connected within{std::move(*outer.client), std::move(*outer.server)};
  auto inner = finish(shake_hands(world, std::move(within), identity(localhost), "localhost", ours, soon()));
  ASSERT_TRUE(inner.client) << inner.client.error().detail;
  finish(talk(inner));
}

task<void> send(env::stream& to, const std::string& bytes, int& running, env::event& done) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const auto part = rest.substr(0, 70'001);
    rest.remove_prefix(part.size());
    const std::string_view pieces[] = {part.substr(0, 5), part.substr(5)};
    const auto sent = co_await to.write_all(pieces);
    EXPECT_TRUE(sent);
  }
  if (--running == 0) done.set();
}

task<void> receive(env::stream& from, const std::string& expected, int& running, env::event& done) {
  const auto got = co_await read(from, expected.size());
  EXPECT_TRUE(got && *got == expected);
  if (--running == 0) done.set();
}

task<int> flood(env::world world, both_ends& ends) {
  std::string up(4 << 20, '\0'), down(4 << 20, '\0');
  for (std::size_t i = 0; i < up.size(); ++i) {
    up[i] = static_cast<char>(i * 7 >> 6);
    down[i] = static_cast<char>(i * 13 >> 7);
  }
  int running = 4;
  env::event done(world.loop);
  env::scope scope(world.loop);
  scope.spawn(send(**ends.client, up, running, done));
  scope.spawn(send(**ends.server, down, running, done));
  scope.spawn(receive(**ends.client, down, running, done));
  scope.spawn(receive(**ends.server, up, running, done));
  co_await done.wait();
  co_await scope.close();
  co_return 0;
}

TEST_F(tls, carries_much_both_ways_at_once) {
  auto ends = meet(identity(localhost), "localhost", ours);
  finish(flood(world, ends));
}

TEST_F(tls, obeys_deadlines) {
  auto ends = meet(identity(localhost), "localhost", ours);
  (*ends.client)->read_by(in(30ms));
  EXPECT_EQ(finish(read(**ends.client, 1)).error().kind, error_kind::timeout);
}

task<void> read_one(env::stream& from, std::optional<error_kind>& out, env::event& done) {
  const auto got = co_await read(from, 1);
  if (!got) out = got.error().kind;
  done.set();
}

task<int> destroy_while_reading(env::world world, both_ends& ends) {
  std::optional<error_kind> out;
  env::event done(world.loop);
  env::scope scope(world.loop);
  scope.spawn(read_one(**ends.client, out, done));
  co_await world.clock.sleep_until(in(5ms));
  ends.client->reset();
  co_await done.wait();
  EXPECT_EQ(out, error_kind::unavailable);
  co_await scope.close();
  co_return 0;
}

TEST_F(tls, may_be_destroyed_under_a_read) {
  auto ends = meet(identity(localhost), "localhost", ours);
  finish(destroy_while_reading(world, ends));
}

// What the hello of our client says, seen by a server that is OpenSSL's own.
struct seen {
  std::string protocol, group, name, alpn;
  bool resumed = false;
};

task<result<seen>> inspect(env::stream& plain, SSL_CTX* context) {
  auto* const ssl = SSL_new(context);
  auto* const in_bytes = BIO_new(BIO_s_mem());
  auto* const out_bytes = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, in_bytes, out_bytes);
  SSL_set_accept_state(ssl);
  const std::unique_ptr<SSL, decltype(&SSL_free)> owner(ssl, SSL_free);
  char buffer[16384];
  for (bool done = false;;) {
    done = SSL_do_handshake(ssl) == 1;
    if (done) {
      std::size_t n = 0;
      SSL_write_ex(ssl, "!", 1, &n);
    }
    for (int n = BIO_read(out_bytes, buffer, sizeof buffer); n > 0;
         n = BIO_read(out_bytes, buffer, sizeof buffer)) {
      if (const auto sent = co_await write(plain, {buffer, static_cast<std::size_t>(n)}); !sent)
        co_return std::unexpected(sent.error());
    }
    if (done) break;
    const auto got = co_await plain.read_some(buffer);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return fail(error_kind::unreachable, "ended");
    BIO_write(in_bytes, buffer, static_cast<int>(*got));
  }
  const unsigned char* chosen = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl, &chosen, &size);
  const auto* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  co_return seen{.protocol = SSL_get_version(ssl),
                 .group = SSL_get0_group_name(ssl),
                 .name = name ? name : "",
                 .alpn = std::string(reinterpret_cast<const char*>(chosen), size),
                 .resumed = SSL_session_reused(ssl) == 1};
}

task<void> inspect_into(env::stream& plain, SSL_CTX* context, result<seen>& out, env::event& done) {
  out = co_await inspect(plain, context);
  done.set();
}

task<result<seen>> be_seen(env::world world, connected plain, SSL_CTX* context, std::string host,
                           env::trust anchors) {
  result<seen> out = fail(error_kind::unavailable, "");
  env::event done(world.loop);
  env::scope scope(world.loop);
  scope.spawn(inspect_into(*plain.server, context, out, done));
  const auto client = co_await world.network.secure_client(std::move(plain.client), host, anchors, soon());
  if (client) {
    EXPECT_EQ(*co_await read(**client, 1), "!");
  }
  co_await done.wait();
  co_await scope.close();
  co_return out;
}

int accept_http(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                unsigned int size, void*) {
  *out = offered + 1;
  *out_size = offered[0];
  return size == 9 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

struct hello : tls {
  hello() {
    key_pair server;
    certify(server, localhost, root);
    SSL_CTX_use_certificate(context, server.certificate);
    SSL_CTX_use_PrivateKey(context, server.key);
    SSL_CTX_set_alpn_select_cb(context, accept_http, nullptr);
  }
  ~hello() override { SSL_CTX_free(context); }
  result<seen> look(std::string host = "localhost") {
    auto plain = finish(connect_pair(world.network, loopback()));
    return finish(be_seen(world, std::move(*plain), context, std::move(host), ours));
  }
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
};

TEST_F(hello, prefers_the_hybrid_group_and_asks_for_http_1_1) {
  const auto got = look();
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->protocol, "TLSv1.3");
  EXPECT_EQ(got->group, "X25519MLKEM768");
  EXPECT_EQ(got->name, "localhost");
  EXPECT_EQ(got->alpn, "http/1.1");
  EXPECT_EQ(look("127.0.0.1")->name, "") << "an IP address is not announced";
}

TEST_F(hello, falls_back_to_older_groups_and_tls_1_2_but_not_below) {
  SSL_CTX_set1_groups_list(context, "P-256");
  EXPECT_EQ(look()->group, "secp256r1");
  SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  EXPECT_EQ(look()->protocol, "TLSv1.2");
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, TLS1_1_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
  EXPECT_FALSE(look());
}

TEST_F(hello, resumes_a_session_once_for_each_ticket) {
  SSL_CTX_set_num_tickets(context, 1);
  EXPECT_FALSE(look()->resumed);
  EXPECT_TRUE(look()->resumed);
  EXPECT_FALSE(look("127.0.0.1")->resumed) << "another host's session is not used";
}

TEST_F(tls, believes_the_authorities_of_the_system) {
  ::setenv("SSL_CERT_FILE", folder.file("root.pem").c_str(), 1);
  const auto ends = meet(identity(localhost), "localhost", {});
  ::unsetenv("SSL_CERT_FILE");
  EXPECT_TRUE(ends.client) << ends.client.error().detail;
}

}  // namespace
}  // namespace meshai::os
