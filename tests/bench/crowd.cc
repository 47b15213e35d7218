#include "tests/bench/crowd.h"

#include <algorithm>
#include <cstdlib>

namespace timectl::bench {
namespace {

using std::chrono::milliseconds;

constexpr IpAddress kNode = IpAddress::v4(127, 64, 0, 3);
constexpr std::uint8_t kHeld = 70;            // 127.70 and up: 10,000 of them
constexpr std::uint8_t kGuests = 90;          // 127.90 and up
constexpr std::size_t kGuestAddresses = 500;  // the node remembers each: what grows is a leak
constexpr std::size_t kAtOnce = 32;
constexpr double kPeersPing = 30;  // seconds; protocol 5.1
constexpr auto kGrowthLimit = std::chrono::minutes(2);

IpAddress spread(std::uint8_t block, std::size_t n) {
  return address(static_cast<std::uint8_t>(block + n / 2500), n % 2500);
}

std::string configuration(Kind kind, std::size_t most) {
  std::string text = "max_connections = " + std::to_string(most + 1000) +
                     "\nreserved_masternode_slots = 0\n"
                     "max_per_subnet = 100000\nper_ip_per_minute = 1000000\n"
                     "per_subnet_per_minute = 1000000\ntls_handshakes_waiting = 1000\n";
  if (kind == Kind::regular) return text;
  // They dial us; our own dials would only find closed ports.
  text += "masternode_dials_per_second = 1\nwhitelisted_peers = [";
  for (std::size_t n = 0; n < most; ++n) text += "\"" + spread(kHeld, n).to_string() + "\",";
  return text + "]\n";
}

double since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

}  // namespace

Crowd::Crowd(Kind kind, std::size_t most)
    : node_(kNode, configuration(kind, most)), client_(node_.at()) {
  set_hooks();
}

void Crowd::set_hooks() {
  client_.hooks.acked = [this](Link&) { ++ready_; };
  client_.hooks.ponged = [this](Link&, auto trip) { trips_.push_back(milliseconds_of(trip)); };
  client_.hooks.ended = [this](Link&) { ++lost_; };
}

bool Crowd::grow(std::size_t count) {
  const auto began = Clock::now();
  while (ready_ + lost_ < count) {
    while (held_.size() < std::min(count, ready_ + lost_ + kAtOnce)) {
      held_.push_back(client_.dial(spread(kHeld, held_.size()), Conduct::peer));
    }
    client_.step(milliseconds(10));
    if (Clock::now() - began > kGrowthLimit) return false;
  }
  return lost_ == 0;
}

Figures Crowd::rest(double seconds, bool pings) {
  trips_.clear();
  (void)client_.longest_step();
  Figures figures;
  const double before = cpu_seconds(node_.pid());
  const auto began = Clock::now();
  double sent = 0;
  while (since(began) < seconds) {
    const double due = since(began) * static_cast<double>(held_.size()) / kPeersPing;
    for (; pings && sent < due; ++sent) client_.ping(held_[next_ping_++ % held_.size()]);
    client_.step(milliseconds(2));
  }
  figures.seconds = since(began);
  figures.cpu_percent = (cpu_seconds(node_.pid()) - before) / figures.seconds * 100;
  figures.round_trip_ms = trips_;
  figures.client_late_ms = milliseconds_of(client_.longest_step());
  return figures;
}

std::size_t Crowd::churn(double seconds) {
  const std::size_t done = bench::churn(client_, Conduct::peer, seconds);
  set_hooks();
  return done;
}

std::size_t churn(LoadClient& client, Conduct conduct, double seconds) {
  static std::size_t guest = 0;
  std::size_t done = 0;
  std::size_t open = 0;
  std::vector<std::uint64_t> leaving;
  client.hooks.acked = [&](Link& link) {
    ++done;
    leaving.push_back(link.id);
  };
  client.hooks.ended = [&](Link&) { --open; };
  const auto began = Clock::now();
  while (since(began) < seconds || open > 0) {
    for (; open < kAtOnce && since(began) < seconds; ++open) {
      (void)client.dial(spread(kGuests, ++guest % kGuestAddresses), conduct);
    }
    client.step(milliseconds(10));
    for (const auto id : leaving) client.close(id);
    open -= leaving.size();
    leaving.clear();
    if (since(began) > 2 * seconds + 10) break;  // somebody was never answered
  }
  return done;
}

double quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

double milliseconds_of(Clock::duration d) {
  return std::chrono::duration<double, std::milli>(d).count();
}

double seconds_from(const char* variable, double otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::clamp(std::strtod(text, nullptr), 1.0, 86'400.0) : otherwise;
}

}  // namespace timectl::bench
