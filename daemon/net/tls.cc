#include "daemon/net/tls.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>

namespace timectl::net {
namespace {

// Session tickets and new keys of one session. Servers send a few tickets, and new keys are due
// after millions of records; each costs us more than its 27 bytes cost the peer.
constexpr std::uint32_t kLateHandshakeMessages = 64;

template <auto Function>
struct Releases {
  template <class T>
  void operator()(T* object) const {
    Function(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Releases<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Releases<X509_free>>;

void check(bool worked, const char* what) {
  if (worked) return;
  const unsigned long code = ERR_get_error();
  const char* reason = ERR_reason_error_string(code);
  throw std::runtime_error(std::string("TLS: cannot ") + what + ": " +
                           (reason != nullptr ? reason : "unknown error"));
}

// Validity as the reference node's library has it: from before every clock to after it, because
// nobody checks it and an expired certificate would only look like a fault.
Certificate self_signed(EVP_PKEY* key) {
  Certificate certificate(X509_new());
  X509* x = certificate.get();
  check(x != nullptr && X509_set_version(x, X509_VERSION_3) == 1, "make a certificate");
  std::uint64_t serial = 0;
  check(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial)) == 1,
        "draw a number");
  check(ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1U) == 1, "number it");
  check(ASN1_TIME_set_string_X509(X509_getm_notBefore(x), "19750101000000Z") == 1 &&
            ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "40960101000000Z") == 1,
        "date it");
  X509_NAME* name = X509_get_subject_name(x);
  const auto* subject = reinterpret_cast<const unsigned char*>("timectl self signed cert");
  check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, subject, -1, -1, 0) == 1, "name it");
  check(X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key) == 1, "fill it");
  const std::string alternative = std::string("DNS:") + server_name;
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternative.c_str());
  check(extension != nullptr, "make its alternative name");
  const int added = X509_add_ext(x, extension, -1);
  X509_EXTENSION_free(extension);
  check(added == 1 && X509_sign(x, key, EVP_sha256()) != 0, "sign it");
  return certificate;
}

// Called for each message of TLS itself; `watch` is Stream's, none while it has no session.
void count_handshake_message(int sent, int, int type, const void*, std::size_t, SSL*, void* watch) {
  if (sent == 0 && type == SSL3_RT_HANDSHAKE && watch != nullptr) {
    ++static_cast<TlsWatch*>(watch)->handshake_messages;
  }
}

// Of a first message; honest ones have below 2 KiB.
constexpr std::size_t kLargestHello = 16'384;

std::size_t announced_hello(const TlsWatch& watch) {
  if (watch.head_filled < watch.head.size()) return 0;
  return static_cast<std::size_t>(watch.head[6]) << 16U |
         static_cast<std::size_t>(watch.head[7]) << 8U | watch.head[8];
}

// Called after each read of a socket until the handshake is done: keeps the head.
long watch_head(BIO* bio, int operation, const char* bytes, std::size_t, int, long, int result,
                std::size_t* count) {
  if (operation != (BIO_CB_READ | BIO_CB_RETURN) || result <= 0) return result;
  TlsWatch& watch = *reinterpret_cast<TlsWatch*>(BIO_get_callback_arg(bio));
  for (std::size_t i = 0; i < *count && watch.head_filled < watch.head.size(); ++i) {
    watch.head.at(watch.head_filled++) = static_cast<std::uint8_t>(bytes[i]);
  }
  return result;
}

// The same for an accepted socket. OpenSSL reserves (and clears) as much as a message announces, up
// to 128 KiB for 9 bytes of a stranger's: such a read fails here.
long guard_hello(BIO* bio, int operation, const char* bytes, std::size_t size, int argi, long argl,
                 int result, std::size_t* count) {
  if (operation != (BIO_CB_READ | BIO_CB_RETURN) || result <= 0) return result;
  (void)watch_head(bio, operation, bytes, size, argi, argl, result, count);
  const TlsWatch& watch = *reinterpret_cast<TlsWatch*>(BIO_get_callback_arg(bio));
  if (announced_hello(watch) <= kLargestHello) return result;
  errno = EMSGSIZE;
  return -1;
}

