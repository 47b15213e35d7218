// Makes chains of fully valid blocks: linked, on the network's schedule, with VRF proofs, correct
// rewards and producer signatures, of a chosen size. The tests and benchmarks of verification, of
// the chain's store and of sync use it; a test that needs a wrong block takes a draft of the next
// one, changes what it wants and seals it. The same options give the same bytes.
//
// A maker is a value: a copy with another seed goes on from the same block on another branch.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/chain/verify.h"
#include "daemon/core/random.h"

struct evp_pkey_st;

namespace timectl::test {

struct ChainOptions {
  wire::Network network = wire::Network::testnet;
  std::uint64_t seed = 1;
  std::size_t block_size = 1500;  // bytes, encoded; exact if the block's parts leave the room
  std::size_t masternodes = 7;    // each is active and rewarded; they lead in turn; 1 to 64
  std::size_t spends = 0;         // transactions besides coinbase and distribution
  bool sign = true;               // signing is nearly all of the time a block takes
};

struct DraftInput {
  wire::Hash32 txid{};
  std::uint32_t vout = 0;
  std::vector<std::uint8_t> script_sig;
};
struct DraftOutput {
  std::uint64_t value = 0;
  std::string script;
};
struct DraftTransaction {
  std::uint32_t version = 2;  // 1 is refused by nodes from height 1000 on
  std::vector<DraftInput> inputs;
  std::vector<DraftOutput> outputs;
  std::int64_t timestamp = 0;
  std::optional<std::vector<std::uint8_t>> memo;
};

// A block that owns what it consists of. Merkle root and signature are made by seal().
struct BlockDraft {
  wire::BlockHeader header;  // its texts and byte strings are replaced by those below
  std::string leader;
  std::vector<std::uint8_t> vrf_proof;
  std::vector<std::uint8_t> bitmap;
  std::vector<DraftTransaction> transactions;
  std::vector<std::pair<std::string, std::uint64_t>> rewards;
  std::vector<std::uint8_t> participants;
  std::optional<wire::Hash32> merkle_root;  // instead of the right one
  wire::MemoInId memos = wire::MemoInId::left_out;
};

class ChainMaker {
 public:
  // Begins at the network's genesis block.
  explicit ChainMaker(ChainOptions options = {});

  // Begins on any block: a chain of great height need not be made from its beginning.
  ChainMaker(ChainOptions options, chain::Parent parent);

  // The next block, encoded; the chain then ends with it.
  [[nodiscard]] std::vector<std::uint8_t> next();
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> next(std::size_t count);

  // The next block to be changed. Does not move the chain.
  [[nodiscard]] BlockDraft draft();
  // Its transaction 1 spends its transaction 0 again, after that one was changed.
  static void link_distribution(BlockDraft& draft);
  // The VRF output, score and proof for the draft's height and parent, after those were changed.
  void draw_lot(BlockDraft& draft) const;
  [[nodiscard]] std::vector<std::uint8_t> seal(const BlockDraft& draft) const;

  // The last block made, or where the chain began.
  [[nodiscard]] const chain::Parent& tip() const { return tip_; }
  [[nodiscard]] const chain::ProducerKeys& keys() const { return *keys_; }
  // A moment at which the block of that height has just been made.
  [[nodiscard]] WallTime time_of(std::uint64_t height) const;

  // Another branch from here on: other payments, other lots.
  [[nodiscard]] ChainMaker branch(std::uint64_t seed) const;

 private:
  struct Masternode {
    std::string node;    // what stands in `leader`
    std::string wallet;  // where its rewards go
    std::shared_ptr<evp_pkey_st> key;
  };

  [[nodiscard]] std::vector<std::uint8_t> random_bytes(std::size_t count);
  void add_rewards(BlockDraft& draft, std::size_t leader) const;
  void add_transactions(BlockDraft& draft);
  void pad(BlockDraft& draft) const;
  // With a signature by the draft's leader, or with so many zero bytes in its place.
  enum class Signing { real, placeholder };
  [[nodiscard]] std::vector<std::uint8_t> encode(const BlockDraft& draft, Signing signing) const;
  [[nodiscard]] std::vector<std::uint8_t> sign(const BlockDraft& draft,
                                               const wire::BlockHeader& header) const;

  ChainOptions options_;
  Random random_;
  chain::Parent tip_;
  // Shared by all branches; never changed.
  std::shared_ptr<const std::vector<Masternode>> masternodes_;
  std::shared_ptr<const chain::ProducerKeys> keys_;
};

}  // namespace timectl::test
