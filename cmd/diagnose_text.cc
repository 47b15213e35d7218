#include "cmd/diagnose_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "cmd/sync_text.h"
#include "cmd/sync_verdict.h"
#include "cmd/table.h"

namespace timectl::cmd {
namespace {

using diagnose::Act;
using diagnose::DiagnosisReply;
using diagnose::FindingReply;
using diagnose::ProbeLayerReply;

constexpr std::size_t kColumns = 80;
constexpr std::size_t kTold = 3;   // findings of `timectl diagnose` that are told in full
constexpr std::size_t kPeers = 5;  // of one finding that are named
constexpr double kSure = 0.5;      // from here on an exit status is built on it

struct ConfidenceRow {
  double from;
  std::string_view words;
};
constexpr auto kConfidences = std::to_array<ConfidenceRow>({{0.9, "as good as certain"},
                                                            {0.7, "likely"},
                                                            {kSure, "more likely than not"},
                                                            {0.0, "a guess"}});

struct ActRow {
  Act act;
  std::string_view words;
};
constexpr auto kActs = std::to_array<ActRow>({{Act::you, "you, on this node"},
                                              {Act::peer, "the operator of the peer"},
                                              {Act::nobody, "nobody has to"}});

struct SeverityRow {
  std::string_view word;
  Paint paint;
  int exit;
};
constexpr auto kSeverities = std::to_array<SeverityRow>({{"critical", Paint::bad, 2},
                                                         {"high", Paint::bad, 2},
                                                         {"medium", Paint::warn, 1},
                                                         {"low", Paint::plain, 1}});

const SeverityRow& row_of(std::string_view severity) {
  const auto* row = std::ranges::find(kSeverities, severity, &SeverityRow::word);
  return row == kSeverities.end() ? kSeverities.back() : *row;
}

// The page's own width: a report is pasted into mails and issues.
Output narrow(const Output& out) {
  Output page = out;
  page.set_width(std::min(out.width(), kColumns));
  return page;
}

Paint paint_of(const DiagnosisReply& reply) {
  if (reply.confidence < kSure) return Paint::warn;
  return reply.code.empty() || reply.findings.empty()
             ? Paint::good
             : row_of(reply.findings.front().severity).paint;
}

std::string verdict_text(const Output& out, const DiagnosisReply& reply) {
  // Painted line by line: a colour that runs over a line end colours the rest of a pager.
  const auto text = wrapped(printable(reply.verdict, 1000), 0, out.width());
  std::string painted;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    painted += out.paint(paint_of(reply), text.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  return painted;
}

// "Do this. Then that." is two steps.
std::vector<std::string> steps_of(const std::string& remedy) {
  std::vector<std::string> steps;
  std::size_t from = 0;
  for (std::size_t i = 0; i + 2 < remedy.size(); ++i) {
    const bool ends = remedy[i] == '.' && remedy[i + 1] == ' ';
    if (!ends || remedy[i + 2] < 'A' || remedy[i + 2] > 'Z') continue;
    steps.push_back(remedy.substr(from, i + 1 - from));
    from = i + 2;
  }
  if (from < remedy.size()) steps.push_back(remedy.substr(from));
  return steps;
}

std::string bullet(const Output& out, const std::string& mark, std::string_view text) {
  constexpr std::size_t kIndent = 2;
  return std::string(kIndent, ' ') + mark + wrapped(text, kIndent + mark.size(), out.width()) +
         "\n";
}

std::string heading(const Output& out, const std::string& title) {
  return "\n" + out.paint(Paint::bold, title) + "\n";
}

std::string peers_text(const FindingReply& finding) {
  std::string text;
  for (std::size_t i = 0; i < finding.peers.size() && i < kPeers; ++i) {
    text += (i == 0 ? "" : ", ") + finding.peers[i].to_string();
  }
  if (finding.peers.size() > kPeers) {
    text += fmt::format(" and {} more", finding.peers.size() - kPeers);
  }
  return text;
}

std::string finding_text(const Output& out, const FindingReply& finding) {
  const auto& row = row_of(finding.severity);
  std::string text =
      fmt::format("\n{}  {}  {}\n", out.paint(Paint::bold, finding.code),
                  out.paint(row.paint, row.word), confidence_text(finding.confidence));
  text += "  " + wrapped(finding.title, 2, out.width()) + "\n";
  if (finding.peers.size() > 1) text += bullet(out, "", "Peers: " + peers_text(finding));
  text += out.paint(Paint::dim, "  Evidence") + "\n";
  for (const auto& line : finding.evidence) text += bullet(out, "- ", printable(line, 500));
  const auto steps = steps_of(finding.remedy);
  if (!steps.empty()) text += out.paint(Paint::dim, "  What to do") + "\n";
  for (std::size_t i = 0; i < steps.size(); ++i) {
    text += bullet(out, steps.size() == 1 ? "- " : fmt::format("{}. ", i + 1), steps[i]);
  }
  return text + bullet(out, "", fmt::format("Who acts: {}", words_of(finding.act)));
}

std::string line_of(const Output& out, const FindingReply& finding) {
  const auto who = finding.peers.size() > 1 ? " (" + peers_text(finding) + ")" : std::string();
  const auto text = fmt::format("{:<11} {:<8} {:>3.0f} %  {}{}", finding.code, finding.severity,
                                finding.confidence * 100, finding.title, who);
  constexpr std::size_t kIndent = 2;
  return std::string(kIndent, ' ') + cut(text, out.width() - kIndent) + "\n";
}

// Those from `first` on, the remarks last and apart.
std::string others_text(const Output& out, const DiagnosisReply& reply, std::size_t first) {
  std::string others;
  std::string remarks;
  for (std::size_t i = first; i < reply.findings.size(); ++i) {
    auto& into = reply.findings[i].remark ? remarks : others;
    into += line_of(out, reply.findings[i]);
  }
  std::string text;
  if (!others.empty()) text += heading(out, "Also found") + others;
  if (!remarks.empty()) text += heading(out, "Worth knowing, and no fault") + remarks;
  return text;
}

std::string findings_text(const Output& out, const DiagnosisReply& reply, std::size_t told) {
  std::string text;
  std::size_t shown = 0;
  while (shown < told && shown < reply.findings.size() && !reply.findings[shown].remark) {
    text += finding_text(out, reply.findings[shown++]);
  }
  return text + others_text(out, reply, shown);
}

Cell ok_cell(const ProbeLayerReply& row) {
  return row.ok ? Cell{"ok", Paint::good} : Cell{"no", Paint::bad};
}

std::string probe_text(const Output& out, const diagnose::DiagnosePeerReply& reply) {
  std::string text;
  if (!reply.probe.empty()) {
    const auto ms = [](const ProbeLayerReply& row) {
      return row.ms ? fmt::format("{:.1f}", *row.ms) : std::string();
    };
    text = heading(out, "What was asked") + Table(out, reply.probe)
                                                .column("LAYER", &ProbeLayerReply::layer)
                                                .column("OK", ok_cell)
                                                .column("MS", ms, Align::right)
                                                .column("DETAIL", &ProbeLayerReply::detail)
                                                .text();
  }
  if (!reply.not_probed.empty()) {
    text +=
        "\n" + wrapped("Not probed: " + printable(reply.not_probed, 500), 0, out.width()) + "\n";
  }
  return text;
}

bool is_connected(const diagnose::DiagnosePeerReply& reply) {
  return diagnose::Scene(reply.facts).connected();
}

std::string next_for_peer(const diagnose::DiagnosePeerReply& reply, bool live) {
  const auto ip = reply.ip.to_string();
  const bool asked = !reply.probe.empty() || !reply.not_probed.empty();
  if (reply.facts.peer && reply.facts.peer->banned_here) return "timectl ban why " + ip;
  if (diagnose::Scene(reply.facts).is_us()) return "timectl diagnose node";
  if (!asked && !is_connected(reply)) return "timectl diagnose peer " + ip + " --probe";
  if (!reply.code.empty()) return "timectl explain " + reply.code;
  return live ? "timectl peer history " + ip : "timectl node start";
}

std::string missing_text(const Output& out, bool live) {
  if (live) return "";
  return "\n" +
         wrapped("No node runs: nothing is known of sessions now, only of the past.", 0,
                 out.width()) +
         "\n";
}

}  // namespace

int exit_of(const DiagnosisReply& reply) {
  constexpr int kUnknown = 3;
  if (reply.confidence < kSure) return kUnknown;
  int worst = 0;
  for (const auto& finding : reply.findings) {
    if (finding.remark || finding.confidence < kSure) continue;
    worst = std::max(worst, row_of(finding.severity).exit);
  }
  return worst;
}

std::string confidence_text(double confidence) {
  if (confidence <= 0) return "unknown: there is nothing to judge by";
  const auto* row = std::ranges::find_if(
      kConfidences, [&](const ConfidenceRow& candidate) { return confidence >= candidate.from; });
  const auto words = row == kConfidences.end() ? kConfidences.back().words : row->words;
  return fmt::format("{} ({:.0f} %)", words, confidence * 100);
}

std::string_view words_of(Act act) {
  return std::ranges::find(kActs, act, &ActRow::act)->words;
}

std::string peer_page(const Output& out, const diagnose::DiagnosePeerReply& reply, bool live) {
  const auto page = narrow(out);
  std::string text = verdict_text(page, reply);
  if (!reply.label.empty()) text += "Label: " + printable(reply.label) + "\n";
  if (reply.code.empty()) text += "Confidence: " + confidence_text(reply.confidence) + "\n";
  text += findings_text(page, reply, reply.code.empty() ? 0 : 1);
  text += probe_text(page, reply);
  text += missing_text(page, live);
  return text + next_line(page, next_for_peer(reply, live));
}

std::string node_page(const Output& out, const diagnose::DiagnoseNodeReply& reply, bool live) {
  const auto page = narrow(out);
  std::string text = verdict_text(page, reply);
  if (reply.code.empty()) text += "Confidence: " + confidence_text(reply.confidence) + "\n";
  text += findings_text(page, reply, kTold);
  text += missing_text(page, live);
  if (!reply.code.empty()) return text + next_line(page, "timectl explain " + reply.code);
  return text + next_line(page, live ? "timectl status" : "timectl node start");
}

std::string all_page(const Output& out, const diagnose::DiagnoseAllReply& reply, bool live) {
  const auto page = narrow(out);
  std::string text = verdict_text(page, reply);
  if (reply.code.empty()) text += "Confidence: " + confidence_text(reply.confidence) + "\n";
  text += "Looked at this node and " + counted(reply.masternodes, "masternode");
  if (reply.connected) text += fmt::format(", {} connected", *reply.connected);
  text += "\n" + findings_text(page, reply, kTold) + missing_text(page, live);
  for (const auto& finding : reply.findings) {
    if (finding.remark || finding.peers.empty()) continue;
    return text + next_line(page, "timectl diagnose peer " + finding.peers.front().to_string() +
                                      " --probe");
  }
  if (!reply.code.empty()) return text + next_line(page, "timectl explain " + reply.code);
  return text + next_line(page, live ? "timectl status" : "timectl node start");
}

}  // namespace timectl::cmd
