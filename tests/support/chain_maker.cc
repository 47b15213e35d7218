#include "tests/support/chain_maker.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "daemon/chain/vrf.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/hash.h"

namespace timectl::test {
namespace {

using wire::Bytes;
using wire::Hash32;

constexpr std::uint64_t fee = 1000;  // satoshis for each spend
constexpr std::uint64_t leader_share = 3'000'000'000;
constexpr std::size_t wallet_digits = 34;  // with "TIME" 38 characters, like those of the network

constexpr std::size_t signature_size = 64;

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::shared_ptr<EVP_PKEY> key_from(const Hash32& secret) {
  std::shared_ptr<EVP_PKEY> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.data(), secret.size()),
      EVP_PKEY_free);
  if (!key) throw std::runtime_error("no Ed25519 key");
  return key;
}

Hash32 public_key(EVP_PKEY* key) {
  Hash32 bytes{};
  std::size_t size = bytes.size();
  if (EVP_PKEY_get_raw_public_key(key, bytes.data(), &size) != 1) {
    throw std::runtime_error("no public key");
  }
  return bytes;
}

std::vector<std::uint8_t> signature(EVP_PKEY* key, const Hash32& message) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  std::vector<std::uint8_t> bytes(signature_size);
  std::size_t size = bytes.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) != 1 ||
      EVP_DigestSign(context.get(), bytes.data(), &size, message.data(), message.size()) != 1) {
    throw std::runtime_error("cannot sign");
  }
  return bytes;
}

// Calls use(transaction) with a view of a draft, valid during the call.
template <class Use>
auto with_view(const DraftTransaction& draft, Use use) {
  std::vector<wire::TxInput> inputs;
  for (const auto& input : draft.inputs) {
    inputs.push_back({{input.txid, input.vout}, Bytes(input.script_sig), 0xFFFFFFFF});
  }
  std::vector<wire::TxOutput> outputs;
  for (const auto& output : draft.outputs) {
    const auto* script = reinterpret_cast<const std::uint8_t*>(output.script.data());
    outputs.push_back({output.value, Bytes(script, output.script.size())});
  }
  wire::Transaction tx;
  tx.version = draft.version;
  tx.inputs = inputs;
  tx.outputs = outputs;
  tx.timestamp = draft.timestamp;
  if (draft.memo) tx.encrypted_memo = Bytes(*draft.memo);
  return use(tx);
}

Hash32 id_of(const DraftTransaction& draft, wire::MemoInId memo = wire::MemoInId::left_out) {
  return with_view(draft, [&](const wire::Transaction& tx) { return transaction_id(tx, memo); });
}

// The header with the draft's texts and byte strings, borrowed.
wire::BlockHeader header_of(const BlockDraft& draft) {
  wire::BlockHeader header = draft.header;
  header.leader = draft.leader;
  header.vrf_proof = draft.vrf_proof;
  header.active_masternodes_bitmap = draft.bitmap;
  return header;
}

}  // namespace

ChainMaker::ChainMaker(ChainOptions options)
    : ChainMaker(options, chain::genesis_parent(options.network)) {}

ChainMaker::ChainMaker(ChainOptions options, chain::Parent parent)
    : options_(options), random_(options.seed), tip_(parent) {
  if (options.masternodes < 1 || options.masternodes > 64) {
    throw std::invalid_argument("1 to 64 masternodes");
  }
  auto masternodes = std::make_shared<std::vector<Masternode>>();
  auto keys = std::make_shared<chain::ProducerKeys>();
  for (std::size_t i = 0; i < options.masternodes; ++i) {
    Masternode masternode;
    masternode.node = "203.0.113." + std::to_string(i + 1);
    // The same for all seeds, so that branches and makers agree on who is who.
    masternode.key = key_from(wire::sha256("chain maker " + std::to_string(i)));
    const Hash32 key = public_key(masternode.key.get());
    masternode.wallet = "TIME" + wire::to_hex(key).substr(0, wallet_digits);
    keys->emplace(masternode.node, key);
    masternodes->push_back(std::move(masternode));
  }
  masternodes_ = std::move(masternodes);
  keys_ = std::move(keys);
}

