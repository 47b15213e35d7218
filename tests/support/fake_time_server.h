#pragma once
// A time server (SNTP) whose clock is off by what the test wants, or that answers as none may.
// One UDP socket on a loopback address and a thread of its own. End-to-end tests use it as
// timectl_fake_time.

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

namespace timectl::testing {

struct FakeTime {
  double offset_seconds = 0;  // its clock less the true time
  std::uint8_t stratum = 2;
  std::uint8_t leap = 0;  // 3: alarm
  std::uint8_t mode = 4;
  bool silent = false;
  bool wrong_stamp = false;  // not the one that it was asked with
  bool short_answer = false;
  bool zero_stamps = false;
};

// "offset=-12.5 stratum=16 alarm silent wrong-stamp short mode=5": false where a word is unknown.
[[nodiscard]] bool parse_fake_time(std::string_view words, FakeTime& into);

class FakeTimeServer {
 public:
  // Throws std::runtime_error where it cannot listen; port 0: any.
  explicit FakeTimeServer(FakeTime time, const std::string& address = "127.0.0.21",
                          std::uint16_t port = 0);
  ~FakeTimeServer();
  FakeTimeServer(const FakeTimeServer&) = delete;
  FakeTimeServer& operator=(const FakeTimeServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string server() const;  // "127.0.0.21:40123"
  [[nodiscard]] std::size_t asked() const { return asked_; }

 private:
  void run();

  const FakeTime time_;
  const std::string address_;
  std::uint16_t port_ = 0;
  int socket_ = -1;
  int stop_ = -1;
  std::atomic<std::size_t> asked_ = 0;
  std::thread thread_;
};

}  // namespace timectl::testing
