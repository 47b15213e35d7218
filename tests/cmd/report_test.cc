// The report, the score and the past, for people at 80 columns and of the real binary on a database
// that the test fills. Golden files are rewritten by TIMECTL_REWRITE_GOLDEN=1.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include "cmd/report_text.h"
#include "cmd/score_text.h"
#include "cmd/table.h"
#include "daemon/core/json.h"
#include "store/peer_history.h"
#include "store/samples.h"
#include "tests/cmd/command.h"
#include "tests/cmd/sync_lab.h"
#include "tests/paths.h"

namespace timectl::cmd {
namespace {

constexpr double kDay = 86'400;

void compare(const std::string& name, const std::string& seen) {
  const std::string path = std::string(TIMECTL_SOURCE_DIR) + "/tests/cmd/golden/" + name + ".txt";
  if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << seen;
  }
  std::ifstream in(path, std::ios::binary);
  std::stringstream wanted;
  wanted << in.rdbuf();
  EXPECT_EQ(wanted.str(), seen) << "if this is right: TIMECTL_REWRITE_GOLDEN=1 cmd_test";
}

void expect_within(const std::string& text, std::size_t width) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), width) << line;
}

observe::ReportView some_report() {
  observe::ReportInput input{.since = kNow - 24h, .until = kNow};
  PeerSample good;
  good.ip = masternode(7);
  good.seconds = good.connected_seconds = good.whitelisted_seconds = kDay;
  good.rtt_ms_mean = 42.25;
  good.score = 97.5;
  PeerSample bad = good;
  bad.ip = masternode(8);
  bad.connected_seconds = kDay * 0.99 - 600;
  bad.own_outage_seconds = 600;
  bad.disconnects = 3;
  bad.missed_pongs = 17;
  bad.score = 61.25;
  input.peers = {good, bad};
  input.whitelisted = {masternode(7), masternode(8), masternode(9)};
  input.labels = {{masternode(7), "berlin"}, {masternode(8), "ham|burg"}};
  NodeSample node;
  node.seconds = kDay - 3600;
  node.own_outage_seconds = 600;
  node.lag_max = 4;
  node.syncing_seconds = 300;
  node.blocks_syncing = 744;
  input.node = node;
  input.forks.emplace();
  return make_report(input);
}

TEST(Report, FitsEightyColumnsWithTheVerdictFirstAndTheWorstNamed) {
  const auto text = report_text(at_80_columns(), some_report());
  expect_within(text, kWidth);
  EXPECT_EQ(text.find("2 of 7 targets met"), 0U) << text;
  EXPECT_LT(text.find("203.0.113.8"), text.find("203.0.113.7")) << text;
  const auto calm = report_text(at_80_columns(), observe::make_report({}));
  EXPECT_EQ(calm.find("nothing was measured"), 0U) << calm;
  compare("report", text + "\n# markdown\n" + report_markdown(some_report()) +
                        "\n# nothing measured\n" + calm);
}

TEST(Report, AMissByALittleIsNotShownAsMet) {
  observe::ReportInput input{.since = kNow - 24h, .until = kNow};
  PeerSample sample;
  sample.ip = masternode(7);
  sample.seconds = sample.whitelisted_seconds = kDay;
  sample.connected_seconds = kDay * 0.9989999;
  input.peers = {sample};
  const auto text = report_text(at_80_columns(), make_report(input));
  EXPECT_NE(text.find("99.899 %"), std::string::npos) << text;
  EXPECT_EQ(text.find("99.900 %"), std::string::npos) << text;
}

TEST(Report, ALabelCannotBreakTheMarkdownTable) {
  const auto text = report_markdown(some_report());
  EXPECT_NE(text.find("ham\\|burg"), std::string::npos) << text;
}

