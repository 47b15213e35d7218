#include "tests/support/chain_maker.h"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

#include "daemon/wire/codec.h"
#include "daemon/wire/hash.h"

namespace timectl::testing {
namespace {

using wire::Hash32;
using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;

Hash32 label(const std::string& text) {
  return wire::sha256(std::string_view(text));
}

Key producer_key() {
  const auto seed = label("timectl/chain-maker");
  return {EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()),
          EVP_PKEY_free};
}

std::vector<std::uint8_t> signature(const Hash32& message) {
  const auto key = producer_key();
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                   EVP_MD_CTX_free);
  std::vector<std::uint8_t> out(64);
  std::size_t size = out.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) != 1) {
    throw std::runtime_error("cannot sign");
  }
  return out;
}

std::vector<std::uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

// Views of the parts; they live as long as it does.
struct Assembled {
  explicit Assembled(const BlockParts& parts) {
    for (const auto& tx : parts.transactions) {
      auto& in = inputs.emplace_back();
      for (const auto& spent : tx.spends) in.push_back({{spent, 0}, {}, 0});
      auto& out = outputs.emplace_back();
      for (const auto& [script, value] : tx.pays) out.push_back({value, script});
    }
    for (std::size_t i = 0; i < parts.transactions.size(); ++i) {
      wire::Transaction tx;
      tx.version = parts.transactions[i].version;
      tx.inputs = inputs[i];
      tx.outputs = outputs[i];
      tx.timestamp = parts.transactions[i].timestamp;
      transactions.push_back(tx);
    }
    for (const auto& [address, amount] : parts.rewards) rewards.push_back({address, amount});
    block.header = parts.header;
    block.header.leader = parts.leader;
    block.header.active_masternodes_bitmap = parts.bitmap;
    block.header.vrf_proof = parts.vrf_proof;
    block.transactions = transactions;
    block.masternode_rewards = rewards;
  }
  std::vector<std::vector<wire::TxInput>> inputs;
  std::vector<std::vector<wire::TxOutput>> outputs;
  std::vector<wire::Transaction> transactions;
  std::vector<wire::MasternodeReward> rewards;
  wire::Block block;
};

void add_vrf(BlockParts& parts, const Hash32& output) {
  auto& header = parts.header;
  header.vrf_output = output;
  header.vrf_score = 0;
  for (std::size_t i = 8; i-- > 0;) header.vrf_score = header.vrf_score << 8U | output[i];
  std::vector<std::uint8_t> input = bytes_of("TIMECOIN_VRF_V2");
  for (unsigned shift = 0; shift < 64; shift += 8) {
    input.push_back(static_cast<std::uint8_t>(header.height >> shift));
  }
  input.insert(input.end(), header.previous_hash.begin(), header.previous_hash.end());
  const auto digest = wire::sha512(wire::sha256(input));
  parts.vrf_proof.assign(output.begin(), output.end());
  parts.vrf_proof.insert(parts.vrf_proof.end(), digest.begin(), digest.begin() + 32);
  parts.vrf_proof.resize(chain::kVrfProofBytes, 7);
}

}  // namespace

ChainMaker::ChainMaker(wire::Network network, std::uint64_t seed, std::size_t filler)
    : params_(wire::params_of(network)), seed_(seed), filler_(filler) {
  const auto genesis = wire::genesis_block(network);
  wire::Arena arena;
  const auto block = wire::decode_block(genesis, arena);
  if (!block) throw std::runtime_error("the genesis block does not decode");
  blocks_.push_back({{genesis.begin(), genesis.end()},
                     {wire::block_hash(block->header), 0, block->header.timestamp,
                      block->header.treasury_balance}});
}

Hash32 ChainMaker::leader_key() const {
  Hash32 key{};
  std::size_t size = key.size();
  if (EVP_PKEY_get_raw_public_key(producer_key().get(), key.data(), &size) != 1) {
    throw std::runtime_error("no key");
  }
  return key;
}

std::int64_t ChainMaker::due() const {
  return params_.genesis_time + wire::block_seconds * static_cast<std::int64_t>(blocks_.size() - 1);
}

BlockParts ChainMaker::parts() const {
  const auto& parent = tip();
  BlockParts parts;
  auto& header = parts.header;
  header.version = 1;
  header.height = parent.height + 1;
  header.previous_hash = parent.hash;
  header.timestamp =
      params_.genesis_time + wire::block_seconds * static_cast<std::int64_t>(header.height);
  header.block_reward = chain::kEmission - chain::kTreasuryShare;
  header.treasury_balance = parent.treasury_balance + chain::kTreasuryShare;
  parts.leader = "203.0.113.7";
  parts.bitmap = {0xe0};
  const auto name = std::to_string(seed_) + "/" + std::to_string(header.height);
  add_vrf(parts, label("vrf/" + name));
  parts.rewards = {{"TIME0alpha", header.block_reward - 2'000'000'000},
                   {"TIME0beta", 1'500'000'000},
                   {"TIME0gamma", 500'000'000}};
  TransactionParts coinbase;
  coinbase.timestamp = header.timestamp;
  coinbase.pays = {
      {bytes_of("BLOCK_REWARD_" + std::to_string(header.height)), header.block_reward}};
  TransactionParts rewards;
  rewards.timestamp = header.timestamp;
  for (const auto& [address, amount] : parts.rewards) {
    rewards.pays.emplace_back(bytes_of(address), amount);
  }
  parts.transactions = {coinbase, rewards};
  if (filler_ > 0) {
    TransactionParts other;
    other.timestamp = header.timestamp;
    other.spends = {label("spent/" + name)};
    other.pays = {{std::vector<std::uint8_t>(filler_, 0x41), 1}};
    parts.transactions.push_back(other);
  }
  return parts;
}

MadeBlock ChainMaker::seal(BlockParts& parts) const {
  if (parts.fix_input && parts.transactions.size() > 1) {
    parts.transactions[1].spends = {wire::transaction_id(Assembled(parts).transactions[0])};
  }
  Assembled assembled(parts);
  auto& block = assembled.block;
  if (parts.fix_root) block.header.merkle_root = wire::merkle_root(block);
  const auto hash = wire::block_hash(block.header);
  std::vector<std::uint8_t> signed_by;
  if (parts.sign) signed_by = signature(hash);
  block.header.producer_signature = signed_by;
  return {wire::encode_block(block),
          {hash, block.header.height, block.header.timestamp, block.header.treasury_balance}};
}

const MadeBlock& ChainMaker::next(const std::function<void(BlockParts&)>& edit) {
  blocks_.push_back(sketch(edit));
  return blocks_.back();
}

MadeBlock ChainMaker::sketch(const std::function<void(BlockParts&)>& edit) const {
  auto made = parts();
  if (edit) edit(made);
  return seal(made);
}

void ChainMaker::back_to(std::uint64_t height, std::uint64_t seed) {
  blocks_.resize(height + 1);
  seed_ = seed;
}

}  // namespace timectl::testing
