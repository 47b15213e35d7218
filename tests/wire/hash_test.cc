#include "daemon/wire/hash.h"

#include <gtest/gtest.h>

#include "daemon/wire/blake3.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/ed25519.h"
#include "daemon/wire/fields.h"
#include "daemon/wire/network_params.h"
#include "tests/wire/vectors.h"

namespace timectl::wire {
namespace {

namespace json = boost::json;
using test::bytes_of;
using test::hash_of;
using test::text_of;

TEST(Hash, Sha2GivesTheDigestsOfItsStandard) {
  EXPECT_EQ(to_hex(sha256(std::string_view("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(std::string_view(""))),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::array<std::uint8_t, 3> abc{'a', 'b', 'c'};
  EXPECT_EQ(to_hex(sha512(abc)),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

// Inputs i % 251, digests of the reference implementation's test vectors.
TEST(Hash, Blake3GivesThePublishedDigests) {
  const std::vector<std::pair<std::size_t, std::string>> published{
      {0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
      {1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
      {1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"},
      {1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
      {1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"},
      {2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"},
      {2049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030"},
      {3072, "b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2"},
      {4096, "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969"},
      {102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"}};
  for (const auto& [size, digest] : published) {
    std::vector<std::uint8_t> input(size);
    for (std::size_t i = 0; i < size; ++i) input[i] = static_cast<std::uint8_t>(i % 251);
    EXPECT_EQ(to_hex(blake3(input)), digest) << size;
  }
}

TEST(Hash, BlockHashesAndTheirPreimagesAreThoseOfTheVectors) {
  for (const auto& folder : test::vector_folders()) {
    for (const json::value& value : test::load_vectors(folder, "block_hashes")) {
      const json::object& entry = value.as_object();
      SCOPED_TRACE(text_of(entry, "name"));
      // A header is read through the one message form there is: a block with nothing else in it.
      const json::object block{
          {"header", entry.at("header")},        {"transactions", json::array{}},
          {"masternode_rewards", json::array{}}, {"time_attestations", json::array{}},
          {"consensus_participants_bitmap", ""}, {"liveness_recovery", nullptr}};
      Arena arena;
      const auto message = from_fields("BlockResponse", json::object{{"0", block}}, arena);
      ASSERT_TRUE(message) << message.error().path << message.error().problem;
      const BlockHeader& header = std::get<msg::BlockResponse>(*message).block.header;
      EXPECT_EQ(to_hex(hash_preimage(header)), text_of(entry, "preimage_hex"));
      EXPECT_EQ(to_hex(block_hash(header)), text_of(entry, "hash"));
    }
  }
}

TEST(Hash, TransactionIdsAreThoseOfTheVectors) {
  for (const auto& folder : test::vector_folders()) {
    for (const json::value& value : test::load_vectors(folder, "txids")) {
      const json::object& entry = value.as_object();
      SCOPED_TRACE(text_of(entry, "name"));
      Arena arena;
      const auto message =
          from_fields("TransactionBroadcast", json::object{{"0", entry.at("tx")}}, arena);
      ASSERT_TRUE(message) << message.error().path << message.error().problem;
      const Transaction& tx = std::get<msg::TransactionBroadcast>(*message).tx;
      EXPECT_EQ(to_hex(encode_transaction(tx)), text_of(entry, "tx_hex"));
      EXPECT_EQ(id_preimage(tx), text_of(entry, "json_preimage"));
      EXPECT_EQ(to_hex(transaction_id(tx)), text_of(entry, "txid"));
      EXPECT_EQ(to_hex(transaction_id(tx, MemoInId::included)), text_of(entry, "legacy_txid"));
    }
  }
}

TEST(Hash, MerkleRootsAreThoseOfTheVectors) {
  for (const auto& folder : test::vector_folders()) {
    for (const json::value& value : test::load_vectors(folder, "merkle")) {
      const json::object& entry = value.as_object();
      std::vector<Hash32> leaves;
      for (const json::value& leaf : entry.at("leaves").as_array()) {
        leaves.push_back(hash_of(leaf.as_string()));
      }
      EXPECT_EQ(to_hex(merkle_root(leaves)), text_of(entry, "root")) << text_of(entry, "name");
    }
  }
}

TEST(Hash, AMerkleRootOverIdsWithMemosIsAcceptedToo) {
  const std::array<std::uint8_t, 2> memo{7, 9};
  Transaction with_memo;
  with_memo.encrypted_memo = Bytes(memo);
  const std::vector<Transaction> transactions{with_memo, Transaction{}};
  Block block;
  block.transactions = transactions;
  block.header.merkle_root = merkle_root(block);
  EXPECT_TRUE(merkle_root_matches(block));
  block.header.merkle_root = merkle_root(block, MemoInId::included);
  EXPECT_NE(merkle_root(block), block.header.merkle_root);
  EXPECT_TRUE(merkle_root_matches(block));
  block.header.merkle_root[0] ^= 1;
  EXPECT_FALSE(merkle_root_matches(block));
}

TEST(Hash, TheCompiledGenesisBlocksHaveTheNetworksHashes) {
  for (const Network network : {Network::mainnet, Network::testnet}) {
    const NetworkParams& params = params_of(network);
    Arena arena;
    const auto block = decode_block(genesis_block(network), arena);
    ASSERT_TRUE(block) << block.error().text();
    EXPECT_EQ(block_hash(block->header), params.genesis_hash);
    EXPECT_EQ(block->header.timestamp, params.genesis_time);
    EXPECT_EQ(Bytes(encode_block(*block)), genesis_block(network));
    EXPECT_EQ(network_from_name(params.name), network);
    EXPECT_EQ(expected_height(network, params.genesis_time - 1), 0U);
    EXPECT_EQ(expected_height(network, params.genesis_time + 6001), 10U);
  }
  EXPECT_FALSE(network_from_name("Mainnet"));
}

TEST(Ed25519, SignaturesOfTheVectorsAreValidAndChangedOnesAreNot) {
  for (const auto& folder : test::vector_folders()) {
    for (const json::value& value : test::load_vectors(folder, "signatures")) {
      const json::object& entry = value.as_object();
      SCOPED_TRACE(text_of(entry, "name"));
      const Hash32 key = hash_of(text_of(entry, "pubkey_hex"));
      auto message = bytes_of(entry, "message_hex");
      const auto signature = bytes_of(entry, "signature_hex");
      EXPECT_TRUE(decompresses(key));
      EXPECT_TRUE(verify_signature(key, message, signature));
      EXPECT_FALSE(verify_signature(key, message, Bytes(signature.data(), 63)));
      message[0] ^= 1;
      EXPECT_FALSE(verify_signature(key, message, signature));
    }
  }
}

TEST(Ed25519, OddKeysPassAndKeysOffTheCurveDoNot) {
  const auto key_with = [](std::uint8_t first, std::uint8_t middle, std::uint8_t last) {
    Hash32 key;
    key.fill(middle);
    key.front() = first;
    key.back() = last;
    return key;
  };
  EXPECT_TRUE(decompresses(key_with(0, 0, 0)));           // small order
  EXPECT_TRUE(decompresses(key_with(1, 0, 0)));           // the neutral element
  EXPECT_TRUE(decompresses(key_with(1, 0, 0x80)));        // x = 0 with the sign bit
  EXPECT_TRUE(decompresses(key_with(0xFF, 0xFF, 0xFF)));  // not canonical
  EXPECT_TRUE(decompresses(key_with(0xEC, 0xFF, 0x7F)));  // y = -1
  EXPECT_TRUE(decompresses(key_with(0xED, 0xFF, 0x7F)));  // y = p, that is 0
  EXPECT_FALSE(decompresses(key_with(2, 0, 0)));
  // About half of all numbers are y coordinates.
  int points = 0;
  for (std::uint8_t first = 0; first < 200; ++first) points += decompresses(key_with(first, 5, 9));
  EXPECT_GT(points, 60);
  EXPECT_LT(points, 140);
}

}  // namespace
}  // namespace timectl::wire
