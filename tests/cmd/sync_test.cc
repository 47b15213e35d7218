// What `timectl sync` prints for a table of views, ugly ones among them, compared with
// golden/sync_*.txt (TIMECTL_REWRITE_GOLDEN=1 rewrites them), and the command itself without a
// node.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cmd/sync_text.h"
#include "cmd/sync_verdict.h"
#include "cmd/table.h"
#include "daemon/chain/height_truth.h"
#include "tests/cmd/command.h"
#include "tests/cmd/sync_lab.h"
#include "tests/paths.h"

namespace timectl::cmd {
namespace {

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::vector<SyncLegendView> legend() {
  std::vector<SyncLegendView> rows;
  for (const auto& row : chain::standing_table()) {
    rows.push_back(
        {std::string(1, row.letter), std::string(name_of(row.standing)), std::string(row.meaning)});
  }
  return rows;
}

SyncPeerView peer(const IpAddress& ip, chain::PeerStanding standing, const std::string& why,
                  std::optional<std::uint64_t> height) {
  SyncPeerView view;
  view.ip = ip;
  view.state = name_of(standing);
  for (const auto& row : chain::standing_table()) {
    if (row.standing == standing) view.letter = std::string(1, row.letter);
  }
  view.why = why;
  view.height = height;
  return view;
}
SyncPeerView witness(std::uint8_t last, chain::PeerStanding standing, const std::string& why) {
  auto view = peer(masternode(last), standing, why, 5012);
  view.masternode = view.believed = true;
  view.served = 5010;
  view.hash_agrees = true;
  return view;
}

ForkView fork_at(std::uint64_t ancestor, std::uint64_t ours, std::uint64_t theirs) {
  ForkView fork;
  fork.ancestor_height = ancestor;
  fork.seen_at = kNow - 12min;
  fork.branches = {{true, ancestor + ours, kHash, "", {masternode(7)}, 1, false},
                   {false,
                    ancestor + theirs,
                    "b" + kHash.substr(1),
                    "c" + kHash.substr(1),
                    {masternode(8), masternode(9), masternode(10), regular(1), regular(2)},
                    3,
                    true}};
  return fork;
}

// Pages one after the other, each under its title; no line of any may be wider than the terminal.
class SyncPages : public ::testing::Test {
 protected:
  void put(const std::string& title, const std::string& page) {
    seen_ += "=== " + title + "\n" + page + "\n";
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(display_width(line), kWidth) << title << ": " << line;
      EXPECT_EQ(line.find('\x1b'), std::string::npos) << title << ": " << line;
    }
  }
  void status(const std::string& title, const SyncStatusView& view, bool live = true) {
    put("status, exit " + std::to_string(exit_of(control::verdict_of(view))) + ": " + title,
        status_page(out_, view, live));
  }
  void compare(const std::string& name) const {
    const std::string path = std::string(TIMECTL_SOURCE_DIR) + "/tests/cmd/golden/" + name;
    if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) {
      std::ofstream(path, std::ios::binary) << seen_;
    }
    std::ifstream in(path, std::ios::binary);
    std::stringstream wanted;
    wanted << in.rdbuf();
    EXPECT_EQ(wanted.str(), seen_) << "if this is right: TIMECTL_REWRITE_GOLDEN=1 cmd_test";
  }
  Output out_ = at_80_columns();
  std::string seen_;
};

TEST_F(SyncPages, StatusReadsAsItShould) {
  status("in sync", level(5012));
  auto view = level(5012);
  view.height = 5011;
  view.lag_blocks = 1;
  view.lag_seconds = 600;
  status("a block has just come", view);
  view = lagging(130, 5000, SyncActivity::syncing);
  view.blocks_per_minute = 310;
  view.eta_seconds = 943;
  status("syncing", view);
  view.blocks_per_minute.reset();
  view.eta_seconds.reset();
  status("syncing, speed not known yet", view);
  view = lagging(130, 5000, SyncActivity::stalled);
  view.activity_because = "no block for 40 s, 3 sources tried";
  status("stalled", view);
  status("paused", lagging(130, 5000, SyncActivity::paused));
  view = lagging(130, 5000, SyncActivity::disabled);
  view.activity_because = "sync.enabled is false";
  status("switched off", view);
  view = lagging(130, 5000, SyncActivity::waiting);
  view.activity_because = "every masternode is at 130 or below";
  status("waiting", view);
  view = level(5012);
  view.claimed_height = 5100;
  view.spread_blocks = 88;
  view.expected_height = 5100;
  status("level, but one masternode claims more", view);
  view = SyncStatusView{};
  view.height = 130;
  view.tip_hash = kHash;
  view.tip_at = kNow - 24h * 34;
  view.expected_height = 5013;
  view.masternodes = 1;
  view.claimed_height = 5012;
  view.ground = "only 1 masternode is connected and 2 must agree";
  status("unknown: one masternode", view);
  view.activity = SyncActivity::syncing;
  view.blocks_per_minute = 310;
  status("unknown: one masternode, and yet it fetches", view);
  view.activity = SyncActivity::idle;
  view.masternodes = 0;
  view.claimed_height.reset();
  view.ground = "no masternode is connected";
  status("unknown: nobody", view);
  compare("sync_status.txt");
}

