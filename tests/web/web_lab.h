#pragma once
// What the tests of the web server share: a client that is a bare socket, so that a test can be as
// rude as it likes, and a server with a board that a test fills. Waiting is for a state, with a
// deadline.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/web/server.h"

namespace timectl::web {

inline constexpr std::uint64_t kPatienceMs = 10'000;  // far more than a loaded machine needs
inline const std::string kToken(64, 'a');

class RawClient {
 public:
  // `receive_buffer`: of the kernel; 0: as it is.
  explicit RawClient(std::uint16_t port, int receive_buffer = 0);
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(std::string_view text) const;
  // A request with the token.
  void get(std::string_view target, std::string_view more_fields = {}) const;
  // All that came so far until it holds `part`; false: the end or the deadline came first.
  bool read_until(std::string_view part);
  // Until the other side closes; false: it did not within the deadline.
  bool read_to_end();
  // Nothing else has come by now.
  [[nodiscard]] std::string text() const { return text_; }
  [[nodiscard]] unsigned status() const;  // of the first answer in text(); 0: none
  void forget() { text_.clear(); }
  [[nodiscard]] int descriptor() const { return fd_; }
  void close();

 private:
  bool read_some();
  int fd_ = -1;
  std::string text_;
};

struct Running {
  explicit Running(ServerOptions options = {}, Listen where = {});
  // Fills the board and waits until that is done.
  void put(const std::string& key, const std::string& json) const;
  [[nodiscard]] bool streams_become(std::size_t count) const;

  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
};

// Looks again and again until it holds; false after kPatienceMs.
[[nodiscard]] bool eventually(const std::function<bool()>& look);

}  // namespace timectl::web
