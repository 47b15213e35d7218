// Verification's figures: blocks of 1.5 KB and two transactions, as many as sync gets at once,
// verified from memory, beside the raw SHA-256 of the same bytes and beside the hashes that the
// protocol's rules ask for (ids are hashes over JSON, several times as long as the block).
#include <benchmark/benchmark.h>

#include "daemon/chain/verify.h"
#include "daemon/chain/vrf.h"
#include "daemon/wire/blake3.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/hash.h"
#include "tests/support/chain_maker.h"

namespace timectl::chain {
namespace {

using test::ChainMaker;
using test::ChainOptions;

constexpr std::size_t batch = 50;  // blocks in one answer

// Blocks on top of each other, their bytes and what each stands on.
struct Chain {
  explicit Chain(ChainOptions options, std::size_t count = batch) : maker(options) {
    for (std::size_t i = 0; i < count; ++i) {
      Circumstances at;
      at.network = options.network;
      at.parent = maker.tip();
      at.now = maker.time_of(1000);
      places.push_back(at);
      blocks.push_back(maker.next());
      bytes += blocks.back().size();
    }
  }
  void set_rates(benchmark::State& state) const {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(blocks.size()));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
  }

  ChainMaker maker;
  std::vector<std::vector<std::uint8_t>> blocks;
  std::vector<Circumstances> places;
  std::size_t bytes = 0;
};

void BM_RawSha256(benchmark::State& state) {
  const Chain chain({});
  for (auto _ : state) {
    for (const auto& block : chain.blocks) benchmark::DoNotOptimize(wire::sha256(block));
  }
  chain.set_rates(state);
}
BENCHMARK(BM_RawSha256);

// What the rules have hashed, with everything that is not hashing done before: both ids, the pair
// of them, the block, and the challenge of its proof.
void BM_HashesOfTheRules(benchmark::State& state) {
  const Chain chain({});
  struct Texts {
    std::vector<std::string> ids;
    std::vector<std::uint8_t> header;
  };
  std::vector<Texts> texts;
  for (const auto& bytes : chain.blocks) {
    wire::Arena arena;
    const wire::Block block = wire::decode_block(bytes, arena).value();
    Texts& text = texts.emplace_back();
    for (const auto& tx : block.transactions) text.ids.push_back(wire::id_preimage(tx));
    text.header = wire::hash_preimage(block.header);
  }
  for (auto _ : state) {
    for (const Texts& text : texts) {
      std::vector<wire::Hash32> ids;
      for (const auto& id : text.ids) ids.push_back(wire::sha256(id));
      const wire::Hash32 root = wire::merkle_root(std::move(ids));
      benchmark::DoNotOptimize(wire::blake3(text.header));
      benchmark::DoNotOptimize(vrf_challenge(vrf_input(1, root)));
    }
  }
  chain.set_rates(state);
}
BENCHMARK(BM_HashesOfTheRules);

void verify_all(benchmark::State& state, Chain& chain, const ProducerKeys* keys) {
  for (auto& place : chain.places) place.keys = keys;
  wire::Arena arena;
  for (auto _ : state) {
    for (std::size_t i = 0; i < chain.blocks.size(); ++i) {
      const auto block = wire::decode_block(chain.blocks[i], arena);
      const Verdict verdict = verify(chain.places[i], *block);
      if (!verdict.findings.empty()) {
        state.SkipWithError(text_of(verdict.findings[0]).c_str());
        return;
      }
    }
  }
  chain.set_rates(state);
}

// Decoding included.
void BM_Verify(benchmark::State& state) {
  Chain chain({});
  verify_all(state, chain, nullptr);
}
BENCHMARK(BM_Verify);

void BM_VerifyWithSignatures(benchmark::State& state) {
  Chain chain({});
  verify_all(state, chain, &chain.maker.keys());
}
BENCHMARK(BM_VerifyWithSignatures);

// Blocks of 4 MB that are valid. 0: one huge transaction; 1: 15,000 of the usual size.
void BM_VerifyLargest(benchmark::State& state) {
  const bool many = state.range(0) == 1;
  constexpr std::size_t spend_size = 240;  // bytes, about
  Chain chain({.block_size = many ? 0 : wire::max_block_size,
               .spends = many ? wire::max_block_size / spend_size : 0},
              1);
  verify_all(state, chain, nullptr);
}
BENCHMARK(BM_VerifyLargest)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

// The longest that one block can take: a hostile peer makes 4 MB of the smallest transactions, one
// with a memo, under a wrong merkle root, so that both rules for the root are tried.
void BM_VerifyHostile(benchmark::State& state) {
  constexpr std::size_t smallest = 34;  // bytes
  ChainMaker maker;
  Circumstances at;
  at.network = wire::Network::testnet;
  at.parent = maker.tip();
  at.now = maker.time_of(1);
  test::BlockDraft draft = maker.draft();
  draft.merkle_root = wire::Hash32{};
  draft.transactions.at(0).memo.emplace();
  const std::size_t room = wire::max_block_size - maker.seal(draft).size();
  for (std::size_t i = 0; i < room / smallest; ++i) {
    draft.transactions.emplace_back().timestamp = static_cast<std::int64_t>(i);
  }
  const auto bytes = maker.seal(draft);
  wire::Arena arena;
  const wire::Block block = wire::decode_block(bytes, arena).value();
  for (auto _ : state) {
    const Verdict verdict = verify(at, block);
    if (!verdict.has(Reason::merkle_root)) state.SkipWithError("looked at too little");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}
BENCHMARK(BM_VerifyHostile)->Unit(benchmark::kMillisecond);

void BM_MakeBlock(benchmark::State& state) {
  ChainMaker maker({.sign = state.range(0) == 1});
  for (auto _ : state) benchmark::DoNotOptimize(maker.next());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_MakeBlock)->Arg(0)->Arg(1);

}  // namespace
}  // namespace timectl::chain
