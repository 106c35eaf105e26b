// Reading may produce bytes to send (key updates, alerts) while a write is on its way, but the stream below has
// one writer at a time: whoever finds a write on its way leaves its bytes in `sealed`, and that writer takes them
// along.
#include "os/tls_stream.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "base/check.hpp"
#include "env/event.hpp"
#include "os/socket.hpp"

namespace meshai::os {
namespace {

constexpr std::size_t record = 16 * 1024;  // RFC 8446 5.1: the plaintext of one record
constexpr std::size_t sealed_bound = 4 * record;

struct channel {
  channel(executor loop, ssl_ptr with, std::shared_ptr<const void> from, std::unique_ptr<env::stream> over,
          std::string to)
      : plain(std::move(over)),
        host(std::move(to)),
        flushed(std::move(loop)),
        context(std::move(from)),
        ssl(std::move(with)) {}

  task<result<void>> shake_hands();
  task<result<std::size_t>> read_some(std::span<char> into);
  task<result<void>> write_all(std::span<const std::string_view> pieces);
  void close() noexcept;

  // After a call to OpenSSL: nothing where it needs more bytes, else what is wrong.
  std::optional<error> trouble(int returned);
  error handshake_error(const error& plainly) const;
  task<result<void>> fetch();  // more bytes from the peer
  task<result<void>> flush();  // starts sending, or leaves it to the write that is on its way
  task<result<void>> seal(std::string_view text);

  std::unique_ptr<env::stream> plain;
  const std::string host;  // empty on a server
  std::array<char, record> incoming_bytes;
  std::string_view incoming;  // what of them OpenSSL has not taken yet
  bool ended = false;         // the peer sends no more
  std::string sealed;         // for the peer, not yet given to the stream
  std::string sending;        // given to the stream
  bool flushing = false;
  env::event flushed;
  bool established = false;
  bool broken = false;  // OpenSSL must not be asked again
  bool closed = false;
  const std::shared_ptr<const void> context;
  ssl_ptr ssl;  // last: it refers to the rest
};

struct flushing_mark {
  explicit flushing_mark(channel& on) : of(on) { of.flushing = true; }
  ~flushing_mark() {
    of.flushing = false;
    of.flushed.set();
  }
  channel& of;
};

// The BIO: OpenSSL's view of the channel's two buffers.

channel& channel_of(BIO* bio) {
  return *static_cast<channel*>(BIO_get_data(bio));
}

int bio_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* written) {
  BIO_clear_retry_flags(bio);
  channel_of(bio).sealed.append(bytes, size);
  *written = size;
  return 1;
}

int bio_read(BIO* bio, char* into, std::size_t size, std::size_t* got) {
  BIO_clear_retry_flags(bio);
  auto& from = channel_of(bio);
  *got = std::min(size, from.incoming.size());
  if (*got == 0) {
    if (!from.ended) BIO_set_retry_read(bio);
    return 0;
  }
  std::memcpy(into, from.incoming.data(), *got);
  from.incoming.remove_prefix(*got);
  return 1;
}

long bio_control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return channel_of(bio).ended && channel_of(bio).incoming.empty();
    default:
      return 0;
  }
}

BIO* new_bio(channel& over) {
  static BIO_METHOD* const method = [] {
    auto* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "meshai stream");
    CHECK(made != nullptr);
    BIO_meth_set_write_ex(made, bio_write);
    BIO_meth_set_read_ex(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  auto* const bio = BIO_new(method);
  CHECK(bio != nullptr);
  BIO_set_data(bio, &over);
  BIO_set_init(bio, 1);
  return bio;
}

error truncated() {
  return {error_kind::unreachable, "the TLS connection ended without close_notify: it may have been cut short"};
}

std::optional<error> channel::trouble(int returned) {
  const int why = SSL_get_error(ssl.get(), returned);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return std::nullopt;
  broken = true;
  const auto last = ERR_peek_last_error();
  if (ERR_GET_LIB(last) == ERR_LIB_SSL) {
    const int reason = ERR_GET_REASON(last);
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
      ERR_clear_error();
      return truncated();
    }
    if (reason >= SSL_AD_REASON_OFFSET)
      return error{error_kind::refused, "the peer ended TLS: " + openssl_words()};
  }
  if (why == SSL_ERROR_SYSCALL && ended) return truncated();
  return error{error_kind::malformed, "TLS went wrong: " + openssl_words()};
}

