// The wire's figures: a 50-block response decoded against memcpy of the same bytes (wanted: at
// least half its speed), pings decoded per second (wanted: over 5 million), frames and hashes.
#include <benchmark/benchmark.h>

#include <cstring>

#include "daemon/wire/codec.h"
#include "daemon/wire/ed25519.h"
#include "daemon/wire/frame.h"
#include "daemon/wire/outgoing.h"

namespace timectl::wire {
namespace {

// A response as the network sends it: 50 blocks of a coinbase and a reward distribution to 12
// masternodes, about 1.5 KB each.
std::vector<std::uint8_t> blocks_payload() {
  static const std::vector<std::uint8_t> script(38, 'T');
  static const std::vector<std::uint8_t> proof(80, 7);
  static const std::vector<std::uint8_t> signature(64, 9);
  static const std::vector<std::uint8_t> bitmap(8, 255);
  const std::vector<TxOutput> coinbase_outputs{{10'000'000'000, Bytes(script)}};
  const std::vector<TxOutput> reward_outputs(12, TxOutput{800'000'000, Bytes(script)});
  const std::vector<TxInput> inputs{{OutPoint{}, Bytes(), 0xFFFFFFFF}};
  Transaction coinbase;
  coinbase.outputs = coinbase_outputs;
  Transaction distribution;
  distribution.inputs = inputs;
  distribution.outputs = reward_outputs;
  const std::vector<Transaction> transactions{coinbase, distribution};
  const std::vector<MasternodeReward> rewards(12, MasternodeReward{"203.0.113.77", 800'000'000});
  Block block;
  block.header.leader = "203.0.113.77";
  block.header.vrf_proof = Bytes(proof);
  block.header.producer_signature = Bytes(signature);
  block.header.active_masternodes_bitmap = Bytes(bitmap);
  block.transactions = transactions;
  block.masternode_rewards = rewards;
  block.consensus_participants_bitmap = Bytes(bitmap);
  const std::vector<Block> blocks(50, block);
  msg::BlocksResponse response;
  response.blocks = blocks;
  return encode(Message(response));
}

void set_bytes(benchmark::State& state, std::size_t size) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * size));
}

// The argument is how many copies of the response take turns: 1 is a response that is in the cache
// of the core already, 512 (37 MB) one that has just come from somewhere else, as in a node.
std::vector<std::vector<std::uint8_t>> responses(const benchmark::State& state) {
  return std::vector(static_cast<std::size_t>(state.range(0)), blocks_payload());
}

void BM_Memcpy50Blocks(benchmark::State& state) {
  const auto payloads = responses(state);
  std::vector<std::uint8_t> copy(payloads[0].size());
  std::size_t turn = 0;
  for (auto _ : state) {
    const auto& payload = payloads[turn++ % payloads.size()];
    std::memcpy(copy.data(), payload.data(), payload.size());
    benchmark::DoNotOptimize(copy.data());
    benchmark::ClobberMemory();
  }
  set_bytes(state, copy.size());
}
BENCHMARK(BM_Memcpy50Blocks)->Arg(1)->Arg(512);

void BM_Decode50Blocks(benchmark::State& state) {
  const auto payloads = responses(state);
  std::size_t turn = 0;
  Arena arena;
  for (auto _ : state) {
    auto decoded = decode(payloads[turn++ % payloads.size()], arena);
    benchmark::DoNotOptimize(decoded);
    benchmark::ClobberMemory();
  }
  set_bytes(state, payloads[0].size());
}
BENCHMARK(BM_Decode50Blocks)->Arg(1)->Arg(512);

void BM_DecodePing(benchmark::State& state) {
  const auto payload = encode(Message(msg::Ping{42, 1784900000, 14000}));
  Arena arena;
  for (auto _ : state) {
    auto decoded = decode(payload, arena);
    benchmark::DoNotOptimize(decoded);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_DecodePing);

void BM_WritePong(benchmark::State& state) {
  for (auto _ : state) {
    auto frame = write_frame(msg::Pong{42, 1784900000, 14000});
    benchmark::DoNotOptimize(frame.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(BM_WritePong);

// The argument is the size of the chunks a socket gives.
void BM_ReadFrames(benchmark::State& state) {
  const auto payload = blocks_payload();
  const auto header = frame_header(payload.size());
  std::vector<std::uint8_t> stream;
  for (int i = 0; i < 16; ++i) {
    stream.insert(stream.end(), header.begin(), header.end());
    stream.insert(stream.end(), payload.begin(), payload.end());
  }
  const auto chunk = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    FrameReader reader(max_frame_size);
    std::span<const std::uint8_t> rest(stream);
    while (!rest.empty()) {
      const std::size_t size = std::min(chunk, rest.size());
      reader.feed(rest.first(size));
      while (auto frame = reader.next()) benchmark::DoNotOptimize(frame->data());
      rest = rest.subspan(size);
    }
  }
  set_bytes(state, stream.size());
}
BENCHMARK(BM_ReadFrames)->Arg(1460)->Arg(16384)->Arg(65536);

void BM_BlockHash(benchmark::State& state) {
  const auto payload = blocks_payload();
  Arena arena;
  const auto decoded = decode(payload, arena).value();
  const Block& block = std::get<msg::BlocksResponse>(decoded.message).blocks[0];
  for (auto _ : state) benchmark::DoNotOptimize(block_hash(block.header));
}
BENCHMARK(BM_BlockHash);

void BM_MerkleRoot(benchmark::State& state) {
  const auto payload = blocks_payload();
  Arena arena;
  const auto decoded = decode(payload, arena).value();
  const Block& block = std::get<msg::BlocksResponse>(decoded.message).blocks[0];
  for (auto _ : state) benchmark::DoNotOptimize(merkle_root(block));
}
BENCHMARK(BM_MerkleRoot);

void BM_TestPublicKey(benchmark::State& state) {
  Hash32 key{};
  for (auto _ : state) {
    ++key[0];
    benchmark::DoNotOptimize(decompresses(key));
  }
}
BENCHMARK(BM_TestPublicKey);

}  // namespace
}  // namespace timectl::wire
