#include "daemon/diagnose/rules.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "daemon/core/observer.h"
#include "daemon/core/reflect.h"
#include "daemon/diagnose/pages.h"

namespace timectl::diagnose {
namespace {

constexpr double kWorthSaying = 0.2;   // below it a finding is a guess
constexpr double kExplains = 0.5;      // from here on it hides its consequences
constexpr double kNobodyLooked = 0.2;  // the most that is known of what nobody looked at
constexpr std::size_t kMaxPeersNamed = 5;

// A likely small thing must not stand before a likely large one, nor a guess before a certainty.
double rank(const Finding& finding) {
  constexpr std::array<double, 5> kWeights{1.0, 0.9, 0.75, 0.5, 0.3};  // in the order of Severity
  return finding.confidence * kWeights.at(static_cast<std::size_t>(finding.severity));
}

// What the catalogue, this node's own words or the ailments say of the code.
void describe(Finding& finding) {
  if (const auto* mode = find_mode(finding.code); mode != nullptr) {
    finding.title = mode->title;
    finding.remedy = mode->remedy;
  }
  for (const auto& own : own_codes()) {
    if (own.code != finding.code) continue;
    finding.title = own.title;
    finding.remedy = own.remedy;
  }
  if (const auto ailment = value_of<Ailment>(finding.code)) {
    finding.title = ailment_row(*ailment).meaning;
    finding.remedy = ailment_row(*ailment).remedy;
  }
  // The catalogue speaks to who runs a timed: the other side.
  const auto ours = finding.act == Act::peer ? std::string_view() : own_remedy(finding.code);
  if (!ours.empty()) finding.remedy = ours;
  const auto called = finding.peers.empty() ? own_title(finding.code) : std::string_view();
  if (!called.empty()) finding.title = called;
}

struct Judged {
  std::vector<Finding> findings;
  std::set<std::string, std::less<>> hidden;
  std::set<std::string, std::less<>> explains;  // codes about the node that hide one of the peer
};

std::vector<std::string_view> words(std::string_view codes) {
  std::vector<std::string_view> all;
  for (std::size_t at = 0; at < codes.size();) {
    const auto end = std::min(codes.find(' ', at), codes.size());
    all.push_back(codes.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

// Two rules of one code are one finding: the surer one's words first.
void merge(std::vector<Finding>& findings, Finding finding) {
  const auto same = std::find_if(findings.begin(), findings.end(), [&](const Finding& f) {
    return f.code == finding.code && f.peers == finding.peers;
  });
  if (same == findings.end()) {
    findings.push_back(std::move(finding));
    return;
  }
  if (finding.confidence > same->confidence) std::swap(*same, finding);
  same->evidence.insert(same->evidence.end(), finding.evidence.begin(), finding.evidence.end());
}

Judged judge(const Facts& facts, bool about_node) {
  const Scene scene(facts);
  Judged judged;
  std::vector<const Rule*> certain;
  for (const Rule* rule : all_rules()) {
    const bool applies = rule->about == About::peer ? facts.peer.has_value() : about_node;
    if (!applies) continue;
    Proof proof;
    rule->check(scene, proof);
    const auto confidence = proof.confidence();
    if (confidence < kWorthSaying) continue;
    Finding finding{.code = std::string(rule->code),
                    .severity = proof.severity().value_or(rule->severity),
                    .evidence = proof.evidence(),
                    .confidence = confidence,
                    .act = proof.act().value_or(rule->act)};
    if (rule->about == About::peer) finding.peers = {facts.peer->ip};
    describe(finding);
    if (confidence >= kExplains) certain.push_back(rule);
    merge(judged.findings, std::move(finding));
  }
  for (const Rule* rule : certain) {
    for (const auto code : words(rule->hides)) {
      judged.hidden.emplace(code);
      const bool of_peer =
          std::any_of(judged.findings.begin(), judged.findings.end(),
                      [&](const Finding& f) { return f.code == code && !f.peers.empty(); });
      if (of_peer && rule->about == About::node) judged.explains.emplace(rule->code);
    }
  }
  return judged;
}

void drop_hidden(std::vector<Finding>& findings, const Judged& by) {
  std::erase_if(findings, [&](const Finding& f) { return by.hidden.contains(f.code); });
}

// The node's findings that belong in the diagnosis of one peer even where they explain nothing
// about it: they are between us and every peer.
bool concerns_every_peer(const Finding& finding) {
  constexpr std::array<std::string_view, 7> kCodes{"uplink_down", "FM-X1", "FM-X6", "FM-H8",
                                                   "FM-C3",       "FM-D3", "FM-H5"};
  return finding.code.starts_with("FM-S") ||
         std::find(kCodes.begin(), kCodes.end(), finding.code) != kCodes.end();
}

// The node's findings in the diagnosis of a peer: one that repeats the peer's (we are on the fork,
// so its hash differs) takes its place.
void keep_of_node(Judged& judged) {
  std::erase_if(judged.findings, [&](const Finding& f) {
    return f.peers.empty() && !judged.explains.contains(f.code) && !concerns_every_peer(f);
  });
  const auto nodes = judged.findings;
  std::erase_if(judged.findings, [&](const Finding& f) {
    if (f.peers.empty()) return false;
    const bool same = std::any_of(nodes.begin(), nodes.end(), [&](const Finding& other) {
      return other.peers.empty() && other.code == f.code && other.act == f.act;
    });
    if (same) judged.explains.insert(f.code);
    return same;
  });
}

// What explains the peer's findings comes first, what only concerns this node last.
double rank_for_peer(const Finding& finding, const Judged& judged) {
  constexpr double kFirst = 1;
  constexpr double kLast = 0.3;
  if (!finding.peers.empty()) return rank(finding);
  return judged.explains.contains(finding.code) ? rank(finding) + kFirst : rank(finding) * kLast;
}

// What only is worth knowing stands last: it is true of many healthy peers and never a verdict.
bool is_remark(const Finding& finding) {
  return finding.severity == Severity::info;
}

template <class Rank>
void sort(std::vector<Finding>& findings, Rank rank_of) {
  std::stable_sort(findings.begin(), findings.end(), [&](const Finding& a, const Finding& b) {
    if (is_remark(a) != is_remark(b)) return is_remark(b);
    const auto ra = rank_of(a);
    const auto rb = rank_of(b);
    return ra != rb ? ra > rb : a.code < b.code;
  });
}

std::string names_of(const std::vector<IpAddress>& peers) {
  std::string names;
  for (std::size_t i = 0; i < peers.size() && i < kMaxPeersNamed; ++i) {
    names += (i == 0 ? "" : ", ") + peers[i].to_string();
  }
  if (peers.size() > kMaxPeersNamed) {
    names += " and " + std::to_string(peers.size() - kMaxPeersNamed) + " more";
  }
  return names;
}

std::string who(const Finding& finding) {
  return finding.peers.empty() ? "This node" : names_of(finding.peers);
}

std::string sentence(const Finding& finding) {
  std::string text = who(finding) + ": " + finding.title;
  while (text.ends_with('.')) text.pop_back();
  if (!finding.evidence.empty()) text += " (" + finding.evidence.front() + ")";
  return text + ".";
}

void conclude(Diagnosis& diagnosis) {
  if (diagnosis.findings.empty() || is_remark(diagnosis.findings.front())) return;
  const auto& first = diagnosis.findings.front();
  diagnosis.verdict = sentence(first);
  diagnosis.code = first.code;
  diagnosis.confidence = first.confidence;
  diagnosis.act = first.act;
}

// No rule has anything against it: it is well, or nobody looked.
void conclude_well(Diagnosis& diagnosis, const Facts& facts) {
  if (!facts.peer) {
    const bool running = facts.node.running == true;
    diagnosis.verdict = running ? "This node: nothing is wrong as far as it can see."
                                : "This node does not run, so little is known of it.";
    diagnosis.confidence = running ? 0.8 : kNobodyLooked;
    return;
  }
  const Scene scene(facts);
  const auto ip = facts.peer->ip.to_string();
  if (scene.is_us()) {
    diagnosis.verdict = ip + ": this is our own address, and no peer of ours.";
    diagnosis.confidence = 0.9;
  } else if (scene.connected()) {
    diagnosis.verdict = ip + ": connected, and nothing is wrong as far as we can see.";
    diagnosis.confidence = scene.rpc_ok() || facts.peer->probe ? 0.9 : 0.8;
  } else if (scene.probe_reached(Stage::handshake)) {
    const bool all = scene.contact().outcome == Outcome::ok;
    diagnosis.verdict =
        ip + ": not connected, but it answers: " +
        (all ? "a probe gets through." : "after the handshake, " + scene.contact().text + ".");
    diagnosis.confidence = all ? 0.7 : kExplains;
  } else {
    diagnosis.verdict =
        ip + ": not connected, and nothing known says why; a probe would tell more.";
  }
}

bool is_down(const Facts& facts) {
  return facts.peer->whitelisted && !Scene(facts).connected();
}

// Nobody knows better than a session whether a masternode is well: where there is none and no
// finding says why, nothing speaks for "nothing is wrong".
void conclude_all(Diagnosis& diagnosis, const Facts& node, std::size_t masternodes,
                  const std::vector<IpAddress>& unexplained) {
  conclude_well(diagnosis, node);
  if (node.node.running != true || masternodes == 0) return;
  const auto all = count_text(masternodes, "masternode", "masternodes");
  if (node.node.listener.wanted == false) {
    diagnosis.verdict =
        "This node runs passive and connects to nobody, so nothing is known of " + all + ".";
    diagnosis.confidence = kNobodyLooked;
    return;
  }
  if (unexplained.empty()) return;
  diagnosis.verdict = std::to_string(unexplained.size()) + " of " + all +
                      (unexplained.size() == 1 ? " is" : " are") +
                      " not connected, and nothing known says why: " + names_of(unexplained) +
                      "; a probe would tell more.";
  diagnosis.confidence = kNobodyLooked;
}

// The finding of other peers that is the same root cause; the size of `findings`: none.
std::size_t group_of(const std::vector<Finding>& findings, const Finding& finding) {
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const auto& other = findings[i];
    if (other.code == finding.code && other.act == finding.act && !other.peers.empty()) return i;
  }
  return findings.size();
}

}  // namespace

std::vector<const Rule*> all_rules() {
  std::vector<const Rule*> all;
  for (const auto rules : {link_rules(), handshake_rules(), session_rules(), slot_rules(),
                           list_rules(), chain_rules(), node_rules(), service_rules()}) {
    for (const auto& rule : rules) all.push_back(&rule);
  }
  return all;
}

Diagnosis diagnose(const Facts& facts) {
  Diagnosis diagnosis;
  auto judged = judge(facts, true);
  drop_hidden(judged.findings, judged);
  if (facts.peer) {
    keep_of_node(judged);
    sort(judged.findings, [&](const Finding& f) { return rank_for_peer(f, judged); });
  } else {
    sort(judged.findings, rank);
  }
  diagnosis.findings = std::move(judged.findings);
  conclude(diagnosis);
  if (diagnosis.code.empty()) conclude_well(diagnosis, facts);
  return diagnosis;
}

Diagnosis diagnose_all(const NodeFacts& node, std::span<const PeerFacts> peers) {
  Diagnosis diagnosis;
  Facts facts{.node = node};
  auto of_node = judge(facts, true);
  drop_hidden(of_node.findings, of_node);
  diagnosis.findings = of_node.findings;
  std::vector<IpAddress> unexplained;
  for (const auto& peer : peers) {
    facts.peer = peer;
    auto of_peer = judge(facts, false);
    if (is_down(facts) && std::ranges::all_of(of_peer.findings, is_remark)) {
      unexplained.push_back(peer.ip);
    }
    drop_hidden(of_peer.findings, of_peer);
    drop_hidden(of_peer.findings, of_node);
    for (auto& finding : of_peer.findings) {
      const auto at = group_of(diagnosis.findings, finding);
      if (at == diagnosis.findings.size()) {
        diagnosis.findings.push_back(std::move(finding));
        continue;
      }
      auto& group = diagnosis.findings[at];
      group.peers.push_back(peer.ip);
      if (finding.confidence > group.confidence) {
        group.confidence = finding.confidence;
        group.evidence = finding.evidence;
      }
    }
  }
  sort(diagnosis.findings, rank);
  conclude(diagnosis);
  facts.peer.reset();
  if (diagnosis.code.empty()) conclude_all(diagnosis, facts, peers.size(), unexplained);
  return diagnosis;
}

}  // namespace timectl::diagnose
