// What each answer of a peer's RPC means, and what a hostile one cannot do.
#include <gtest/gtest.h>

#include "daemon/probe/rpc.h"
#include "daemon/probe/rpc_reply.h"

namespace timectl::probe {
namespace {

using diagnose::RpcFacts;

constexpr IpAddress kUs = IpAddress::v4(203, 0, 113, 7);
constexpr WallTime kNow{std::chrono::milliseconds(1'784'900'000'000)};

struct Read {
  bool taken = false;
  RpcFacts facts = {};
};

Read read(std::string_view method, const std::string& result, RpcRequest request = {}) {
  if (!request.us) request.us = kUs;
  Read out;
  out.taken = read_rpc_answer(method, R"({"jsonrpc":"2.0","id":1,"result":)" + result + "}",
                              request, kNow, out.facts);
  return out;
}

TEST(RpcAnswersTest, TheChainAndTheClockAreRead) {
  const auto got =
      read("getblockchaininfo", R"({"blocks":14000,"headers":14002,"bestblockhash":")" +
                                    std::string(64, 'c') +
                                    R"(","mediantime":1784900600,"initialblockdownload":true})");
  EXPECT_TRUE(got.taken);
  EXPECT_EQ(got.facts.height, 14'000U);
  EXPECT_EQ(got.facts.headers, 14'002U);
  EXPECT_EQ(got.facts.tip_hash, std::string(64, 'c'));
  EXPECT_EQ(got.facts.syncing, true);
  EXPECT_NEAR(got.facts.clock_seconds.value(), 600, 1);
}

TEST(RpcAnswersTest, AHashOfZerosOrOfOtherTextIsUnknown) {
  for (const auto& hash : {std::string(64, '0'), std::string("zz"), std::string(64, 'G')}) {
    const auto got = read("getblockchaininfo", R"({"blocks":1,"bestblockhash":")" + hash + "\"}");
    EXPECT_TRUE(got.taken);
    EXPECT_EQ(got.facts.tip_hash, "");
  }
}

TEST(RpcAnswersTest, ConnectionsVersionAndUptimeAreRead) {
  const auto network = read("getnetworkinfo",
                            R"({"subversion":"/timed:1.5.9/","connections_in":13,
                                "connections_out":11})");
  EXPECT_EQ(network.facts.connections_in, 13U);
  EXPECT_EQ(network.facts.connections_out, 11U);
  EXPECT_EQ(network.facts.version, "1.5.9");
  EXPECT_EQ(read("uptime", "86400").facts.uptime_seconds, 86'400);
  EXPECT_EQ(read("getinfo", R"({"version":"1.5.8","blocks":7,"uptime":5})").facts.version, "1.5.8");
  EXPECT_EQ(read("getwhitelist", R"({"count":17})").facts.whitelisted, 17U);
  EXPECT_EQ(read("getblockhash", '"' + std::string(64, '0') + '"').facts.genesis_hash,
            std::string(64, '0'));
}

TEST(RpcAnswersTest, OurRowIsFoundByAddressAndNotByText) {
  const auto got = read("getpeerinfo",
                        R"([{"addr":"203.0.113.70","connected":true,"height":1},
                            {"addr":"1203.0.113.7","connected":true},
                            {"addr":"203.0.113.7:24000","connected":false,"height":9},
                            {"addr":"::ffff:203.0.113.7","connected":true,"height":14000,
                             "pingtime":0.02}])");
  EXPECT_TRUE(got.taken);
  EXPECT_EQ(got.facts.peers_listed, 4U);
  EXPECT_EQ(got.facts.peers_connected, 3U);
  EXPECT_EQ(got.facts.our_rows, 2U);
  EXPECT_EQ(got.facts.sees_us, true);
  EXPECT_EQ(got.facts.our_height, 14'000U);
  EXPECT_EQ(got.facts.our_ping_known, true);
  EXPECT_EQ(got.facts.lists_loopback, false);
}

// It lists masternodes only (protocol 11.11).
TEST(RpcAnswersTest, AbsenceFromThePeersSaysNothingOfAConnection) {
  const auto got = read("getpeerinfo", R"([{"addr":"127.0.0.1","connected":true}])");
  EXPECT_FALSE(got.facts.sees_us);
  EXPECT_EQ(got.facts.our_rows, 0U);
  EXPECT_EQ(got.facts.lists_loopback, true);
}

TEST(RpcAnswersTest, TheRegistryTellsOfUsAndOfOurCollateral) {
  const auto got = read("masternodelist", R"({"total_in_registry":41,"masternodes":[
      {"address":"203.0.113.7","tier":"Gold","is_active":false,"is_connected":true,
       "collateral_outpoint":"ab:0"},
      {"address":"203.0.113.9:24000","is_active":true,"collateral_outpoint":"ab:0"},
      {"address":"203.0.113.9","is_active":true,"collateral_outpoint":"ab:0"},
      {"address":"203.0.113.8","is_active":true,"collateral_outpoint":"cd:0"}]})");
  EXPECT_TRUE(got.taken);
  EXPECT_EQ(got.facts.registry_total, 41U);
  EXPECT_EQ(got.facts.registry_active, 3U);
  EXPECT_EQ(got.facts.registers_us, true);
  EXPECT_EQ(got.facts.registered_connected, true);
  EXPECT_EQ(got.facts.registered_active, false);
  EXPECT_EQ(got.facts.our_tier, "Gold");
  EXPECT_EQ(got.facts.our_identity_at, 2U);
  EXPECT_EQ(read("masternodelist", R"({"masternodes":[]})").facts.registers_us, false);
}

