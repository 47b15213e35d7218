// `timectl diagnose`, `diagnose peer`, `diagnose node` and `diagnose facts` as a program: pages,
// documents, exit statuses. The facts are those of the acceptance scenarios (tests/fuzz/corpus).
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "cmd/table.h"
#include "tests/cmd/command.h"
#include "tests/paths.h"

namespace timectl::testing {
namespace {

namespace json = boost::json;

const std::string kFacts = std::string(TIMECTL_SOURCE_DIR) + "/tests/fuzz/corpus/facts/";
const char* const kNobody = "127.77.3.9";  // nothing listens there

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// TIMECTL_REWRITE_GOLDEN=1 rewrites the file.
void compare(const std::string& name, const std::string& seen) {
  const std::string path = std::string(TIMECTL_SOURCE_DIR) + "/tests/cmd/golden/" + name + ".txt";
  if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << seen;
  }
  EXPECT_EQ(read(path), seen) << "if this is right: TIMECTL_REWRITE_GOLDEN=1 cmd_test";
}

std::string typed(const Sandbox& box, const std::string& scenario, const std::string& more = "") {
  std::vector<std::string> words{"diagnose", "facts", kFacts + scenario};
  if (!more.empty()) words.push_back(more);
  const auto ran = box.run(words);
  return "$ timectl diagnose facts " + scenario + (more.empty() ? "" : " " + more) + "\n" +
         ran.out + "--- exit " + std::to_string(ran.status) + "\n\n";
}

json::value data_of(const Ran& ran) {
  EXPECT_NE(ran.out, "") << ran.err;
  return ran.out.empty() ? json::value(json::object()) : json::parse(ran.out).at("data");
}

// A home in which no time server is asked: there may be no network.
class Offline : public Sandbox {
 public:
  Offline() { set("TIMECTL_CONFIG", write("offline.toml", "[node]\ntime_servers = []\n")); }
};

TEST(Diagnose, ReadsAsThePagesInTheGoldenFile) {
  const Sandbox box;
  std::string seen;
  for (const auto* id : {"T01", "T09", "T14", "T20a", "T24a", "T25", "T28", "T33", "T43"}) {
    seen += typed(box, id);
  }
  compare("diagnose", seen);
  std::istringstream lines(seen);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(cmd::display_width(line), 80U) << line;
  }
}

