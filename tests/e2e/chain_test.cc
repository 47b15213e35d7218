// A node that is behind catches up by itself; the operator's pause, and the commands that show it.

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <thread>

#include "tests/e2e/chain_support.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;

#ifdef TIMECTL_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr std::uint64_t kSeed = 11;
constexpr std::size_t kPeakLimit = 100 * 1024;  // kilobytes (issue 5)

// How long until the node is in sync at the chain's tip, from its start.
milliseconds catch_up(NodeProcess& node, const Chain& chain, milliseconds deadline) {
  return elapsed([&] {
    node.start();
    EXPECT_TRUE(wait_for([&] { return synced(node, chain); }, deadline))
        << sync_of(node).all << node.log();
  });
}

void expect_small(const NodeProcess& node) {
  if (kSanitized) return;
  EXPECT_LT(peak_kilobytes(node), kPeakLimit);
}

void show(const char* what, std::size_t blocks, milliseconds took, const NodeProcess& node) {
  std::cout << what << ": " << blocks << " blocks in " << took.count() << " ms, "
            << blocks * 1000 / static_cast<std::size_t>(std::max<std::int64_t>(took.count(), 1))
            << " blocks/s, VmHWM " << peak_kilobytes(node) / 1024 << " MiB\n";
}

TEST(ChainSync, OfThreeRealNodesOneThatIsFiveThousandBlocksBehindCatchesUpByItself) {
  constexpr std::size_t kBehind = 5000;
  constexpr std::size_t kTop = 6000;
  const auto chain = chain_of(kSeed, kTop);
  Sandbox sandbox;
  NodeProcess first(sandbox, "127.91.0.2", chain_config({"127.91.0.3", "127.91.0.4"}));
  NodeProcess second(sandbox, "127.91.0.3", chain_config({"127.91.0.2", "127.91.0.4"}));
  NodeProcess late(sandbox, "127.91.0.4", chain_config({"127.91.0.2", "127.91.0.3"}));
  fill_chain(first, kSeed, kTop);
  fill_chain(second, kSeed, kTop);
  fill_chain(late, kSeed, kTop - kBehind);
  first.start();
  second.start();
  const auto took = catch_up(late, chain, 60s);
  show("three nodes", kBehind, took, late);
  EXPECT_LT(took, 60s);
  expect_small(late);
  EXPECT_EQ(late.timectl({"sync", "status"}).status, 0);
  EXPECT_TRUE(has_event(late, "sync_started"));
  EXPECT_TRUE(wait_for([&] { return has_event(late, "sync_ended"); }, 5s));
  for (NodeProcess* node : {&first, &second, &late}) {
    node->signal(SIGTERM);
    EXPECT_EQ(node->wait_exit(), 0);
  }
  EXPECT_EQ(wrong_with_chain(late), "");
  EXPECT_TRUE(same_bodies(late, first, 1, kTop));
}

TEST(ChainSync, FiveHundredBlocksAreFetchedWithinTenSeconds) {
  constexpr std::size_t kBehind = 500;
  const auto chain = chain_of(kSeed, 1000);
  Sandbox sandbox;
  ScriptedPeers peers(sandbox);
  const std::vector<std::string> ips{"127.92.0.2", "127.92.0.3", "127.92.0.4"};
  for (const auto& ip : ips) peers.put(ip, "", chain);
  NodeProcess node(sandbox, "127.92.0.9", chain_config(ips));
  fill_chain(node, kSeed, 1000 - kBehind);
  const auto took = catch_up(node, chain, 30s);
  show("500 behind", kBehind, took, node);
  EXPECT_LT(took, kSanitized ? 30s : 10s);
}

// More blocks than fit in the limits of the first ten seconds, so that the limits are in the
// figure.
TEST(ChainSync, OnePeerGivesOver150BlocksASecondAndThreeOver400) {
  struct Row {
    const char* name;
    std::vector<std::string> peers;
    std::string node;
    std::size_t blocks;
    std::size_t least;
    std::unique_ptr<NodeProcess> process = {};
    std::optional<milliseconds> took = {};
  };
  std::vector<Row> rows(2);
  rows[0] = {"one peer", {"127.93.0.2"}, "127.93.0.8", 2500, 150};
  rows[1] = {"three peers", {"127.93.0.3", "127.93.0.4", "127.93.0.5"}, "127.93.0.9", 7000, 400};
  Sandbox sandbox;
  ScriptedPeers peers(sandbox);
  for (auto& row : rows) {
    for (const auto& ip : row.peers) peers.put(ip, "", chain_of(kSeed, row.blocks));
    row.process = std::make_unique<NodeProcess>(sandbox, row.node, chain_config(row.peers));
    row.process->launch();
  }
  const auto begun = std::chrono::steady_clock::now();
  for (auto& row : rows) row.process->await_ready();
  EXPECT_TRUE(wait_for(
      [&] {
        bool all = true;
        for (auto& row : rows) {
          if (!row.took && sync_of(*row.process).height == row.blocks) {
            row.took =
                std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun);
          }
          all = all && row.took;
        }
        return all;
      },
      60s));
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    ASSERT_TRUE(row.took) << sync_of(*row.process).all;
    show(row.name, row.blocks, *row.took, *row.process);
    expect_small(*row.process);
    if (kSanitized) continue;
    EXPECT_GT(row.blocks * 1000 / static_cast<std::size_t>(row.took->count()), row.least);
  }
}

