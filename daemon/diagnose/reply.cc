#include "daemon/diagnose/reply.h"

#include <array>
#include <utility>

#include "daemon/core/reflect.h"

namespace timectl::diagnose {
namespace {

struct Layer {
  std::string_view name;
  std::optional<LayerFacts> ProbeFacts::*facts;
};
constexpr auto kLayers = std::to_array<Layer>({
    {"tcp", &ProbeFacts::tcp},
    {"tls", &ProbeFacts::tls},
    {"handshake", &ProbeFacts::handshake},
    {"ping", &ProbeFacts::ping},
    {"tip", &ProbeFacts::tip},
    {"genesis", &ProbeFacts::genesis},
    {"elsewhere", &ProbeFacts::elsewhere},
});

std::string with_detail(std::string word, const std::string& detail) {
  if (detail.empty()) return word;
  return word + ", " + detail;
}

ProbeLayerReply row_of(std::string_view name, const LayerFacts& facts) {
  const bool ok = facts.outcome == Outcome::ok;
  return {std::string(name), ok, facts.ms,
          ok ? facts.detail : with_detail(std::string(name_of(facts.outcome)), facts.detail)};
}

ProbeLayerReply rpc_row(const RpcFacts& rpc) {
  const bool ok = rpc.answer == RpcAnswer::ok;
  std::string detail = ok ? "" : with_detail(std::string(name_of(rpc.answer)), rpc.detail);
  if (ok && !rpc.version.empty()) detail = printable(rpc.version);
  if (ok && rpc.uptime_seconds) {
    detail += (detail.empty() ? "up for " : ", up for ") + span_text(*rpc.uptime_seconds);
  }
  if (ok && rpc.height) detail += ", height " + std::to_string(*rpc.height);
  return {"rpc", ok, std::nullopt, std::move(detail)};
}

// A session answers what a probe would ask, and nothing may be dialled beside it.
std::optional<ProbeLayerReply> session_row(const Facts& facts) {
  const Scene scene(facts);
  if (!scene.connected()) return std::nullopt;
  const auto& live = *facts.peer->node;
  ProbeLayerReply row{"session", !scene.state_is(PeerState::suspect), live.rtt_ms, {}};
  row.detail = "up for " + span_text(scene.session_seconds());
  if (live.last_heard_at) {
    row.detail += ", last heard " + span_text(scene.seconds_since(*live.last_heard_at)) + " ago";
  }
  return row;
}

// Whether our own kernel knew a way, before a packet left.
ProbeLayerReply route_row(const ProbeFacts& probe) {
  const bool ok = probe.tcp->outcome != Outcome::unreachable;
  std::string detail = ok ? "" : probe.tcp->detail;
  if (ok && probe.from) detail = "from " + probe.from->to_string();
  return {"route", ok, std::nullopt, std::move(detail)};
}

FindingReply reply_of(const Finding& finding) {
  return {finding.code,
          std::string(severity_word(finding.severity)),
          finding.title,
          finding.evidence,
          finding.remedy,
          finding.confidence,
          finding.act,
          finding.peers,
          finding.severity == Severity::info};
}

}  // namespace

std::string_view severity_word(Severity severity) {
  constexpr std::array<std::string_view, 5> kWords{"critical", "high", "medium", "low", "low"};
  return kWords.at(static_cast<std::size_t>(severity));  // in the order of Severity
}

std::vector<ProbeLayerReply> probe_layers(const Facts& facts) {
  std::vector<ProbeLayerReply> rows;
  const auto& peer = *facts.peer;
  if (peer.rpc) rows.push_back(rpc_row(*peer.rpc));
  if (!peer.probe) return rows;
  if (peer.probe->tcp) rows.push_back(route_row(*peer.probe));
  for (const auto& layer : kLayers) {
    const auto& layer_facts = (*peer.probe).*layer.facts;
    if (layer_facts) rows.push_back(row_of(layer.name, *layer_facts));
  }
  return rows;
}

DiagnosisReply make_reply(const Diagnosis& diagnosis) {
  DiagnosisReply reply{diagnosis.verdict, diagnosis.code, diagnosis.confidence, diagnosis.act};
  for (const auto& finding : diagnosis.findings) reply.findings.push_back(reply_of(finding));
  return reply;
}

DiagnosePeerReply make_peer_reply(Facts facts) {
  DiagnosePeerReply reply;
  static_cast<DiagnosisReply&>(reply) = make_reply(diagnose(facts));
  reply.ip = facts.peer->ip;
  reply.label = facts.peer->label;
  reply.probe = probe_layers(facts);
  if (!reply.probe.empty() && !facts.peer->probe) {
    if (auto session = session_row(facts)) reply.probe.push_back(std::move(*session));
  }
  reply.facts = std::move(facts);
  return reply;
}

DiagnoseNodeReply make_node_reply(Facts facts) {
  facts.peer.reset();
  DiagnoseNodeReply reply;
  static_cast<DiagnosisReply&>(reply) = make_reply(diagnose(facts));
  reply.facts = std::move(facts);
  return reply;
}

}  // namespace timectl::diagnose
