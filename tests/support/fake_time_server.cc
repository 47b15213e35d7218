#include "tests/support/fake_time_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <span>
#include <stdexcept>

namespace timectl::testing {
namespace {

constexpr double kUnixEpoch = 2'208'988'800;  // RFC 4330: stamps count from 1900
constexpr std::size_t kPacket = 48;

void put_stamp(std::span<std::uint8_t> at, double unix_seconds) {
  const double seconds = unix_seconds + kUnixEpoch;
  const auto whole = static_cast<std::uint64_t>(seconds);
  const auto part =
      static_cast<std::uint64_t>((seconds - static_cast<double>(whole)) * 4294967296.);
  const std::uint64_t stamp = whole << 32U | part;
  for (std::size_t i = 0; i < 8; ++i) at[i] = static_cast<std::uint8_t>(stamp >> (56 - 8 * i));
}

double true_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

template <class T>
bool number(std::string_view text, T& into) {
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, into);
  return read.ec == std::errc{} && read.ptr == end;
}

bool take_word(std::string_view word, FakeTime& into) {
  if (word.starts_with("offset=")) return number(word.substr(7), into.offset_seconds);
  if (word.starts_with("stratum=")) return number(word.substr(8), into.stratum);
  if (word.starts_with("mode=")) return number(word.substr(5), into.mode);
  if (word == "alarm") return (into.leap = 3) != 0;
  if (word == "silent") return into.silent = true;
  if (word == "wrong-stamp") return into.wrong_stamp = true;
  if (word == "short") return into.short_answer = true;
  if (word == "zero-stamps") return into.zero_stamps = true;
  return false;
}

}  // namespace

bool parse_fake_time(std::string_view words, FakeTime& into) {
  while (!words.empty()) {
    const auto end = std::min(words.find(' '), words.size());
    if (end > 0 && !take_word(words.substr(0, end), into)) return false;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return true;
}

FakeTimeServer::FakeTimeServer(FakeTime time, const std::string& address, std::uint16_t port)
    : time_(time),
      address_(address),
      socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  socklen_t size = sizeof(at);
  auto* plain = reinterpret_cast<sockaddr*>(&at);
  if (::inet_pton(AF_INET, address.c_str(), &at.sin_addr) != 1 ||
      ::bind(socket_, plain, size) != 0 || ::getsockname(socket_, plain, &size) != 0) {
    throw std::runtime_error("fake time server: cannot listen on " + address);
  }
  port_ = ntohs(at.sin_port);
  thread_ = std::thread([this] { run(); });
}

FakeTimeServer::~FakeTimeServer() {
  (void)::eventfd_write(stop_, 1);
  thread_.join();
  ::close(socket_);
  ::close(stop_);
}

std::string FakeTimeServer::server() const {
  return address_ + ":" + std::to_string(port_);
}

void FakeTimeServer::run() {
  for (;;) {
    std::array<pollfd, 2> wait{{{socket_, POLLIN, 0}, {stop_, POLLIN, 0}}};
    ::poll(wait.data(), wait.size(), -1);
    if (wait[1].revents != 0) return;
    sockaddr_in from{};
    socklen_t size = sizeof(from);
    auto* plain = reinterpret_cast<sockaddr*>(&from);
    std::array<std::uint8_t, 1024> request{};
    const auto got = ::recvfrom(socket_, request.data(), request.size(), 0, plain, &size);
    if (got < static_cast<ssize_t>(kPacket)) continue;
    ++asked_;
    if (time_.silent) continue;
    std::array<std::uint8_t, kPacket> answer{};
    answer[0] = static_cast<std::uint8_t>(time_.leap << 6U | 4U << 3U | time_.mode);
    answer[1] = time_.stratum;
    std::copy_n(request.begin() + 40, 8, answer.begin() + 24);
    if (time_.wrong_stamp) answer[31] ^= 1U;
    if (!time_.zero_stamps) {
      put_stamp(std::span(answer).subspan(32, 8), true_time() + time_.offset_seconds);
      put_stamp(std::span(answer).subspan(40, 8), true_time() + time_.offset_seconds);
    }
    const std::size_t length = time_.short_answer ? kPacket - 1 : kPacket;
    (void)::sendto(socket_, answer.data(), length, 0, plain, size);
  }
}

}  // namespace timectl::testing