TEST(ChainSync, APauseHoldsOverARestartAndAKillAndResumeGoesOn) {
  const auto chain = chain_of(kSeed, 1000);
  Sandbox sandbox;
  ScriptedPeers peers(sandbox);
  const std::vector<std::string> ips{"127.94.0.2", "127.94.0.3", "127.94.0.4"};
  NodeProcess node(sandbox, "127.94.0.9", chain_config(ips));
  fill_chain(node, kSeed, 500);
  node.start();
  EXPECT_EQ(node.timectl({"sync", "status"}).status, 3) << "nobody is there to believe";
  EXPECT_EQ(node.query({"sync", "pause"}).at("paused").as_bool(), true);
  for (const auto& ip : ips) peers.put(ip, "", chain);
  const auto paused_behind = [&] {
    const auto now = sync_of(node);
    return now.exit == 1 && now.best == 1000U && now.lag == 500U && now.activity == "paused";
  };
  EXPECT_TRUE(wait_for(paused_behind, 10s)) << sync_of(node).all;
  node.signal(SIGTERM);
  EXPECT_EQ(node.wait_exit(), 0);
  node.start();
  EXPECT_TRUE(wait_for(paused_behind, 10s)) << sync_of(node).all;
  node.kill9();
  start_with(node, ips);
  EXPECT_TRUE(wait_for(paused_behind, 10s)) << sync_of(node).all;
  EXPECT_EQ(sync_of(node).height, 500U);
  for (const auto& ip : ips) {
    const auto asked = peers.with(ip, [](const test::ScriptedPeer& peer) {
      std::size_t count = 0;
      for (const auto& seen : peer.seen()) count += seen.count("GetBlocks");
      return count;
    });
    EXPECT_EQ(asked, 0U) << ip;
  }
  EXPECT_EQ(node.query({"sync", "resume"}).at("paused").as_bool(), false);
  EXPECT_TRUE(wait_for([&] { return synced(node, chain); }, 20s)) << sync_of(node).all;
  EXPECT_EQ(sync_of(node).exit, 0);
  const auto audit = node.query({"audit", "list"});
  EXPECT_NE(json::serialize(audit).find("sync"), std::string::npos) << audit;
  EXPECT_EQ(node.timectl({"sync", "peers"}).status, 0);
  for (const auto& ip : ips) EXPECT_EQ(sync_peer(node, ip).at("believed"), true) << ip;
  EXPECT_EQ(node.timectl({"sync", "fork"}).status, 0);
}

TEST(ChainSync, WatchUntilSyncedEndsWhenTheNodeIsThere) {
  const auto chain = chain_of(kSeed, 2500);
  Sandbox sandbox;
  ScriptedPeers peers(sandbox);
  const std::vector<std::string> ips{"127.95.0.2", "127.95.0.3"};
  for (const auto& ip : ips) peers.put(ip, "", chain);
  NodeProcess node(sandbox, "127.95.0.9", chain_config(ips));
  node.start();
  const auto watched = node.timectl({"sync", "watch", "--until-synced"});
  EXPECT_EQ(watched.status, 0) << watched.out << watched.err;
  EXPECT_TRUE(synced(node, chain)) << sync_of(node).all;
  EXPECT_NE(watched.out.find("2,500"), std::string::npos) << watched.out;
  EXPECT_EQ(watched.out.find('\x1b'), std::string::npos) << "escapes in a pipe";
}