SSL_CTX* make_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  check(context != nullptr, "make a context");
  // An idle connection must not hold two 16 KiB buffers; our writer may move its queue.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // With it one read works off records without data (KeyUpdate, 27 bytes each) for as long as a
  // peer sends them, and the thread of all connections with it.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_read_ahead(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  check(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1, "ask for TLS 1.2");
  // What the reference node has (protocol 1.8). OpenSSL's own list has finite-field groups too, of
  // which the peer chooses: one handshake with ffdhe8192 takes 150 ms of our one thread.
  check(SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1 &&
            SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1,
        "choose groups and suites");
  SSL_CTX_set_msg_callback(context, count_handshake_message);
  return context;
}

bool begins_tls(std::uint8_t first) {
  return first == tls_handshake_byte || first == tls_alert_byte;
}

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

}  // namespace

std::string ending(int error) {
  if (error == 0) return "FIN";
  if (error == ECONNRESET || error == EPIPE) return "RST";
  return std::system_category().message(error);
}

void TlsContext::Free::operator()(SSL_CTX* context) const {
  SSL_CTX_free(context);
}

void Stream::Free::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

TlsContext::TlsContext()
    : server_(make_context(TLS_server_method())), client_(make_context(TLS_client_method())) {
  // OpenSSL writes to sockets with write(): a peer's reset must be an error, not our end.
  (void)std::signal(SIGPIPE, SIG_IGN);
  const Key key(EVP_EC_gen("P-256"));
  check(key != nullptr, "make a P-256 key");
  const auto certificate = self_signed(key.get());
  check(SSL_CTX_use_certificate(server_.get(), certificate.get()) == 1 &&
            SSL_CTX_use_PrivateKey(server_.get(), key.get()) == 1,
        "use the certificate");
}

void Stream::secure(const TlsContext& context, Direction direction) {
  ssl_.reset(SSL_new(context.of(direction)));
  check(ssl_ != nullptr && SSL_set_fd(ssl_.get(), fd_) == 1, "start a session");
  SSL_set_msg_callback_arg(ssl_.get(), watch_.get());
  BIO_set_callback_arg(SSL_get_rbio(ssl_.get()), reinterpret_cast<char*>(watch_.get()));
  BIO_set_callback_ex(SSL_get_rbio(ssl_.get()),
                      direction == Direction::in ? guard_hello : watch_head);
  if (direction == Direction::in) {
    SSL_set_accept_state(ssl_.get());
    return;
  }
  check(SSL_set_tlsext_host_name(ssl_.get(), server_name) == 1, "name the server");
  SSL_set_connect_state(ssl_.get());
}

Look Stream::look() {
  std::array<std::uint8_t, 16> first{};
  const auto seen = ::recv(fd_, first.data(), first.size(), MSG_PEEK | MSG_DONTWAIT);
  if (seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    return {IoState::want_read, 0, {}};
  }
  if (seen <= 0) return {IoState::failed, 0, "closed before TLS: " + ending(seen < 0 ? errno : 0)};
  heard_ = true;
  return {IoState::done, first[0], hex(std::span(first).first(static_cast<std::size_t>(seen)))};
}

Io Stream::no_tls(std::string first_bytes) {
  plain_bytes_ = std::move(first_bytes);
  return {IoState::failed, 0, 0, "no TLS; the first bytes are " + plain_bytes_};
}

