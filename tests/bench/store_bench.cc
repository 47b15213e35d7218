// What the store costs: a confirmed change, the start's checks and the audit chain of a long life.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "store/audit_log.h"
#include "store/database.h"
#include "store/peer_history.h"
#include "store/whitelist_table.h"

namespace timectl::store {
namespace {

class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "timectl-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path = name;
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] Database open() const {
    return Database::open(StateLock::try_acquire(path, "bench").value(), OpenMode::read_write)
        .value();
  }
  std::filesystem::path path;
};

WhitelistChange addition(std::uint32_t number) {
  WhitelistChange change;
  change.ip =
      IpAddress::v4(10, static_cast<std::uint8_t>(number >> 16U),
                    static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number));
  change.result = ChangeResult::added;
  change.after = WhitelistEntry{change.ip, "mn", {}, false, {{Source::manual, "bench", "root"}}};
  return change;
}

void fill_audit(Database& database, std::int64_t rows) {
  const AuditOrigin origin;
  const AuditEntry entry{"whitelist.add", "10.0.0.1", {}, std::string(200, 'j'), "bench", "added"};
  const auto done = audited(database, origin, [&](AuditScope& scope) -> Result<void> {
    for (std::int64_t i = 0; i < rows; ++i) {
      if (auto written = scope.record(entry); !written) return written;
    }
    return {};
  });
  if (!done) std::abort();
}

// One audited change, on disk when it returns.
void ConfirmedChange(benchmark::State& state) {
  const Scratch scratch;
  auto database = scratch.open();
  std::uint32_t number = 0;
  for (auto _ : state) {
    const WhitelistChange change = addition(++number);
    if (!apply_changes(database, {}, std::span(&change, 1))) state.SkipWithError("not applied");
  }
}
BENCHMARK(ConfirmedChange)->Iterations(500);

// An API list (FT-A11: under 300 ms).
void ApplyFiveThousand(benchmark::State& state) {
  std::vector<WhitelistChange> changes;
  for (std::uint32_t i = 0; i < 5000; ++i) changes.push_back(addition(i));
  for (auto _ : state) {
    state.PauseTiming();
    const Scratch scratch;
    auto database = scratch.open();
    state.ResumeTiming();
    if (!apply_changes(database, {}, changes)) state.SkipWithError("not applied");
  }
}
BENCHMARK(ApplyFiveThousand)->Unit(benchmark::kMillisecond)->Iterations(5);

// W8's figure: a million rows in under 10 s.
void VerifyMillionRows(benchmark::State& state) {
  const Scratch scratch;
  auto database = scratch.open();
  fill_audit(database, 1'000'000);
  for (auto _ : state) {
    const auto verdict = verify_audit(database);
    if (!verdict || !verdict->ok) state.SkipWithError("the chain does not verify");
  }
}
BENCHMARK(VerifyMillionRows)->Unit(benchmark::kMillisecond)->Iterations(1);

// Opening with its checks, by the number of audit rows.
void Open(benchmark::State& state) {
  const Scratch scratch;
  {
    auto database = scratch.open();
    fill_audit(database, state.range(0));
  }
  for (auto _ : state) {
    auto database = scratch.open();
    benchmark::DoNotOptimize(database);
  }
}
BENCHMARK(Open)->Arg(0)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond)->Iterations(5);

// One chunk of retention (FT-S24: no stall over 50 ms).
void PruneChunk(benchmark::State& state) {
  const Scratch scratch;
  auto database = scratch.open();
  for (int i = 0; i < 100; ++i) {
    if (!append_history(database, std::vector<SessionRecord>(1000), {})) std::abort();
  }
  Retention retention;
  retention.max_sessions = 1;
  for (auto _ : state) {
    if (!prune_history(database, retention, WallTime{})) state.SkipWithError("not pruned");
  }
}
BENCHMARK(PruneChunk)->Unit(benchmark::kMillisecond)->Iterations(150);

}  // namespace
}  // namespace timectl::store

BENCHMARK_MAIN();