// Peers that ping in turn and measure when the pong comes. Many, because a peer is sent six pongs
// in ten seconds (protocol 7.11); on a thread of their own, because making a block of 4 MB takes
// time.
class Pingers {
 public:
  explicit Pingers(const Sandbox& sandbox) : peers_(sandbox) {
    for (int i = 0; i < kPeers; ++i) {
      ips_.push_back("127.96.1." + std::to_string(i + 1));
      peers_.put(ips_.back(), "");
      peers_.with(ips_.back(), [this](test::ScriptedPeer& peer) {
        peer.listen([this](const wire::Message& message) { hear(message); });
      });
    }
  }
  [[nodiscard]] const std::vector<std::string>& ips() const { return ips_; }

  // One ping every 50 ms, as long as any peer may still be answered.
  void look() {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_ || sent_.size() >= static_cast<std::size_t>(kPeers) * kPingsEach) return;
    next_ = now + 50ms;
    peers_.with(ips_.at(sent_.size() % ips_.size()), [this](test::ScriptedPeer& peer) {
      wire::msg::Ping ping;
      ping.nonce = 1'000'000 + sent_.size();
      sent_[ping.nonce] = std::chrono::steady_clock::now();
      peer.send(ping);
    });
  }
  struct Result {
    std::size_t sent = 0;
    std::size_t answered = 0;
    milliseconds longest{0};
  };
  [[nodiscard]] Result result() {
    return peers_.with(ips_.front(), [this](test::ScriptedPeer&) {
      return Result{sent_.size(), answered_, longest_};
    });
  }

 private:
  static constexpr int kPeers = 16;
  static constexpr std::size_t kPingsEach = 5;
  void hear(const wire::Message& message) {
    const auto* pong = std::get_if<wire::msg::Pong>(&message);
    if (pong == nullptr || !sent_.contains(pong->nonce)) return;
    const auto took = std::chrono::steady_clock::now() - sent_.at(pong->nonce);
    longest_ = std::max(longest_, std::chrono::duration_cast<milliseconds>(took));
    ++answered_;
  }

  std::vector<std::string> ips_;
  std::map<std::uint64_t, std::chrono::steady_clock::time_point> sent_;
  std::size_t answered_ = 0;
  milliseconds longest_{0};
  std::chrono::steady_clock::time_point next_;
  ScriptedPeers peers_;  // ends before what its thread writes
};

// Whoever syncs still answers pings at once: verification and large frames hold up nobody.
TEST(ChainSync, PongsDoNotWaitForBlocks) {
  struct Row {
    const char* name;
    const char* words;
    std::size_t blocks;
  };
  for (const Row& row :
       {Row{"fast batches", "", 4000}, Row{"4 MB blocks", " chain-fault=huge", 16}}) {
    SCOPED_TRACE(row.name);
    Sandbox sandbox;
    ScriptedPeers peers(sandbox);
    Pingers pingers(sandbox);
    const std::vector<std::string> ips{"127.96.0.2", "127.96.0.3", "127.96.0.4"};
    const std::string words = "chain=12:" + std::to_string(row.blocks) + row.words;
    auto all = pingers.ips();
    all.insert(all.end(), ips.begin(), ips.end());
    NodeProcess node(sandbox, "127.96.0.9", chain_config(all));
    // The pause holds over a restart: when the node dials, each peer is there with its chain made,
    // which takes their thread seconds in a sanitized build.
    node.start();
    EXPECT_EQ(node.timectl({"sync", "pause"}).status, 0);
    EXPECT_EQ(node.timectl({"node", "stop"}).status, 0);
    EXPECT_EQ(node.wait_exit(), 0);
    for (const auto& ip : ips) peers.put(ip, words);
    node.start();
    ASSERT_TRUE(wait_for([&] { return node.connections() == all.size(); }, 20s));
    EXPECT_EQ(sync_of(node).height, 0U);
    EXPECT_EQ(node.timectl({"sync", "resume"}).status, 0);
    std::atomic<std::uint64_t> height = 0;
    std::jthread watcher([&](const std::stop_token& stop) {
      while (!stop.stop_requested() && height < row.blocks)
        height = sync_of(node).height.value_or(0);
    });
    EXPECT_TRUE(wait_for(
        [&] {
          pingers.look();
          const auto now = pingers.result();
          return height == row.blocks && now.sent > 40 && now.sent == now.answered;
        },
        40s))
        << sync_of(node).all;
    watcher.request_stop();
    watcher.join();
    const auto result = pingers.result();
    std::cout << row.name << ": " << result.answered << " of " << result.sent
              << " pings answered, the latest after " << result.longest.count() << " ms, VmHWM "
              << peak_kilobytes(node) / 1024 << " MiB\n";
    EXPECT_EQ(result.answered, result.sent);
    EXPECT_LT(result.longest, kSanitized ? 2500ms : 250ms);
    expect_small(node);
  }
}

}  // namespace
}  // namespace timectl::e2e
