// sync.* over a SyncServices of the test's own, and without a node; and what `status` and
// getnetworkinfo say of the chain. The table of alerts is in tests/daemon/chain_conditions_test.cc.
#include <gtest/gtest.h>

#include "daemon/chain/height_truth.h"
#include "store/chain_file.h"
#include "tests/control/methods_lab.h"

namespace timectl::test {
namespace {

const auto kBerlin = IpAddress::v4(203, 0, 113, 7);

class SyncMethods : public MethodsTest {
 protected:
  // A node whose chain says what the test wants it to say.
  void with_chain() {
    with_node();
    SyncServices sync;
    sync.status = [this] {
      ++asked_;
      auto view = view_;
      view.paused = paused_;
      view.activity = paused_ ? SyncActivity::paused : view_.activity;
      return view;
    };
    sync.peers = [this] { return peers_; };
    sync.forks = [this](std::size_t most) -> Result<std::vector<ForkView>> {
      most_ = most;
      return forks_;
    };
    sync.pause = [this](bool paused, const std::function<void(Result<void>)>& done) {
      ++switched_;
      if (failure_) return done(*failure_);
      paused_ = paused;
      done({});
    };
    sync.accept_fork = [this]() -> Result<ForkView> {
      if (failure_) return *failure_;
      return forks_.at(0);
    };
    methods_->services().sync = std::move(sync);
  }
  void in_sync_at(std::uint64_t height) {
    view_.height = view_.best_height = height;
    view_.lag_blocks = 0;
    view_.tip_at = now_.wall - 5min;
    view_.vouched_by = {kBerlin};
    view_.best_peer = kBerlin;
  }
  static ForkView deep_fork() {
    ForkView fork;
    fork.ancestor_height = 4800;
    fork.branches = {{true, 5000, "aa", "", {}, 0, false},
                     {false, 5012, "bb", "cc", {kBerlin}, 3, true}};
    fork.needs_consent = true;
    fork.needs_because = "200 blocks of ours would go";
    return fork;
  }

  SyncStatusView view_;
  std::vector<SyncPeerView> peers_;
  std::vector<ForkView> forks_;
  std::optional<Error> failure_;
  bool paused_ = false;
  int asked_ = 0;
  int switched_ = 0;
  std::size_t most_ = 0;
};

TEST_F(SyncMethods, StatusHasTheKeysOfTheContractAndUnknownIsNull) {
  with_chain();
  view_.height = 130;
  view_.ground = "only 1 masternode is connected and 2 must agree";
  const auto reply = good("sync.status");
  for (const char* key : {"height", "tip_hash", "best_height", "best_peer", "vouched_by",
                          "lag_blocks", "lag_seconds", "expected_height", "syncing", "paused",
                          "blocks_per_minute", "eta_seconds", "spread_blocks"}) {
    EXPECT_TRUE(reply.as_object().contains(key)) << key;
  }
  EXPECT_EQ(reply.at("height"), 130);
  EXPECT_TRUE(reply.at("best_height").is_null());
  EXPECT_TRUE(reply.at("lag_blocks").is_null()) << "unknown, not 0";
}

TEST_F(SyncMethods, WithoutANodeAndWithoutAChainFileNothingIsKnownAndNothingIsCreated) {
  methods_->services().data_dir = dir_.path();
  now_.wall += 24h * 400;  // after genesis
  const auto files = std::distance(std::filesystem::directory_iterator(dir_.path()), {});
  const auto reply = good("sync.status");
  EXPECT_TRUE(reply.at("height").is_null());
  EXPECT_TRUE(reply.at("best_height").is_null());
  EXPECT_GT(reply.at("expected_height").to_number<std::uint64_t>(), 0U) << "the clock is there";
  EXPECT_NE(reply.at("ground").as_string().find("no node"), std::string::npos);
  EXPECT_TRUE(good("sync.fork").as_array().empty());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir_.path()), {}), files);
  for (const char* name : {"sync.peers", "sync.fork_accept", "sync.pause", "sync.resume"}) {
    EXPECT_EQ(bad(name).code, Code::node_not_running) << name;
  }
}

