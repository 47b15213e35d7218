// Masternodes that serve a chain badly, each against a real node: sync reaches the honest tip with
// the others, nothing that the liar says is believed, and the operator can see who it was. The
// cases run beside each other, because most of their time is waiting.

#include <gtest/gtest.h>

#include <iostream>

#include "tests/e2e/chain_support.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSeed = 21;
constexpr std::size_t kStart = 400;
constexpr std::size_t kTop = 900;
constexpr std::size_t kReversible = kStart + 100;  // strangers are followed so far (protocol 9.1)

// Who else serves the chain to the node.
enum class Company { masternodes, regular, nobody };

struct Case {
  const char* name;
  std::string words;  // of the bad masternode, after the chain
  Company company = Company::masternodes;
  // Any of these shows the operator who it is: a state of `sync peers`, a part of left_because, the
  // beginning of what a violation or the end of its session says. All empty: nothing is due.
  std::string state = {};
  std::string left = {};
  std::string violation = {};
  std::size_t reaches = kTop;  // so far the node comes and no further; with nobody: at most
  int exit = 0;                // of `sync status` at the end
};

const std::vector<std::string>& honest() {
  static const std::vector<std::string> ips{"127.97.0.2", "127.97.0.3", "127.97.0.4"};
  return ips;
}
const std::vector<std::string>& strangers() {
  static const std::vector<std::string> ips{"127.97.3.2", "127.97.4.2", "127.97.5.2"};
  return ips;
}

// One node and its bad masternode.
class Trial {
 public:
  Trial(Sandbox& sandbox, ScriptedPeers& peers, Case of, std::size_t number, const Chain& chain)
      : case_(std::move(of)), chain_(chain), bad_("127.97.1." + std::to_string(number)) {
    peers.put(bad_, case_.words);
    std::vector<std::string> masternodes{bad_};
    if (case_.company == Company::masternodes) {
      masternodes.insert(masternodes.end(), honest().begin(), honest().end());
    }
    node_ = std::make_unique<NodeProcess>(sandbox, "127.97.2." + std::to_string(number),
                                          chain_config(masternodes));
    fill_chain(*node_, kSeed, kStart);
    node_->launch();
  }
  void ready(ScriptedPeers& peers) {
    node_->await_ready();
    if (case_.company == Company::masternodes) await_connected(*node_, honest());
    if (case_.company != Company::regular) return;
    for (const auto& ip : strangers()) peers.dial(ip, node_->address());
  }
  // Looks once; what must always hold is checked each time.
  void look() {
    const auto now = sync_of(*node_);
    EXPECT_LE(now.best.value_or(0), kTop) << case_.name << now.all;
    height_ = now.height.value_or(0);
    EXPECT_LE(height_, kTop) << case_.name;
    const auto end = std::min(case_.reaches, chain_->height());
    reached_ = now.at(end, hash_of(chain_, end)) &&
               (case_.company != Company::masternodes || now.exit == case_.exit);
    if (!visible_) visible_ = shown();
  }
  [[nodiscard]] bool control() const { return case_.company == Company::nobody; }
  [[nodiscard]] bool done() const { return visible_ && (control() || reached_); }
  void expect_good() const {
    SCOPED_TRACE(case_.name);
    EXPECT_TRUE(visible_) << sync_peer(*node_, bad_) << json::value(events_of(*node_, "violation"));
    EXPECT_FALSE(has_event(*node_, "lag_high", "behind:"));
    EXPECT_LE(height_, case_.reaches);
    if (!control()) {
      EXPECT_TRUE(reached_) << sync_of(*node_).all << node_->timectl({"sync", "peers"}).out
                            << node_->timectl({"sync", "fork"}).out
                            << node_->timectl({"events"}).out;
    }
    if (case_.company != Company::masternodes) return;
    for (const auto& ip : honest()) EXPECT_TRUE(node_->connected_to(ip)) << ip;
  }
  [[nodiscard]] std::string text() const {
    return std::string(case_.name) + ": at " + std::to_string(height_) +
           (visible_ ? ", seen by " + seen_by_ : ", not seen");
  }