TEST_F(SyncPages, StatusOfOddTimesReadsAsItShould) {
  auto view = level(5012);
  view.network_stalled = true;
  view.tip_at = kNow - 24h;
  view.expected_height = 5156;
  status("the network stands still", view);
  view = level(5012);
  view.clock_doubted = true;
  view.expected_height = 4000;
  view.tip_at = kNow + 24h * 7;
  status("our clock is slow", view);
  view = level(5012);
  view.forks = 1;
  status("a fork is open", view);
  view = level(5012);
  view.vouched_by.clear();
  view.ground = "believed 4 min ago, and nothing contradicts";
  status("held", view);
  view = level(18'446'744'073'709'551'615U);
  view.height = 0;
  view.lag_blocks = view.best_height;
  view.lag_seconds = 1.1e22;
  view.activity = SyncActivity::syncing;
  view.blocks_per_minute = 0.04;
  view.eta_seconds = 1e25;
  for (int i = 0; i < 120; ++i) view.vouched_by.push_back(regular(static_cast<std::uint8_t>(i)));
  view.ground = std::string("\x1b[2J") + std::string(60, 'w') + repeated(" and on", 60);
  status("absurd numbers, an escape and an endless clause", view);
  view = SyncStatusView{};
  view.height = 130;
  view.tip_hash = kHash;
  view.tip_at = kNow - 24h * 34;
  view.expected_height = 5013;
  view.ground = "no node is running, so nobody vouches for a height";
  status("no node", view, false);
  view.paused = true;
  view.activity = SyncActivity::paused;
  view.forks = 2;
  status("no node, paused, forks", view, false);
  view = SyncStatusView{};
  view.expected_height = 5013;
  view.ground = "no node is running, so nobody vouches for a height";
  status("no node, no chain", view, false);
  compare("sync_status_odd.txt");
}

TEST_F(SyncPages, PeersReadAsTheyShould) {
  using enum chain::PeerStanding;
  put("peers: nobody", peers_page(out_, {{}, legend()}));
  control::SyncPeersReply reply{{}, legend()};
  auto row = witness(7, chosen, "vouches for 5012");
  reply.peers.push_back(row);
  reply.peers.push_back(witness(8, vouches, "vouches for 5012"));
  row = witness(9, unsteady, "its height fell 3 times, last from 5012 to 4805");
  row.believed = false;
  reply.peers.push_back(row);
  row = witness(10, other_branch, "another hash at the believed height 5012");
  row.believed = row.masternode = false;
  row.hash_agrees = false;
  row.served.reset();
  reply.peers.push_back(row);
  row = peer(regular(3), behind, "207 behind, a regular peer", 4805);
  row.served = 4805;
  row.left_because = "two answers were late, asked again in 5 min";
  reply.peers.push_back(row);
  reply.peers.push_back(peer(regular(4), implausible,
                             "9223372036854770794 above the clock-derived maximum 5014",
                             9'223'372'036'854'775'808U));
  reply.peers.push_back(peer(regular(5), silent, "no height told, a regular peer", {}));
  put("peers: all kinds", peers_page(out_, reply));
  for (const char* text : {"2001:db8::1", "2001:db8:1234:5678::1"}) {
    reply.peers.push_back(peer(six(text), ahead, "88 above the believed height", 5100));
  }
  put("peers: IPv6", peers_page(out_, reply));
  reply.peers.push_back(peer(six("2001:db8:1234:5678:9abc:def0:1234:5678"), ahead,
                             "a clause without an end\x1b[2J\n" + repeated(" y", 300), 5100));
  put("peers: a long address and a long why", peers_page(out_, reply));
  compare("sync_peers.txt");
}

TEST_F(SyncPages, A125PeersAreOneLineEach) {
  control::SyncPeersReply reply{{}, legend()};
  for (std::uint8_t i = 0; i < 125; ++i) {
    reply.peers.push_back(peer(regular(i), chain::PeerStanding::behind, "3 behind", 5009));
  }
  const auto page = peers_page(out_, reply);
  EXPECT_EQ(std::count(page.begin(), page.end(), '\n'), 1 + 1 + 1 + 125 + 1 + 1) << page;
  EXPECT_NE(page.find("0 masternodes and 125 regular peers"), std::string::npos);
}

