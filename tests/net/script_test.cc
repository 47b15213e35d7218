// The words of a scripted peer do what scenarios and tests take them to do.
#include <gtest/gtest.h>

#include "tests/net/world.h"

namespace timectl::net {
namespace {

using namespace std::chrono_literals;
using test::parse_script;
using test::run_until;
using test::ScriptedPeer;

constexpr std::string_view kHash =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

TEST(ScriptTest, EveryWordIsTakenAndAnUnknownOneIsNamed) {
  const auto script = parse_script(
      "clock=+600 flap=0.5 evict-on-second ban-after=3 drop-pongs=2 "
      "height=7 tip=" +
      std::string(kHash) + " hash-at=5:" + std::string(kHash));
  ASSERT_TRUE(script) << script.error().message;
  EXPECT_EQ(script->clock, 600);
  EXPECT_EQ(script->flap, 500ms);
  EXPECT_TRUE(script->evict_on_second);
  EXPECT_EQ(script->ban_after, 3U);
  EXPECT_TRUE(script->drop_pongs);
  EXPECT_EQ(script->drop_pongs_for, 2s);
  EXPECT_TRUE(script->tip);
  EXPECT_TRUE(script->hash_at.contains(5));
  for (const auto* bad : {"flap=-1", "flap=x", "hash-at=5", "hash-at=x:aa", "tip=aa",
                          "clock=", "ban-after=-1", "serve-chain=x", "evict"}) {
    const auto refused = parse_script(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_NE(refused.error().message.find(bad), std::string::npos) << refused.error().message;
  }
}

// Two scripted peers: one serves by the script, the other dials it.
class ScriptPairTest : public testing::Test {
 protected:
  void serve(std::string_view words) {
    server.emplace(io, Endpoint{peer_ip, 0}, script(words));
    client.emplace(io, Endpoint{node_ip, 0}, test::Script{});
  }
  void dial() { client->dial({peer_ip, server->port()}); }
  bool up(std::size_t connections) {
    return run_until(
        io, [&] { return client->seen().size() == connections && !client->last().pings.empty(); });
  }
  boost::asio::io_context io{1};
  std::optional<ScriptedPeer> server;
  std::optional<ScriptedPeer> client;
};

TEST_F(ScriptPairTest, FlapEndsEachConnectionAfterItsTime) {
  serve("flap=0.2");
  dial();
  ASSERT_TRUE(up(1));
  EXPECT_TRUE(client->last().end.empty());
  EXPECT_TRUE(run_until(io, [&] { return client->last().end == "close_notify"; }));
}

TEST_F(ScriptPairTest, ASecondConnectionEvictsTheFirst) {
  serve("evict-on-second");
  dial();
  ASSERT_TRUE(up(1));
  dial();
  ASSERT_TRUE(up(2));
  EXPECT_TRUE(run_until(io, [&] { return client->seen().front().end == "close_notify"; }));
  EXPECT_TRUE(client->last().end.empty());
}

TEST_F(ScriptPairTest, AfterABanNobodyGetsToTls) {
  serve("ban-after=1");
  dial();
  ASSERT_TRUE(up(1));
  dial();
  EXPECT_TRUE(run_until(io, [&] { return !client->last().end.empty(); }));
  EXPECT_FALSE(client->last().tls);
  EXPECT_TRUE(client->seen().front().end.empty());
}

TEST_F(ScriptPairTest, TipAndHashesAreAnswered) {
  serve("height=7 tip=" + std::string(kHash) + " hash-at=5:" + std::string(kHash));
  dial();
  ASSERT_TRUE(up(1));
  client->send(wire::msg::GetChainTip{});
  wire::msg::GetBlockHash question;
  question.height = 5;
  client->send(question);
  EXPECT_TRUE(run_until(io, [&] {
    return client->last().has("ChainTipResponse") && client->last().has("BlockHashResponse");
  }));
}

}  // namespace
}  // namespace timectl::net
