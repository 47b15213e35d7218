#include "tests/sim/chain_made.h"

#include "daemon/wire/network_params.h"

namespace timectl::sim {
namespace {

// Blocks as small as they can be with three masternodes: a campaign verifies millions.
test::ChainOptions options(std::uint64_t seed) {
  test::ChainOptions options;
  options.network = kNetwork;
  options.seed = seed;
  options.block_size = 0;
  options.masternodes = 3;
  options.sign = false;
  return options;
}

MadeBlock genesis() {
  const wire::Bytes raw = wire::genesis_block(kNetwork);
  MadeBlock block;
  block.tip = {chain::genesis_parent(kNetwork), wire::params_of(kNetwork).genesis_time};
  block.raw.assign(raw.begin(), raw.end());
  return block;
}

// Offsets of a block header's first fields (wire/block.h).
constexpr std::size_t kHeight = 4;
constexpr std::size_t kParent = 12;
constexpr std::size_t kMerkle = 44;
constexpr std::size_t kTime = 76;
// Of a BlocksResponse (protocol 4.1).
constexpr std::uint8_t kBlocksResponse = 7;

}  // namespace

MadeChain& MadeChain::network() {
  static MadeChain chain(nullptr, 0, 1);
  return chain;
}

MadeChain::MadeChain(MadeChain* base, Height ancestor, std::uint64_t seed)
    : base_(base), ancestor_(ancestor), seed_(seed) {
  if (base == nullptr) own_.push_back(genesis());
}

MadeChain& MadeChain::branch(Height ancestor, std::uint64_t seed) {
  auto& slot = branches_[{ancestor, seed}];
  if (!slot) slot.reset(new MadeChain(this, ancestor, seed));
  return *slot;
}

const MadeBlock& MadeChain::at(Height height) {
  const Height first = base_ == nullptr ? 0 : ancestor_ + 1;
  if (height < first) return base_->at(height);
  if (!maker_) {
    const auto& last = base_ == nullptr ? own_.front() : base_->at(ancestor_);
    // Seeds count from 1 everywhere; a branch must not draw what its parent drew.
    const std::uint64_t seed = base_ == nullptr ? seed_ : seed_ * 1'000'003 + ancestor_;
    maker_ = std::make_unique<test::ChainMaker>(options(seed), last.tip.block);
  }
  while (first + own_.size() <= height) {
    auto raw = maker_->next();
    const auto made_at = due(maker_->tip().height).time_since_epoch();
    const auto time = std::chrono::duration_cast<std::chrono::seconds>(made_at).count();
    own_.push_back({{maker_->tip(), time}, std::move(raw)});
  }
  return own_[height - first];
}

WallTime due(Height height) {
  return WallTime(std::chrono::seconds(wire::params_of(kNetwork).genesis_time +
                                       wire::block_seconds * static_cast<std::int64_t>(height)));
}

std::vector<std::uint8_t> blocks_payload(const std::vector<std::vector<std::uint8_t>>& raws) {
  std::vector<std::uint8_t> payload{kBlocksResponse, 0, 0, 0};
  for (std::size_t i = 0; i < 8; ++i) {
    payload.push_back(static_cast<std::uint8_t>(raws.size() >> (8 * i)));
  }
  for (const auto& raw : raws) payload.insert(payload.end(), raw.begin(), raw.end());
  return payload;
}

std::vector<std::uint8_t> make_wrong(std::vector<std::uint8_t> raw, Wrong how) {
  // In the order of Wrong; `altered`: the version, which no rule is about.
  static constexpr std::size_t kOffsets[] = {kParent, kHeight + 4, kMerkle, kTime + 5, 1};
  raw.at(kOffsets[static_cast<std::size_t>(how)]) ^= 0x01;
  return raw;
}

}  // namespace timectl::sim
