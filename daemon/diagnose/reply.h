#pragma once
// The answers of diagnose.peer, diagnose.node and diagnose.all, with the keys of cli.md: made from
// the facts and what the rules say of them, by the methods and by `timectl diagnose facts`; read
// back by the command line. The facts are in the answer, so that a report from the field is a test.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/diagnose/rules.h"

namespace timectl::diagnose {

struct FindingReply {
  std::string code = {};
  std::string severity = {};  // critical high medium low
  std::string title = {};
  std::vector<std::string> evidence = {};
  std::string remedy = {};
  double confidence = 0;
  Act act = Act::nobody;
  std::vector<IpAddress> peers = {};  // whom it is about; empty: this node
  bool remark = false;  // worth knowing and nothing more: neither a verdict nor an exit status
};
BOOST_DESCRIBE_STRUCT(FindingReply, (),
                      (code, severity, title, evidence, remedy, confidence, act, peers, remark))

struct DiagnosisReply {
  std::string verdict = {};  // one sentence
  std::string code = {};     // empty: nothing is wrong, or nothing is known
  double confidence = 0;
  Act act = Act::nobody;
  std::vector<FindingReply> findings = {};
};
BOOST_DESCRIBE_STRUCT(DiagnosisReply, (), (verdict, code, confidence, act, findings))

struct ProbeLayerReply {
  std::string layer = {};  // rpc session route tcp tls handshake ping tip genesis elsewhere
  bool ok = false;
  std::optional<double> ms = {};
  std::string detail = {};
};
BOOST_DESCRIBE_STRUCT(ProbeLayerReply, (), (layer, ok, ms, detail))

struct DiagnosePeerReply : DiagnosisReply {
  IpAddress ip = {};
  std::string label = {};
  std::vector<ProbeLayerReply> probe = {};
  std::string not_probed = {};  // one clause, where a probe was asked for and none was made
  Facts facts = {};
};
BOOST_DESCRIBE_STRUCT(DiagnosePeerReply, (DiagnosisReply), (ip, label, probe, not_probed, facts))

struct DiagnoseNodeReply : DiagnosisReply {
  Facts facts = {};  // without a peer
};
BOOST_DESCRIBE_STRUCT(DiagnoseNodeReply, (DiagnosisReply), (facts))

struct DiagnoseAllReply : DiagnosisReply {
  std::uint64_t masternodes = 0;                // that were looked at
  std::optional<std::uint64_t> connected = {};  // of them; none without a node
};
BOOST_DESCRIBE_STRUCT(DiagnoseAllReply, (DiagnosisReply), (masternodes, connected))

// The word of cli.md for how bad a finding is.
[[nodiscard]] std::string_view severity_word(Severity severity);

// What was tried, from the outside in. `facts` must have a peer.
[[nodiscard]] std::vector<ProbeLayerReply> probe_layers(const Facts& facts);

[[nodiscard]] DiagnosisReply make_reply(const Diagnosis& diagnosis);
[[nodiscard]] DiagnosePeerReply make_peer_reply(Facts facts);  // with a peer
[[nodiscard]] DiagnoseNodeReply make_node_reply(Facts facts);

}  // namespace timectl::diagnose
