#include "daemon/wire/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "daemon/wire/fields.h"
#include "daemon/wire/frame.h"
#include "tests/wire/vectors.h"

namespace timectl::wire {
namespace {

namespace json = boost::json;
using test::bytes_of;
using test::text_of;

json::array describe_blocks(const Message& message) {
  json::array blocks;
  for (const Block* block : blocks_of(message)) {
    json::array ids;
    for (const Transaction& tx : block->transactions) ids.emplace_back(to_hex(transaction_id(tx)));
    blocks.push_back(json::object{{"height", std::to_string(block->header.height)},
                                  {"hash", to_hex(block_hash(block->header))},
                                  {"merkle_root", to_hex(merkle_root(*block))},
                                  {"txids", std::move(ids)}});
  }
  return blocks;
}

TEST(Codec, EveryMessageVectorDecodesEncodesAndReadsAsJson) {
  std::set<std::size_t> seen;
  for (const auto& folder : test::vector_folders()) {
    std::size_t count = 0;
    for (const json::value& value : test::load_messages(folder)) {
      const json::object& entry = value.as_object();
      SCOPED_TRACE(text_of(entry, "name"));
      const auto payload = bytes_of(entry, "payload_hex");
      Arena arena;
      const auto decoded = decode(payload, arena);
      ASSERT_TRUE(decoded) << decoded.error().text();
      EXPECT_EQ(message_name(decoded->message), text_of(entry, "variant"));
      EXPECT_EQ(decoded->message.index(), entry.at("variant_index").to_number<std::size_t>());
      EXPECT_EQ(decoded->consumed, payload.size());
      EXPECT_EQ(decoded->trailing, 0U);
      EXPECT_EQ(encode(decoded->message), payload);
      EXPECT_EQ(json::value(to_fields(decoded->message)), entry.at("fields"));
      Arena other;
      const auto read = from_fields(text_of(entry, "variant"), entry.at("fields"), other);
      ASSERT_TRUE(read) << read.error().path << " " << read.error().problem;
      EXPECT_TRUE(*read == decoded->message);
      EXPECT_EQ(encode(*read), payload);
      const auto header = frame_header(payload.size());
      EXPECT_EQ(to_hex(header) + text_of(entry, "payload_hex"), text_of(entry, "frame_hex"));
      seen.insert(decoded->message.index());
      ++count;
    }
    EXPECT_GE(count, 213U);
  }
  EXPECT_EQ(seen.size(), message_count);
}

TEST(Codec, FieldsStandInWireOrder) {
  for (const json::value& value : test::load_messages(test::vector_folders().front())) {
    const json::object& entry = value.as_object();
    const auto payload = bytes_of(entry, "payload_hex");
    Arena arena;
    const json::object fields = to_fields(decode(payload, arena).value().message);
    const json::object& wanted = entry.at("fields").as_object();
    ASSERT_TRUE(std::equal(fields.begin(), fields.end(), wanted.begin(), wanted.end(),
                           [](const auto& a, const auto& b) { return a.key() == b.key(); }))
        << text_of(entry, "name");
  }
}

TEST(Codec, BlocksAndTransactionsHaveTheHashesOfTheVectors) {
  std::size_t blocks = 0;
  std::size_t transactions = 0;
  for (const auto& folder : test::vector_folders()) {
    for (const json::value& value : test::load_messages(folder)) {
      const json::object& entry = value.as_object();
      SCOPED_TRACE(text_of(entry, "name"));
      const auto payload = bytes_of(entry, "payload_hex");
      Arena arena;
      const Message message = decode(payload, arena).value().message;
      if (const json::value* wanted = entry.if_contains("blocks")) {
        EXPECT_EQ(json::value(describe_blocks(message)), *wanted);
        ++blocks;
      } else {
        EXPECT_TRUE(blocks_of(message).empty());
      }
      if (const json::value* wanted = entry.if_contains("txids")) {
        json::array ids;
        for (const Transaction* tx : transactions_of(message)) {
          ids.emplace_back(to_hex(transaction_id(*tx)));
        }
        EXPECT_EQ(json::value(ids), *wanted);
        ++transactions;
      }
    }
  }
  EXPECT_GE(blocks, 28U);
  EXPECT_GE(transactions, 12U);
}

TEST(Codec, BlocksKeepTheBytesTheyWereDecodedFrom) {
  for (const json::value& value : test::load_messages(test::vector_folders().front())) {
    const auto payload = bytes_of(value.as_object(), "payload_hex");
    Arena arena;
    const Message message = decode(payload, arena).value().message;
    for (const Block* block : blocks_of(message)) {
      const auto encoded = encode_block(*block);
      EXPECT_EQ(block->raw, Bytes(encoded));
      Arena other;
      EXPECT_TRUE(decode_block(encoded, other).value() == *block);
    }
  }
}

TEST(Codec, EveryStrictPrefixOfEveryVectorIsRefused) {
  std::size_t tried = 0;
  for (const json::value& value : test::load_messages(test::vector_folders().front())) {
    const auto payload = bytes_of(value.as_object(), "payload_hex");
    Arena arena;
    for (std::size_t length = 0; length < payload.size(); ++length, ++tried) {
      // A copy of exactly that size, so that a read beyond it is seen by the sanitizer.
      const std::vector<std::uint8_t> prefix(payload.begin(),
                                             payload.begin() + static_cast<std::ptrdiff_t>(length));
      const auto decoded = decode(prefix, arena);
      ASSERT_FALSE(decoded) << text_of(value.as_object(), "name") << " cut to " << length;
      ASSERT_LE(decoded.error().offset, length);
    }
  }
  EXPECT_GT(tried, 40000U);
}

DecodeErrorKind kind_of(const std::string& upstream, DecodeErrorKind custom) {
  if (upstream == "Io(UnexpectedEof)") return DecodeErrorKind::unexpected_end;
  if (upstream == "InvalidUtf8Encoding") return DecodeErrorKind::invalid_utf8;
  if (upstream.starts_with("InvalidBoolEncoding")) return DecodeErrorKind::invalid_bool;
  if (upstream.starts_with("InvalidTagEncoding")) return DecodeErrorKind::invalid_option;
  return custom;
}

TEST(Codec, MalformedPayloadsAreJudgedLikeTheReferenceDecoderDoes) {
  for (const auto& folder : test::vector_folders()) {
    const json::array entries = test::load_vectors(folder, "bad");
    EXPECT_GE(entries.size(), 541U);
    for (const json::value& value : entries) {
      const json::object& entry = value.as_object();
      SCOPED_TRACE(text_of(entry, "name"));
      const auto payload = bytes_of(entry, "payload_hex");
      Arena arena;
      const auto decoded = decode(payload, arena);
      ASSERT_EQ(decoded.has_value(), entry.at("ok").as_bool());
      if (decoded) {
        EXPECT_EQ(message_name(decoded->message), text_of(entry, "decoded_variant"));
        EXPECT_EQ(decoded->consumed, entry.at("consumed").to_number<std::size_t>());
        EXPECT_EQ(decoded->trailing, entry.at("trailing").to_number<std::size_t>());
      } else {
        // The kinds agree, except that a hopeless count is refused before its elements are looked
        // at.
        if (text_of(entry, "category") != "huge_length") {
          EXPECT_EQ(decoded.error().kind,
                    kind_of(text_of(entry, "error_kind"), decoded.error().kind));
        }
        EXPECT_FALSE(decode_legacy(payload, arena)) << "the reader returns UnknownMessage";
      }
    }
  }
}

TEST(Codec, OlderBlocksAreRescuedExactlyAsTheReferenceReaderDoes) {
  for (const auto& folder : test::vector_folders()) {
    json::array entries = test::load_vectors(folder, "legacy_blocks");
    for (json::value& value : test::load_vectors(folder, "legacy_misparse")) {
      entries.push_back(std::move(value));
    }
    for (const json::value& value : entries) {
      const json::object& entry = value.as_object();
      SCOPED_TRACE(text_of(entry, "name"));
      const auto payload = bytes_of(entry, "payload_hex");
      Arena arena;
      ASSERT_EQ(decode(payload, arena).has_value(), entry.at("ok").as_bool());
      const auto rescued = decode_legacy(payload, arena);
      const std::string read = text_of(entry, "upstream_read");
      ASSERT_EQ(rescued.has_value(), read != "UnknownMessage");
      if (!rescued) continue;
      EXPECT_TRUE(rescued->legacy);
      EXPECT_EQ(message_name(rescued->message), read);
      EXPECT_EQ(to_hex(encode(rescued->message)), text_of(entry, "upstream_reencoded_hex"));
      if (const json::value* blocks = entry.if_contains("upstream_blocks")) {
        EXPECT_EQ(json::value(describe_blocks(rescued->message)), *blocks);
      }
      for (const Block* block : blocks_of(rescued->message)) EXPECT_TRUE(block->raw.empty());
    }
  }
}

TEST(Codec, ATruncatedBlockIsMisreadOverTheWholeRangeOfTheVector) {
  const json::array vectors = test::load_vectors(test::vector_folders().front(), "legacy_misparse");
  const json::object& entry = vectors.front().as_object();
  const auto from = entry.at("truncate_from").to_number<std::size_t>();
  const auto to = entry.at("truncate_to_max").to_number<std::size_t>();
  std::vector<std::uint8_t> payload(entry.at("full_len").to_number<std::size_t>());
  payload[0] = 23;
  for (std::size_t length = 0; length < payload.size(); ++length) {
    Arena arena;
    const bool rescued = decode_legacy(Bytes(payload.data(), length), arena).has_value();
    EXPECT_EQ(rescued, length >= from && length <= to) << length;
  }
}

TEST(Codec, CurrentMessagesAreNotTouchedByTheRescue) {
  for (const json::value& value : test::load_messages(test::vector_folders().front())) {
    const auto payload = bytes_of(value.as_object(), "payload_hex");
    Arena arena;
    Arena other;
    const auto strict = decode(payload, arena).value();
    const auto rescued = decode_legacy(payload, other).value();
    EXPECT_FALSE(rescued.legacy);
    EXPECT_TRUE(strict.message == rescued.message);
  }
}

TEST(Codec, LayoutsOfTheVectorsAddUpToTheConsumedBytes) {
  for (const json::value& value : test::load_vectors(test::vector_folders().front(), "layout")) {
    const json::object& entry = value.as_object();
    std::size_t end = 0;
    for (const json::value& item : entry.at("layout").as_array()) {
      EXPECT_EQ(item.as_array().at(2).to_number<std::size_t>(), end);
      end += item.as_array().at(3).to_number<std::size_t>();
    }
    EXPECT_EQ(end, entry.at("payload_len").to_number<std::size_t>());
    const auto index = entry.at("variant_index").to_number<std::size_t>();
    EXPECT_EQ(message_name(index), text_of(entry, "variant"));
    EXPECT_EQ(message_index(text_of(entry, "variant")), index);
  }
}

TEST(Codec, PeersBelowTheRenumberingAreReadOnlyUpToIndex71) {
  for (const json::value& value : test::load_messages(test::vector_folders().front())) {
    const json::object& entry = value.as_object();
    const auto payload = bytes_of(entry, "payload_hex");
    const bool stable = entry.at("variant_index").to_number<int>() <= 71;
    Arena arena;
    EXPECT_EQ(decode(payload, arena, {renumbered_commit - 1, 1000}).has_value(), stable);
    EXPECT_TRUE(decode(payload, arena, {renumbered_commit, 1000}).has_value());
  }
}

TEST(Codec, AnUnlockOfAnOlderPeerHasNoSignature) {
  msg::MasternodeUnlock unlock;
  unlock.address = "203.0.113.1";
  const std::array<std::uint8_t, 3> signature{1, 2, 3};
  unlock.signature = signature;
  const auto older = encode(Message(unlock), signed_unlock_commit - 1);
  const auto current = encode(Message(unlock), signed_unlock_commit);
  EXPECT_EQ(older.size() + 8 + 3, current.size());
  Arena arena;
  const auto decoded = decode(older, arena, {signed_unlock_commit - 1, 0});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->trailing, 0U);
  EXPECT_TRUE(std::get<msg::MasternodeUnlock>(decoded->message).signature.empty());
  EXPECT_FALSE(decode(older, arena, {signed_unlock_commit, 0}));
}

TEST(Codec, AFrameOfNothingButKeysIsRefusedWhereTheCallerSaysSo) {
  msg::MasternodesResponse response;
  const std::vector<MasternodeAnnouncementData> entries(65);
  response.masternodes = entries;
  const auto payload = encode(Message(response));
  Arena arena;
  EXPECT_TRUE(decode(payload, arena, {current_commit, 65}));
  const auto refused = decode(payload, arena, {current_commit, 64});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, DecodeErrorKind::too_many_keys);
}

TEST(Codec, ErrorsPointAtTheItemThatIsWrong) {
  const auto payload = from_hex("24000000efcdab8967452301a069636a0000000002").value();
  Arena arena;
  const auto decoded = decode(payload, arena);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().kind, DecodeErrorKind::invalid_option);
  EXPECT_EQ(decoded.error().offset, 20U);
}

}  // namespace
}  // namespace timectl::wire
