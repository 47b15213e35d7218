#include "tests/support/https_server.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>
#include <utility>

namespace timectl::testing {
namespace {

constexpr std::size_t kLongestRequest = 65536;

void require(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(std::string("test server: ") + what);
}

sockaddr_in socket_address(const std::string& address, std::uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  require(::inet_pton(AF_INET, address.c_str(), &to.sin_addr) == 1, "not an IPv4 address");
  return to;
}

// A client that goes away is the point of many tests. In this thread only: the client's code must
// do without.
void block_sigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

SSL_CTX* make_context(const ServerWish& wish) {
  if (wish.certificate.certificate == nullptr) return nullptr;
  auto* context = SSL_CTX_new(TLS_server_method());
  require(context != nullptr, "no TLS");
  SSL_CTX_use_certificate(context, wish.certificate.certificate.get());
  SSL_CTX_use_PrivateKey(context, wish.certificate.key.get());
  if (wish.newest_tls != 0) {
    // OpenSSL's default level refuses what came before TLS 1.2.
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, wish.newest_tls);
    SSL_CTX_set_max_proto_version(context, wish.newest_tls);
  }
  return context;
}

}  // namespace

int ServerConnection::read_some(char* data, int size) {
  if (fd_ < 0) return -1;
  if (ssl_ == nullptr || SSL_pending(ssl_) == 0) {
    std::array<pollfd, 2> wait{{{fd_, POLLIN, 0}, {server_.stopped_, POLLIN, 0}}};
    ::poll(wait.data(), wait.size(), -1);
    if (server_.stopping()) return -1;
  }
  if (ssl_ != nullptr) return SSL_read(ssl_, data, size);
  return static_cast<int>(::recv(fd_, data, static_cast<std::size_t>(size), 0));
}

std::string ServerConnection::read_request() {
  std::string head;
  char byte = 0;
  while (!head.ends_with("\r\n\r\n")) {
    if (head.size() > kLongestRequest || read_some(&byte, 1) <= 0) return "";
    head += byte;
  }
  const std::lock_guard lock(server_.mutex_);
  server_.requests_.push_back(head);
  server_.request_came_.notify_all();
  return head;
}

std::string ServerConnection::read_body(std::size_t size) {
  std::string body;
  std::array<char, 4096> part{};
  while (body.size() < std::min(size, kLongestRequest)) {
    const auto wanted = std::min(part.size(), size - body.size());
    const int got = read_some(part.data(), static_cast<int>(wanted));
    if (got <= 0) break;
    body.append(part.data(), static_cast<std::size_t>(got));
  }
  return body;
}

bool ServerConnection::send(std::string_view text) {
  while (!text.empty()) {
    if (fd_ < 0) return false;
    std::array<pollfd, 2> wait{{{fd_, POLLOUT, 0}, {server_.stopped_, POLLIN, 0}}};
    ::poll(wait.data(), wait.size(), -1);
    if (server_.stopping()) return false;
    // Small enough that a writable socket takes it: a full one would hold this thread.
    const auto part = text.substr(0, 4096);
    const auto sent = ssl_ != nullptr ? SSL_write(ssl_, part.data(), static_cast<int>(part.size()))
                                      : ::send(fd_, part.data(), part.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::size_t ServerConnection::send_endlessly(std::string_view text) {
  std::size_t sent = 0;
  while (send(text)) sent += text.size();
  return sent;
}

void ServerConnection::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  cut();
}

void ServerConnection::cut() {
  ::close(std::exchange(fd_, -1));
}

void ServerConnection::wait(std::chrono::milliseconds longest) {
  std::array<pollfd, 2> wait{{{fd_, POLLRDHUP, 0}, {server_.stopped_, POLLIN, 0}}};
  ::poll(wait.data(), wait.size(), static_cast<int>(longest.count()));
}

void ServerConnection::relay(const std::string& address, std::uint16_t port) {
  const int other = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto to = socket_address(address, port);
  bool open = ::connect(other, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  std::array<char, 4096> buffer{};
  while (open) {
    std::array<pollfd, 3> wait{
        {{fd_, POLLIN, 0}, {other, POLLIN, 0}, {server_.stopped_, POLLIN, 0}}};
    ::poll(wait.data(), wait.size(), -1);
    if (server_.stopping()) break;
    const bool from_client = wait[0].revents != 0;
    const auto got = ::recv(from_client ? fd_ : other, buffer.data(), buffer.size(), 0);
    open = got > 0 && ::send(from_client ? other : fd_, buffer.data(),
                             static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
  }
  ::close(other);
}

void ServerConnection::end() {
  if (fd_ < 0) return;
  if (ssl_ != nullptr) SSL_shutdown(ssl_);
  ::shutdown(fd_, SHUT_WR);
  // What the client still sends would make the close a reset, which can overtake the answer.
  std::array<char, 4096> rest{};
  std::array<pollfd, 2> wait{{{fd_, POLLIN, 0}, {server_.stopped_, POLLIN, 0}}};
  while (::poll(wait.data(), wait.size(), -1) > 0 && !server_.stopping() &&
         ::recv(fd_, rest.data(), rest.size(), 0) > 0) {
  }
  cut();
}

HttpsServer::HttpsServer(const ServerWish& wish, Script script)
    : address_(wish.address),
      script_(std::move(script)),
      context_(make_context(wish), SSL_CTX_free),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stopped_(::eventfd(0, EFD_CLOEXEC)) {
  auto at = socket_address(address_, wish.port);
  socklen_t size = sizeof(at);
  auto* plain = reinterpret_cast<sockaddr*>(&at);
  require(::bind(listener_, plain, size) == 0 && ::listen(listener_, 16) == 0, "no listener");
  ::getsockname(listener_, plain, &size);
  port_ = ntohs(at.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpsServer::~HttpsServer() {
  stop_ = true;
  ::eventfd_write(stopped_, 1);
  acceptor_.join();
  for (auto& thread : threads_) thread.join();
  ::close(listener_);
  ::close(stopped_);
}

std::string HttpsServer::endpoint() const {
  return address_ + ":" + std::to_string(port_);
}

std::string HttpsServer::url(const std::string& path) const {
  return "https://" + endpoint() + path;
}

std::vector<std::string> HttpsServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

bool HttpsServer::wait_for_requests(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return request_came_.wait_for(lock, std::chrono::seconds(10),
                                [&] { return requests_.size() >= count; });
}

void HttpsServer::accept_all() {
  for (;;) {
    std::array<pollfd, 2> wait{{{listener_, POLLIN, 0}, {stopped_, POLLIN, 0}}};
    ::poll(wait.data(), wait.size(), -1);
    if (stopping()) return;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void HttpsServer::serve(int fd) {
  block_sigpipe();
  std::unique_ptr<SSL, void (*)(SSL*)> ssl(nullptr, SSL_free);
  bool ready = true;
  if (context_ != nullptr) {
    // A client that never speaks must not hold the test's end.
    const timeval longest{5, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof(longest));
    ssl.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), fd);
    ready = SSL_accept(ssl.get()) == 1;
  }
  ServerConnection connection(*this, fd, ssl.get());
  if (ready) script_(connection);
  if (ready)
    connection.end();
  else
    connection.cut();
}

}  // namespace timectl::testing
