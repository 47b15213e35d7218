// The chain's store: "verify and store from memory" (whole jobs, batches of 50 blocks of 1.5 KB and
// two transactions) beside what nobody could do with less, plain SQLite inserts of the same bytes
// and the hashes that the rules ask for; whether it is as fast at a great height; opening, reading.
// The great height is that of the requirement, which takes half a minute and 1 GB of disk;
// TIMECTL_BENCH_HEIGHT is another one, TIMECTL_BENCH_DIR another place for the files.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "daemon/chain/verify.h"
#include "daemon/chain/vrf.h"
#include "daemon/chain_jobs.h"
#include "daemon/core/random.h"
#include "daemon/wire/blake3.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/hash.h"
#include "daemon/wire/messages.h"
#include "tests/support/chain_fill.h"

namespace timectl {
namespace {

using test::ChainMaker;
using RawBlocks = std::vector<std::vector<std::uint8_t>>;

constexpr std::size_t kBatch = 50;       // blocks in one answer
constexpr std::size_t kBlocks = 10'000;  // of one pass

class Directory {
 public:
  Directory() {
    const char* parent = std::getenv("TIMECTL_BENCH_DIR");
    auto name = (parent != nullptr ? std::filesystem::path(parent)
                                   : std::filesystem::temp_directory_path()) /
                "timectl-chain-XXXXXX";
    path_ = name.string();
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no directory");
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::filesystem::path path() const { return path_; }
  [[nodiscard]] store::ChainFile open() const {
    return store::ChainFile::open(path_, Network::testnet, store::OpenMode::read_write).value();
  }

 private:
  std::string path_;
};

// The jobs for the maker's next blocks.
std::vector<chain::VerifyJob> jobs_for(ChainMaker& maker, std::size_t blocks, bool keys) {
  std::vector<chain::VerifyJob> jobs;
  for (std::size_t made = 0; made < blocks; made += kBatch) {
    chain::VerifyJob& job = jobs.emplace_back();
    job.at.network = wire::Network::testnet;
    job.at.parent = maker.tip();
    job.at.now = maker.time_of(maker.tip().height + kBatch);
    if (keys) job.keys = std::make_shared<chain::ProducerKeys>(maker.keys());
    const test::BlocksToStore answer(maker.next(kBatch));
    auto batch = std::make_shared<chain::BlockBatch>();
    std::vector<wire::Arena> arenas(kBatch);
    std::vector<wire::Block> decoded;
    for (std::size_t i = 0; i < kBatch; ++i) {
      decoded.push_back(wire::decode_block(answer.raw()[i], arenas[i]).value());
      batch->heights.push_back(decoded.back().header.height);
    }
    batch->payload = wire::encode(wire::msg::BlocksResponse{decoded});
    job.batch = std::move(batch);
  }
  return jobs;
}

void do_all(store::ChainFile& file, const std::vector<chain::VerifyJob>& jobs) {
  wire::Arena arena;
  for (const auto& job : jobs) {
    const auto done = do_job(file, arena, job);
    if (!done || std::get<chain::VerifyDone>(*done).refused) {
      throw std::runtime_error("a good batch was refused");
    }
  }
}

void verify_and_store(benchmark::State& state, bool signatures) {
  ChainMaker maker({.sign = signatures});
  const auto jobs = jobs_for(maker, kBlocks, signatures);
  for (auto _ : state) {
    state.PauseTiming();
    {
      const Directory directory;
      auto file = directory.open();
      state.ResumeTiming();
      do_all(file, jobs);
      state.PauseTiming();
    }
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBlocks));
}

// What the rules have hashed in a block, made ready: see BM_HashesOfTheRules in chain_bench.cc.
struct Texts {
  std::vector<std::string> ids;
  std::vector<std::uint8_t> header;
};

void hash_as_the_rules_ask(const Texts& text) {
  std::vector<wire::Hash32> ids;
  for (const auto& id : text.ids) ids.push_back(wire::sha256(id));
  const wire::Hash32 root = wire::merkle_root(std::move(ids));
  benchmark::DoNotOptimize(wire::blake3(text.header));
  benchmark::DoNotOptimize(chain::vrf_challenge(chain::vrf_input(1, root)));
}

void BM_RawHashAndInsert(benchmark::State& state) {
  ChainMaker maker({.sign = false});
  const RawBlocks raw = maker.next(kBlocks);
  std::vector<Texts> texts;
  for (const auto& bytes : raw) {
    wire::Arena arena;
    const wire::Block block = wire::decode_block(bytes, arena).value();
    Texts& text = texts.emplace_back();
    for (const auto& tx : block.transactions) text.ids.push_back(wire::id_preimage(tx));
    text.header = wire::hash_preimage(block.header);
  }
  for (auto _ : state) {
    state.PauseTiming();
    {
      const Directory directory;
      SQLite::Database db((directory.path() / "raw.db").string(),
                          SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
      db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
      db.exec("CREATE TABLE block (height INTEGER PRIMARY KEY, raw BLOB NOT NULL)");
      SQLite::Statement insert(db, "INSERT INTO block VALUES (?, ?)");
      state.ResumeTiming();
      for (std::size_t first = 0; first < raw.size(); first += kBatch) {
        SQLite::Transaction transaction(db);
        for (std::size_t i = first; i < first + kBatch; ++i) {
          hash_as_the_rules_ask(texts[i]);
          insert.bind(1, static_cast<std::int64_t>(i));
          insert.bindNoCopy(2, raw[i].data(), static_cast<int>(raw[i].size()));
          insert.exec();
          insert.reset();
        }
        transaction.commit();
      }
      state.PauseTiming();
    }
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBlocks));
}
BENCHMARK(BM_RawHashAndInsert)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_VerifyAndStore(benchmark::State& state) {
  verify_and_store(state, false);
}
BENCHMARK(BM_VerifyAndStore)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_VerifySignaturesAndStore(benchmark::State& state) {
  verify_and_store(state, true);
}
BENCHMARK(BM_VerifySignaturesAndStore)->Unit(benchmark::kMillisecond)->UseRealTime();

// A file filled to a height once, for all benchmarks of it.
struct Tall {
  Tall() {
    if (const char* text = std::getenv("TIMECTL_BENCH_HEIGHT"))
      height = std::strtoull(text, {}, 10);
    auto file = directory.open();
    if (!test::fill(file, maker, height)) throw std::runtime_error("cannot fill the chain");
  }
  std::size_t height = 500'000;
  Directory directory;
  ChainMaker maker{{.sign = false}};
};
Tall& tall() {
  static Tall one;
  return one;
}

// From there on, on our clock of that day: per block it should be what it is at the beginning.
void BM_VerifyAndStoreAtHeight(benchmark::State& state) {
  Tall& chain = tall();
  auto file = chain.directory.open();
  for (auto _ : state) {
    state.PauseTiming();
    const auto jobs = jobs_for(chain.maker, kBlocks, false);
    state.ResumeTiming();
    do_all(file, jobs);
  }
  state.counters["height"] = static_cast<double>(file.tip().block.height);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBlocks));
}
BENCHMARK(BM_VerifyAndStoreAtHeight)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(2);

