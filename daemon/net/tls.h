#pragma once
// TLS as the network speaks it, driven over a non-blocking socket: OpenSSL on the descriptor
// itself, because Asio's ssl::stream holds 68 KiB of buffers per connection and this 14. Session
// drives a Stream with readiness from Asio; nothing here waits. Promises: TLS 1.2 or 1.3, SNI
// exactly `timecoin.local`, no ALPN, no verification (the network has no certificates to verify),
// and that a failed handshake says what the other side did instead.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "daemon/core/vocabulary.h"

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace timectl::net {

inline constexpr const char* server_name = "timecoin.local";  // protocol 1.6

// Certificate and settings of a process: ECDSA P-256, self-signed, made anew by each constructor
// (protocol 1.3, 1.7: an RSA key would not work). Ignores SIGPIPE for the process. Throws
// std::runtime_error when OpenSSL fails.
class TlsContext {
 public:
  TlsContext();

  [[nodiscard]] SSL_CTX* of(Direction direction) const {
    return direction == Direction::in ? server_.get() : client_.get();
  }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const;
  };
  std::unique_ptr<SSL_CTX, Free> server_;
  std::unique_ptr<SSL_CTX, Free> client_;
};

enum class IoState : std::uint8_t {
  done,        // `bytes` were moved; for handshake and shutdown: complete
  want_read,   // try again when the socket is readable
  want_write,  // try again when it is writable
  ended,       // the peer closed in order; `failure` says how: "close_notify" or "FIN"
  failed,      // `error` and `failure` say why
};

struct Io {
  IoState state = IoState::done;
  std::size_t bytes = 0;
  int error = 0;             // errno of `failed`, 0 where TLS itself failed
  std::string failure = {};  // of `ended` and `failed`
};

// The first bytes of a connection, looked at without taking them: they tell TLS from the rest.
struct Look {
  IoState state = IoState::done;
  std::uint8_t first = 0;   // of done
  std::string detail = {};  // of done: all that is seen, as hex; of failed: why
};

inline constexpr std::uint8_t tls_alert_byte = 0x15;
inline constexpr std::uint8_t tls_handshake_byte = 0x16;

// What OpenSSL's callbacks see of one connection; OpenSSL keeps the pointer.
struct TlsWatch {
  // Handshake messages received, of TLS itself; after the handshake they are counted anew, because
  // a peer that sends nothing else only burns our time.
  std::uint32_t handshake_messages = 0;
  // The head of the first record: its header, and what message of which length it begins.
  std::array<std::uint8_t, 9> head = {};
  std::uint8_t head_filled = 0;
};

// One connection's bytes, plain until secure() was called. Does not own the descriptor.
class Stream {
 public:
  explicit Stream(int fd) : fd_(fd) {}

  // Who `in` accepted is a TLS client; who we dialled (`out`) is a TLS server.
  void secure(const TlsContext& context, Direction direction);
  [[nodiscard]] bool secured() const { return ssl_ != nullptr; }

  [[nodiscard]] Look look();

  // One step of the TLS handshake.
  [[nodiscard]] Io handshake();
  // Why handshake() failed, for the dial table: closed_before_tls where the peer sent no byte.
  [[nodiscard]] EndReason handshake_failure() const {
    return heard_ ? EndReason::tls_failed : EndReason::closed_before_tls;
  }
  // After a failed handshake(): the peer's first bytes as hex where they are no TLS, else empty.
  [[nodiscard]] const std::string& plain_bytes() const { return plain_bytes_; }
  // The server name the client asked for; empty where it named none. For an accepted Stream.
  [[nodiscard]] std::string requested_name() const;

  [[nodiscard]] Io read(std::span<std::uint8_t> into);
  [[nodiscard]] Io write(std::span<const std::uint8_t> from);
  // Sends close_notify once, if the connection still takes it. Never waits for the answer.
  void notify_close();

 private:
  struct Free {
    void operator()(SSL* ssl) const;
  };
  [[nodiscard]] Io outcome(int result, int saved_errno);
  [[nodiscard]] Io no_tls(std::string first_bytes);
  int fd_;
  std::unique_ptr<TlsWatch> watch_ = std::make_unique<TlsWatch>();
  std::unique_ptr<SSL, Free> ssl_;
  bool heard_ = false;        // the peer has sent a byte
  bool established_ = false;  // the TLS handshake is complete
  bool broken_ = false;       // after a fatal error OpenSSL must not be asked to shut down
  std::string plain_bytes_;
};

// "FIN", "RST" or the system's text: how a connection ended, in the words of the history.
[[nodiscard]] std::string ending(int error);

}  // namespace timectl::net
