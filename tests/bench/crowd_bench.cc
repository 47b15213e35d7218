// One node that holds up to 10,000 connections (issue 3): what each costs in memory and CPU, how
// late the loop is at worst, and whether handshakes become dearer with their number. Handshakes are
// compared, in turns, with a server that has only OpenSSL, by the CPU time of each process: the
// client needs the other core, and whoever else runs here disturbs the clock, not the ratio.
// TIMECTL_CROWD_SECONDS: how long the full crowd is watched, twice: quiet, and pinging as the
// network's nodes do (30, the longest interval of pings).
#include <benchmark/benchmark.h>

#include <algorithm>

#include "tests/bench/crowd.h"

namespace timectl::bench {
namespace {

constexpr std::size_t kFull = 10'000;
constexpr double kSettle = 3;  // the first pings and questions are answered
constexpr double kChurn = 2;
constexpr int kRounds = 5;

void Idle(benchmark::State& state, Kind kind) {
  raise_descriptors();
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    Crowd crowd(kind, count);
    (void)crowd.rest(1, false);
    const double before = resident_kib(crowd.node().pid());
    if (!crowd.grow(count)) return state.SkipWithError("not all connected");
    (void)crowd.rest(kSettle, false);
    auto& c = state.counters;
    c["KiB_each"] = (resident_kib(crowd.node().pid()) - before) / static_cast<double>(count);
    c["lost"] = static_cast<double>(crowd.lost());
    c["load"] = load_average();
    if (count < kFull) continue;
    const double seconds = seconds_from("TIMECTL_CROWD_SECONDS", 30);
    auto quiet = crowd.rest(seconds, false);
    auto busy = crowd.rest(seconds, true);
    c["cpu_percent"] = quiet.cpu_percent;
    c["cpu_percent_pinged"] = busy.cpu_percent;
    c["rtt_ms_p50"] = quantile(busy.round_trip_ms, 0.5);
    c["rtt_ms_p99"] = quantile(busy.round_trip_ms, 0.99);
    c["rtt_ms_max"] = quantile(busy.round_trip_ms, 1);
    c["client_late_ms"] = busy.client_late_ms;
    c["lost"] = static_cast<double>(crowd.lost());
  }
}

void IdleRegular(benchmark::State& state) {
  Idle(state, Kind::regular);
}
void IdleMasternodes(benchmark::State& state) {
  Idle(state, Kind::masternode);
}

// Microseconds of the server's CPU for one handshake.
double cost_us(std::size_t handshakes, double cpu) {
  return handshakes > 0 ? cpu * 1e6 / static_cast<double>(handshakes) : 0;
}

void HandshakesAgainstBareOpenSsl(benchmark::State& state) {
  raise_descriptors();
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    const BareTlsServer bare(IpAddress::v4(127, 64, 0, 4));
    LoadClient bare_client(bare.at());
    Crowd crowd(Kind::regular, count);
    if (!crowd.grow(count)) return state.SkipWithError("not all connected");
    (void)crowd.rest(kSettle, false);
    std::vector<double> ratios;
    std::vector<double> ours;
    std::vector<double> theirs;
    double rate = 0;
    for (int round = 0; round < kRounds; ++round) {
      double before = cpu_seconds(bare.pid());
      const std::size_t bare_done = churn(bare_client, Conduct::tls_only, kChurn);
      theirs.push_back(cost_us(bare_done, cpu_seconds(bare.pid()) - before));
      const double resting = crowd.rest(1, false).cpu_percent / 100 * kChurn;
      before = cpu_seconds(crowd.node().pid());
      const std::size_t done = crowd.churn(kChurn);
      ours.push_back(cost_us(done, cpu_seconds(crowd.node().pid()) - before - resting));
      ratios.push_back(theirs.back() / ours.back());
      rate = std::max(rate, static_cast<double>(done) / kChurn);
    }
    auto& c = state.counters;
    c["of_bare"] = quantile(ratios, 0.5);
    c["of_bare_min"] = quantile(ratios, 0);
    c["us_each"] = quantile(ours, 0.5);
    c["us_each_bare"] = quantile(theirs, 0.5);
    c["per_second"] = rate;
    c["lost"] = static_cast<double>(crowd.lost());
    c["load"] = load_average();
  }
}

// Whole connections, one after the other: what of them is left behind.
void TenThousandReconnects(benchmark::State& state) {
  raise_descriptors();
  for (auto _ : state) {
    Crowd crowd(Kind::regular, 0);
    std::size_t warm = 0;  // the node remembers its peers: first it has seen all of them
    while (warm < 3000) warm += crowd.churn(1);
    const double before = resident_kib(crowd.node().pid());
    std::size_t done = 0;
    const auto began = Clock::now();
    while (done < 10'000 && Clock::now() - began < std::chrono::minutes(2)) done += crowd.churn(1);
    (void)crowd.rest(kSettle, false);
    auto& c = state.counters;
    c["reconnects"] = static_cast<double>(done);
    c["growth_KiB"] = resident_kib(crowd.node().pid()) - before;
    c["descriptors"] = static_cast<double>(descriptors(crowd.node().pid()));
    c["load"] = load_average();
  }
}

BENCHMARK(IdleRegular)
    ->Arg(1000)
    ->Arg(3000)
    ->Arg(kFull)
    ->Repetitions(1)
    ->Iterations(1)
    ->Unit(benchmark::kSecond);
BENCHMARK(IdleMasternodes)
    ->Arg(1000)
    ->Arg(3000)
    ->Arg(kFull)
    ->Repetitions(1)
    ->Iterations(1)
    ->Unit(benchmark::kSecond);
BENCHMARK(HandshakesAgainstBareOpenSsl)
    ->Arg(0)
    ->Arg(1000)
    ->Arg(kFull)
    ->Repetitions(1)
    ->Iterations(1)
    ->Unit(benchmark::kSecond);

BENCHMARK(TenThousandReconnects)->Repetitions(1)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace timectl::bench

BENCHMARK_MAIN();
