#include "cmd/log_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cmd/sync_text.h"
#include "cmd/table.h"

namespace timectl::cmd {
namespace {

using diagnose::Act;
using diagnose::Gravity;
using diagnose::LogFinding;
using diagnose::LogPeer;
using diagnose::LogReport;

constexpr std::size_t kDetailed = 5;  // causes told in full without --all
constexpr std::size_t kPeersOfACause = 4;
constexpr std::size_t kPeersShown = 10;

struct GravityRow {
  Gravity gravity;
  Paint paint;
};
constexpr auto kPaints = std::to_array<GravityRow>({{Gravity::critical, Paint::bad},
                                                    {Gravity::high, Paint::bad},
                                                    {Gravity::medium, Paint::warn},
                                                    {Gravity::low, Paint::plain}});

Paint paint_of(Gravity gravity) {
  return std::ranges::find(kPaints, gravity, &GravityRow::gravity)->paint;
}

struct ActRow {
  Act act;
  std::string_view words;
};
constexpr auto kActs = std::to_array<ActRow>({{Act::you, "you, on this node"},
                                              {Act::peer, "the operator of the peer"},
                                              {Act::nobody, "nobody has to"}});

std::string_view words_of(Act act) {
  return std::ranges::find(kActs, act, &ActRow::act)->words;
}

// "The peer closes" in the middle of a sentence; "NTP" and "IPv6" stay as they are.
std::string in_sentence(std::string title) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (title.size() > 1 && is_upper(title[0]) && !is_upper(title[1])) {
    title[0] = static_cast<char>(title[0] - 'A' + 'a');
  }
  return title;
}

std::string times(std::uint64_t count) {
  return count == 1 ? "once" : grouped(count) + " times";
}

std::string ago(const Output& out, const std::optional<WallTime>& at) {
  return at ? out.since(*at) + " ago" : "at an unknown time";
}

std::string span_text(const Output& out, const LogReport& report) {
  std::string text =
      fmt::format("{} ({}) read", counted(report.lines, "line"), human_bytes(report.bytes));
  if (report.from) text += fmt::format(", {} to {}", out.time(*report.from), out.time(*report.to));
  if (report.restarts > 0) text += "; timed started " + times(report.restarts);
  if (report.unparsed > 0) text += fmt::format("; {} not understood", grouped(report.unparsed));
  if (report.cut > 0) text += fmt::format("; {} too long and cut", grouped(report.cut));
  return text;
}

Cell severity_cell(const LogFinding& finding) {
  return {std::string(name_of(finding.severity)), paint_of(finding.severity)};
}

std::string table_text(const Output& out, const LogReport& report) {
  return Table(out, report.findings)
      .column("CODE", &LogFinding::code, Align::left, Fit::whole)
      .column("SEVERITY", severity_cell, Align::left, Fit::whole)
      .column(
          "COUNT", [](const LogFinding& f) { return grouped(f.count); }, Align::right, Fit::whole)
      .column(
          "LAST, AGO", [&](const LogFinding& f) { return f.last_at ? out.since(*f.last_at) : ""; },
          Align::right, Fit::whole)
      .column("CAUSE", &LogFinding::title)
      .text();
}

std::string when_text(const Output& out, const LogFinding& finding) {
  if (!finding.first_at) return times(finding.count) + ", the lines carry no time";
  if (finding.first_at == finding.last_at) {
    return fmt::format("{}, {}", times(finding.count), out.time(*finding.first_at));
  }
  return fmt::format("{}, {} to {}", times(finding.count), out.time(*finding.first_at),
                     out.time(*finding.last_at));
}

// "50.28.104.50 (300), 50.28.104.51 (112) and 3 more"
std::string peers_text(const LogReport& report, const LogFinding& finding) {
  std::string text;
  std::size_t shown = 0;
  for (const auto& cause : report.causes) {
    if (cause.code != finding.code || !cause.peer || shown == kPeersOfACause) continue;
    text += fmt::format("{}{} ({})", shown == 0 ? "" : ", ", cause.peer->to_string(),
                        grouped(cause.count));
    ++shown;
  }
  if (shown == 0) return finding.peers > 0 ? counted(finding.peers, "peer") : "";
  if (finding.peers > shown) text += fmt::format(" and {} more", grouped(finding.peers - shown));
  return text;
}

std::string detail_text(const Output& out, const LogReport& report, const LogFinding& finding) {
  std::string text = fmt::format("\n{}  {}\n", out.paint(Paint::bold, finding.code),
                                 wrapped(finding.title, finding.code.size() + 2, out.width()));
  std::vector<Field> fields{{"  why", finding.meaning}, {"  seen", when_text(out, finding)}};
  if (auto peers = peers_text(report, finding); !peers.empty()) {
    fields.push_back({"  peers", std::move(peers)});
  }
  if (finding.follows_from) fields.push_back({"  root", "follows from " + *finding.follows_from});
  fields.push_back({"  act", std::string(words_of(finding.act))});
  fields.push_back({"  do", finding.remedy});
  for (const auto& example : finding.examples) fields.push_back({"  line", example});
  return text + fields_text(out, fields);
}

std::string peers_table(const Output& out, const LogReport& report) {
  std::vector<LogPeer> rows;
  for (const auto& peer : report.peers) {
    if (peer.signs > 0 && rows.size() < kPeersShown) rows.push_back(peer);
  }
  if (rows.size() < 2) return "";
  const auto age = [&](const LogPeer& p) {
    return p.last_heard_at ? out.since(*p.last_heard_at) : "";
  };
  return "\n" + Table(out, rows)
                    .column("PEER", &LogPeer::ip)
                    .column(
                        "SIGNS", [](const LogPeer& p) { return grouped(p.signs); }, Align::right)
                    .column("MOSTLY", &LogPeer::main_code, Align::left, Fit::whole)
                    .column("SESSIONS", &LogPeer::sessions, Align::right)
                    .column("DIALS", &LogPeer::dials, Align::right)
                    .column("HEIGHT", &LogPeer::height, Align::right)
                    .column("HEARD, AGO", age, Align::right)
                    .column("LAST END", &LogPeer::last_end)
                    .text();
}

}  // namespace

