#include "tests/support/served_chain.h"

#include <map>
#include <stdexcept>
#include <tuple>

#include "daemon/wire/arena.h"
#include "daemon/wire/codec.h"
#include "tests/support/chain_maker.h"

namespace timectl::test {
namespace {

chain::Parent place_of(const ServedChain::Block& bytes) {
  wire::Arena arena;
  const auto block = wire::decode_block(bytes, arena);
  if (!block) throw std::invalid_argument("not a block");
  return chain::parent_from(*block, wire::block_hash(block->header));
}

}  // namespace

ServedChain::ServedChain(wire::Network network)
    : network_(network), places_{chain::genesis_parent(network)} {
  const wire::Bytes genesis = wire::genesis_block(network);
  blocks_.emplace_back(genesis.begin(), genesis.end());
}

ServedChain::ServedChain(wire::Network network, std::vector<Block> above_genesis)
    : ServedChain(network) {
  for (auto& block : above_genesis) {
    places_.push_back(place_of(block));
    blocks_.push_back(std::move(block));
  }
}

std::shared_ptr<const ServedChain> ServedChain::generated(wire::Network network, std::uint64_t seed,
                                                          std::size_t count) {
  static std::map<std::tuple<wire::Network, std::uint64_t, std::size_t>,
                  std::shared_ptr<const ServedChain>>
      made;
  auto& chain = made[{network, seed, count}];
  if (chain) return chain;
  ChainOptions options;
  options.network = network;
  options.seed = seed;
  options.sign = false;
  return chain = std::make_shared<ServedChain>(network, ChainMaker(options).next(count));
}

std::shared_ptr<const ServedChain> ServedChain::huge(wire::Network network, std::uint64_t seed,
                                                     std::size_t count,
                                                     std::optional<std::uint64_t> over) {
  static std::map<
      std::tuple<wire::Network, std::uint64_t, std::size_t, std::optional<std::uint64_t>>,
      std::shared_ptr<const ServedChain>>
      made;
  auto& kept = made[{network, seed, count, over}];
  if (kept) return kept;
  const std::shared_ptr<ServedChain> chain(new ServedChain(network));
  chain->seed_ = seed;
  chain->over_ = over;
  for (std::uint64_t height = 1; height <= count; ++height) {
    chain->places_.push_back(place_of(chain->make_huge(height)));
  }
  return kept = chain;
}

ServedChain::Block ServedChain::make_huge(std::uint64_t height) const {
  ChainOptions options;
  options.network = network_;
  options.seed = seed_;
  options.sign = false;
  options.block_size = wire::max_block_size + (height == over_ ? 1U : 0U);
  return ChainMaker(options, places_.at(height - 1)).next();
}

const wire::Hash32& ServedChain::hash(std::uint64_t height) const {
  return places_.at(height).hash;
}

ServedChain::Block ServedChain::block(std::uint64_t height) const {
  return height < blocks_.size() ? blocks_[height] : make_huge(height);
}

std::uint64_t ServedChain::batch() const {
  return blocks_.size() == places_.size() ? wire::max_blocks_per_response : 1;
}

}  // namespace timectl::test