control::PeerScoreReply some_score() {
  const ScorePolicy policy;
  Score score;
  const auto at = kNow - 10min;
  score.note(ScoreEvidence::presence(at, 24h * 7, 2h), policy);
  score.note(ScoreEvidence::pings(at, 20'000, 60), policy);
  score.note(ScoreEvidence::behind(at, 3), policy);
  score.note(ScoreEvidence::ended(at, EndReason::closed_by_peer), policy);
  score.note(ScoreEvidence::violated(at, ViolationKind::flood), policy);
  score.note(ScoreEvidence::misled(at, ChainMisconduct::implausible_height), policy);
  control::PeerScoreReply reply;
  static_cast<ScoreView&>(reply) = score.view(policy, kNow);
  reply.ip = masternode(7);
  reply.label = "berlin";
  reply.whitelisted = true;
  reply.since = score.state().at;
  return reply;
}

TEST(PeerScore, FitsEightyColumnsAndSaysEachPart) {
  const auto reply = some_score();
  const auto text = score_text(at_80_columns(), reply);
  expect_within(text, kWidth);
  for (const auto& part : reply.parts) {
    EXPECT_NE(text.find("\n" + part.name + " "), std::string::npos) << part.name << text;
  }
  control::PeerScoreReply fresh;
  static_cast<ScoreView&>(fresh) = Score().view(ScorePolicy{}, kNow);
  fresh.ip = six("2001:db8:1111:2222:3333:4444:5555:6666");
  expect_within(score_text(at_80_columns(), fresh), kWidth);
  compare("score", text + "\n# nothing noted\n" + score_text(at_80_columns(), fresh));
}

// The tenths as printed, whatever was rounded.
TEST(PeerScore, WhatIsPrintedAddsUp) {
  auto reply = some_score();
  for (int turn = 0; turn < 50; ++turn) {
    reply.parts[static_cast<std::size_t>(turn) % reply.parts.size()].penalty += 0.037;
    const auto text = score_text(at_80_columns(), reply);
    const std::regex lost(R"(-(\d+\.\d) of)");
    double sum = 0;
    for (auto at = std::sregex_iterator(text.begin(), text.end(), lost);
         at != std::sregex_iterator(); ++at) {
      sum += std::stod((*at)[1]);
    }
    std::smatch total;
    ASSERT_TRUE(std::regex_search(text, total, std::regex(R"(100 - (\d+\.\d) = (\d+\.\d))")));
    EXPECT_NEAR(std::stod(total[1]), sum, 1e-9) << text;
    EXPECT_NEAR(std::stod(total[2]), 100 - sum, 1e-9) << text;
  }
}

// The real binary, on a database that a node could have left behind.
class Past : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(
        sandbox_.run({"--data-dir", dir(), "whitelist", "add", "203.0.113.7", "--label", "berlin"})
            .status,
        0);
    auto lock = store::StateLock::try_acquire(dir(), "report_test");
    ASSERT_TRUE(lock);
    auto database = store::Database::open(std::move(*lock), store::OpenMode::read_write);
    ASSERT_TRUE(database);
    NodeSample node;
    node.at = step_of(SampleStep::five_minutes, at_);
    node.seconds = 300;
    node.whitelisted = 2;
    node.height = 5000;
    node.best_height = 5012;
    node.lag_max = 12;
    node.spread_max = 3;
    PeerSample up;
    up.ip = masternode(7);
    up.at = node.at;
    up.seconds = up.connected_seconds = up.whitelisted_seconds = 300;
    up.pings = 10;
    up.missed_pongs = 1;
    up.state = PeerState::connected;
    up.height = 5012;
    up.score = 88.5;
    PeerSample down = up;
    down.ip = masternode(8);
    down.connected_seconds = 0;
    down.pings = down.missed_pongs = 0;
    down.state = PeerState::backoff;
    SessionRecord session;
    session.ip = up.ip;
    session.whitelisted = true;
    session.started_at = at_ - 90min;
    session.ended_at = at_ + 10min;
    ASSERT_TRUE(store::append_history(*database, std::vector{session}, {}));
    ASSERT_TRUE(store::put_samples(*database, std::vector{up, down}, node, {}));
  }
  [[nodiscard]] std::string dir() const { return sandbox_.directory() + "/state"; }
  testing::Ran run(std::vector<std::string> words) {
    words.insert(words.begin(), {"--utc", "--data-dir", dir()});
    return sandbox_.run(words);
  }
  json::value data(std::vector<std::string> words) {
    words.emplace_back("--json");
    const auto ran = run(words);
    EXPECT_NE(ran.out, "") << ran.err;
    return ran.out.empty() ? json::value() : json::parse(ran.out).at("data");
  }

  testing::Sandbox sandbox_;
  // Some days ago, in the middle of a step.
  const WallTime at_ =
      step_of(SampleStep::five_minutes, std::chrono::time_point_cast<std::chrono::milliseconds>(
                                            std::chrono::system_clock::now()) -
                                            24h * 3) +
      2min;
};

TEST_F(Past, PeerListSaysAsOfWhenAndFromWhichSample) {
  const auto ran = run({"peer", "list", "--at", rfc3339(at_)});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out.find("as of "), 0U) << ran.out;
  EXPECT_NE(ran.out.find("from the 5 min that began at"), std::string::npos) << ran.out;
  const auto rows = data({"peer", "list", "--at", rfc3339(at_)});
  ASSERT_EQ(rows.as_array().size(), 2U);
  EXPECT_EQ(rows.at(0).at("state").as_string(), "connected");
  EXPECT_EQ(rows.at(0).at("label").as_string(), "berlin");
  EXPECT_EQ(rows.at(0).at("connected_at").as_string(), rfc3339(at_ - 90min));
  EXPECT_EQ(rows.at(0).at("loss"), 0.1);
  EXPECT_EQ(rows.at(0).at("missed_pongs"), nullptr) << "unknown is null";
  EXPECT_EQ(rows.at(1).at("state").as_string(), "backoff");
  EXPECT_EQ(rows.at(1).at("connected_at"), nullptr);
  EXPECT_EQ(data({"peer", "list", "--at", rfc3339(at_), "--connected"}).as_array().size(), 1U);
}