void BM_OpenTall(benchmark::State& state) {
  const Tall& chain = tall();
  for (auto _ : state) {
    const auto file = chain.directory.open();
    benchmark::DoNotOptimize(file.tip());
  }
}
BENCHMARK(BM_OpenTall)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_HashAt(benchmark::State& state) {
  const auto file = tall().directory.open();
  const auto reader = file.open_reader().value();
  Random random(1);
  for (auto _ : state) {
    const auto hash = reader.hash_at(random.below(file.tip().block.height));
    if (!hash) state.SkipWithError("not there");
  }
}
BENCHMARK(BM_HashAt);

void BM_TipOfAReader(benchmark::State& state) {
  const auto file = tall().directory.open();
  const auto reader = file.open_reader().value();
  for (auto _ : state) benchmark::DoNotOptimize(reader.tip());
}
BENCHMARK(BM_TipOfAReader);

// An answer to GetBlocks.
void BM_Bodies(benchmark::State& state) {
  const auto file = tall().directory.open();
  Random random(1);
  for (auto _ : state) {
    const auto first = 1 + random.below(file.tip().block.height - kBatch);
    if (file.bodies(first, first + kBatch - 1, SIZE_MAX).size() != kBatch) {
      state.SkipWithError("not there");
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}
BENCHMARK(BM_Bodies)->Unit(benchmark::kMicrosecond);

// The change over to a branch as long as what it replaces. On the chain's thread: nothing waits for
// it but sync itself.
void BM_Reorganise(benchmark::State& state) {
  const auto depth = static_cast<std::size_t>(state.range(0));
  const Directory directory;
  auto file = directory.open();
  ChainMaker maker({.sign = false});
  const test::BlocksToStore first(maker.branch(0).next(depth));
  if (!file.append(first.blocks())) state.SkipWithError("not appended");
  std::uint64_t seed = 100;
  for (auto _ : state) {
    state.PauseTiming();
    const test::BlocksToStore branch(maker.branch(++seed).next(depth));
    if (!file.stage(branch.blocks())) state.SkipWithError("not staged");
    state.ResumeTiming();
    if (!file.reorganise(0)) state.SkipWithError("not changed over");
  }
}
BENCHMARK(BM_Reorganise)->Arg(100)->Arg(20'000)->Unit(benchmark::kMillisecond)->UseRealTime();

// As `chain.keep_bodies` has it after the setting was changed: so many at a time, the file smaller.
void BM_Prune(benchmark::State& state) {
  constexpr std::size_t kPruned = 2000;
  const Directory directory;
  auto file = directory.open();
  ChainMaker maker({.sign = false});
  for (auto _ : state) {
    state.PauseTiming();
    if (!test::fill(file, maker, kPruned)) state.SkipWithError("not appended");
    state.ResumeTiming();
    benchmark::DoNotOptimize(file.prune(0, kPruned));
  }
}
BENCHMARK(BM_Prune)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace timectl

BENCHMARK_MAIN();