TEST_F(SyncMethods, WithoutANodeTheStoredChainIsToldWithItsForksAndNothingIsBelieved) {
  methods_->services().data_dir = dir_.path();
  {
    auto file = store::ChainFile::open(dir_.path(), Network::mainnet, store::OpenMode::read_write);
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_TRUE(file->set_paused(true));
    auto over = deep_fork();
    over.resolved_at = now_.wall;
    over.ancestor_height = 4900;
    over.seen_at = now_.wall + 1min;  // the newest, and yet it stands below the open one
    ASSERT_TRUE(file->save_fork(deep_fork()));
    ASSERT_TRUE(file->save_fork(over));
  }
  const auto reply = good("sync.status");
  EXPECT_EQ(reply.at("height"), 0) << "genesis";
  EXPECT_EQ(reply.at("tip_hash").as_string().size(), 64U);
  EXPECT_FALSE(reply.at("tip_at").is_null());
  EXPECT_EQ(reply.at("paused"), true);
  EXPECT_EQ(reply.at("activity"), "paused");
  EXPECT_EQ(reply.at("forks"), 1);
  EXPECT_TRUE(reply.at("best_height").is_null());
  EXPECT_TRUE(reply.at("lag_blocks").is_null());
  const auto forks = good("sync.fork");
  ASSERT_EQ(forks.as_array().size(), 2U);
  EXPECT_EQ(forks.at(0).at("ancestor_height"), 4800) << "the open one first";
  EXPECT_EQ(good("status").at("sync").at("height"), 0);
  EXPECT_EQ(good("status").at("verdict"), "unknown");
}

TEST_F(SyncMethods, WithoutANodeAnotherNetworksChainIsAnErrorAndStatusStaysReadable) {
  methods_->services().data_dir = dir_.path();
  ASSERT_TRUE(store::ChainFile::open(dir_.path(), Network::testnet, store::OpenMode::read_write));
  EXPECT_EQ(bad("sync.status").code, Code::bad_data);
  const auto reply = good("status");
  EXPECT_TRUE(reply.at("sync").at("height").is_null());
  EXPECT_EQ(reply.at("alerts").at(0).at("severity"), "error");
}

TEST_F(SyncMethods, WithoutANodeTheConfigurationsSwitchIsStillTold) {
  methods_->services().data_dir = dir_.path();
  config_.sync.enabled = false;
  config_.sync.in_sync_blocks = 7;
  const auto reply = good("sync.status");
  EXPECT_EQ(reply.at("activity"), "disabled");
  EXPECT_EQ(reply.at("in_sync_blocks"), 7);
}

TEST_F(SyncMethods, ANodeWithoutAChainSaysSoAndTouchesNoFile) {
  with_node();
  methods_->services().data_dir = "/nonexistent";
  EXPECT_TRUE(good("sync.status").at("height").is_null());
  for (const char* name :
       {"sync.peers", "sync.fork", "sync.fork_accept", "sync.pause", "sync.resume"}) {
    EXPECT_EQ(bad(name).code, Code::not_found) << name;
  }
  EXPECT_TRUE(audit().empty());
}

TEST_F(SyncMethods, PeersComeWithTheLegendInTheOrderOfTheStandings) {
  with_chain();
  peers_ = {{kBerlin, "vouches", "+", true, "vouches for 5012", 5012, {}, true, true, ""}};
  const auto reply = good("sync.peers");
  ASSERT_EQ(reply.at("peers").as_array().size(), 1U);
  EXPECT_EQ(reply.at("peers").at(0).at("believed"), true);
  const auto& legend = reply.at("legend").as_array();
  ASSERT_EQ(legend.size(), chain::standing_table().size());
  EXPECT_EQ(legend[0].at("letter"), "*");
  EXPECT_EQ(legend[1].at("state"), "vouches");
}

TEST_F(SyncMethods, ForksAreBoundedByTheLimit) {
  with_chain();
  forks_ = {deep_fork()};
  EXPECT_EQ(good("sync.fork").as_array().size(), 1U);
  EXPECT_EQ(most_, 20U);
  good("sync.fork", json::object{{"limit", 3}});
  EXPECT_EQ(most_, 3U);
  for (const json::value& limit : {json::value(0), json::value(1001)}) {
    EXPECT_EQ(bad("sync.fork", json::object{{"limit", limit}}).code, Code::invalid_argument);
  }
  EXPECT_EQ(most_, 3U) << "a refused limit asks nothing";
}

