#include "daemon/chain/stored_block.h"

#include <gtest/gtest.h>

#include "daemon/core/random.h"
#include "daemon/wire/codec.h"
#include "tests/support/chain_maker.h"

namespace timectl::chain {
namespace {

using test::ChainMaker;

wire::Bytes front(const std::vector<std::uint8_t>& bytes, std::size_t count) {
  return {bytes.data(), count};
}

TEST(StoredBlock, HeaderSizeIsThatOfTheEncoderForEveryShapeOfHeader) {
  Random random(7);
  for (int i = 0; i < 500; ++i) {
    wire::Block block;
    const std::string leader(random.below(60), 'l');
    const std::vector<std::uint8_t> proof(random.below(100));
    const std::vector<std::uint8_t> bitmap(random.below(30));
    const std::vector<std::uint8_t> signature(random.below(70));
    block.header.leader = leader;
    block.header.vrf_proof = proof;
    block.header.active_masternodes_bitmap = bitmap;
    block.header.producer_signature = signature;
    if (random.below(2) == 0) block.header.liveness_recovery = true;
    const auto bytes = wire::encode_block(block);
    // Behind the header: four empty lists and no flag.
    EXPECT_EQ(header_size(block.header), bytes.size() - 4 * 8 - 1);
  }
}

TEST(StoredBlock, TheHeaderAloneTellsPlaceHashBalanceAndTime) {
  ChainMaker maker;
  for (int i = 0; i < 20; ++i) {
    const Parent parent = maker.tip();
    const auto bytes = maker.next();
    wire::Arena arena;
    wire::Block block = wire::decode_block(bytes, arena).value();
    block.raw = bytes;
    const ChainBlock stored = stored_form(block, maker.tip().hash);
    EXPECT_EQ(stored.raw.size(), bytes.size());
    const wire::Bytes header = front(bytes, stored.header_size);
    EXPECT_EQ(read_header(header), (ChainTip{maker.tip(), block.header.timestamp}));
    const auto place = place_of(header);
    ASSERT_TRUE(place);
    EXPECT_EQ(place->height, parent.height + 1);
    EXPECT_EQ(place->previous_hash, parent.hash);
  }
}

TEST(StoredBlock, WhatIsNotExactlyAHeaderIsNone) {
  ChainMaker maker;
  const auto bytes = maker.next();
  wire::Arena arena;
  const auto block = wire::decode_block(bytes, arena).value();
  const std::size_t size = header_size(block.header);
  ASSERT_TRUE(read_header(front(bytes, size)));
  for (std::size_t other = 0; other < bytes.size(); ++other) {
    if (other != size) {
      EXPECT_FALSE(read_header(front(bytes, other))) << other;
    }
  }
  EXPECT_FALSE(place_of(front(bytes, 43)));
  EXPECT_TRUE(place_of(front(bytes, 44)));
}

TEST(StoredBlock, TheGenesisOfBothNetworksIsThere) {
  for (const auto network : {wire::Network::mainnet, wire::Network::testnet}) {
    const ChainBlock genesis = stored_genesis(network);
    const wire::Bytes header(genesis.raw.data(), genesis.header_size);
    const auto read = read_header(header);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->block, genesis_parent(network));
    EXPECT_EQ(read->timestamp, genesis.timestamp);
    EXPECT_EQ(genesis.raw, wire::genesis_block(network));
  }
}

TEST(StoredBlock, TheChecksumSeesEveryBit) {
  ChainMaker maker({.block_size = 0, .masternodes = 1});
  auto bytes = maker.next();
  const auto right = checksum(bytes);
  for (auto& byte : bytes) {
    byte ^= 1U;
    EXPECT_NE(checksum(bytes), right);
    byte ^= 1U;
  }
  EXPECT_EQ(checksum(bytes), right);
}

}  // namespace
}  // namespace timectl::chain