std::vector<std::uint8_t> ChainMaker::random_bytes(std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_.next());
  return bytes;
}

BlockDraft ChainMaker::draft() {
  BlockDraft draft;
  const std::uint64_t height = tip_.height + 1;
  const std::size_t leader = static_cast<std::size_t>(random_.below(masternodes_->size()));
  draft.leader = (*masternodes_)[leader].node;
  wire::BlockHeader& header = draft.header;
  header.version = 1;
  header.height = height;
  header.previous_hash = tip_.hash;
  header.timestamp = wire::params_of(options_.network).genesis_time +
                     wire::block_seconds * static_cast<std::int64_t>(height);
  header.total_fees = fee * options_.spends;
  header.block_reward = chain::emission - chain::treasury_share + header.total_fees;
  header.treasury_balance = tip_.treasury_balance + chain::treasury_share;
  header.masternode_tiers.free = static_cast<std::uint32_t>(masternodes_->size());
  header.liveness_recovery = false;
  draft.bitmap.resize((masternodes_->size() + 7) / 8);
  for (std::size_t i = 0; i < masternodes_->size(); ++i) {
    draft.bitmap[i / 8] |= static_cast<std::uint8_t>(0x80U >> (i % 8));
  }
  draft.participants = draft.bitmap;
  draw_lot(draft);
  add_rewards(draft, leader);
  add_transactions(draft);
  pad(draft);
  return draft;
}

void ChainMaker::draw_lot(BlockDraft& draft) const {
  const Hash32 input = chain::vrf_input(draft.header.height, draft.header.previous_hash);
  const Hash32 challenge = chain::vrf_challenge(input);
  // A keyed hash, like the network's, with a key of our own making.
  const Hash32 output =
      wire::sha256(draft.leader + std::to_string(options_.seed) + wire::to_hex(input));
  draft.header.vrf_output = output;
  draft.header.vrf_score = chain::vrf_score(output);
  draft.vrf_proof.assign(output.begin(), output.end());
  draft.vrf_proof.insert(draft.vrf_proof.end(), challenge.begin(), challenge.end());
  // Where a quarter of a signature stands, which nobody can verify.
  draft.vrf_proof.insert(draft.vrf_proof.end(), challenge.begin(),
                         challenge.begin() + chain::proof_size - 2 * challenge.size());
}

void ChainMaker::add_rewards(BlockDraft& draft, std::size_t leader) const {
  const std::size_t count = masternodes_->size();
  const std::uint64_t pool = draft.header.block_reward - leader_share - draft.header.total_fees;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t amount = pool / count;
    if (i == leader) amount += leader_share + draft.header.total_fees + pool % count;
    draft.rewards.emplace_back((*masternodes_)[i].wallet, amount);
  }
}

