// A chain file after kill -9, without room, damaged, and of another network: the chain is whole or
// fetched again, and sync ends at the right tip with no manual help.

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <iostream>
#include <random>

#include "store/chain_file.h"
#include "tests/e2e/chain_support.h"
#include "tests/e2e/fault_support.h"
#include "tests/support/chain_fill.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 41;
constexpr std::uint64_t kOurSeed = 42;

// Three honest masternodes with a chain, and a node.
struct World {
  World(const std::string& net, Chain served, const std::string& more = "")
      : chain(std::move(served)),
        peers(sandbox),
        ips{net + "2", net + "3", net + "4"},
        node(sandbox, net + "9", chain_config(ips, more)) {
    for (const auto& ip : ips) peers.put(ip, "", chain);
  }
  [[nodiscard]] std::string tip() const {
    return std::to_string(chain->height()) + " " + hash_of(chain, chain->height());
  }
  [[nodiscard]] std::string file() const { return node.data_dir() + "/" + store::kChainFile; }
  void stop() {
    node.signal(SIGTERM);
    EXPECT_EQ(node.wait_exit(), 0) << node.log();
  }
  void expect_synced() const {
    EXPECT_TRUE(wait_for([&] { return synced(node, chain); }, 60s))
        << sync_of(node).all << node.timectl({"events"}).out;
  }

  Chain chain;
  Sandbox sandbox;
  ScriptedPeers peers;
  std::vector<std::string> ips;
  NodeProcess node;
};

std::mt19937 seeded() {
  const auto seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  return std::mt19937(seed);
}

// A moment that nothing marks: no state is waited for.
void let_run(std::mt19937& random, int least, int most) {
  const milliseconds span(std::uniform_int_distribution<int>(least, most)(random));
  (void)wait_for([] { return false; }, span);
}

// A peer is dialled four times a minute and no more, also over restarts (R7): so often a test may
// start the same node before it has to wait.
constexpr int kStarts = 4;

TEST(ChainCrash, Kill9InTheMiddleOfASyncLeavesAWholeChainThatGoesOn) {
  constexpr int kWorlds = 2;
  const auto chain = chain_of(kSeed, 5000);
  auto random = seeded();
  for (int number = 0; number < kWorlds; ++number) {
    World world("127.111." + std::to_string(number) + ".", chain);
    std::string heights;
    for (int round = 1; round < kStarts; ++round) {
      world.node.launch();
      let_run(random, 30, 800);
      world.node.kill9();
      if (!fs::exists(world.file())) continue;
      ASSERT_EQ(wrong_with_chain(world.node), "") << "round " << round << world.node.log();
      const auto stored = stored_tip(world.node);
      heights += stored.substr(0, stored.find(' ')) + " ";
    }
    std::cout << "killed at " << heights << "\n";
    world.node.start();
    world.expect_synced();
    world.stop();
    EXPECT_EQ(wrong_with_chain(world.node), "");
    EXPECT_EQ(stored_tip(world.node), world.tip());
  }
}

TEST(ChainCrash, Kill9InAReorganisationLeavesOneBranchOrTheOther) {
  constexpr int kRounds = 5;
  constexpr std::size_t kCommon = 300;
  constexpr std::size_t kDepth = 100;
  auto random = seeded();
  const auto ours = branched(kSeed, kCommon, kOurSeed, kDepth);
  const auto before = std::to_string(ours->height()) + " " + hash_of(ours, ours->height());
  int switched = 0;
  for (int round = 0; round < kRounds; ++round) {
    World world("127.112.0.", chain_of(kSeed, kCommon + kDepth + 20));
    fill_branch(world.node, kSeed, kCommon, kOurSeed, kDepth);
    world.node.launch();
    let_run(random, 100, 900);
    world.node.kill9();
    ASSERT_EQ(wrong_with_chain(world.node), "") << round;
    const auto after = stored_tip(world.node);
    EXPECT_TRUE(after == before || after == world.tip()) << round << ": " << after;
    switched += after == before ? 0 : 1;
    world.node.start();
    world.expect_synced();
    world.stop();
    EXPECT_EQ(wrong_with_chain(world.node), "") << round;
  }
  std::cout << switched << " of " << kRounds << " killed after the change\n";
}

TEST(ChainCrash, Kill9InAReorganisationOfAThousandBlocksByTheOperatorsWord) {
  constexpr std::size_t kCommon = 300;
  constexpr std::size_t kDepth = 1000;
  auto random = seeded();
  const auto ours = branched(kSeed, kCommon, kOurSeed, kDepth);
  const auto before = std::to_string(ours->height()) + " " + hash_of(ours, ours->height());
  World world("127.113.0.", chain_of(kSeed, kCommon + kDepth + 20));
  fill_branch(world.node, kSeed, kCommon, kOurSeed, kDepth);
  const auto accept = [&] {
    return wait_for(
        [&] {
          return synced(world.node, world.chain) ||
                 world.node.timectl({"sync", "fork", "--accept"}).status == 0;
        },
        60s);
  };
  std::string after = before;
  for (int round = 1; round < kStarts && after == before; ++round) {
    world.node.start();
    ASSERT_TRUE(accept()) << world.node.timectl({"sync", "fork"}).out;
    let_run(random, 50, 700);
    world.node.kill9();
    ASSERT_EQ(wrong_with_chain(world.node), "") << round;
    after = stored_tip(world.node);
    EXPECT_TRUE(after == before || after == world.tip()) << round << ": " << after;
  }
  world.node.start();
  ASSERT_TRUE(accept()) << world.node.timectl({"sync", "fork"}).out;
  world.expect_synced();
  world.stop();
  EXPECT_EQ(stored_tip(world.node), world.tip());
}

