#include "daemon/wire/fields.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "daemon/wire/codec.h"

namespace timectl::wire {
namespace {

namespace json = boost::json;

std::string problem_with(std::string_view variant, std::string_view text) {
  Arena arena;
  const auto message = from_fields(variant, json::parse(text), arena);
  return message ? "" : message.error().path + ": " + message.error().problem;
}

TEST(Fields, ProblemsAreToldWithTheirPath) {
  const std::vector<std::array<std::string, 3>> table{
      {"Nonsense", "{}", "variant: no message has the name \"Nonsense\""},
      {"GetPeers", "[]", "fields: wants an object"},
      {"GetPeers", R"({"x":1})", "fields: has a field too many"},
      {"Ping", R"({"nonce":"1","timestamp":"2"})", "fields: lacks \"height\""},
      {"Ping", R"({"nonce":"-1","timestamp":"2","height":null})",
       "fields.nonce: wants an integer from 0 to 18446744073709551615, as a decimal string"},
      {"Ping", R"({"nonce":"01","timestamp":"2","height":null})",
       "fields.nonce: wants an integer from 0 to 18446744073709551615, as a decimal string"},
      {"Ping", R"({"nonce":1.5,"timestamp":"2","height":null})",
       "fields.nonce: wants an integer from 0 to 18446744073709551615, as a decimal string"},
      {"Handshake", R"({"magic":"c01d7e","protocol_version":2,"network":"x","commit_count":1})",
       "fields.magic: wants 8 hex digits"},
      {"Handshake",
       R"({"magic":"c01d7e4d","protocol_version":4294967296,"network":"x","commit_count":1})",
       "fields.protocol_version: wants an integer from 0 to 4294967295"},
      {"Handshake", R"({"magic":"c01d7e4d","protocol_version":"2","network":"x","commit_count":1})",
       "fields.protocol_version: wants an integer from 0 to 4294967295"},
      {"PeersResponse", R"({"0":["a",1]})", "fields.0[1]: wants a string"},
      {"MasternodeStartedAtGossip", R"({"entries":[["a"]]})",
       "fields.entries[0]: wants an array of 2 items"},
      {"MsgSubmit", R"({"envelope":"abc"})", "fields.envelope: has an odd number of hex digits"},
      {"MsgSubmit", R"({"envelope":"zz"})", "fields.envelope: has something else than hex digits"},
      {"PeerExchange",
       R"({"0":[{"address":"a","connection_count":65536,"is_masternode":true,"tier":null}]})",
       "fields.0[0].connection_count: wants an integer from 0 to 65535"},
      {"PeerExchange",
       R"({"0":[{"address":"a","connection_count":1,"is_masternode":1,"tier":null}]})",
       "fields.0[0].is_masternode: wants true or false"},
      {"PeerExchange",
       R"({"0":[{"address":"a","connection_count":1,"is_masternode":true,"tier":"Lead"}]})",
       "fields.0[0].tier: unknown name"},
      {"UTXOStateUpdate", R"({"outpoint":{"txid":"00","vout":0},"state":"Unspent"})",
       "fields.outpoint.txid: wants 64 hex digits"},
  };
  for (const auto& [variant, text, wanted] : table) {
    EXPECT_EQ(problem_with(variant, text), wanted) << text;
  }
}

TEST(Fields, AnEnumValueHasFieldsExactlyWhenItsTypeHas) {
  const std::string outpoint =
      R"({"outpoint":{"txid":")" + std::string(64, '0') + R"(","vout":0},"state":)";
  EXPECT_EQ(problem_with("UTXOStateUpdate", outpoint + R"("Unspent"})"), "");
  EXPECT_EQ(problem_with("UTXOStateUpdate", outpoint + R"({"Unspent":{}}})"),
            "fields.state: has no fields: wants just its name");
  EXPECT_EQ(problem_with("UTXOStateUpdate", outpoint + R"("Locked"})"),
            "fields.state: wants its fields in an object");
  EXPECT_EQ(problem_with("UTXOStateUpdate", outpoint + R"({"Locked":{"locked_at":"1"}}})"),
            "fields.state.Locked: lacks \"txid\"");
}

TEST(Fields, KeysThatAreNoPointsAreRefused) {
  const std::string start = R"({"address":"a","reward_address":"b","tier":"Gold","public_key":")";
  EXPECT_EQ(problem_with("MasternodeAnnouncement", start + std::string(64, '0') + "\"}"), "");
  EXPECT_EQ(problem_with("MasternodeAnnouncement", start + "02" + std::string(62, '0') + "\"}"),
            "fields.public_key: is not a point of the curve");
}

TEST(Fields, NumbersMayBeWrittenAsNumbers) {
  Arena arena;
  const auto ping = from_fields(
      "Ping", json::parse(R"({"nonce":18446744073709551615,"timestamp":-5,"height":7})"), arena);
  ASSERT_TRUE(ping);
  EXPECT_TRUE(*ping == Message(msg::Ping{18446744073709551615U, -5, 7}));
}

TEST(Fields, ChainWorkReachesTheLargest128BitNumber) {
  const std::string largest = "340282366920938463463374607431768211455";
  EXPECT_EQ(to_decimal(uint128_from_decimal(largest).value()), largest);
  EXPECT_FALSE(uint128_from_decimal("340282366920938463463374607431768211456"));
  EXPECT_FALSE(uint128_from_decimal("999999999999999999999999999999999999999"));
  EXPECT_FALSE(uint128_from_decimal(""));
  EXPECT_FALSE(uint128_from_decimal("00"));
  EXPECT_EQ(to_decimal(Uint128{}), "0");
}

}  // namespace
}  // namespace timectl::wire
