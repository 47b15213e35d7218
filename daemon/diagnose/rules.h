#pragma once
// Rules: from facts to the failure modes that they prove, and from those to one verdict. Each rule
// is a row: the code it names, how bad that is, who must act, what it hides because that is only
// its consequence, and a pure check that says nothing without evidence. Titles, meanings and
// remedies are the catalogue's. Called by `timectl diagnose`; nobody acts on a verdict by itself.
//
// One root cause gives one finding: a rule hides the codes it explains, and what all peers suffer
// from is found once, at the node (five peers lost in one second are one uplink).

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/vocabulary.h"
#include "daemon/diagnose/catalogue.h"
#include "daemon/diagnose/facts.h"
#include "daemon/diagnose/scene.h"

namespace timectl::diagnose {

enum class About : std::uint8_t { peer, node };
BOOST_DESCRIBE_ENUM(About, peer, node)

struct Rule {
  std::string_view code;  // of the catalogue, or the name of an Ailment (core/observer.h)
  About about;
  Severity severity;
  Act act;
  std::string_view hides;  // codes with spaces between
  void (*check)(const Scene& scene, Proof& proof);
};
[[nodiscard]] std::span<const Rule> link_rules();  // R and H: to reach it and to be accepted
[[nodiscard]] std::span<const Rule> handshake_rules();
[[nodiscard]] std::span<const Rule> session_rules();  // K, D, L
[[nodiscard]] std::span<const Rule> slot_rules();
[[nodiscard]] std::span<const Rule> list_rules();     // B, P
[[nodiscard]] std::span<const Rule> chain_rules();    // S
[[nodiscard]] std::span<const Rule> node_rules();     // X
[[nodiscard]] std::span<const Rule> service_rules();  // C, A
[[nodiscard]] std::vector<const Rule*> all_rules();

struct Finding {
  std::string code = {};
  Severity severity = Severity::info;
  std::string title = {};
  std::vector<std::string> evidence = {};
  std::string remedy = {};
  double confidence = 0;
  Act act = Act::nobody;
  std::vector<IpAddress> peers = {};  // whom it is about; empty: this node
};
BOOST_DESCRIBE_STRUCT(Finding, (),
                      (code, severity, title, evidence, remedy, confidence, act, peers))

struct Diagnosis {
  std::string verdict = {};  // one sentence
  std::string code = {};     // of the first finding; empty: nothing is wrong, or nothing is known
  double confidence = 0;
  Act act = Act::nobody;
  std::vector<Finding> findings = {};  // what most likely is the matter first
};
BOOST_DESCRIBE_STRUCT(Diagnosis, (), (verdict, code, confidence, act, findings))

// Of one peer where the facts have one: the node's own faults are looked for too, and come first
// where they explain the peer's. Without a peer: of the node.
[[nodiscard]] Diagnosis diagnose(const Facts& facts);
// Everything: the node once, then the peers, grouped by root cause.
[[nodiscard]] Diagnosis diagnose_all(const NodeFacts& node, std::span<const PeerFacts> peers);

}  // namespace timectl::diagnose