TEST(RpcAnswersTest, ItsOwnStatusIsRead) {
  const auto got = read("masternodestatus", R"({"status":"active","is_active":true,
      "is_publicly_reachable":false,"eligibility_status":"ineligible \u001b[31m"})");
  EXPECT_EQ(got.facts.masternode_status, "active");
  EXPECT_EQ(got.facts.active, true);
  EXPECT_EQ(got.facts.publicly_reachable, false);
  EXPECT_EQ(got.facts.eligibility, "ineligible \\x1B[31m");
}

TEST(RpcAnswersTest, BansOfUsAreRead) {
  const auto got = read("getbanlist", R"({"permanent":[{"ip":"203.0.113.70","reason":"x"}],
      "temporary":[{"ip":"203.0.113.7:1","remaining_secs":250,"reason":"Invalid TLS SNI"}],
      "subnets":[{"subnet":"203.0.112.0/24","reason":"a"},
                 {"subnet":"203.0.113.0/24","reason":"storm"}],
      "violations":[{"ip":"203.0.113.7","violations":4}]})");
  EXPECT_EQ(got.facts.bans_read, true);
  ASSERT_TRUE(got.facts.bans_us);
  EXPECT_EQ(got.facts.bans_us->reason, "Invalid TLS SNI");
  EXPECT_FALSE(got.facts.bans_us->permanent);
  EXPECT_EQ(got.facts.bans_us->remaining_seconds, 250);
  EXPECT_EQ(got.facts.bans_our_subnet, "203.0.113.0/24: storm");
  EXPECT_EQ(got.facts.our_violations, 4U);
}

TEST(RpcAnswersTest, ABanWithoutAnEndIsTheGraverOne) {
  const auto got = read("getbanlist", R"({"permanent":[{"ip":"203.0.113.7","reason":"p"}],
      "temporary":[{"ip":"203.0.113.7","remaining_secs":250,"reason":"t"}]})");
  EXPECT_TRUE(got.facts.bans_us.value().permanent);
  EXPECT_FALSE(got.facts.bans_us->remaining_seconds);
  EXPECT_EQ(read("getbanlist", R"({"permanent":[],"temporary":[]})").facts.bans_us, std::nullopt);
}

TEST(RpcAnswersTest, SubnetsAreMatchedByTheirBits) {
  struct Case {
    const char* ip;
    const char* cidr;
    bool in;
  };
  for (const auto& c :
       {Case{"10.1.2.3", "10.1.2.0/24", true}, Case{"10.1.3.3", "10.1.2.0/24", false},
        Case{"10.1.3.3", "10.1.2.0/23", true}, Case{"10.1.2.3", "0.0.0.0/0", true},
        Case{"10.1.2.3", "10.1.2.3/32", true}, Case{"10.1.2.3", "10.1.2.2/32", false},
        Case{"10.1.2.3", "10.1.2.0/33", false}, Case{"10.1.2.3", "10.1.2.0", false},
        Case{"10.1.2.3", "10.1.2.0/", false}, Case{"10.1.2.3", "10.1.2.0/-1", false},
        Case{"2001:db8::1", "2001:db8::/32", true}, Case{"2001:db9::1", "2001:db8::/32", false},
        Case{"2001:db8::1", "0.0.0.0/0", false}}) {
    EXPECT_EQ(in_subnet(IpAddress::parse(c.ip).value(), c.cidr), c.in) << c.ip << " " << c.cidr;
  }
}

TEST(RpcAnswersTest, AddressesOfRowsAreReadInEveryForm) {
  for (const auto* text :
       {"203.0.113.7", "203.0.113.7:24000", "[::ffff:203.0.113.7]:24000", "::ffff:203.0.113.7"}) {
    EXPECT_EQ(listed_address(text), kUs) << text;
  }
  for (const auto* text : {"", ":", "[", "[]", "203.0.113", "203.0.113.7 ", "node.example"}) {
    EXPECT_FALSE(listed_address(text)) << text;
  }
}

TEST(RpcAnswersTest, AnErrorIsAnAnswerThatTeachesNothing) {
  RpcFacts facts;
  EXPECT_TRUE(read_rpc_answer("uptime", R"({"error":{"code":-32601,"message":"x"},"id":1})", {},
                              kNow, facts));
  EXPECT_FALSE(facts.uptime_seconds);
}

TEST(RpcAnswersTest, OtherShapesAreRefused) {
  RpcFacts facts;
  const RpcRequest request;
  for (const auto* body :
       {"", "null", "[]", "{}", "7", "<html>", R"({"result":)", R"({"result":"soon"})",
        R"({"result":-1})", R"({"result":null})", R"({"result":1e300})"}) {
    EXPECT_FALSE(read_rpc_answer("uptime", body, request, kNow, facts)) << body;
  }
  EXPECT_FALSE(facts.uptime_seconds);
  EXPECT_FALSE(read("getpeerinfo", "{}").taken);
  EXPECT_FALSE(read("getbanlist", "[]").taken);
  EXPECT_FALSE(read("stop", "1").taken);
  EXPECT_FALSE(read("uptime", std::string(100, '[') + std::string(100, ']')).taken);
}

// Two bytes of text can become 24 of memory.
TEST(RpcAnswersTest, AnAnswerThatUnfoldsBeyondTheBudgetIsRefused) {
  std::string rows = "[0";
  while (rows.size() < 4'000'000) rows += ",0";
  EXPECT_FALSE(read("getpeerinfo", rows + "]").taken);
  EXPECT_TRUE(read("getpeerinfo", "[0,0]").taken);
}

}  // namespace
}  // namespace timectl::probe