 private:
  [[nodiscard]] bool shown() {
    if (case_.state.empty() && case_.left.empty() && case_.violation.empty()) return true;
    const auto row = sync_peer(*node_, bad_);
    const auto has = [&](const char* key, const std::string& part) {
      return row.is_object() && !part.empty() &&
             std::string(row.at(key).as_string()).find(part) != std::string::npos;
    };
    if (has("state", case_.state)) return seen_by_ = case_.state, true;
    if (has("left_because", case_.left)) return seen_by_ = case_.left, true;
    // Who claims more than others have is only for a moment "ahead": what stays is that the node
    // does not call itself in sync.
    if (case_.exit == 1 && row.is_object()) {
      const auto claimed = node_->query({"sync", "status"}).at("claimed_height");
      if (claimed.is_number() && claimed == row.at("height")) return seen_by_ = "its claim", true;
    }
    if (case_.violation.empty()) return false;
    for (const char* kind : {"violation", "peer_cut"}) {
      for (const auto& event : events_of(*node_, kind)) {
        const bool his = event.at("peer").is_string() && event.at("peer").as_string() == bad_;
        const std::string detail(event.at("detail").as_string());
        if (his && detail.starts_with(case_.violation)) return seen_by_ = detail, true;
      }
    }
    return false;
  }

  Case case_;
  Chain chain_;
  std::string bad_;
  std::unique_ptr<NodeProcess> node_;
  std::uint64_t height_ = 0;
  bool reached_ = false;
  bool visible_ = false;
  std::string seen_by_;
};

// Until all are done, and at least for `least`.
void run_trials(const std::vector<Case>& cases, milliseconds least, milliseconds deadline) {
  const auto chain = chain_of(kSeed, kTop);
  Sandbox sandbox;
  ScriptedPeers peers(sandbox);
  for (const auto& ip : honest()) peers.put(ip, "", chain);
  for (const auto& ip : strangers()) peers.put(ip, "", chain);
  std::vector<std::unique_ptr<Trial>> trials;
  for (const auto& one : cases) {
    trials.push_back(std::make_unique<Trial>(sandbox, peers, one, trials.size() + 1, chain));
  }
  for (auto& trial : trials) trial->ready(peers);
  const auto begun = std::chrono::steady_clock::now();
  (void)wait_for(
      [&] {
        bool all = std::chrono::steady_clock::now() - begun >= least;
        for (auto& trial : trials) {
          if (!trial->done() || trial->control()) trial->look();
          all = all && trial->done();
        }
        return all;
      },
      deadline);
  for (const auto& trial : trials) {
    trial->look();
    std::cout << trial->text() << "\n";
    trial->expect_good();
  }
}

std::string bad_chain(const std::string& faults, std::size_t height = kTop) {
  return "chain=" + std::to_string(kSeed) + ":" + std::to_string(height) + faults;
}

std::vector<Case> beside_honest_masternodes() {
  const auto with = [](const char* name, std::string words, std::string state, std::string left,
                       std::string violation) {
    return Case{name,
                std::move(words),
                Company::masternodes,
                std::move(state),
                std::move(left),
                std::move(violation)};
  };
  std::vector<Case> cases{
      with("wrong parent", bad_chain(" chain-fault=wrong-parent"), "", "", "wrong_blocks"),
      with("wrong hash", bad_chain(" chain-fault=wrong-hash"), "", "", "wrong_blocks"),
      with("gap", bad_chain(" chain-fault=gap"), "", "other blocks", "wrong_blocks"),
      with("repeat", bad_chain(" chain-fault=repeat"), "", "other blocks", "wrong_blocks"),
      with("wrong range", bad_chain(" chain-fault=wrong-range"), "", "other blocks",
           "wrong_blocks"),
      with("unasked", bad_chain(" chain-fault=unasked"), "", "", "unasked_blocks"),
      with("huge",
           "chain=22:2 chain-fault=huge chain-fault=wrong-range@1 chain-fault=height-max@900",
           "other_branch", "other blocks", "wrong_blocks"),
      with("2^63", bad_chain(" chain-fault=height-max"), "implausible", "", ""),
      with("2^64 - 1", bad_chain(" chain-fault=height-max@18446744073709551615"), "implausible", "",
           ""),
      with("empty", bad_chain(" chain-fault=empty"), "", "", ""),
      with("silent", bad_chain(" chain-fault=silent"), "", "did not answer", ""),
      with("half", bad_chain(" chain-fault=half"), "", "", "a frame of"),
      with("two tips", bad_chain(" chain-fault=two-tips"), "unsteady", "", ""),
      with("two tips far apart", bad_chain(" chain-fault=two-tips@100"), "unsteady", "", ""),
      with("stale", bad_chain(" chain-fault=stale@450"), "behind", "", ""),
      with("slow", bad_chain(" chain-fault=slow"), "", "", ""),
  };
  cases.push_back(with("200 too many", bad_chain(" chain-fault=height-max@1100"), "ahead", "", ""));
  cases.back().exit = 1;  // "perhaps behind": a masternode claims more, and nobody can disprove it
  return cases;
}