TEST_F(SyncMethods, PauseAndResumeAreAuditedWithTheUserAndIdempotent) {
  with_chain();
  EXPECT_EQ(good("sync.resume").at("result"), "unchanged");
  EXPECT_EQ(switched_, 0);
  EXPECT_TRUE(audit().empty());
  const auto paused = good("sync.pause");
  EXPECT_EQ(paused.at("result"), "paused");
  EXPECT_EQ(paused.at("paused"), true);
  EXPECT_EQ(paused.at("activity"), "paused");
  EXPECT_TRUE(paused_);
  EXPECT_EQ(good("sync.pause").at("result"), "unchanged");
  EXPECT_EQ(good("sync.resume").at("result"), "resumed");
  EXPECT_FALSE(paused_);
  EXPECT_EQ(switched_, 2);
  ASSERT_EQ(audit().size(), 2U);
  EXPECT_EQ(audit()[0].action, "sync.pause");
  EXPECT_EQ(audit()[0].user, "alice");
  EXPECT_EQ(audit()[0].before, R"({"paused":false})");
  EXPECT_EQ(audit()[0].after, R"({"paused":true})");
  EXPECT_EQ(audit()[1].action, "sync.resume");
}

TEST_F(SyncMethods, APauseThatFailsLeavesARowThatSaysSo) {
  with_chain();
  failure_ = Error{Code::database_full, "the disk is full"};
  EXPECT_EQ(bad("sync.pause").code, Code::database_full);
  EXPECT_FALSE(paused_);
  ASSERT_EQ(audit().size(), 2U);
  EXPECT_EQ(audit()[0].result, "ok") << "what was begun";
  EXPECT_EQ(audit()[1].result, "failed");
  EXPECT_EQ(audit()[1].reason, "the disk is full");
}

TEST_F(SyncMethods, OnlyTheGroupOfTheSocketReadsAndOnlyTheOwnerChanges) {
  with_chain();
  actor_.uid = ::getuid() + 1;
  actor_.groups = {4242};
  EXPECT_TRUE(call("sync.status"));
  EXPECT_TRUE(call("sync.peers"));
  EXPECT_TRUE(call("sync.fork"));
  for (const char* name : {"sync.pause", "sync.resume", "sync.fork_accept"}) {
    EXPECT_EQ(bad(name).code, Code::access_denied) << name;
  }
  EXPECT_EQ(switched_, 0);
}

TEST_F(SyncMethods, AcceptTakesAnOpenForkThatWaitsAndNoOther) {
  with_chain();
  EXPECT_EQ(bad("sync.fork_accept").code, Code::not_found);
  forks_ = {deep_fork()};
  forks_[0].needs_consent = false;
  EXPECT_EQ(bad("sync.fork_accept").code, Code::not_found) << "the node does it by itself";
  forks_ = {deep_fork()};
  forks_[0].resolved_at = now_.wall;
  EXPECT_EQ(bad("sync.fork_accept").code, Code::not_found) << "it is over";
  EXPECT_TRUE(audit().empty());
  forks_ = {deep_fork()};
  EXPECT_EQ(good("sync.fork_accept").at("ancestor_height"), 4800);
  ASSERT_EQ(audit().size(), 1U);
  EXPECT_EQ(audit()[0].action, "sync.fork_accept");
  EXPECT_EQ(audit()[0].subject, "fork above height 4800");
  EXPECT_EQ(audit()[0].before, R"({"tip_height":5000,"tip_hash":"aa"})");
  EXPECT_EQ(audit()[0].after, R"({"tip_height":5012,"tip_hash":"bb"})");
  failure_ = Error{Code::busy, "a branch is being taken already"};
  EXPECT_EQ(bad("sync.fork_accept").code, Code::busy);
  EXPECT_EQ(audit().back().result, "failed");
}

TEST_F(SyncMethods, NodeStatusIsOkInSyncAndDegradedFarBehind) {
  with_chain();
  add({"203.0.113.7"});
  connect(kBerlin);
  in_sync_at(5012);
  auto reply = good("status");
  EXPECT_EQ(reply.at("verdict"), "ok");
  EXPECT_EQ(reply.at("sync").at("verdict"), "in_sync");
  EXPECT_EQ(reply.at("sync").at("lag_blocks"), 0);
  EXPECT_TRUE(reply.at("alerts").as_array().empty());
  view_.height = 4900;
  view_.lag_blocks = 112;
  view_.activity = SyncActivity::syncing;
  reply = good("status");
  EXPECT_EQ(reply.at("verdict"), "degraded");
  EXPECT_EQ(reply.at("next_command"), "timectl sync status");
  EXPECT_EQ(reply.at("sync").at("activity"), "syncing");
  ASSERT_EQ(reply.at("alerts").as_array().size(), 1U);
  EXPECT_EQ(reply.at("alerts").at(0).at("severity"), "warning");
  EXPECT_NE(reply.at("summary").as_string().find("behind by 112 blocks"), std::string::npos);
}

