#pragma once
// An HTTPS server whose every answer a test writes byte by byte: also wrong, late, endless or none.
// Threads and blocking calls; each connection runs the test's script in a thread of its own.

#include <openssl/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/certificates.h"

namespace timectl::testing {

class HttpsServer;

// One connection, seen from the server. Calls return false or nothing once the client is gone or
// the server is being destroyed.
class ServerConnection {
 public:
  // The head of the next request, up to its empty line.
  [[nodiscard]] std::string read_request();
  // Its body, whose length the head has told.
  [[nodiscard]] std::string read_body(std::size_t size);
  bool send(std::string_view text);
  // As `text`, over and over until the client goes; returns the bytes that were sent.
  std::size_t send_endlessly(std::string_view text);
  void reset();  // ends it with a TCP RST
  void cut();    // ends it without TLS's goodbye
  // Until the client or the server ends; at most `longest`.
  void wait(std::chrono::milliseconds longest = std::chrono::hours(1));
  // A proxy's tunnel: bytes to and from the address until one side ends.
  void relay(const std::string& address, std::uint16_t port);

 private:
  friend class HttpsServer;
  ServerConnection(HttpsServer& server, int fd, SSL* ssl) : server_(server), fd_(fd), ssl_(ssl) {}
  [[nodiscard]] int read_some(char* data, int size);
  void end();

  HttpsServer& server_;
  int fd_;
  SSL* ssl_;  // null: plain
};

struct ServerWish {
  std::string address = "127.0.0.5";
  TestCertificate certificate = {};  // none: plain HTTP
  int newest_tls = 0;                // TLS1_1_VERSION; 0: any
  std::uint16_t port = 0;            // 0: any
};

class HttpsServer {
 public:
  using Script = std::function<void(ServerConnection&)>;

  HttpsServer(const ServerWish& wish, Script script);
  ~HttpsServer();
  HttpsServer(const HttpsServer&) = delete;
  HttpsServer& operator=(const HttpsServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string endpoint() const;  // "127.0.0.5:40123"
  [[nodiscard]] std::string url(const std::string& path = "/list") const;
  [[nodiscard]] std::vector<std::string> requests() const;  // their heads, so far
  [[nodiscard]] std::size_t connections() const { return connections_; }
  // Returns when so many requests have come; false: not within ten seconds.
  [[nodiscard]] bool wait_for_requests(std::size_t count) const;

 private:
  friend class ServerConnection;
  void accept_all();
  void serve(int fd);
  [[nodiscard]] bool stopping() const { return stop_; }

  const std::string address_;
  const Script script_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  int listener_ = -1;
  int stopped_ = -1;  // an eventfd, readable once the server is being destroyed
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<std::size_t> connections_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable request_came_;
  std::vector<std::string> requests_;
  std::vector<std::thread> threads_;  // the acceptor's own
  std::thread acceptor_;
};

}  // namespace timectl::testing
