#include "daemon/wire/outgoing.h"

#include <gtest/gtest.h>

#include "daemon/wire/codec.h"
#include "daemon/wire/frame.h"
#include "daemon/wire/network_params.h"
#include "tests/wire/vectors.h"

namespace timectl::wire {
namespace {

// The whole list of protocol 14(4), by index. What is not in it cannot be made into a message to
// send.
constexpr std::array<bool, message_count> sendable_as_struct = [] {
  std::array<bool, message_count> sendable{};
  for (const std::size_t index :
       {10, 11, 36, 37, 0, 1, 2, 3, 4, 5, 6, 49, 22, 45, 46, 42, 44, 30}) {
    sendable[index] = true;
  }
  return sendable;
}();

template <std::size_t... I>
constexpr bool only_the_listed_are_sendable(std::index_sequence<I...>) {
  return ((std::is_constructible_v<OutgoingMessage, std::variant_alternative_t<I, Message>> ==
           sendable_as_struct[I]) &&
          ...);
}
static_assert(only_the_listed_are_sendable(std::make_index_sequence<message_count>{}));
static_assert(!std::is_constructible_v<OutgoingMessage, Message>);
static_assert(!std::is_constructible_v<OutgoingMessage, std::vector<std::uint8_t>>);
static_assert(!std::is_default_constructible_v<OutgoingMessage>);
// The ones that would do harm, by name (protocol 7.33).
static_assert(!std::is_constructible_v<OutgoingMessage, msg::TransactionFinalized>);
static_assert(!std::is_constructible_v<OutgoingMessage, msg::UTXOSetResponse>);
static_assert(!std::is_constructible_v<OutgoingMessage, msg::LockedCollateralsResponse>);
static_assert(!std::is_constructible_v<OutgoingMessage, msg::BlockInventory>);
static_assert(!std::is_constructible_v<OutgoingMessage, msg::MasternodesResponse>);
static_assert(!std::is_constructible_v<OutgoingMessage, msg::MempoolSyncResponse>);
static_assert(!std::is_constructible_v<OutgoingMessage, msg::BlockResponse>);
static_assert(!std::is_constructible_v<OutgoingMessage, msg::BlocksResponse>);
static_assert(!std::is_constructible_v<OutgoingMessage, msg::UnknownMessage>);

std::string frame_hex(OutgoingMessage message) {
  return to_hex(write_frame(std::move(message)));
}

TEST(Outgoing, FramesAreThoseOfTheProtocolsExamples) {
  EXPECT_EQ(frame_hex(msg::Handshake{params_of(Network::testnet).magic, 2, "testnet", 2344}),
            "0000001f0a00000054494d45020000000700000000000000746573746e657428090000");
  EXPECT_EQ(frame_hex(msg::Handshake{params_of(Network::mainnet).magic, 2, "mainnet", 2344}),
            "0000001f0a000000c01d7e4d0200000007000000000000006d61696e6e657428090000");
  EXPECT_EQ(frame_hex(msg::Ack{"Handshake"}), "000000150b000000090000000000000048616e647368616b65");
  EXPECT_EQ(frame_hex(msg::Ping{0x0123456789ABCDEF, 1784900000, 14000}),
            "0000001d24000000efcdab8967452301a069636a0000000001b036000000000000");
  EXPECT_EQ(frame_hex(msg::Pong{0x0123456789ABCDEF, 1784900001, 14000}),
            "0000001d25000000efcdab8967452301a169636a0000000001b036000000000000");
  EXPECT_EQ(frame_hex(msg::GetBlocks{1, 50}), "000000140600000001000000000000003200000000000000");
  EXPECT_EQ(frame_hex(msg::GetBlockRange{1, 50}),
            "000000143100000001000000000000003200000000000000");
  EXPECT_EQ(frame_hex(msg::GetGenesisHash{}), "0000000400000000");
  EXPECT_EQ(frame_hex(msg::GetChainTip{}), "0000000404000000");
  EXPECT_EQ(frame_hex(msg::GetPeers{}), "000000042a000000");
  EXPECT_EQ(frame_hex(msg::GetMasternodes{}), "000000041e000000");
  EXPECT_EQ(frame_hex(msg::BlockHeightResponse{14000}), "0000000c03000000b036000000000000");
  EXPECT_EQ(frame_hex(msg::BlockHashResponse{5, std::nullopt}),
            "0000000d2e000000050000000000000000");
  EXPECT_EQ(frame_hex(msg::PeerExchange{}), "0000000c2c0000000000000000000000");
  EXPECT_EQ(frame_hex(EmptyMasternodesResponse{}), "0000000c1f0000000000000000000000");
  EXPECT_EQ(frame_hex(EmptyMempoolSyncResponse{}), "0000000c290000000000000000000000");
  EXPECT_EQ(frame_hex(StoredBlocksResponse{}), "0000000c070000000000000000000000");
  EXPECT_EQ(frame_hex(StoredBlockRangeResponse{}), "0000000c320000000000000000000000");
}

TEST(Outgoing, TheIndexIsTheOneOnTheWire) {
  EXPECT_EQ(OutgoingMessage(msg::Pong{}).index(), 37U);
  EXPECT_EQ(OutgoingMessage(StoredBlockRangeResponse{}).index(), 50U);
  EXPECT_EQ(OutgoingMessage(msg::GetMasternodes{}).index(), message_index("GetMasternodes"));
}

TEST(Outgoing, StoredBlocksAreSentByteForByte) {
  const Bytes genesis = genesis_block(Network::testnet);
  const std::array<Bytes, 2> two{genesis, genesis};
  const auto frame = write_frame(StoredBlocksResponse{two});
  ASSERT_EQ(frame.size(), 4 + 4 + 8 + 2 * genesis.size());
  Arena arena;
  const auto decoded = decode(Bytes(frame.data() + 4, frame.size() - 4), arena).value();
  const auto& blocks = std::get<msg::BlocksResponse>(decoded.message).blocks;
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[1].raw, genesis);
  const auto one = write_frame(StoredBlockResponse{genesis});
  EXPECT_EQ(to_hex(one), to_hex(frame_header(4 + genesis.size())) + "17000000" + to_hex(genesis));
}

TEST(Outgoing, ListsOfBlocksAreCutFromTheEndToTheFrameLimit) {
  const std::vector<std::uint8_t> large(max_block_size);
  const std::array<Bytes, 3> three{Bytes(large), Bytes(large), Bytes(large)};
  const auto frame = write_frame(StoredBlockRangeResponse{three});
  EXPECT_EQ(frame.size(), 4 + 4 + 8 + 2 * large.size());
  EXPECT_EQ(frame[8], 2);
}

}  // namespace
}  // namespace timectl::wire