error channel::handshake_error(const error& plainly) const {
  const auto verdict = SSL_get_verify_result(ssl.get());
  if (!host.empty() && verdict != X509_V_OK) {
    return {error_kind::denied, fmt::format("the certificate of {} ({}) is not accepted: {}", host,
                                            plain->peer().text(), X509_verify_cert_error_string(verdict))};
  }
  return {plainly.kind, fmt::format("TLS handshake with {}: {}", plain->peer().text(), plainly.detail)};
}

task<result<void>> channel::fetch() {
  const auto got = co_await plain->read_some(incoming_bytes);
  if (!got) co_return std::unexpected(got.error());
  incoming = {incoming_bytes.data(), *got};
  ended = *got == 0;
  co_return result<void>{};
}

task<result<void>> channel::flush() {
  if (flushing) co_return result<void>{};
  while (!sealed.empty()) {
    std::swap(sealed, sending);
    sealed.clear();
    const flushing_mark mark(*this);
    const std::string_view pieces[] = {sending};
    auto done = co_await plain->write_all(pieces);
    if (!done) co_return std::unexpected(std::move(done.error()));
  }
  if (sending.capacity() > 2 * record) sending = {};  // an upload's buffer does not stay
  co_return result<void>{};
}

task<result<void>> channel::shake_hands() {
  for (;;) {
    ERR_clear_error();
    const int returned = SSL_do_handshake(ssl.get());
    const auto wrong = returned == 1 ? std::nullopt : trouble(returned);
    // Also after a failure: the alert tells the peer why.
    const auto sent = co_await flush();
    if (wrong) co_return std::unexpected(handshake_error(*wrong));
    if (!sent) co_return std::unexpected(handshake_error(sent.error()));
    if (returned == 1) break;
    if (const auto more = co_await fetch(); !more) co_return std::unexpected(handshake_error(more.error()));
  }
  established = true;
  co_return result<void>{};
}

task<result<std::size_t>> channel::read_some(std::span<char> into) {
  for (;;) {
    if (closed || broken) co_return fail(error_kind::unavailable, "the TLS connection is closed");
    ERR_clear_error();
    std::size_t got = 0;
    const int returned = SSL_read_ex(ssl.get(), into.data(), into.size(), &got);
    std::optional<error> wrong;
    if (returned != 1) {
      if (SSL_get_error(ssl.get(), returned) == SSL_ERROR_ZERO_RETURN) co_return 0;
      wrong = trouble(returned);
    }
    if (!sealed.empty()) {
      const auto sent = co_await flush();
      if (!sent && !wrong && got == 0) wrong = sent.error();
    }
    if (wrong) co_return std::unexpected(std::move(*wrong));
    if (got > 0) co_return got;
    if (auto more = co_await fetch(); !more) co_return std::unexpected(std::move(more.error()));
  }
}

task<result<void>> channel::seal(std::string_view text) {
  while (!text.empty()) {
    if (closed || broken) co_return fail(error_kind::unavailable, "the TLS connection is closed");
    const auto part = text.substr(0, record);
    text.remove_prefix(part.size());
    ERR_clear_error();
    std::size_t taken = 0;
    if (const int returned = SSL_write_ex(ssl.get(), part.data(), part.size(), &taken); returned != 1) {
      // The BIO takes everything and renegotiation is off: it cannot be waiting for anything.
      auto wrong = trouble(returned);
      CHECK(wrong);
      co_return std::unexpected(std::move(*wrong));
    }
    while (sealed.size() >= sealed_bound) {
      if (flushing) {
        co_await flushed.wait();
        continue;
      }
      if (auto sent = co_await flush(); !sent) co_return std::unexpected(std::move(sent.error()));
    }
  }
  co_return result<void>{};
}

