// The wire's figures: a 50-block response decoded against memcpy of the same bytes (wanted: at
// least half its speed), pings decoded per second (wanted: over 5 million), frames and hashes.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>

#include "daemon/wire/codec.h"
#include "daemon/wire/ed25519.h"
#include "daemon/wire/frame.h"
#include "daemon/wire/outgoing.h"

namespace timectl::wire {
namespace {

// A response as the network sends it: 50 blocks of two transactions, a coinbase and a spend. The
// sizes of the items are those of tests/data/vectors/chain_main.json, whose blocks of two
// transactions take 0.88 KB for 7 masternodes.
struct Shape {
  std::size_t inputs;   // of the spend
  std::size_t outputs;  // of the spend
  std::size_t rewards;
};
constexpr std::array<Shape, 3> shapes{{
    {3, 3, 7},    // 1.5 KB: that block with a reward for each of its masternodes and a larger spend
    {1, 2, 2},    // 0.88 KB: that block as it is
    {1, 12, 12},  // 2.0 KB: a distribution to 12 masternodes, nearly all of it small items
}};

std::vector<std::uint8_t> blocks_payload(const Shape& shape = shapes[0]) {
  const std::vector<std::uint8_t> reward_mark(14, 'B');
  const std::vector<std::uint8_t> script(38, 'T');
  const std::vector<std::uint8_t> script_sig(96, 5);
  const std::vector<std::uint8_t> proof(80, 7);
  const std::vector<std::uint8_t> signature(64, 9);
  const std::vector<std::uint8_t> bitmap(1, 255);
  const std::vector<TxOutput> coinbase_outputs{{10'000'000'000, Bytes(reward_mark)}};
  const std::vector<TxInput> inputs(shape.inputs, TxInput{{}, Bytes(script_sig), 0xFFFFFFFF});
  const std::vector<TxOutput> outputs(shape.outputs, TxOutput{4'999'990'000, Bytes(script)});
  Transaction coinbase;
  coinbase.outputs = coinbase_outputs;
  Transaction spend;
  spend.inputs = inputs;
  spend.outputs = outputs;
  const std::vector<Transaction> transactions{coinbase, spend};
  const std::vector<MasternodeReward> rewards(
      shape.rewards, MasternodeReward{"TIME0KjCbW6MqToe8oYZNx9abiobjiiozjJ4iv", 800'000'000});
  Block block;
  block.header.leader = "203.0.113.3";
  block.header.vrf_proof = Bytes(proof);
  block.header.producer_signature = Bytes(signature);
  block.header.active_masternodes_bitmap = Bytes(bitmap);
  block.header.liveness_recovery = false;
  block.transactions = transactions;
  block.masternode_rewards = rewards;
  block.consensus_participants_bitmap = Bytes(bitmap);
  block.liveness_recovery = false;
  const std::vector<Block> blocks(50, block);
  msg::BlocksResponse response;
  response.blocks = blocks;
  return encode(Message(response));
}

void set_bytes(benchmark::State& state, std::size_t size) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * size));
}

// The first argument is how many copies of the response take turns: 1 is a response that is in the
// cache of the core already, 512 (37 MB) one that is not. The second is the shape of its blocks.
std::vector<std::vector<std::uint8_t>> responses(const benchmark::State& state) {
  const Shape& shape = shapes.at(static_cast<std::size_t>(state.range(1)));
  return std::vector(static_cast<std::size_t>(state.range(0)), blocks_payload(shape));
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
BENCHMARK(BM_Memcpy50Blocks)->ArgsProduct({{1, 512}, {0, 1, 2}});

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
BENCHMARK(BM_Decode50Blocks)->ArgsProduct({{1, 512}, {0, 1, 2}});

// Decoding leaves the lists inside a block encoded: this one goes over all of them, too.
void BM_DecodeAndVisit50Blocks(benchmark::State& state) {
  const auto payload = blocks_payload();
  Arena arena;
  for (auto _ : state) {
    const auto decoded = decode(payload, arena).value();
    std::uint64_t sum = 0;
    for (const Block& block : std::get<msg::BlocksResponse>(decoded.message).blocks) {
      for (const Transaction& tx : block.transactions) {
        for (const TxInput& input : tx.inputs) sum += input.sequence;
        for (const TxOutput& output : tx.outputs) sum += output.value;
      }
      for (const MasternodeReward& reward : block.masternode_rewards) sum += reward.amount;
    }
    benchmark::DoNotOptimize(sum);
  }
  set_bytes(state, payload.size());
}
BENCHMARK(BM_DecodeAndVisit50Blocks);

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