TEST_F(Past, StatusHasTheVerdictOfThen) {
  const auto ran = run({"status", "--at", rfc3339(at_)});
  EXPECT_EQ(ran.status, 1) << ran.out << ran.err;
  EXPECT_EQ(ran.out.find("as of "), 0U) << ran.out;
  EXPECT_NE(ran.out.find("1 of 2 whitelisted masternodes were connected"), std::string::npos);
  const auto status = data({"status", "--at", rfc3339(at_)});
  EXPECT_EQ(status.at("verdict").as_string(), "degraded");
  EXPECT_EQ(status.at("sync").at("lag_blocks"), 12);
  EXPECT_EQ(status.at("slots"), nullptr);
  EXPECT_EQ(status.at("masternodes").at("down").at(0).at("ip").as_string(), "203.0.113.8");
}

TEST_F(Past, ATimeOfWhichNothingIsKnownIsNotFoundAndTheFutureIsABadArgument) {
  const auto before = run({"status", "--at", rfc3339(at_ - 24h)});
  EXPECT_EQ(before.status, 66) << before.out;
  EXPECT_NE(before.err.find("the history begins at"), std::string::npos) << before.err;
  const auto gap = run({"peer", "list", "--at", rfc3339(at_ + 1h)});
  EXPECT_EQ(gap.status, 66) << gap.out;
  EXPECT_NE(gap.err.find("no node ran then"), std::string::npos) << gap.err;
  const auto future = run({"status", "--at", "2199-01-01T00:00:00Z"});
  EXPECT_EQ(future.status, 64) << future.out;
  EXPECT_NE(future.err.find("has not come yet"), std::string::npos) << future.err;
  const auto bad = run({"peer", "list", "--at", "yesterday"});
  EXPECT_EQ(bad.status, 64);
  EXPECT_NE(bad.err.find("--at 7d"), std::string::npos) << bad.err;
  EXPECT_EQ(run({"peer", "list", "--at", "2h", "--banned"}).status, 64);
}

TEST_F(Past, AgoIsUnderstood) {
  EXPECT_EQ(run({"peer", "list", "--at", "4260m ago"}).status, 66) << "understood, not found";
  EXPECT_EQ(run({"peer", "list", "--at", "soon ago"}).status, 64);
}

TEST_F(Past, ReportHasTheFiguresOfTheSamplesAndItsExitStatus) {
  const auto ran = run({"report", "--since", "7d"});
  EXPECT_EQ(ran.status, 1) << ran.out << ran.err;
  const auto view = data({"report", "--since", "7d"});
  EXPECT_EQ(view.at("observed_seconds").to_number<int>(), 300);
  const auto& nodes = view.at("masternodes").as_array();
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[0].at("ip").as_string(), "203.0.113.8");
  EXPECT_EQ(nodes[0].at("uptime_ratio").to_number<double>(), 0);
  EXPECT_EQ(nodes[1].at("missed_pongs"), 1);
  for (const auto& target : view.at("targets").as_array()) {
    for (const char* key : {"name", "target", "measured", "met"}) {
      EXPECT_TRUE(target.as_object().contains(key)) << key;
    }
  }
  EXPECT_EQ(run({"report", "--since", "1h"}).status, 3) << "no node ran in the last hour";
  const auto markdown = run({"report", "--since", "7d", "--format", "markdown"});
  EXPECT_EQ(markdown.out.find("# timectl report\n"), 0U) << markdown.out;
  EXPECT_EQ(run({"report", "--format", "html"}).status, 64);
}

TEST_F(Past, ScoreOfAStrangerIsNotFoundAndAMasternodeWithoutEvidenceIsNeutral) {
  EXPECT_EQ(run({"peer", "score", "198.51.100.1"}).status, 66);
  const auto reply = data({"peer", "score", "berlin"});
  EXPECT_EQ(reply.at("ip").as_string(), "203.0.113.7");
  double lost = 0;
  for (const auto& part : reply.at("parts").as_array())
    lost += part.at("penalty").to_number<double>();
  EXPECT_NEAR(reply.at("score").to_number<double>(), 100 - lost, 1e-9);
  EXPECT_EQ(run({"whitelist", "suggest"}).status, 0);
  EXPECT_EQ(run({"whitelist", "suggest"}).out, "no peer is suggested\n");
}

// Passive, so that no socket of the network is opened.
TEST(ReportOfANode, AllThreeAreAnsweredByIt) {
  testing::Sandbox sandbox;
  ASSERT_EQ(sandbox.run({"node", "start", "--passive"}).status, 0);
  EXPECT_EQ(sandbox.run({"whitelist", "add", "203.0.113.7"}).status, 0);
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"report"}, {"peer", "score", "203.0.113.7"}, {"whitelist", "suggest"}}) {
    auto all = words;
    all.emplace_back("--json");
    const auto ran = sandbox.run(all);
    ASSERT_NE(ran.out, "") << words[0] << ran.err;
    EXPECT_EQ(json::parse(ran.out).at("source").as_string(), "node") << ran.out;
  }
  EXPECT_EQ(sandbox.run({"status", "--at", "24h"}).status, 66);
  EXPECT_EQ(sandbox.run({"node", "stop"}).status, 0);
}

}  // namespace
}  // namespace timectl::cmd
