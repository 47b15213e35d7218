#include "tests/support/chain_fill.h"

#include <algorithm>

#include "daemon/chain/stored_block.h"
#include "daemon/wire/codec.h"

namespace timectl::test {

BlocksToStore::BlocksToStore(std::vector<std::vector<std::uint8_t>> raw) : raw_(std::move(raw)) {
  wire::Arena arena;
  for (const auto& bytes : raw_) {
    wire::Block block = wire::decode_block(bytes, arena).value();
    block.raw = bytes;
    blocks_.push_back(chain::stored_form(block, wire::block_hash(block.header)));
  }
}

chain::ChainTip BlocksToStore::tip_of(std::size_t index) const {
  const chain::ChainBlock& block = blocks_.at(index);
  return {{block.height, block.hash, block.treasury_balance}, block.timestamp};
}

Result<void> fill(store::ChainFile& file, ChainMaker& maker, std::size_t count) {
  constexpr std::size_t kTogether = 500;
  while (count > 0) {
    const std::size_t now = std::min(count, kTogether);
    const BlocksToStore blocks(maker.next(now));
    if (auto done = file.append(blocks.blocks()); !done) return done;
    count -= now;
  }
  return {};
}

Result<chain::ChainTip> fill_directory(const FillOptions& options) {
  auto lock = store::StateLock::try_acquire(options.directory, "timectl_chain_fill");
  if (!lock) return lock.error();
  const auto network =
      options.chain.network == wire::Network::mainnet ? Network::mainnet : Network::testnet;
  auto file = store::ChainFile::open(options.directory, network, store::OpenMode::read_write);
  if (!file) return file.error();
  if (file->tip().block.height != 0) {
    return Error{Code::invalid_argument, "there is a chain in " + options.directory.string()};
  }
  ChainMaker maker(options.chain);
  if (auto done = fill(*file, maker, options.branch ? options.branch->at : options.count); !done) {
    return done.error();
  }
  if (options.branch) {
    ChainMaker other = maker.branch(options.branch->seed);
    if (auto done = fill(*file, other, options.branch->count); !done) return done.error();
  }
  return file->tip();
}

}  // namespace timectl::test