TEST_F(SyncPages, ForksReadAsTheyShould) {
  put("fork: none", forks_page(out_, {}, true));
  put("fork: none, no node", forks_page(out_, {}, false));
  auto resolved = fork_at(3000, 2, 4);
  resolved.seen_at = kNow - 49h;
  resolved.resolved_at = kNow - 48h;
  resolved.resolution = "switched to the majority's branch; 2 blocks of ours are kept aside";
  auto open = fork_at(4980, 10, 32);
  put("fork: open, by itself", forks_page(out_, {resolved, open}, true));
  auto deep = fork_at(4800, 200, 212);
  deep.needs_consent = true;
  deep.needs_because = "200 blocks of ours would go, and by itself a node replaces at most 100";
  put("fork: needs the operator", forks_page(out_, {deep, resolved}, true));
  put("fork: accepted", accepted_page(out_, deep));
  auto split = open;
  split.branches[1].majority = false;
  put("fork: nobody has a majority", forks_page(out_, {split}, true));
  split.needs_consent = true;
  split.needs_because = "200 blocks of ours would go";
  put("fork: needs the operator, nobody has a majority", forks_page(out_, {split}, true));
  split.needs_consent = false;
  auto with_us = split;
  with_us.branches[0].majority = true;
  put("fork: most are with us", forks_page(out_, {with_us}, true));
  auto ugly = fork_at(0, 0, 18'446'744'073'709'551'615U);
  ugly.branches[1].peers.clear();
  for (std::uint16_t i = 0; i < 125; ++i) {
    ugly.branches[1].peers.push_back(six("2001:db8:1234:5678:9abc:def0:1234:" + std::to_string(i)));
  }
  ugly.branches[0].tip_hash.clear();
  ugly.needs_consent = true;
  ugly.needs_because = "\x1b[2J" + repeated(" and on", 60);
  put("fork: ugly", forks_page(out_, {ugly}, true));
  put("fork: resolved only", forks_page(out_, {resolved}, true));
  compare("sync_fork.txt");
}

TEST(SyncNext, EveryActivityHasACommandAndInSyncHasNone) {
  EXPECT_EQ(next_command(level(5012), true), "");
  EXPECT_EQ(next_command(level(5012), false), "timectl node start");
  for (const auto& row : activity_table()) {
    EXPECT_NE(next_command(lagging(130, 5000, row.activity), true), "") << row.phrase;
    EXPECT_EQ(&activity_row(row.activity), &row);
  }
  EXPECT_EQ(next_command(lagging(130, 5000, SyncActivity::paused), true), "timectl sync resume");
}

TEST(SyncAbout, DurationsAreRoundedToWhatIsKnown) {
  EXPECT_EQ(about(0), "1 s");
  EXPECT_EQ(about(40.4), "40 s");
  EXPECT_EQ(about(943), "16 min");
  EXPECT_EQ(about(3 * 3600 + 23 * 60), "3 h 20 min");
  EXPECT_EQ(about(4870.0 * 600), "33 d 19 h");
  EXPECT_EQ(about(1e30), "a very long time");
  EXPECT_EQ(about(std::numeric_limits<double>::quiet_NaN()), "a very long time");
  EXPECT_EQ(rate_text(1.44), "1.4 blocks/min");
  EXPECT_EQ(rate_text(3105.7), "3,106 blocks/min");
}

TEST(SyncCommand, WithoutANodeTheExitStatusesAreThoseOfTheContract) {
  const timectl::testing::Sandbox sandbox;
  const auto status = sandbox.run({"sync", "status"});
  EXPECT_EQ(status.status, 3) << status.err;
  EXPECT_TRUE(status.out.starts_with("best height unknown: no node is running")) << status.out;
  EXPECT_NE(status.out.find("Next: timectl node start"), std::string::npos) << status.out;
  const auto json = sandbox.run({"sync", "status", "--json"});
  EXPECT_EQ(json.status, 3);
  EXPECT_NE(json.out.find("\"schema\":\"timectl.sync.status/1\""), std::string::npos);
  EXPECT_NE(json.out.find("\"height\":null"), std::string::npos) << json.out;
  EXPECT_EQ(sandbox.run({"sync", "fork"}).status, 0);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"sync", "watch"},
                                                {"sync", "watch", "--until-synced"},
                                                {"sync", "peers"},
                                                {"sync", "pause"},
                                                {"sync", "resume"},
                                                {"sync", "fork", "--accept"}}) {
    const auto ran = sandbox.run(words);
    EXPECT_EQ(ran.status, 69) << words.back() << ran.err;
    EXPECT_NE(ran.err.find("TC-NODE-001"), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
  EXPECT_EQ(sandbox.run({"sync"}).status, 64);
  EXPECT_EQ(sandbox.run({"sync", "fork", "--limit", "many"}).status, 64);
}

}  // namespace
}  // namespace timectl::cmd
