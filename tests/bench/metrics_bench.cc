// /metrics: the text of an overview, with 125 masternodes, and with 10,000 of which 500 are shown
// (metrics.max_peers), or all.
#include <benchmark/benchmark.h>

#include "tests/observe/metrics_example.h"

namespace timectl::observe {
namespace {

void text(benchmark::State& state) {
  auto view = example_overview(static_cast<int>(state.range(0)));
  const auto most = static_cast<std::uint64_t>(state.range(1));
  const Counters counters;
  std::size_t bytes = 0;
  for (auto _ : state) {
    const auto made = metrics_text({.overview = view, .counters = counters, .max_peers = most});
    if (!made) return state.SkipWithError(made.error().because.c_str());
    bytes = made->size();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(text)
    ->ArgNames({"masternodes", "max_peers"})
    ->Args({125, 500})
    ->Args({10'000, 500})
    ->Args({10'000, 10'000})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace timectl::observe

BENCHMARK_MAIN();
