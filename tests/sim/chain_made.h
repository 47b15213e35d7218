#pragma once
// MadeChain: a chain that peers of the simulation have, made block by block when somebody asks for
// one and kept for the rest of the process, so that a thousand seeds pay once. Branches hang on the
// chain that they leave; the same (ancestor, seed) is the same branch. All of it is fully valid.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "daemon/chain/chain_view.h"
#include "tests/support/chain_maker.h"

namespace timectl::sim {

using chain::Height;

inline constexpr wire::Network kNetwork = wire::Network::testnet;

struct MadeBlock {
  chain::ChainTip tip;  // itself: height, hash, treasury, time stamp
  std::vector<std::uint8_t> raw;
};

class MadeChain {
 public:
  // The network's own, from genesis.
  [[nodiscard]] static MadeChain& network();

  // Valid above `ancestor`, where it leaves this chain; `seed` names it.
  [[nodiscard]] MadeChain& branch(Height ancestor, std::uint64_t seed);
  [[nodiscard]] const MadeBlock& at(Height height);
  [[nodiscard]] wire::Hash32 hash_at(Height height) { return at(height).tip.block.hash; }
  [[nodiscard]] chain::Tip tip_at(Height height) { return {height, hash_at(height)}; }
  // Whether the chain has that block.
  [[nodiscard]] bool has(const chain::Tip& tip) { return hash_at(tip.height) == tip.hash; }
  [[nodiscard]] Height ancestor() const { return ancestor_; }  // 0 of the network's own

  MadeChain(const MadeChain&) = delete;
  MadeChain& operator=(const MadeChain&) = delete;

 private:
  MadeChain(MadeChain* base, Height ancestor, std::uint64_t seed);

  MadeChain* base_;
  Height ancestor_;
  std::uint64_t seed_;
  std::unique_ptr<test::ChainMaker> maker_;
  std::deque<MadeBlock> own_;  // above the ancestor
  std::map<std::pair<Height, std::uint64_t>, std::unique_ptr<MadeChain>> branches_;
};

// When the block of that height is due.
[[nodiscard]] WallTime due(Height height);

// The payload of a BlocksResponse with these blocks.
[[nodiscard]] std::vector<std::uint8_t> blocks_payload(
    const std::vector<std::vector<std::uint8_t>>& raws);

// How one block can be wrong. `altered` is valid in itself, only its hash is another one, so that
// what follows does not link to it.
enum class Wrong : std::uint8_t { parent, height, merkle, time, altered };
inline constexpr std::size_t kWrongs = 5;
[[nodiscard]] std::vector<std::uint8_t> make_wrong(std::vector<std::uint8_t> raw, Wrong how);

}  // namespace timectl::sim
