// A scripted peer's chain: what it serves, and that each way to serve it badly is bad.
#include <gtest/gtest.h>

#include "daemon/chain/verify.h"
#include "daemon/wire/codec.h"
#include "tests/net/world.h"
#include "tests/support/chain_maker.h"

namespace timectl::net {
namespace {

using test::run_until;
using test::ScriptedPeer;
using test::ServedChain;

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63U;

// What a test looks at of a block that came.
struct Came {
  std::uint64_t height = 0;
  wire::Hash32 hash{};
  wire::Hash32 parent{};
  std::size_t size = 0;
};

class ScriptChainTest : public testing::Test {
 protected:
  void serve(const std::string& words, std::shared_ptr<const ServedChain> chain = nullptr) {
    test::Script script = net::script(words);
    if (chain) script.chain = std::move(chain);
    server.emplace(io, Endpoint{peer_ip, 0}, std::move(script));
    client.emplace(io, Endpoint{node_ip, 0}, test::Script{});
    client->listen([this](const wire::Message& message) { hear(message); });
    client->dial({peer_ip, server->port()});
    ASSERT_TRUE(run_until(io, [&] { return !claims.empty(); }));
  }
  void hear(const wire::Message& message) {
    const auto take = [this](const auto& list) {
      auto& answer = answers.emplace_back();
      for (const wire::Block& block : list) {
        answer.push_back({block.header.height, wire::block_hash(block.header),
                          block.header.previous_hash, wire::encode_block(block).size()});
        last = wire::encode_block(block);
      }
    };
    if (const auto* blocks = std::get_if<wire::msg::BlocksResponse>(&message)) take(blocks->blocks);
    if (const auto* range = std::get_if<wire::msg::BlockRangeResponse>(&message)) {
      take(range->blocks);
    }
    if (const auto* one = std::get_if<wire::msg::BlockResponse>(&message)) {
      take(std::array{one->block});
    }
    if (const auto* ping = std::get_if<wire::msg::Ping>(&message)) claims.push_back(ping->height);
    if (const auto* pong = std::get_if<wire::msg::Pong>(&message)) claims.push_back(pong->height);
    if (const auto* tip = std::get_if<wire::msg::ChainTipResponse>(&message)) tips.push_back(*tip);
    if (const auto* h = std::get_if<wire::msg::BlockHashResponse>(&message)) hashes.push_back(*h);
    if (const auto* h = std::get_if<wire::msg::BlockHeightResponse>(&message)) {
      claims.push_back(h->height);
    }
  }
  // The answer to this request; nothing where there was none.
  std::optional<std::vector<Came>> ask(const wire::Message& request) {
    const std::size_t before = answers.size();
    client->send(request);
    if (!round_trip() || answers.size() == before) return std::nullopt;
    EXPECT_EQ(answers.size(), before + 1);
    return answers.back();
  }
  std::optional<std::vector<Came>> blocks(std::uint64_t first, std::uint64_t end) {
    wire::msg::GetBlocks request;
    request.start = first;
    request.end = end;
    return ask(request);
  }
  bool round_trip() {
    const std::size_t before = client->last().count("GenesisHashResponse");
    client->send(wire::msg::GetGenesisHash{});
    return run_until(io, [&] { return client->last().count("GenesisHashResponse") == before + 1; });
  }
  std::vector<std::uint64_t> heights(std::uint64_t first, std::uint64_t end) {
    std::vector<std::uint64_t> list;
    const auto answer = blocks(first, end);
    EXPECT_TRUE(answer);
    for (const auto& block : answer.value_or(std::vector<Came>{})) list.push_back(block.height);
    return list;
  }
  std::optional<wire::msg::ChainTipResponse> tip() {
    const std::size_t before = tips.size();
    client->send(wire::msg::GetChainTip{});
    if (!round_trip() || tips.size() != before + 1) return std::nullopt;
    return tips.back();
  }
  std::optional<wire::Hash32> hash(std::uint64_t height) {
    wire::msg::GetBlockHash request;
    request.height = height;
    client->send(request);
    const std::size_t before = hashes.size();
    EXPECT_TRUE(round_trip() && hashes.size() == before + 1);
    return hashes.empty() ? std::nullopt : hashes.back().hash;
  }
  // The links of an answer that hold.
  static std::size_t links(const std::vector<Came>& answer) {
    std::size_t count = 0;
    for (std::size_t i = 1; i < answer.size(); ++i) {
      count += answer[i].parent == answer[i - 1].hash ? 1 : 0;
    }
    return count;
  }
  static const ServedChain& chain() {
    return *ServedChain::generated(wire::Network::testnet, 1, 120);
  }