// The control: these faults do stop a node that has nobody else.
std::vector<Case> with_nobody_else() {
  const auto alone = [](const char* name, const std::string& fault, std::size_t reaches) {
    return Case{name, bad_chain(" chain-fault=" + fault), Company::nobody, "", "", "", reaches};
  };
  const auto beside_strangers = [](const char* name, const std::string& fault) {
    return Case{name,       bad_chain(" chain-fault=" + fault), Company::regular, "", "", "",
                kReversible};
  };
  return {
      alone("alone, wrong parent", "wrong-parent@450", 449),
      alone("alone, wrong hash", "wrong-hash@450", 450),
      alone("alone, gap", "gap@450", 449),
      alone("alone, repeat", "repeat@450", 449),
      alone("alone, wrong range", "wrong-range", kStart),
      alone("alone, empty", "empty", kStart),
      alone("alone, silent", "silent", kStart),
      alone("alone, half", "half", kStart),
      alone("alone, stale", "stale@450", 450),
      beside_strangers("strangers, gap", "gap"),
      beside_strangers("strangers, wrong range", "wrong-range"),
      beside_strangers("strangers, empty", "empty"),
      beside_strangers("strangers, silent", "silent"),
  };
}

// Beside three honest masternodes a bad one changes nothing; with nobody else it stops the sync;
// and strangers help a little where the only masternode does not.
TEST(ChainFaults, ABadMasternodeIsSeenAndChangesNothingWhileOthersAreThere) {
  auto cases = beside_honest_masternodes();
  for (auto& one : with_nobody_else()) cases.push_back(std::move(one));
  run_trials(cases, 10s, 60s);
}

// A chain without proof of work is made in a second; only its maker stands by it.
TEST(ChainFaults, AFabricatedForkOfTenThousandBlocksMovesNothing) {
  constexpr std::size_t kOurs = 10'300;
  constexpr std::size_t kNetwork = 10'400;
  constexpr std::size_t kParting = 200;
  const auto chain = chain_of(kSeed, kNetwork);
  const auto fabricated = branched(kSeed, kParting, 99, 10'250);
  ASSERT_GT(fabricated->height(), kNetwork);
  Sandbox sandbox;
  ScriptedPeers peers(sandbox);
  const std::vector<std::string> ips{"127.98.0.2", "127.98.0.3", "127.98.0.4"};
  for (const auto& ip : ips) peers.put(ip, "", chain);
  const std::string liar = "127.98.1.2";
  peers.put(liar, "", fabricated);
  auto masternodes = ips;
  masternodes.push_back(liar);
  NodeProcess node(sandbox, "127.98.0.9", chain_config(masternodes));
  NodeProcess deceived(sandbox, "127.98.1.9", chain_config({liar}));  // it has only the liar
  fill_chain(node, kSeed, kOurs);
  fill_chain(deceived, kSeed, kOurs);
  node.start();
  deceived.start();
  const auto seen = [&](const NodeProcess& by, const std::string& why) {
    const auto row = sync_peer(by, liar);
    return row.is_object() && std::string(row.at("why").as_string()).find(why) != std::string::npos;
  };
  const auto tip = hash_of(chain, kNetwork);
  EXPECT_TRUE(wait_for(
      [&] {
        const auto now = sync_of(node);
        EXPECT_LE(now.best.value_or(0), kNetwork) << now.all;
        return now.at(kNetwork, tip) && now.best == kNetwork && now.lag == 0U &&
               (seen(node, "above the believed height") || seen(node, "no common block")) &&
               seen(deceived, "no common block");
      },
      30s))
      << sync_of(node).all << node.timectl({"sync", "peers"}).out
      << deceived.timectl({"sync", "peers"}).out;
  EXPECT_FALSE(has_event(node, "lag_high", "behind:"));
  EXPECT_FALSE(has_event(deceived, "lag_high", "behind:"));
  EXPECT_EQ(sync_of(deceived).tip, hash_of(chain, kOurs));
  for (const auto& ip : ips) EXPECT_TRUE(node.connected_to(ip)) << ip;
  for (NodeProcess* one : {&node, &deceived}) {
    EXPECT_NE(one->timectl({"sync", "fork", "--accept"}).status, 0) << "a liar's branch";
  }
}

}  // namespace
}  // namespace timectl::e2e