void ChainMaker::add_transactions(BlockDraft& draft) {
  const std::int64_t time = draft.header.timestamp;
  DraftTransaction coinbase;
  coinbase.timestamp = time;
  std::string mark = "BLOCK_REWARD_";
  for (unsigned i = 0; i < 8; ++i) mark += static_cast<char>(draft.header.height >> (8 * i));
  coinbase.outputs.push_back({draft.header.block_reward, mark});
  DraftTransaction distribution;
  distribution.timestamp = time;
  distribution.inputs.emplace_back();
  for (const auto& [address, amount] : draft.rewards) {
    distribution.outputs.push_back({amount, address});
  }
  draft.transactions = {std::move(coinbase), std::move(distribution)};
  link_distribution(draft);
  std::vector<std::pair<Hash32, DraftTransaction>> spends;
  for (std::size_t i = 0; i < options_.spends; ++i) {
    DraftTransaction spend;
    spend.timestamp = time - 1;
    const auto txid = random_bytes(32);
    spend.inputs.push_back({{}, static_cast<std::uint32_t>(i), random_bytes(96)});
    std::copy(txid.begin(), txid.end(), spend.inputs.front().txid.begin());
    const auto& wallet = (*masternodes_)[random_.below(masternodes_->size())].wallet;
    spend.outputs.push_back({random_.below(1'000'000'000), wallet});
    spends.emplace_back(id_of(spend), std::move(spend));
  }
  std::sort(spends.begin(), spends.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [id, spend] : spends) draft.transactions.push_back(std::move(spend));
}

// The distribution's input takes what is missing: no rule that can be checked is about it.
void ChainMaker::pad(BlockDraft& draft) const {
  const std::size_t size = encode(draft, Signing::placeholder).size();
  if (size >= options_.block_size) return;
  auto& script = draft.transactions[1].inputs.front().script_sig;
  std::uint64_t filler = options_.seed ^ draft.header.height;
  script.reserve(options_.block_size - size);
  while (script.size() < options_.block_size - size) {
    filler = Random(filler).next();
    script.push_back(static_cast<std::uint8_t>(filler));
  }
}

void ChainMaker::link_distribution(BlockDraft& draft) {
  draft.transactions.at(1).inputs.at(0).txid = id_of(draft.transactions.at(0));
}

std::vector<std::uint8_t> ChainMaker::seal(const BlockDraft& draft) const {
  return encode(draft, Signing::real);
}

std::vector<std::uint8_t> ChainMaker::sign(const BlockDraft& draft,
                                           const wire::BlockHeader& header) const {
  // A leader that a test made up signs with the first key.
  const auto leader =
      std::find_if(masternodes_->begin(), masternodes_->end(),
                   [&](const Masternode& masternode) { return masternode.node == draft.leader; });
  const auto& signer = leader == masternodes_->end() ? masternodes_->front() : *leader;
  return signature(signer.key.get(), wire::block_hash(header));
}

std::vector<std::uint8_t> ChainMaker::encode(const BlockDraft& draft, Signing signing) const {
  wire::Block block;
  block.header = header_of(draft);
  block.consensus_participants_bitmap = draft.participants;
  block.liveness_recovery = false;
  std::vector<Hash32> ids;
  std::vector<std::uint8_t> transactions;
  for (const DraftTransaction& tx : draft.transactions) {
    ids.push_back(id_of(tx, draft.memos));
    const auto bytes = with_view(tx, wire::encode_transaction);
    transactions.insert(transactions.end(), bytes.begin(), bytes.end());
  }
  block.transactions = {draft.transactions.size(), Bytes(transactions)};
  std::vector<wire::MasternodeReward> rewards;
  for (const auto& [address, amount] : draft.rewards) rewards.push_back({address, amount});
  block.masternode_rewards = rewards;
  block.header.merkle_root = draft.merkle_root.value_or(wire::merkle_root(std::move(ids)));
  std::vector<std::uint8_t> signature_bytes;
  if (options_.sign) {
    signature_bytes.resize(signature_size);
    if (signing == Signing::real) signature_bytes = sign(draft, block.header);
    block.header.producer_signature = signature_bytes;
  }
  return wire::encode_block(block);
}

std::vector<std::uint8_t> ChainMaker::next() {
  std::vector<std::uint8_t> bytes = seal(draft());
  wire::Arena arena;
  const wire::Block block = wire::decode_block(bytes, arena).value();
  tip_ = chain::parent_from(block, wire::block_hash(block.header));
  return bytes;
}

std::vector<std::vector<std::uint8_t>> ChainMaker::next(std::size_t count) {
  std::vector<std::vector<std::uint8_t>> blocks;
  blocks.reserve(count);
  for (std::size_t i = 0; i < count; ++i) blocks.push_back(next());
  return blocks;
}

WallTime ChainMaker::time_of(std::uint64_t height) const {
  return WallTime(std::chrono::seconds(wire::params_of(options_.network).genesis_time +
                                       wire::block_seconds * static_cast<std::int64_t>(height)));
}

ChainMaker ChainMaker::branch(std::uint64_t seed) const {
  ChainMaker copy = *this;
  copy.options_.seed = seed;
  copy.random_ = Random(seed);
  return copy;
}

}  // namespace timectl::test