  boost::asio::io_context io{1};
  std::optional<ScriptedPeer> server;
  std::optional<ScriptedPeer> client;
  std::vector<std::vector<Came>> answers;
  std::vector<wire::msg::ChainTipResponse> tips;
  std::vector<wire::msg::BlockHashResponse> hashes;
  std::vector<std::optional<std::uint64_t>> claims;
  std::vector<std::uint8_t> last;  // of the last answer: its last block
};

using Heights = std::vector<std::uint64_t>;

TEST_F(ScriptChainTest, WordsOfAChainAreTakenAndWrongOnesAreNamed) {
  const auto script = net::script("chain=7:9 chain-fault=gap chain-fault=stale@4");
  EXPECT_EQ(script.generated_chain->seed, 7U);
  EXPECT_EQ(script.generated_chain->count, 9U);
  ASSERT_EQ(script.chain_faults.size(), 2U);
  EXPECT_EQ(script.chain_faults[0].kind, test::ChainFaultKind::gap);
  EXPECT_FALSE(script.chain_faults[0].height);
  EXPECT_EQ(script.chain_faults[1].height, 4U);
  for (const auto* name :
       {"wrong-parent", "wrong-hash", "gap", "repeat", "wrong-range", "unasked", "huge",
        "height-max", "empty", "silent", "half", "two-tips", "stale", "slow"}) {
    EXPECT_TRUE(test::parse_script(std::string("chain-fault=") + name + "@3")) << name;
  }
  for (const auto* bad : {"chain=1", "chain=x:1", "chain=1:", "chain-fault=bad", "chain-fault=gap@",
                          "chain-fault=gap@x", "chain-fault="}) {
    const auto refused = test::parse_script(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_NE(refused.error().message.find(bad), std::string::npos) << refused.error().message;
  }
}

TEST_F(ScriptChainTest, AChainIsServedAsTheReferenceNodeDoes) {
  serve("chain=1:120");
  EXPECT_EQ(claims.front(), 120U) << "its first ping";
  const auto first = blocks(1, 50);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->size(), 50U);
  EXPECT_EQ(first->front().parent, wire::params_of(wire::Network::testnet).genesis_hash);
  EXPECT_EQ(links(*first), 49U);
  EXPECT_EQ(first->back().hash, chain().hash(50));
  EXPECT_EQ(heights(51, 500).size(), 50U);
  EXPECT_EQ(heights(101, 150).size(), 20U) << "up to the tip";
  EXPECT_EQ(heights(119, 119), Heights{119});
  EXPECT_EQ(heights(0, 0), Heights{0});
  EXPECT_EQ(heights(121, 130), Heights{}) << "beyond the tip: empty";
  EXPECT_EQ(heights(9, 8), Heights{});
  wire::msg::GetBlockRange range;
  range.start_height = 3;
  range.end_height = 4;
  EXPECT_EQ(ask(range)->size(), 2U);
  wire::msg::BlockRequest one;
  one.height = 5;
  EXPECT_EQ(ask(one)->front().height, 5U);
  one.height = 121;
  EXPECT_FALSE(ask(one)) << "silence";
}

TEST_F(ScriptChainTest, TipHashesAndHeightsAreThoseOfTheChain) {
  serve("chain=1:120");
  ASSERT_TRUE(tip());
  EXPECT_EQ(tips.back().height, 120U);
  EXPECT_EQ(tips.back().hash, chain().hash(120));
  EXPECT_EQ(hash(60), chain().hash(60));
  EXPECT_EQ(hash(121), std::nullopt);
  client->send(wire::msg::GetBlockHeight{});
  client->send(wire::msg::Ping{});
  ASSERT_TRUE(round_trip());
  EXPECT_EQ(claims, (std::vector<std::optional<std::uint64_t>>{120, 120, 120}));
}

TEST_F(ScriptChainTest, TheSameSeedIsMadeOnceAndAnotherIsAnotherChain) {
  EXPECT_EQ(ServedChain::generated(wire::Network::testnet, 1, 120).get(), &chain());
  const auto other = ServedChain::generated(wire::Network::testnet, 2, 3);
  EXPECT_NE(other->hash(3), chain().hash(3));
}

TEST_F(ScriptChainTest, ATestMayServeABranch) {
  test::ChainMaker maker;
  auto blocks = maker.next(5);
  auto other = maker.branch(9);
  blocks.push_back(other.next());
  const auto own = maker.next();
  serve("", std::make_shared<ServedChain>(wire::Network::testnet, blocks));
  ASSERT_TRUE(tip());
  EXPECT_EQ(tips.back().hash, other.tip().hash);
  EXPECT_NE(tips.back().hash, maker.tip().hash);
  EXPECT_EQ(hash(5), ServedChain(wire::Network::testnet, blocks).hash(5));
}

TEST_F(ScriptChainTest, WrongParentBreaksTheLinkOfItsBlockOnly) {
  serve("chain=1:120 chain-fault=wrong-parent@30");
  const auto answer = blocks(1, 50);
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->size(), 50U);
  EXPECT_NE(answer->at(29).parent, answer->at(28).hash);
  EXPECT_EQ(answer->at(28).hash, chain().hash(29));
  EXPECT_EQ(links(*answer), 47U) << "and the next does not link to it";
  const auto good = blocks(51, 100);
  EXPECT_EQ(links(*good), 49U);
}

TEST_F(ScriptChainTest, WithoutAHeightEveryAnswerIsSpoiled) {
  serve("chain=1:120 chain-fault=wrong-parent");
  EXPECT_EQ(links(*blocks(1, 50)), 47U);
  EXPECT_EQ(links(*blocks(51, 100)), 47U);
  EXPECT_EQ(blocks(120, 120)->front().parent.front(), 0xbb);
}

TEST_F(ScriptChainTest, WrongHashIsABlockThatWasNotAnnounced) {
  serve("chain=1:120 chain-fault=wrong-hash@50");
  const auto answer = blocks(1, 50);
  ASSERT_TRUE(answer);
  EXPECT_EQ(links(*answer), 49U) << "it links to what is before it";
  EXPECT_NE(answer->back().hash, chain().hash(50));
  EXPECT_EQ(hash(50), chain().hash(50));
}

TEST_F(ScriptChainTest, GapAndRepeatAreWhatTheySay) {
  serve("chain=1:120 chain-fault=gap@3 chain-fault=repeat@8");
  EXPECT_EQ(heights(1, 5), (Heights{1, 2, 4, 5}));
  EXPECT_EQ(heights(6, 9), (Heights{6, 7, 8, 8, 9}));
  EXPECT_EQ(heights(10, 12), (Heights{10, 11, 12}));
}

TEST_F(ScriptChainTest, WrongRangeIsAnotherThanAsked) {
  serve("chain=1:120 chain-fault=wrong-range");
  EXPECT_EQ(heights(1, 3), (Heights{2, 3, 4}));
  EXPECT_EQ(heights(120, 120), Heights{119});
}

TEST_F(ScriptChainTest, WrongRangeWithAHeightIsAlwaysThatOne) {
  serve("chain=1:120 chain-fault=wrong-range@7");
  EXPECT_EQ(heights(1, 3), (Heights{7, 8, 9}));
  EXPECT_EQ(heights(100, 101), (Heights{7, 8}));
}

TEST_F(ScriptChainTest, UnaskedBlocksComeAtTheStartAndWithEachPing) {
  serve("chain=1:120 chain-fault=unasked@90");
  ASSERT_TRUE(run_until(io, [&] { return !answers.empty(); }));
  EXPECT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].front().height, 90U);
  client->send(wire::msg::Ping{});
  client->send(wire::msg::Ping{});
  ASSERT_TRUE(round_trip());
  EXPECT_EQ(answers.size(), 3U);
  EXPECT_EQ(heights(1, 2), (Heights{1, 2})) << "and what is asked for, too";
}