TEST_F(SyncMethods, NodeStatusSaysNothingOfLagWhileNoHeightIsBelieved) {
  with_chain();
  add({"203.0.113.7"});
  connect(kBerlin);
  view_.height = 130;
  view_.tip_at = now_.wall - 24h * 30;
  view_.claimed_height = 5012;
  view_.ground = "1 masternode is connected and 2 must agree";
  const auto reply = good("status");
  EXPECT_EQ(reply.at("verdict"), "ok");
  EXPECT_TRUE(reply.at("alerts").as_array().empty());
  EXPECT_TRUE(reply.at("sync").at("lag_blocks").is_null());
  EXPECT_EQ(reply.at("sync").at("verdict"), "unknown");
}

TEST_F(SyncMethods, AWarningOfTheChainDoesNotMakeALostMasternodeHarmless) {
  with_chain();
  add({"203.0.113.7"});
  in_sync_at(5012);
  view_.height = 4000;
  view_.lag_blocks = 1012;
  const auto reply = good("status");
  EXPECT_EQ(reply.at("verdict"), "critical");
  EXPECT_EQ(reply.at("next_command"), "timectl peer show 203.0.113.7");
  ASSERT_EQ(reply.at("alerts").as_array().size(), 1U) << "the others follow from it";
  EXPECT_EQ(reply.at("alerts").at(0).at("rule"), "no_masternode");
}

TEST_F(SyncMethods, NodeStatusLooksForForksOnlyWhereOneIsOpen) {
  with_chain();
  add({"203.0.113.7"});
  connect(kBerlin);
  in_sync_at(5000);
  forks_ = {deep_fork()};
  EXPECT_EQ(good("status").at("verdict"), "ok");
  EXPECT_EQ(most_, 0U);
  view_.forks = 1;
  const auto reply = good("status");
  EXPECT_EQ(reply.at("verdict"), "degraded");
  EXPECT_EQ(reply.at("next_command"), "timectl sync fork") << "it waits for the operator";
  EXPECT_EQ(most_, 10U);
}

TEST_F(SyncMethods, NodeInfoTellsTheHeightsAndTheFirstThatVouches) {
  with_chain();
  in_sync_at(5012);
  const auto info = good("getnetworkinfo").at("sync_status");
  EXPECT_EQ(info.at("height"), 5012);
  EXPECT_EQ(info.at("best_peer"), "203.0.113.7");
  EXPECT_EQ(info.at("best_height"), 5012);
  EXPECT_EQ(info.at("syncing"), false);
}

struct VerdictCase {
  const char* what;
  std::optional<std::uint64_t> height, best, lag, claimed;
  control::SyncVerdict verdict;
};

TEST(SyncVerdict, InSyncIsNeverSaidWhereMoreIsClaimedThanCountsAsNone) {
  using enum control::SyncVerdict;
  for (const auto& row : std::vector<VerdictCase>{{"level", 10, 10, 0, {}, in_sync},
                                                  {"two below", 8, 10, 2, {}, in_sync},
                                                  {"three below", 7, 10, 3, {}, behind},
                                                  {"a claim of two", 10, 10, 0, 12, in_sync},
                                                  {"a claim of three", 10, 10, 0, 13, unproven},
                                                  {"behind and a claim", 1, 10, 9, 13, behind},
                                                  {"an old claim", 10, 10, 0, 4, in_sync},
                                                  {"no best height", 10, {}, {}, 13, unknown},
                                                  {"no lag", 10, 10, {}, {}, unknown},
                                                  {"no chain", {}, 10, {}, {}, unknown},
                                                  {"nothing", {}, {}, {}, {}, unknown}}) {
    SyncStatusView view;
    view.height = row.height;
    view.best_height = row.best;
    view.lag_blocks = row.lag;
    view.claimed_height = row.claimed;
    EXPECT_EQ(control::verdict_of(view), row.verdict) << row.what;
  }
}

}  // namespace
}  // namespace timectl::test