TEST(Diagnose, IsTheDocumentInTheGoldenFile) {
  const Sandbox box;
  auto seen = typed(box, "T01", "--json") + typed(box, "T24a", "--json");
  seen = std::regex_replace(seen, std::regex(R"("generated_at":"[^"]*")"),
                            R"("generated_at":"<TIME>")");
  compare("diagnose_json", seen);
}

TEST(Diagnose, ThePeersDocumentHasTheKeysThatToolsRelyOn) {
  const Sandbox box;
  const auto ran = box.run({"diagnose", "facts", kFacts + "T01", "--json"});
  EXPECT_EQ(json::parse(ran.out).at("schema"), "timectl.diagnose.peer/1");
  const auto data = data_of(ran);
  for (const char* key :
       {"ip", "verdict", "code", "confidence", "act", "findings", "probe", "facts"}) {
    EXPECT_TRUE(data.as_object().contains(key)) << key;
  }
  const std::set<std::string> words{"critical", "high", "medium", "low"};
  for (const auto& finding : data.at("findings").as_array()) {
    for (const char* key : {"code", "severity", "title", "evidence", "remedy", "confidence"}) {
      EXPECT_TRUE(finding.as_object().contains(key)) << key;
    }
    EXPECT_TRUE(words.contains(finding.at("severity").as_string().c_str()));
  }
  for (const auto& layer : data.at("probe").as_array()) {
    for (const char* key : {"layer", "ok", "ms", "detail"}) {
      EXPECT_TRUE(layer.as_object().contains(key)) << key;
    }
  }
}

TEST(Diagnose, ExitStatusIsThatOfTheVerdict) {
  const Sandbox box;
  const auto status = [&](const char* scenario) {
    return box.run({"diagnose", "facts", kFacts + scenario}).status;
  };
  EXPECT_EQ(status("T25"), 0);
  EXPECT_EQ(status("T43"), 1);
  EXPECT_EQ(status("T01"), 2);
  EXPECT_EQ(status("T14"), 2);
  EXPECT_EQ(status("empty"), 3);
}

TEST(Diagnose, FactsThatAreNoneAreRefused) {
  const Sandbox box;
  EXPECT_EQ(box.run({"diagnose", "facts", "-"}, "{").status, 65);
  EXPECT_EQ(box.run({"diagnose", "facts", "-"}, "").status, 65);
  EXPECT_EQ(box.run({"diagnose", "facts", "-"}, R"({"data":{"ip":"1.2.3.4"}})").status, 65);
  EXPECT_EQ(box.run({"diagnose", "facts", kFacts + "bad_word"}).status, 65);
  const auto no_address = box.run({"diagnose", "facts", "-"}, R"({"node":{"address":"1.2.3"}})");
  EXPECT_EQ(no_address.status, 65) << no_address.err;
  EXPECT_NE(no_address.err.find("standard input: field `node.address`"), std::string::npos)
      << no_address.err;
  EXPECT_EQ(box.run({"diagnose", "facts", "/nonexistent/facts"}).status, 66);
  EXPECT_EQ(box.run({"diagnose", "facts", "-"}, std::string(5'000'000, ' ')).status, 65);
}

TEST(Diagnose, WithoutANodeItSaysWhatTheDatabaseKnowsAndThatItIsLittle) {
  const Offline box;
  ASSERT_EQ(box.run({"whitelist", "add", "203.0.113.7"}).status, 0);
  const auto peer = box.run({"diagnose", "peer", "203.0.113.7"});
  EXPECT_EQ(peer.status, 3) << peer.out;
  EXPECT_NE(peer.out.find("timectl diagnose peer 203.0.113.7 --probe"), std::string::npos);
  EXPECT_NE(peer.out.find("No node runs"), std::string::npos);
  const auto all = box.run({"diagnose"});
  EXPECT_EQ(all.status, 3) << all.out;
  EXPECT_NE(all.out.find("1 masternode"), std::string::npos) << all.out;
}

TEST(Diagnose, AnEmptyWhitelistIsFoundByAll) {
  const Offline box;
  for (const auto& words : {std::vector<std::string>{"diagnose"}, {"diagnose", "node"}}) {
    const auto ran = box.run(words);
    EXPECT_EQ(ran.status, 2) << ran.out << ran.err;
    EXPECT_NE(ran.out.find("FM-B3"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("timectl refresh"), std::string::npos) << "the remedy is ours";
  }
}

// T01, with real sockets: one connect a port, at once, and the fifth one in a minute is refused.
TEST(Diagnose, AProbeOfNothingIsRefusedQuicklyAndStaysInTheBudget) {
  const Sandbox box;
  const auto began = std::chrono::steady_clock::now();
  const auto ran = box.run({"diagnose", "peer", kNobody, "--probe"});
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
  EXPECT_EQ(ran.status, 2) << ran.out << ran.err;
  EXPECT_EQ(ran.out.find(std::string(kNobody) + ": "), 0U) << ran.out;
  EXPECT_NE(ran.out.find("FM-R1"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("its RPC port refuses, too"), std::string::npos) << ran.out;
  for (int i = 0; i < 3; ++i) (void)box.run({"diagnose", "peer", kNobody, "--probe"});
  const auto fifth = box.run({"diagnose", "peer", kNobody, "--probe"});
  EXPECT_NE(fifth.out.find("Not probed: "), std::string::npos) << fifth.out;
  EXPECT_EQ(fifth.status, 3) << fifth.out;
}

TEST(Diagnose, FactsThatWerePrintedAreJudgedAgainAsTheSame) {
  const Sandbox box;
  const auto facts = box.run({"diagnose", "peer", kNobody, "--probe", "--facts"});
  EXPECT_EQ(facts.status, 0) << facts.err;
  const auto direct = box.run({"diagnose", "peer", kNobody, "--probe", "--json"});
  const auto again = box.run({"diagnose", "facts", "-"}, facts.out);
  EXPECT_EQ(again.status, direct.status) << again.out << again.err;
  EXPECT_NE(again.out.find("FM-R1"), std::string::npos) << again.out;
  const auto document = box.run({"diagnose", "facts", "-", "--json"}, direct.out);
  EXPECT_EQ(data_of(document).at("verdict"), data_of(direct).at("verdict")) << document.err;
  EXPECT_EQ(data_of(document).at("findings"), data_of(direct).at("findings"));
}

TEST(Diagnose, WhatIsNotMeantIsRefusedBeforeAnybodyIsAsked) {
  const Sandbox box;
  EXPECT_EQ(box.run({"diagnose", "peer", "203.0.113.300"}).status, 64);
  EXPECT_EQ(box.run({"diagnose", "peer", "nobody"}).status, 66);
  EXPECT_EQ(box.run({"diagnose", "peer"}).status, 64);
  EXPECT_EQ(box.run({"diagnose", "peer", kNobody, "--from", "127.0.0.1"}).status, 64);
  EXPECT_EQ(box.run({"diagnose", "peer", kNobody, "--probe", "--from", "x"}).status, 64);
  EXPECT_EQ(box.run({"diagnose", "peer", kNobody, "--probe", "--from", "192.0.2.7"}).status, 64);
  const auto force = box.run({"diagnose", "peer", kNobody, "--probe", "--force-probe"});
  EXPECT_EQ(force.status, 64) << "it is confirmed by --yes";
  EXPECT_NE(force.err.find("--yes"), std::string::npos);
}

TEST(Explain, HasAPageForEachFailureAndTakesItsCodeInAnyCase) {
  const Sandbox box;
  const auto page = box.run({"explain", "fm-k1"});
  EXPECT_EQ(page.status, 0);
  EXPECT_EQ(page.out.find("FM-K1  HALF-OPEN: "), 0U) << page.out;
  for (const char* field : {"means", "told by", "do", "hides"}) {
    EXPECT_NE(page.out.find(std::string("\n  ") + field), std::string::npos) << field;
  }
  EXPECT_NE(box.run({"explain", "slow"}).out.find("a finding of `timectl diagnose`"),
            std::string::npos);
  EXPECT_NE(box.run({"explain", "uplink_down"}).out, "");
  EXPECT_EQ(box.run({"explain", "FM-K99"}).status, 66);
  const auto codes = box.run({"__complete", "CODE"}).out;
  EXPECT_NE(codes.find("FM-K1\t"), std::string::npos);
}

}  // namespace
}  // namespace timectl::testing