TEST_F(ScriptChainTest, UnaskedBlocksComeFromWhoDialsToo) {
  server.emplace(io, Endpoint{peer_ip, 0}, test::Script{});
  client.emplace(io, Endpoint{node_ip, 0}, script("chain=1:20 chain-fault=unasked"));
  server->listen([this](const wire::Message& message) { hear(message); });
  client->dial({peer_ip, server->port()});
  ASSERT_TRUE(run_until(io, [&] { return !answers.empty(); }));
  EXPECT_EQ(answers[0].size(), 20U);
}

TEST_F(ScriptChainTest, HugeBlocksAreValidUpToTheLimitAndOneIsAByteOver) {
  serve("chain=1:3 chain-fault=huge@2");
  const auto first = blocks(1, 3);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->size(), 1U) << "one an answer";
  EXPECT_EQ(first->front().size, 4'000'000U);
  wire::Arena arena;
  const auto bytes = last;
  chain::Circumstances at;
  at.network = wire::Network::testnet;
  at.parent = chain::genesis_parent(at.network);
  at.now = test::ChainMaker().time_of(3);
  const auto block = wire::decode_block(bytes, arena).value();
  EXPECT_TRUE(chain::verify(at, block).findings.empty());
  at.parent = chain::parent_from(block, wire::block_hash(block.header));
  const auto second = blocks(2, 2);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->front().size, 4'000'001U);
  EXPECT_EQ(second->front().parent, first->front().hash);
  const auto over = last;
  const auto findings = chain::verify(at, wire::decode_block(over, arena).value()).findings;
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].reason, chain::Reason::too_large);
  ASSERT_TRUE(tip());
  EXPECT_EQ(blocks(3, 3)->front().hash, tips.back().hash);
}

