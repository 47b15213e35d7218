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
#include "tests/support/packets.h"

namespace timectl::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

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
    std::optional<Nat> nat = {};
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
  void arrive(Moving& moving, Clock::time_point now);
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
  std::uint32_t next_syn = 0;
  bool stopping = false;
  net::Fd wake;
  std::thread thread;
};

void LinkEmulator::State::enter(Port port, Way way, Packet packet, Clock::time_point now) {
  Lane& lane = plugs[port].lanes[static_cast<std::size_t>(way)];
  const LinkConditions& c = lane.conditions;
  if (packet.size() > c.largest) {
    ++counters.too_large;
    return;
  }
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

void LinkEmulator::State::arrive(Moving& what, Clock::time_point now) {
  if (what.way == Way::from_node) {
    const auto to = by_address.find(word(what.packet, 16, 4));
    if (to != by_address.end()) enter(to->second, Way::to_node, what.packet, now);
    return;
  }
  auto& nat = plugs[what.port].nat;
  if (nat && !nat->arrive(what.packet, now)) {
    ++counters.unmapped;
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
    if (plugs[port].nat && !plugs[port].nat->leave(packet, now)) {
      ++counters.unmapped;
      continue;
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
      Moving next = moving.top();
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
    state_->plugs.push_back({std::move(tun), {}, Resets::none, {}});
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

void LinkEmulator::set_nat(Port port, const std::optional<NatRules>& rules) {
  const std::lock_guard lock(state_->mutex);
  auto& nat = state_->plugs.at(port).nat;
  nat.reset();
  if (rules) nat.emplace(*rules);
}

void LinkEmulator::forget_mappings(Port port) {
  const std::lock_guard lock(state_->mutex);
  auto& nat = state_->plugs.at(port).nat;
  if (nat) nat->forget_all();
}

void LinkEmulator::flood_with_syns(Port port, const net::Endpoint& to, std::uint32_t count) {
  const auto& bytes = to.ip.bytes();
  const std::uint32_t address = word(Packet(bytes.begin(), bytes.end()), 12, 4);
  constexpr std::uint32_t first = 0xc612'0000;  // RFC 2544: for measurements alone
  const std::lock_guard lock(state_->mutex);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t number = state_->next_syn++;
    const Packet packet =
        syn(first + number % 0x2'0000, static_cast<std::uint16_t>(1024 + number % 60'000), address,
            to.port, number * 2'654'435'761U);
    (void)!::write(state_->plugs.at(port).tun.get(), packet.data(), packet.size());
  }
}

LinkEmulator::Counters LinkEmulator::counters() const {
  const std::lock_guard lock(state_->mutex);
  return state_->counters;
}

}  // namespace timectl::test