task<result<void>> channel::write_all(std::span<const std::string_view> pieces) {
  // Small pieces share a record: the head of a message and its body, a chunk and its frame.
  std::string joined;
  std::size_t size = 0;
  for (const auto piece : pieces) size += piece.size();
  joined.reserve(std::min(size, record));
  for (const auto piece : pieces) {
    if (joined.size() + piece.size() <= record) {
      joined += piece;
      continue;
    }
    if (auto done = co_await seal(joined); !done) co_return std::unexpected(std::move(done.error()));
    joined.clear();
    if (piece.size() <= record) {
      joined = piece;
    } else if (auto done = co_await seal(piece); !done) {
      co_return std::unexpected(std::move(done.error()));
    }
  }
  if (auto done = co_await seal(joined); !done) co_return std::unexpected(std::move(done.error()));
  while (flushing) co_await flushed.wait();
  co_return co_await flush();
}

void channel::close() noexcept {
  if (std::exchange(closed, true)) return;
  if (established && !broken && !flushing && sealed.empty()) {
    ERR_clear_error();
    SSL_shutdown(ssl.get());
    ERR_clear_error();
    if (auto* const now = dynamic_cast<immediate_writer*>(plain.get())) now->write_now(sealed);
  }
  plain->close();
}

// Shares the channel with its pending operations, so that it may be destroyed under them.
class tls_stream final : public env::stream, public immediate_writer {
 public:
  explicit tls_stream(std::shared_ptr<channel> over) : channel_(std::move(over)) {}
  ~tls_stream() override { channel_->close(); }

  task<result<std::size_t>> read_some(std::span<char> into) override {
    const auto self = channel_;
    co_return co_await self->read_some(into);
  }
  task<result<void>> write_all(std::span<const std::string_view> pieces) override {
    const auto self = channel_;
    co_return co_await self->write_all(pieces);
  }
  void read_by(instant when) override { channel_->plain->read_by(when); }
  void write_by(instant when) override { channel_->plain->write_by(when); }
  void close() noexcept override { channel_->close(); }
  const env::address& peer() const override { return channel_->plain->peer(); }
  bool stranded() const override { return channel_->plain->stranded(); }
  void write_now(std::string_view bytes) noexcept override;

 private:
  std::shared_ptr<channel> channel_;
};

// For TLS within TLS, as through an https proxy.
void tls_stream::write_now(std::string_view bytes) noexcept {
  auto& on = *channel_;
  auto* const below = dynamic_cast<immediate_writer*>(on.plain.get());
  if (!below || on.closed || on.broken || on.flushing || !on.sealed.empty() || bytes.size() > record) return;
  std::size_t taken = 0;
  ERR_clear_error();
  if (SSL_write_ex(on.ssl.get(), bytes.data(), bytes.size(), &taken) != 1) on.broken = true;
  ERR_clear_error();
  below->write_now(on.sealed);
  on.sealed.clear();
}

}  // namespace

void ssl_free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

std::string openssl_words() {
  std::string out;
  while (const auto code = ERR_get_error()) {
    const auto* const reason = ERR_reason_error_string(code);
    if (reason) out = reason;  // the last is the most general
  }
  return out;
}

task<result<std::unique_ptr<env::stream>>> start_tls(executor loop, ssl_ptr ssl,
                                                     std::shared_ptr<const void> context,
                                                     std::unique_ptr<env::stream> plain, std::string host,
                                                     instant deadline) {
  const auto on = std::make_shared<channel>(std::move(loop), std::move(ssl), std::move(context), std::move(plain),
                                            std::move(host));
  auto* const bio = new_bio(*on);
  SSL_set_bio(on->ssl.get(), bio, bio);
  SSL_set_app_data(on->ssl.get(), const_cast<std::string*>(&on->host));
  auto stream = std::make_unique<tls_stream>(on);
  stream->read_by(deadline);
  stream->write_by(deadline);
  if (auto done = co_await on->shake_hands(); !done) co_return std::unexpected(std::move(done.error()));
  stream->read_by(never);
  stream->write_by(never);
  co_return std::unique_ptr<env::stream>(std::move(stream));
}

}  // namespace meshai::os