Sentence sentence_of(const Output& out, const LogReport& report) {
  if (report.lines == 0) return {Paint::warn, "nothing to say", ": the log is empty"};
  if (report.known == 0) {
    return {Paint::warn, "nothing to say", ": no line of this is one that timed writes"};
  }
  if (report.findings.empty()) {
    return {Paint::good, "no cause found", ": no line tells of a failure"};
  }
  const auto& main = report.findings.front();
  return {paint_of(main.severity), "the main cause",
          fmt::format(": {}, {} ({}, {}{})", main.code, in_sentence(main.title), times(main.count),
                      main.count == 1 ? "" : "last ", ago(out, main.last_at))};
}

int exit_of(const LogReport& report) {
  if (report.known == 0) return 3;
  if (report.findings.empty()) return 0;
  const bool grave = std::ranges::any_of(report.findings, [](const LogFinding& finding) {
    return finding.severity == Gravity::critical || finding.severity == Gravity::high;
  });
  return grave ? 2 : 1;
}

std::string log_page(const Output& out, const LogReport& report, Details details) {
  const auto sentence = sentence_of(out, report);
  std::string text = wrapped(sentence.text(), 0, out.width());
  text = out.paint(sentence.paint, sentence.head) + text.substr(sentence.head.size()) + "\n";
  text += wrapped(span_text(out, report), 0, out.width()) + "\n";
  if (report.findings.empty()) return text;
  text += "\n" + table_text(out, report);
  const auto shown = details == Details::all ? report.findings.size()
                                             : std::min(report.findings.size(), kDetailed);
  for (std::size_t i = 0; i < shown; ++i) text += detail_text(out, report, report.findings[i]);
  text += peers_table(out, report);
  if (shown < report.findings.size()) {
    text += fmt::format("\n{} told in full of {}; the rest: --all\n", counted(shown, "cause"),
                        grouped(report.findings.size()));
  }
  return text;
}

std::string sign_line(const Output& out, const diagnose::Sign& sign, const diagnose::Mode& mode,
                      std::uint64_t count) {
  return fmt::format("{}  {}  {}{}{}\n",
                     sign.at ? out.paint(Paint::dim, out.time(*sign.at)) : std::string("-"),
                     out.paint(paint_of(mode.gravity), fmt::format("{:<11}", mode.code)),
                     sign.peer ? sign.peer->to_string() + ": " : std::string(), mode.title,
                     count > 1 ? fmt::format(" ({} times)", grouped(count)) : std::string());
}

}  // namespace timectl::cmd
