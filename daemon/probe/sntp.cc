#include "daemon/probe/sntp.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "daemon/core/host_port.h"
#include "daemon/probe/random_number.h"
#include "daemon/probe/sntp_servers.h"
#include "daemon/probe/waiter.h"

namespace timectl::probe {
namespace {

constexpr std::size_t kMostServers = 8;
constexpr std::uint16_t kPort = 123;
constexpr std::size_t kPacket = 48;     // without authentication
constexpr std::uint8_t kClient = 0x23;  // no alarm, version 4, mode 3
constexpr std::uint8_t kAlarm = 3;      // leap indicator: its clock is not set
constexpr std::uint8_t kServer = 4;     // mode
constexpr std::uint8_t kHighestStratum = 15;
constexpr double kUnixEpoch = 2'208'988'800;  // seconds from 1900 to 1970
constexpr double kEra = 4'294'967'296;        // seconds until the stamps begin anew, in 2036
constexpr double kContradiction = 1;          // seconds: of two servers so far apart one is wrong

std::uint64_t stamp_at(std::span<const std::uint8_t> packet, std::size_t at) {
  std::uint64_t stamp = 0;
  for (std::size_t i = 0; i < 8; ++i) stamp = stamp << 8U | packet[at + i];
  return stamp;
}

// RFC 4330 section 3: with the first bit clear it is of the era that begins in 2036.
double unix_seconds(std::uint64_t stamp) {
  const double at =
      static_cast<double>(stamp >> 32U) + static_cast<double>(stamp & 0xffffffffU) / kEra;
  return at - kUnixEpoch + ((stamp >> 63U) == 0 ? kEra : 0);
}

double unix_seconds(WallTime at) {
  return static_cast<double>(at.time_since_epoch().count()) / 1e3;
}

std::array<std::uint8_t, kPacket> request_packet(std::uint64_t stamp) {
  std::array<std::uint8_t, kPacket> packet{};
  packet[0] = kClient;
  for (std::size_t i = 0; i < 8; ++i) {
    packet.at(40 + i) = static_cast<std::uint8_t>(stamp >> (56 - 8 * i));
  }
  return packet;
}

// Connected, so that the kernel passes only what comes from there, and ICMP errors.
net::Fd udp_to(const net::Endpoint& to) {
  net::Fd fd(
      ::socket(to.ip.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.open()) return fd;
  int result = 0;
  if (to.ip.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(to.port);
    std::memcpy(&v4.sin_addr, to.ip.bytes().data() + 12, 4);
    result = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(to.port);
    std::memcpy(&v6.sin6_addr, to.ip.bytes().data(), 16);
    result = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
  }
  if (result != 0) fd.reset();
  return fd;
}

// One server that was asked and has not answered yet.
struct Asked {
  net::Fd fd;
  std::uint64_t stamp = 0;
  WallTime sent = {};
};

class Round {
 public:
  Round(const SntpRequest& request, const Waiter& waiter)
      : waiter_(waiter), ends_(waiter.now().mono + request.timeout) {
    std::vector<std::pair<std::string, std::uint16_t>> names;
    for (const auto& text : request.servers) {
      if (servers_ == kMostServers) break;
      ++servers_;
      const auto server = parse_host_port(text);
      if (!server) continue;
      const std::uint16_t port = server->port == 0 ? kPort : server->port;
      if (server->address) {
        ask({*server->address, port});
      } else {
        names.emplace_back(server->host, port);
      }
    }
    if (!names.empty()) lookup_.emplace(names);
  }

  std::vector<double> offsets() {
    for (;;) {
      if (lookup_ && lookup_->done() && !taken_all_) {
        taken_all_ = true;  // what came with the last one is still there
        for (const auto& found : lookup_->take()) ask(found.at);
      }
      const bool looking = lookup_ && !taken_all_;
      if (asked_.empty() && !looking) break;
      std::vector<pollfd> watched;
      for (const auto& one : asked_) watched.push_back({one.fd.get(), POLLIN, 0});
      if (looking) watched.push_back({lookup_->fd(), POLLIN, 0});
      if (waiter_.wait(watched, ends_) != Waiter::End::ready) break;
      std::vector<Asked> still;
      for (std::size_t i = 0; i < asked_.size(); ++i) {
        if (watched[i].revents == 0 || !heard(asked_[i])) still.push_back(std::move(asked_[i]));
      }
      asked_ = std::move(still);
      if (!looking || watched.back().revents == 0) continue;
      for (const auto& found : lookup_->take()) ask(found.at);
    }
    return std::move(offsets_);
  }

  [[nodiscard]] std::uint64_t servers() const { return servers_; }

 private:
  void ask(const net::Endpoint& at) {
    Asked one{udp_to(at), random_number(), waiter_.now().wall};
    if (!one.fd.open()) return;
    const auto packet = request_packet(one.stamp);
    if (::send(one.fd.get(), packet.data(), packet.size(), MSG_NOSIGNAL) < 0) return;
    asked_.push_back(std::move(one));
  }

  // Whether nothing more is expected of it.
  bool heard(const Asked& one) {
    std::array<std::uint8_t, 1024> answer{};
    const auto got = ::recv(one.fd.get(), answer.data(), answer.size(), 0);
    if (got < 0) return errno != EAGAIN && errno != EINTR;
    const auto offset = sntp_offset(std::span(answer).first(static_cast<std::size_t>(got)),
                                    one.stamp, one.sent, waiter_.now().wall);
    if (offset) offsets_.push_back(*offset);
    return offset.has_value();  // what is no answer may be anybody's
  }

  const Waiter& waiter_;
  Instant ends_;
  std::uint64_t servers_ = 0;
  std::vector<Asked> asked_;
  std::optional<NameLookup> lookup_;
  bool taken_all_ = false;
  std::vector<double> offsets_;
};

// An end of the sorted row that is further from its neighbour than the rest is wide is left out.
std::optional<double> agreed(std::vector<double> offsets) {
  std::sort(offsets.begin(), offsets.end());
  while (offsets.size() > 2) {
    const double low_gap = offsets[1] - offsets[0];
    const double high_gap = offsets.back() - offsets[offsets.size() - 2];
    const bool low = low_gap > high_gap;
    const double rest =
        low ? offsets.back() - offsets[1] : offsets[offsets.size() - 2] - offsets[0];
    if (std::max(low_gap, high_gap) <= rest) break;
    offsets.erase(low ? offsets.begin() : offsets.end() - 1);
  }
  if (offsets.empty()) return std::nullopt;
  const std::size_t half = offsets.size() / 2;
  const double median =
      offsets.size() % 2 == 1 ? offsets[half] : (offsets[half - 1] + offsets[half]) / 2;
  // Two against two: nobody here can tell who is right.
  const auto near = std::count_if(offsets.begin(), offsets.end(), [&](double offset) {
    return std::abs(offset - median) <= kContradiction;
  });
  if (static_cast<std::size_t>(near) * 2 <= offsets.size()) return std::nullopt;
  return median;
}

}  // namespace

std::optional<double> sntp_offset(std::span<const std::uint8_t> answer,
                                  std::uint64_t our_transmit_stamp, WallTime sent,
                                  WallTime received) {
  if (answer.size() < kPacket || our_transmit_stamp == 0) return std::nullopt;
  const std::uint8_t leap = answer[0] >> 6U;
  const std::uint8_t mode = answer[0] & 7U;
  const std::uint8_t stratum = answer[1];
  if (leap == kAlarm || mode != kServer || stratum == 0 || stratum > kHighestStratum) {
    return std::nullopt;
  }
  if (stamp_at(answer, 24) != our_transmit_stamp) return std::nullopt;
  const auto came = stamp_at(answer, 32);
  const auto left = stamp_at(answer, 40);
  if (came == 0 || left == 0) return std::nullopt;
  const double server = (unix_seconds(came) + unix_seconds(left)) / 2;
  const double ours = (unix_seconds(sent) + unix_seconds(received)) / 2;
  return ours - server;
}

void ask_time_servers(const SntpRequest& request, std::function<Now()> now, std::stop_token stop,
                      diagnose::ClockFacts& clock) {
  const Waiter waiter(std::move(now), std::move(stop));
  Round round(request, waiter);
  const auto offsets = round.offsets();
  clock.ntp_asked = round.servers();
  clock.ntp_answered = offsets.size();
  clock.ntp_seconds = agreed(offsets);
}

}  // namespace timectl::probe