Io Stream::handshake() {
  if (!heard_) {
    const Look look = this->look();
    if (look.state == IoState::failed) return {IoState::failed, 0, 0, look.detail};
    if (look.state == IoState::done && !begins_tls(look.first)) return no_tls(look.detail);
  }
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(ssl_.get());
  const int saved = errno;
  // What came in between the look and this was taken for TLS: the next look would see the middle of
  // the handshake, and take it for something else.
  if (BIO_number_read(SSL_get_rbio(ssl_.get())) > 0) heard_ = true;
  if (result == 1) {
    established_ = true;
    watch_->handshake_messages = 0;
    BIO_set_callback_ex(SSL_get_rbio(ssl_.get()), nullptr);
    return {};
  }
  if (const auto announced = announced_hello(*watch_); announced > kLargestHello) {
    broken_ = true;
    return {IoState::failed, 0, 0,
            "TLS handshake: a ClientHello of " + std::to_string(announced) + " bytes"};
  }
  Io io = outcome(result, saved);
  if (io.state == IoState::ended) io.state = IoState::failed;
  // It answered between the look and OpenSSL's read: what OpenSSL took, and what is still there.
  const auto taken = std::span(watch_->head).first(watch_->head_filled);
  if (io.state == IoState::failed && !taken.empty() && !begins_tls(taken.front())) {
    const Look rest = look();
    return no_tls(hex(taken) + (rest.state == IoState::done ? rest.detail : ""));
  }
  if (io.state == IoState::failed) io.failure = "TLS handshake: " + io.failure;
  return io;
}

std::string Stream::requested_name() const {
  const char* name = ssl_ ? SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name) : nullptr;
  return name != nullptr ? name : "";
}

Io Stream::outcome(int result, int saved_errno) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {IoState::want_read, 0, 0, {}};
    case SSL_ERROR_WANT_WRITE:
      return {IoState::want_write, 0, 0, {}};
    case SSL_ERROR_ZERO_RETURN:
      return {IoState::ended, 0, 0, "close_notify"};
    case SSL_ERROR_SYSCALL:
      broken_ = true;
      if (saved_errno == 0) return {IoState::ended, 0, 0, "FIN"};
      return {IoState::failed, 0, saved_errno, ending(saved_errno)};
    default:
      break;
  }
  broken_ = true;
  const unsigned long code = ERR_peek_last_error();
  if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    return {IoState::ended, 0, 0, "FIN"};
  }
  const char* reason = ERR_reason_error_string(code);
  return {IoState::failed, 0, 0, reason != nullptr ? reason : "unknown TLS error"};
}

Io Stream::read(std::span<std::uint8_t> into) {
  if (ssl_) {
    ERR_clear_error();
    errno = 0;
    std::size_t bytes = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &bytes);
    const int saved = errno;
    if (watch_->handshake_messages > kLateHandshakeMessages) {
      broken_ = true;
      return {IoState::failed, 0, 0, "too many handshake messages after the handshake"};
    }
    if (result == 1) return {IoState::done, bytes, 0, {}};
    return outcome(result, saved);
  }
  const auto got = ::recv(fd_, into.data(), into.size(), 0);
  if (got > 0) return {IoState::done, static_cast<std::size_t>(got), 0, {}};
  if (got == 0) return {IoState::ended, 0, 0, "FIN"};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    return {IoState::want_read, 0, 0, {}};
  }
  return {IoState::failed, 0, errno, ending(errno)};
}

Io Stream::write(std::span<const std::uint8_t> from) {
  if (ssl_) {
    ERR_clear_error();
    errno = 0;
    std::size_t bytes = 0;
    const int result = SSL_write_ex(ssl_.get(), from.data(), from.size(), &bytes);
    if (result == 1) return {IoState::done, bytes, 0, {}};
    return outcome(result, errno);
  }
  const auto put = ::send(fd_, from.data(), from.size(), MSG_NOSIGNAL);
  if (put >= 0) return {IoState::done, static_cast<std::size_t>(put), 0, {}};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
    return {IoState::want_write, 0, 0, {}};
  }
  return {IoState::failed, 0, errno, ending(errno)};
}

void Stream::notify_close() {
  if (!ssl_ || !established_ || broken_) return;
  ERR_clear_error();
  (void)SSL_shutdown(ssl_.get());  // best effort: FIN follows at once
}

}  // namespace timectl::net
