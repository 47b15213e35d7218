// The core alone with 10,000 connections: how long one call of Node::tick() takes at worst, and how
// much it makes the shell do at once. Virtual time, so that a simulated quarter of an hour takes a
// second; all connected in the same instant is the worst case, because their pings are due
// together.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "daemon/core/node.h"

namespace timectl {
namespace {

constexpr IpAddress kOwn = IpAddress::v4(127, 64, 0, 5);
constexpr auto kSimulated = std::chrono::minutes(5);

IpAddress peer(std::size_t n) {
  return IpAddress::v4(127, 70, static_cast<std::uint8_t>(n / 250),
                       static_cast<std::uint8_t>(n % 250 + 1));
}

Now at(Duration passed) {
  return {Instant(std::chrono::hours(1)) + passed,
          WallTime(std::chrono::hours(480'000)) +
              std::chrono::duration_cast<std::chrono::milliseconds>(passed)};
}

// Of this thread: others on the machine do not count.
double cpu_ms() {
  timespec time{};
  (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

class Bench {
 public:
  Bench(std::size_t count, bool masternodes) {
    Policy policy;
    policy.slots.max_connections = count + 10;
    policy.slots.reserved_masternode_slots = 0;
    policy.slots.max_per_subnet = count;
    policy.slots.per_subnet_per_minute = count;
    std::vector<WhitelistEntry> entries;
    for (std::size_t n = 0; masternodes && n < count; ++n) {
      WhitelistEntry entry;
      entry.ip = peer(n);
      entry.sources.emplace_back();
      entries.push_back(entry);
    }
    whitelist.load(entries);
    node.emplace(NodeOptions{.policy = policy, .own_address = kOwn, .seed = 1}, whitelist, bans);
    node->start(at({}));
    (void)node->take_commands();
    for (std::size_t n = 0; n < count; ++n) {
      const ConnectionId id = node->next_connection();
      if (node->on_inbound(id, peer(n), kOwn, at({})).verdict != Admit::accept) continue;
      node->on_ready(id, {2, 2344}, at({}));
    }
    answer(true);
  }

  // Executes what the node wants, as a shell whose peers answer at once or never.
  std::size_t answer(bool pongs) {
    std::size_t commands = 0;
    for (auto all = node->take_commands(); !all.empty(); all = node->take_commands()) {
      commands += all.size();
      for (const auto& command : all) {
        if (const auto* ping = std::get_if<SendPing>(&command); ping != nullptr && pongs) {
          node->on_pong(ping->connection, ping->nonce, 1, at(now));
        } else if (const auto* dial = std::get_if<Dial>(&command)) {
          node->on_closed(dial->connection, EndReason::refused, "", at(now));
        } else if (const auto* close = std::get_if<Close>(&command)) {
          node->on_closed(close->connection, close->reason, close->detail, at(now));
        }
      }
    }
    return commands;
  }

  void run(benchmark::State& state, bool pongs) {
    double worst_ms = 0;
    double total_ms = 0;
    std::size_t most_commands = 0;
    const Duration end = now + kSimulated;
    while (now < end) {
      now = std::max(now + std::chrono::milliseconds(1), node->next_tick() - at({}).mono);
      const double before = cpu_ms();
      node->tick(at(now));
      const double took = cpu_ms() - before;
      worst_ms = std::max(worst_ms, took);
      total_ms += took;
      most_commands = std::max(most_commands, answer(pongs));
    }
    state.counters["tick_ms_max"] = worst_ms;
    state.counters["ticks_ms_per_s"] = total_ms / std::chrono::duration<double>(kSimulated).count();
    state.counters["commands_max"] = static_cast<double>(most_commands);
    state.counters["left"] = static_cast<double>(node->slots().inbound);
  }

  Whitelist whitelist{10'000};
  Bans bans;
  std::optional<Node> node;
  Duration now = {};
};

void Ticks(benchmark::State& state, bool masternodes, bool pongs) {
  for (auto _ : state) {
    Bench bench(static_cast<std::size_t>(state.range(0)), masternodes);
    bench.run(state, pongs);
  }
}

void TicksRegular(benchmark::State& state) {
  Ticks(state, false, true);
}
void TicksMasternodes(benchmark::State& state) {
  Ticks(state, true, true);
}
void TicksAllFallSilent(benchmark::State& state) {
  Ticks(state, true, false);
}
BENCHMARK(TicksRegular)->Arg(1000)->Arg(10'000)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(TicksMasternodes)->Arg(1000)->Arg(10'000)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(TicksAllFallSilent)->Arg(1000)->Arg(10'000)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace timectl

BENCHMARK_MAIN();
