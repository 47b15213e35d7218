#include "daemon/net/facts.h"

#include <gtest/gtest.h>

#include <string>

#include "daemon/net/answers.h"

namespace timectl::net {
namespace {

std::vector<std::string> learned(const std::vector<wire::Text>& texts) {
  wire::msg::PeersResponse response;
  response.addresses = texts;
  std::vector<std::string> found;
  for (const auto& ip : learned_peers(response)) found.push_back(ip.to_string());
  return found;
}

TEST(FactsTest, AddressesAreCutAtTheirPort) {
  EXPECT_EQ(learned({"64.91.241.10", "50.28.104.50:24000"}),
            (std::vector<std::string>{"64.91.241.10", "50.28.104.50"}));
}

// Texts that are no address cost as much as those that are.
TEST(FactsTest, NothingBehindTheFirstThousandEntriesIsLookedAt) {
  std::vector<wire::Text> texts(max_learned, "");
  texts.emplace_back("64.91.241.10");
  EXPECT_TRUE(learned(texts).empty());
  wire::msg::MasternodeStatusGossip gossip;
  gossip.visible_masternodes = texts;
  EXPECT_TRUE(claimed_masternodes(gossip).empty());
  texts[max_learned - 1] = "64.91.241.10";
  gossip.visible_masternodes = texts;
  EXPECT_EQ(claimed_masternodes(gossip).size(), 1U);
}

TEST(FactsTest, WhatIsNoAddressIsLeftOut) {
  EXPECT_TRUE(learned({"", "localhost", "file:///etc/passwd", "$(reboot)", "010.0.0.1", "1.2.3.4:0",
                       "1.2.3.4:x", "1.2.3.4:70000", "1.2.3.4/24", "0.0.0.0", "255.255.255.255",
                       "224.0.0.1", "fe80::1%eth0", "1.2.3.4:"})
                  .empty());
}

TEST(FactsTest, AnAddressCountsOnceInEverySpelling) {
  EXPECT_EQ(learned({"1.2.3.4", "1.2.3.4:24000", "::ffff:1.2.3.4"}).size(), 1U);
}

TEST(FactsTest, AListIsReadUpToItsBound) {
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; ++i) {
    texts.push_back("10.9." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
  }
  const std::vector<wire::Text> views(texts.begin(), texts.end());
  EXPECT_EQ(learned(views).size(), max_learned);
}

TEST(FactsTest, PeerExchangeIsReadLikeAList) {
  std::vector<wire::PeerExchangeEntry> entries(2);
  entries[0].address = "1.2.3.4";
  entries[1].address = "1.2.3.4:24000";
  wire::msg::PeerExchange exchange;
  exchange.entries = entries;
  EXPECT_EQ(learned_peers(exchange).size(), 1U);
}

TEST(FactsTest, ClaimsKeepTheTierAsTheirWord) {
  wire::msg::MasternodeAnnouncementV2 announcement;
  announcement.address = "1.2.3.4";
  announcement.tier = wire::MasternodeTier::Gold;
  const auto claims = claimed_masternodes(announcement);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].tier, "Gold");
  EXPECT_TRUE(claimed_masternodes(wire::msg::Ping{}).empty());
}

struct AnswerRow {
  wire::Message request;
  std::string answer;  // empty: silence
};

TEST(AnswersTest, EveryRequestIsAnsweredAsTheTableSays) {
  const AnswerRow table[] = {{wire::msg::GetGenesisHash{}, "GenesisHashResponse"},
                             {wire::msg::GetBlockHash{}, "BlockHashResponse"},
                             {wire::msg::GetBlocks{}, "BlocksResponse"},
                             {wire::msg::GetBlockRange{}, "BlockRangeResponse"},
                             {wire::msg::GetPeers{}, "PeerExchange"},
                             {wire::msg::GetMasternodes{}, "MasternodesResponse"},
                             {wire::msg::MempoolSyncRequest{}, "MempoolSyncResponse"},
                             {wire::msg::RequestGenesis{}, ""},
                             {wire::msg::GetChainTip{}, ""},
                             {wire::msg::GetBlockHeight{}, ""},
                             {wire::msg::BlockRequest{}, ""},
                             {wire::msg::GetUTXOStateHash{}, ""},
                             {wire::msg::GetUTXOSet{}, ""},
                             {wire::msg::GetLockedCollaterals{}, ""},
                             {wire::msg::GetChainWork{}, ""},
                             {wire::msg::GetGovernanceState{}, ""},
                             {wire::msg::Ack{}, ""}};
  const auto& network = wire::params_of(wire::Network::testnet);
  for (const auto& row : table) {
    const auto answer = answer_to(row.request, network);
    EXPECT_EQ(answer ? wire::message_name(answer->index()) : "", row.answer)
        << wire::message_name(row.request);
  }
}

TEST(AnswersTest, OnlyTheGenesisHashIsKnown) {
  const auto& network = wire::params_of(wire::Network::testnet);
  wire::msg::GetBlockHash request;
  const auto genesis = answer_to(request, network);
  request.height = 5;
  const auto unknown = answer_to(request, network);
  EXPECT_EQ(wire::to_hex(genesis->frame()),
            "0000002d2e000000000000000000000001"
            "b9523431d4e59a1b41d757a8c0f01ed023c11123761b1455e4644ef9d5599ff6");
  EXPECT_EQ(wire::to_hex(unknown->frame()), "0000000d2e000000050000000000000000");
}

}  // namespace
}  // namespace timectl::net
