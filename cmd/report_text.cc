#include "cmd/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cmd/table.h"

namespace timectl::cmd {
namespace {

using observe::ReportMasternode;
using observe::ReportTarget;
using observe::ReportView;

std::string span(double seconds) {
  return human_duration(Duration(std::llround(seconds * 1e6)));
}

// Cut, never rounded: 99.8999 % must not be shown as the 99.9 % that it misses.
std::string percent_cut(double percent) {
  return fmt::format("{:.3f} %", std::floor(percent * 1000) / 1000);
}

std::string measured(const ReportTarget& target) {
  if (!target.measured) return "-";
  if (target.unit == "%") return percent_cut(*target.measured);
  if (target.unit == "s") return span(*target.measured);
  const bool whole = *target.measured == std::floor(*target.measured);
  const auto number = whole ? fmt::format("{:.0f}", *target.measured)
                            : fmt::format("{:.1f}", std::floor(*target.measured * 10) / 10);
  return target.unit.empty() ? number : number + " " + target.unit;
}

std::string uptime(const ReportMasternode& node) {
  return node.uptime_ratio ? percent_cut(*node.uptime_ratio * 100) : "-";
}

std::string own_outage(const ReportMasternode& node) {
  return node.own_outage_seconds > 0 ? span(node.own_outage_seconds) : "-";
}

// A count of somebody whom nobody looked at is not 0.
std::string count(const ReportMasternode& node, std::uint64_t ReportMasternode::*member) {
  return node.observed_seconds > 0 ? std::to_string(node.*member) : "-";
}

std::string tenths(const std::optional<double>& value) {
  return value ? fmt::format("{:.1f}", *value) : "-";
}

std::string_view met_word(const ReportTarget& target) {
  return !target.met ? "unknown" : *target.met ? "yes" : "NO";
}

std::string targets_table(const Output& out, const std::vector<ReportTarget>& targets) {
  return Table(out, targets)
      .column("TARGET", &ReportTarget::title)
      .column("WANTED", &ReportTarget::target)
      .column("MEASURED", measured, Align::right)
      .column("MET",
              [](const ReportTarget& target) {
                return Cell{std::string(met_word(target)), !target.met   ? Paint::warn
                                                           : *target.met ? Paint::good
                                                                         : Paint::bad};
              })
      .text();
}

// Whose and when, of what is not met.
std::string remarks(const Output& out, const std::vector<ReportTarget>& targets) {
  std::vector<Field> fields;
  for (const auto& target : targets) {
    if (target.met != true) fields.push_back({target.title, printable(target.detail, 300)});
  }
  return fields.empty() ? "" : "\n" + fields_text(out, fields);
}

std::string masternodes_table(const Output& out, const std::vector<ReportMasternode>& nodes) {
  using Row = ReportMasternode;
  return Table(out, nodes)
      .column("MASTERNODE", &Row::ip)
      .column("LABEL", &Row::label)
      .column("UPTIME", uptime, Align::right, Fit::whole)
      .column("OWN OUTAGE", own_outage, Align::right)
      .column(
          "DROPS", [](const Row& row) { return count(row, &Row::disconnects); }, Align::right)
      .column(
          "MISSED", [](const Row& row) { return count(row, &Row::missed_pongs); }, Align::right)
      .column(
          "RTT MS", [](const Row& row) { return tenths(row.rtt_ms_mean); }, Align::right)
      .column(
          "SCORE", [](const Row& row) { return tenths(row.score); }, Align::right)
      .text();
}

std::string observed(const ReportView& view) {
  // A period that begins within a step has all of it in its sums.
  const auto period = seconds(view.until - view.since);
  std::string text = fmt::format("the node ran {} of {}",
                                 span(std::min(view.observed_seconds, period)), span(period));
  if (view.own_outage_seconds > 0) {
    text += fmt::format("; for {} of that it was itself in trouble", span(view.own_outage_seconds));
  }
  return text;
}

// A label may hold what ends a cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : printable(text, 300)) {
    if (c == '|' || c == '\\' || c == '`' || c == '<') out += '\\';
    out += c;
  }
  return out.empty() ? "-" : out;
}

}  // namespace

std::string report_text(const Output& out, const ReportView& view) {
  std::string text =
      out.paint(Paint::bold, wrapped(printable(view.summary, 400), 0, out.width())) + "\n\n";
  text += fields_text(out, {{"Period", out.time(view.since) + " to " + out.time(view.until)},
                            {"Observed", observed(view)}});
  text += "\n" + targets_table(out, view.targets) + remarks(out, view.targets);
  if (!view.masternodes.empty()) text += "\n" + masternodes_table(out, view.masternodes);
  return text;
}

std::string report_markdown(const ReportView& view) {
  std::string text =
      fmt::format("# timectl report\n\n**{}**\n\n{} to {}; {}.\n\n", cell(view.summary),
                  utc_text(view.since), utc_text(view.until), observed(view));
  text += "| Target | Wanted | Measured | Met | Detail |\n|---|---|---:|---|---|\n";
  for (const auto& row : view.targets) {
    text += fmt::format("| {} | {} | {} | {} | {} |\n", row.title, row.target, measured(row),
                        met_word(row), cell(row.detail));
  }
  if (view.masternodes.empty()) return text;
  text +=
      "\n| Masternode | Label | Uptime | Own outage | Disconnects | Missed pongs | RTT ms | Score "
      "|\n|---|---|---:|---:|---:|---:|---:|---:|\n";
  for (const auto& row : view.masternodes) {
    text += fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} | {} |\n", row.ip.to_string(), cell(row.label),
        uptime(row), own_outage(row), count(row, &ReportMasternode::disconnects),
        count(row, &ReportMasternode::missed_pongs), tenths(row.rtt_ms_mean), tenths(row.score));
  }
  return text;
}

}  // namespace timectl::cmd
