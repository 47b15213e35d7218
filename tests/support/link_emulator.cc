#include "tests/support/link_emulator.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include "daemon/core/random.h"

namespace timectl::test {
namespace {

using Clock = std::chrono::steady_clock;
using Packet = std::vector<std::uint8_t>;
using std::chrono::microseconds;

constexpr std::size_t kIpHeader = 20;
constexpr std::size_t kTcpHeader = 20;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;

std::uint32_t word(const Packet& packet, std::size_t at, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8U | packet[at + i];
  return value;
}

void put(Packet& packet, std::size_t at, std::size_t bytes, std::uint32_t value) {
  for (std::size_t i = bytes; i-- > 0; value >>= 8U) {
    packet[at + i] = static_cast<std::uint8_t>(value);
  }
}

// RFC 1071, on top of `sum`.
std::uint32_t checksum(const Packet& packet, std::size_t from, std::size_t to, std::uint32_t sum) {
  for (std::size_t i = from; i < to; i += 2) sum += word(packet, i, i + 1 < to ? 2 : 1);
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return ~sum & 0xffffU;
}

Packet ip_packet(std::size_t size, std::uint8_t protocol, const Packet& answers) {
  Packet packet(size, 0);
  packet[0] = 0x45;
  put(packet, 2, 2, static_cast<std::uint32_t>(size));
  packet[8] = 64;
  packet[9] = protocol;
  put(packet, 12, 4, word(answers, 16, 4));
  put(packet, 16, 4, word(answers, 12, 4));
  put(packet, 10, 2, checksum(packet, 0, kIpHeader, 0));
  return packet;
}

// RFC 792: the packet that is answered follows, up to eight bytes of its payload.
Packet unreachable_for(const Packet& sent) {
  constexpr std::size_t quoted = kIpHeader + 8;
  Packet packet = ip_packet(kIpHeader + 8 + quoted, kIcmp, sent);
  packet[kIpHeader] = 3;
  packet[kIpHeader + 1] = 1;
  std::copy_n(sent.begin(), quoted, packet.begin() + kIpHeader + 8);
  put(packet, kIpHeader + 2, 2, checksum(packet, kIpHeader, packet.size(), 0));
  return packet;
}

// What the node is told about `sent`; empty where that is no TCP segment with data.
Packet reset_for(const Packet& sent, Resets kind) {
  const std::size_t ip = static_cast<std::size_t>(sent[0] & 15U) * 4;
  if (sent[9] != kTcp || sent.size() < ip + kTcpHeader) return {};
  const std::size_t header = static_cast<std::size_t>(sent[ip + 12] >> 4U) * 4;
  if (sent.size() <= ip + header) return {};
  if (kind == Resets::unreachable) return unreachable_for(sent);
  Packet reset = ip_packet(kIpHeader + kTcpHeader, kTcp, sent);
  put(reset, kIpHeader, 2, word(sent, ip + 2, 2));
  put(reset, kIpHeader + 2, 2, word(sent, ip, 2));
  const std::uint32_t next = word(sent, ip + 8, 4);  // what the node expects from its peer
  put(reset, kIpHeader + 4, 4, kind == Resets::exact ? next : next + 1000);
  reset[kIpHeader + 12] = kTcpHeader / 4 << 4U;
  reset[kIpHeader + 13] = 4;  // RST
  const std::uint32_t pseudo = word(reset, 12, 2) + word(reset, 14, 2) + word(reset, 16, 2) +
                               word(reset, 18, 2) + kTcp + kTcpHeader;
  put(reset, kIpHeader + 16, 2, checksum(reset, kIpHeader, reset.size(), pseudo));
  return reset;
}

}  // namespace

struct LinkEmulator::State {
  explicit State(std::uint64_t seed) : random(seed), wake(::eventfd(0, EFD_CLOEXEC)) {}

  struct Lane {
    LinkConditions conditions = {};
    Clock::time_point rate_free = {};  // when what was queued so far has gone out
    Clock::time_point last = {};       // the latest arrival in order
  };
  struct Plug {
    net::Fd tun;
    std::array<Lane, 2> lanes;
    Resets resets = Resets::none;
  };
  struct Moving {
    Clock::time_point at;
    std::uint64_t number;  // in order where the times are equal
    Port port;
    Way way;
    Packet packet;
    bool operator<(const Moving& other) const {
      return std::tie(other.at, other.number) < std::tie(at, number);
    }
  };

  void run();
  void enter(Port port, Way way, Packet packet, Clock::time_point now);
  void arrive(const Moving& moving, Clock::time_point now);
  void read_all(Port port, Clock::time_point now);
  void look_again() const {
    const std::uint64_t one = 1;
    (void)!::write(wake.get(), &one, sizeof(one));
  }
  bool happens(double part) {
    return part > 0 && static_cast<double>(random.below(1'000'000)) < part * 1e6;
  }