TEST_F(ScriptChainTest, HeightMaxIsClaimedEverywhere) {
  serve("chain=1:120 chain-fault=height-max");
  ASSERT_TRUE(tip());
  EXPECT_EQ(tips.back().height, kSignBit);
  EXPECT_EQ(claims.front(), kSignBit);
  EXPECT_EQ(heights(119, 130), (Heights{119, 120})) << "what it has is good";
  EXPECT_EQ(hash(kSignBit), std::nullopt);
}

TEST_F(ScriptChainTest, HeightMaxMayBeAnyOther) {
  serve("chain=1:2 chain-fault=height-max@18446744073709551615");
  ASSERT_TRUE(tip());
  EXPECT_EQ(tips.back().height, UINT64_MAX);
}

TEST_F(ScriptChainTest, EmptyAnswersAndSilenceAreTwoThings) {
  serve("chain=1:120 chain-fault=empty");
  EXPECT_EQ(heights(1, 50), Heights{});
  EXPECT_EQ(heights(51, 60), Heights{});
  ASSERT_TRUE(tip());
  answers.clear(), claims.clear();
  serve("chain=1:120 chain-fault=silent");
  EXPECT_FALSE(blocks(1, 50));
  ASSERT_TRUE(tip());
  EXPECT_EQ(tips.back().height, 120U);
}

TEST_F(ScriptChainTest, HalfAFrameIsTheLastThatComes) {
  serve("chain=1:120 chain-fault=half");
  const std::uint64_t before = client->last().bytes;
  wire::msg::GetBlocks request;
  request.start = 1;
  request.end = 50;
  client->send(request);
  const std::size_t half = 50 * 1500 / 2;
  ASSERT_TRUE(run_until(io, [&] { return client->last().bytes >= before + half; }));
  for (int i = 0; i < 3; ++i) client->send(wire::msg::Ping{});
  ASSERT_TRUE(run_until(io, [&] { return server->last().pings.size() == 3; }));
  EXPECT_LT(client->last().bytes, before + half + 200) << "no pong either";
  EXPECT_TRUE(client->last().end.empty());
  EXPECT_TRUE(answers.empty());
}

TEST_F(ScriptChainTest, TwoTipsAreToldInTurn) {
  serve("chain=1:120 chain-fault=two-tips");
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(tip());
  EXPECT_EQ(tips[1].height, 120U);
  EXPECT_NE(tips[0].hash, tips[1].hash);
  EXPECT_EQ(tips[0], tips[2]);
  EXPECT_EQ(tips[1], tips[3]);
}

TEST_F(ScriptChainTest, TwoTipsMayBeOfTwoHeights) {
  serve("chain=1:120 chain-fault=two-tips@7");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(tip());
  EXPECT_EQ(tips[0].height, 120U);
  EXPECT_EQ(tips[1].height, 7U);
  EXPECT_EQ(tips[1].hash, chain().hash(7));
}

TEST_F(ScriptChainTest, AStaleTipIsTrueAndLowerThanWhatIsServed) {
  serve("chain=1:120 chain-fault=stale@100");
  EXPECT_EQ(claims.front(), 100U);
  ASSERT_TRUE(tip());
  EXPECT_EQ(tips.back().height, 100U);
  EXPECT_EQ(tips.back().hash, chain().hash(100));
  EXPECT_EQ(heights(101, 102), (Heights{101, 102}));
}

TEST_F(ScriptChainTest, ASlowPeerServesABlockAnAnswer) {
  serve("chain=1:120 chain-fault=slow");
  EXPECT_EQ(heights(1, 50), Heights{1});
  EXPECT_EQ(heights(2, 50), Heights{2});
}

}  // namespace
}  // namespace timectl::net