// No file of the node may grow beyond this, which the chain alone reaches.
TEST(ChainCrash, WithoutRoomSyncStandsSaysSoAndGoesOnWhenThereIsRoom) {
  if (!has_program("prlimit")) GTEST_SKIP() << "needs prlimit";
  World world("127.114.0.", chain_of(kSeed, 3000));
  world.node.run_under({"prlimit", "--fsize=2000000:unlimited"});
  world.node.start();
  EXPECT_TRUE(wait_for([&] { return has_event(world.node, "chain_failed"); }, 30s))
      << sync_of(world.node).all << world.node.log();
  const auto stuck = sync_of(world.node);
  EXPECT_EQ(stuck.exit, 1) << stuck.all;
  EXPECT_EQ(stuck.activity, "stalled") << stuck.all;
  EXPECT_NE(json::serialize(stuck.all.at("activity_because")).find("stored"), std::string::npos)
      << stuck.all;
  EXPECT_LT(stuck.height.value_or(0), world.chain->height());
  for (const auto& ip : world.ips) EXPECT_TRUE(world.node.connected_to(ip)) << ip;
  ASSERT_EQ(run({"prlimit", "--pid", std::to_string(world.node.pid()), "--fsize=unlimited"}).status,
            0);
  const auto took = elapsed([&] { world.expect_synced(); });
  std::cout << "in sync " << took.count() << " ms after there was room\n";
  EXPECT_TRUE(has_event(world.node, "chain_recovered"));
  world.stop();
  EXPECT_EQ(wrong_with_chain(world.node), "");
}

void overwrite(const std::string& file, std::size_t at, std::size_t count) {
  auto bytes = slurp(file);
  ASSERT_GT(bytes.size(), at + count);
  for (std::size_t i = 0; i < count; ++i) bytes[at + i] = static_cast<char>((i * 197 + 11) % 251);
  spill(file, bytes);
}

TEST(ChainCrash, ADamagedChainFileIsPutAsideAndTheChainFetchedAgain) {
  World world("127.115.0.", chain_of(kSeed, 1000));
  fill_chain(world.node, kSeed, 1000);
  overwrite(world.file(), 0, 100);
  world.node.start();
  world.expect_synced();
  EXPECT_TRUE(fs::exists(world.file() + ".damaged"));
  EXPECT_TRUE(has_event(world.node, "chain_failed", "put aside") ||
              has_event(world.node, "chain_failed", "kept as"));
  world.stop();
  EXPECT_EQ(wrong_with_chain(world.node), "");
}

// Opening looks at both ends of a chain only, whatever its length: the middle is found out when
// somebody asks for it.
TEST(ChainCrash, DamageInTheMiddleOfTheChainFileIsSaidWhenItIsReadAndTheRestIsServed) {
  constexpr std::size_t kPage = 4096;
  World world("127.116.0.", chain_of(kSeed, 1000));
  fill_chain(world.node, kSeed, 1000);
  overwrite(world.file(), fs::file_size(world.file()) / 2 / kPage * kPage, 20 * kPage);
  ASSERT_NE(wrong_with_chain(world.node), "");
  world.node.start();
  world.expect_synced();
  EXPECT_FALSE(has_event(world.node, "chain_failed"));
  for (std::uint64_t first = 1; first <= 1000; first += 50) {
    world.peers.with(world.ips[first / 50 % 3], [first](test::ScriptedPeer& peer) {
      peer.send(wire::msg::GetBlocks{first, first + 49});
    });
  }
  EXPECT_TRUE(wait_for([&] { return has_event(world.node, "chain_failed", "damaged"); }, 10s))
      << world.node.log();
  for (const auto& ip : world.ips) EXPECT_TRUE(world.node.connected_to(ip)) << ip;
  EXPECT_TRUE(synced(world.node, world.chain));
  world.node.kill9();
  world.node.start();
  EXPECT_TRUE(fs::exists(world.file() + ".damaged")) << "put aside, and fetched again";
  world.expect_synced();
  world.stop();
  EXPECT_EQ(wrong_with_chain(world.node), "");
}

TEST(ChainCrash, WithTheChainOfAnotherNetworkTheNodeRunsAndSaysSo) {
  World world("127.117.0.", chain_of(kSeed, 100));
  test::FillOptions options;
  options.directory = world.node.data_dir();
  options.chain = chain_options(kSeed);
  options.chain.network = wire::Network::mainnet;
  options.count = 10;
  ASSERT_TRUE(test::fill_directory(options));
  const auto before = slurp(world.file());
  world.node.start();
  EXPECT_TRUE(wait_for([&] { return world.node.connections() == 3; }, 10s));
  EXPECT_TRUE(has_event(world.node, "chain_failed", "mainnet")) << world.node.log();
  const auto status = world.node.timectl({"sync", "status"});
  EXPECT_NE(status.status, 0) << status.out;
  EXPECT_NE(status.out.find("runs without a chain"), std::string::npos) << status.out;
  world.stop();
  EXPECT_EQ(slurp(world.file()), before);
  fs::remove(world.file());  // the control: the file alone was the reason
  world.node.start();
  world.expect_synced();
}

}  // namespace
}  // namespace timectl::e2e