  mutable std::mutex mutex;  // of all below but wake and thread
  Random random;
  std::vector<Plug> plugs;
  std::map<std::uint32_t, Port> by_address;
  std::priority_queue<Moving> moving;
  std::uint64_t next_number = 0;
  Counters counters;
  bool stopping = false;
  net::Fd wake;
  std::thread thread;
};

void LinkEmulator::State::enter(Port port, Way way, Packet packet, Clock::time_point now) {
  Lane& lane = plugs[port].lanes[static_cast<std::size_t>(way)];
  const LinkConditions& c = lane.conditions;
  if (happens(c.loss)) {
    ++counters.lost;
    return;
  }
  Clock::time_point at = now;
  if (c.bytes_per_second > 0) {
    const auto waiting = std::max(lane.rate_free, now) - now;
    const double queued =
        std::chrono::duration<double>(waiting).count() * static_cast<double>(c.bytes_per_second);
    if (queued + static_cast<double>(packet.size()) > static_cast<double>(c.queue_bytes)) {
      ++counters.lost;
      return;
    }
    lane.rate_free = now + waiting + microseconds(packet.size() * 1'000'000 / c.bytes_per_second);
    at = lane.rate_free;
  }
  at += c.delay;
  const auto jitter = static_cast<std::uint64_t>(microseconds(c.jitter).count());
  if (jitter > 0) at += microseconds(random.below(jitter + 1));
  if (happens(c.corrupt) && packet.size() > kIpHeader) {
    const auto bit = random.below((packet.size() - kIpHeader) * 8);
    packet[kIpHeader + bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    ++counters.corrupted;
  }
  if (happens(c.reorder)) {
    ++counters.reordered;
    at += microseconds(5000 + random.below(20'000));
  } else {
    lane.last = at = std::max(at, lane.last);
  }
  if (happens(c.duplicate)) {
    ++counters.duplicated;
    moving.push({at, next_number++, port, way, packet});
  }
  moving.push({at, next_number++, port, way, std::move(packet)});
}

void LinkEmulator::State::arrive(const Moving& what, Clock::time_point now) {
  if (what.way == Way::from_node) {
    const auto to = by_address.find(word(what.packet, 16, 4));
    if (to != by_address.end()) enter(to->second, Way::to_node, what.packet, now);
    return;
  }
  ++counters.delivered;
  // A device that is down takes nothing: the packet is lost like on a wire.
  (void)!::write(plugs[what.port].tun.get(), what.packet.data(), what.packet.size());
}

void LinkEmulator::State::read_all(Port port, Clock::time_point now) {
  std::array<std::uint8_t, 65'536> buffer{};
  for (;;) {
    const auto got = ::read(plugs[port].tun.get(), buffer.data(), buffer.size());
    if (got <= 0) return;
    Packet packet(buffer.begin(), buffer.begin() + got);
    if (packet.size() < kIpHeader || packet[0] >> 4U != 4) continue;  // IPv6 has no part here
    if (plugs[port].resets != Resets::none) {
      Packet reset = reset_for(packet, plugs[port].resets);
      if (!reset.empty()) {
        ++counters.resets;
        moving.push({now, next_number++, port, Way::to_node, std::move(reset)});
      }
    }
    enter(port, Way::from_node, std::move(packet), now);
  }
}

void LinkEmulator::State::run() {
  for (;;) {
    std::vector<pollfd> fds{{wake.get(), POLLIN, 0}};
    auto patience = Clock::duration(std::chrono::hours(1));
    {
      const std::lock_guard lock(mutex);
      if (stopping) return;
      for (const auto& plug : plugs) fds.push_back({plug.tun.get(), POLLIN, 0});
      if (!moving.empty()) patience = std::max(moving.top().at - Clock::now(), Clock::duration(0));
    }
    const auto s = std::chrono::duration_cast<std::chrono::seconds>(patience);
    const timespec wait{s.count(), (patience - s) / std::chrono::nanoseconds(1)};
    (void)::ppoll(fds.data(), fds.size(), &wait, nullptr);
    if (fds[0].revents != 0) {
      std::uint64_t ignored = 0;
      (void)!::read(wake.get(), &ignored, sizeof(ignored));
    }
    const std::lock_guard lock(mutex);
    const auto now = Clock::now();
    for (Port port = 0; port + 1 < fds.size(); ++port) {
      if (fds[port + 1].revents != 0) read_all(port, now);
    }
    while (!moving.empty() && moving.top().at <= now) {
      const Moving next = moving.top();
      moving.pop();
      arrive(next, now);
    }
  }
}

LinkEmulator::LinkEmulator(std::uint64_t seed) : state_(std::make_unique<State>(seed)) {
  state_->thread = std::thread([this] { state_->run(); });
}

LinkEmulator::~LinkEmulator() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->look_again();
  state_->thread.join();
}

LinkEmulator::Port LinkEmulator::attach(net::Fd tun, const IpAddress& address) {
  Port port = 0;
  {
    const std::lock_guard lock(state_->mutex);
    port = state_->plugs.size();
    state_->plugs.push_back({std::move(tun), {}, Resets::none});
  }
  also(port, address);
  return port;
}

void LinkEmulator::also(Port port, const IpAddress& address) {
  const auto& bytes = address.bytes();
  {
    const std::lock_guard lock(state_->mutex);
    state_->by_address[word(Packet(bytes.begin(), bytes.end()), 12, 4)] = port;
  }
  state_->look_again();
}

void LinkEmulator::replace(Port port, net::Fd tun) {
  {
    const std::lock_guard lock(state_->mutex);
    std::swap(state_->plugs.at(port).tun, tun);
  }
  state_->look_again();
}

void LinkEmulator::set(Port port, Way way, const LinkConditions& conditions) {
  const std::lock_guard lock(state_->mutex);
  state_->plugs.at(port).lanes[static_cast<std::size_t>(way)].conditions = conditions;
}

void LinkEmulator::set(Port port, const LinkConditions& conditions) {
  set(port, Way::from_node, conditions);
  set(port, Way::to_node, conditions);
}

void LinkEmulator::set_resets(Port port, Resets resets) {
  const std::lock_guard lock(state_->mutex);
  state_->plugs.at(port).resets = resets;
}

LinkEmulator::Counters LinkEmulator::counters() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counters;
}

}  // namespace timectl::test
