#include "tests/web/web_lab.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <future>
#include <thread>
#include <utility>

namespace timectl::web {

RawClient::RawClient(std::uint16_t port, int receive_buffer) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    (void)::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

RawClient::RawClient(RawClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), text_(std::move(other.text_)) {}

RawClient::~RawClient() {
  close();
}

void RawClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void RawClient::send(std::string_view text) const {
  while (!text.empty()) {
    const auto sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the server has closed: what it said is read
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void RawClient::get(std::string_view target, std::string_view more_fields) const {
  std::string text = "GET ";
  text.append(target).append(" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ");
  text.append(kToken).append("\r\n").append(more_fields).append("\r\n");
  send(text);
}

bool RawClient::read_some() {
  pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
  if (::poll(&ready, 1, static_cast<int>(kPatienceMs)) != 1) return false;
  std::array<char, 16'384> buffer{};
  const auto size = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (size <= 0) return false;
  text_.append(buffer.data(), static_cast<std::size_t>(size));
  return true;
}

bool RawClient::read_until(std::string_view part) {
  while (text_.find(part) == std::string::npos) {
    if (!read_some()) return false;
  }
  return true;
}

bool RawClient::read_to_end() {
  while (true) {
    pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(kPatienceMs)) != 1) return false;
    if (!read_some()) return true;
  }
}

unsigned RawClient::status() const {
  constexpr std::string_view kStart = "HTTP/1.1 ";
  if (!text_.starts_with(kStart) || text_.size() < kStart.size() + 3) return 0;
  return static_cast<unsigned>(std::stoul(text_.substr(kStart.size(), 3)));
}

bool eventually(const std::function<bool()>& look) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (!look()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

Running::Running(ServerOptions options, Listen where) {
  options.token = kToken;
  server = std::make_unique<Server>(std::move(options));
  const auto bound = server->listen(where);
  EXPECT_TRUE(bound);
  if (bound) port = *bound;
  server->run();
}

void Running::put(const std::string& key, const std::string& json) const {
  std::promise<void> done;
  const bool taken = eventually([&] {
    return server->update([&](Board& board) {
      EXPECT_TRUE(board.set(key, json));
      done.set_value();
    });
  });
  ASSERT_TRUE(taken);
  done.get_future().wait();
}

bool Running::streams_become(std::size_t count) const {
  return eventually([&] { return server->streams() == count; });
}

}  // namespace timectl::web
