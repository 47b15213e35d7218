#pragma once
// What the tests of the control server share: a directory that goes away, and a client that is a
// bare socket, so that a test can be as rude as it likes. Waiting is for a state, with a deadline.

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>

#include "daemon/control/line.h"

namespace timectl::test {

class TempDir {
 public:
  TempDir() {
    std::string pattern = "/tmp/timectl-test-XXXXXX";
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Runs the loop until `reached` holds; false after five seconds.
inline bool run_until(boost::asio::io_context& io, const std::function<bool()>& reached) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!reached()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds(5));
  }
  return true;
}

class RawClient {
 public:
  explicit RawClient(const std::string& path) {
    descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    connected_ =
        ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(); }

  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }
  [[nodiscard]] bool connected() const { return connected_; }
  // Bytes that the socket took.
  std::size_t send(std::string_view text) const {
    const auto sent = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  void request(int id, std::string_view method,
               const control::json::value& params = nullptr) const {
    send(control::request_line(id, method, params));
  }
  void hello() const {
    request(0, "hello", control::json::object{{"api", 1}, {"version", "test"}});
  }

  // The next line without its newline; empty: none has come yet.
  std::string line() {
    read();
    const auto end = received_.find('\n');
    if (end == std::string::npos) return {};
    auto line = received_.substr(0, end);
    received_.erase(0, end + 1);
    return line;
  }
  // Whether the server has closed (what came before is still to be read).
  bool closed() {
    read();
    return closed_;
  }
  // Waits for a reply or notification; a failure of the test if none comes.
  control::Incoming wait(boost::asio::io_context& io) {
    std::string text;
    const bool came = run_until(io, [&] { return !(text = line()).empty() || closed_; });
    EXPECT_TRUE(came && !text.empty()) << "no reply came" << (closed_ ? ": closed" : "");
    if (text.empty()) return {nullptr, "", Error{Code::internal, "no reply"}};
    auto incoming = control::parse_incoming(text);
    EXPECT_TRUE(incoming) << text;
    return incoming ? *incoming : control::Incoming{};
  }
  bool wait_closed(boost::asio::io_context& io) {
    return run_until(io, [&] { return closed(); });
  }

 private:
  void read() {
    std::array<char, 65536> buffer{};
    for (;;) {
      const auto got = ::recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got > 0) {
        received_.append(buffer.data(), static_cast<std::size_t>(got));
        continue;
      }
      if (got == 0 || (errno != EAGAIN && errno != EINTR)) closed_ = true;
      return;
    }
  }
  int descriptor_ = -1;
  bool connected_ = false;
  bool closed_ = false;
  std::string received_;
};

}  // namespace timectl::test
