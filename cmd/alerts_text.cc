#include "cmd/alerts_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "cmd/table.h"
#include "cmd/view_text.h"

namespace timectl::cmd {
namespace {

using control::AlertDelivery;
using control::AlertRow;
using control::AlertRuleInfo;

constexpr std::size_t kIndent = 4;

// Line by line, with what belongs to each row under it.
template <class Row>
std::string with_details(const Output& out, std::string table, const std::vector<Row>& rows,
                         const std::function<std::vector<Cell>(const Row&)>& details_of) {
  std::string text;
  std::size_t begin = 0;
  for (std::size_t line = 0; begin < table.size(); ++line) {
    const auto end = std::min(table.find('\n', begin), table.size() - 1);
    text += table.substr(begin, end + 1 - begin);
    begin = end + 1;
    if (line == 0 || line > rows.size()) continue;  // the titles
    for (const auto& detail : details_of(rows[line - 1])) {
      const auto folded = wrapped(detail.text, kIndent, out.width());
      text += std::string(kIndent, ' ') + out.paint(detail.paint, folded) + "\n";
    }
  }
  return text;
}

// The one word; who, until when and why is under the row.
Cell state_of(const AlertRow& row) {
  if (row.state == AlertState::resolved) return {"resolved", Paint::good};
  if (row.hidden_by) return {"hidden", Paint::dim};
  if (row.silenced_until) return {"silenced", Paint::dim};
  if (row.state == AlertState::firing && row.cleared_at) return {"ending", Paint::good};
  if (row.flapping) return {"flapping", Paint::bad};
  if (row.acked_by) return {"acked"};
  return {std::string(name_of(row.state)),
          row.state == AlertState::firing ? Paint::bad : Paint::plain};
}

bool has_it(const AlertDelivery& delivery) {
  return delivery.state == DeliveryState::delivered;
}

Cell sent_of(const AlertRow& row) {
  if (row.deliveries.empty()) return {"-"};
  const auto count = static_cast<std::size_t>(std::ranges::count_if(row.deliveries, has_it));
  if (count == row.deliveries.size()) return {"all"};
  return {fmt::format("{} of {}", count, row.deliveries.size()), Paint::warn};
}

std::string silence_text(const Output& out, WallTime until, const std::string& by,
                         const std::string& why) {
  return fmt::format("silenced until {} (for {}) by {}: {}", out.time(until), out.until(until),
                     printable(by), printable(why, 500));
}

std::vector<Cell> details_of(const Output& out, const AlertRow& row) {
  std::vector<Cell> lines{{printable(row.text, 500)}};
  if (row.hidden_by) {
    lines.push_back(
        {"hidden: it follows from " + std::string(name_of(*row.hidden_by)), Paint::dim});
  }
  if (row.silenced_until) {
    lines.push_back({silence_text(out, *row.silenced_until, row.silenced_by.value_or("?"),
                                  row.silenced_because.value_or("?")),
                     Paint::dim});
  }
  if (row.acked_by) {
    lines.push_back({"acknowledged by " + printable(*row.acked_by) +
                         (row.acked_at ? " " + out.since(*row.acked_at) + " ago" : ""),
                     Paint::dim});
  }
  if (row.state == AlertState::firing && row.cleared_at) {
    lines.push_back({"it holds no more since " + out.since(*row.cleared_at) +
                         "; said to be over if it stays so",
                     Paint::good});
  }
  std::string missing;
  for (const auto& delivery : row.deliveries) {
    if (!has_it(delivery)) missing += (missing.empty() ? "" : ", ") + alert_delivery(delivery);
  }
  if (!missing.empty()) lines.push_back({"not at: " + missing, Paint::warn});
  return lines;
}

Cell on_of(const AlertRuleInfo& row) {
  if (!row.enabled) return {"no", Paint::warn};
  if (row.silences.empty()) return {"yes"};
  const bool whole = std::ranges::any_of(row.silences, [](const auto& s) { return !s.object; });
  return {whole ? "silenced" : "in part", Paint::warn};
}

}  // namespace

std::string alerts_text(const Output& out, const std::vector<AlertRow>& rows) {
  Table table(out, rows);
  table
      .column(
          "ID",
          [](const AlertRow& row) { return row.id ? std::to_string(*row.id) : std::string("-"); },
          Align::right, Fit::whole)
      .column(
          "SEVERITY",
          [](const AlertRow& row) {
            return Cell{std::string(name_of(row.severity)), paint_of(row.severity)};
          },
          Align::left, Fit::whole)
      .column("RULE", &AlertRow::rule, Align::left, Fit::whole)
      .column("OBJECT", [](const AlertRow& row) { return alert_object(row.object); })
      .column("STATE", state_of, Align::left, Fit::whole)
      .column(
          "FOR",
          [&](const AlertRow& row) {
            return row.resolved_at ? human_duration(*row.resolved_at - row.since)
                                   : out.since(row.since);
          },
          Align::left, Fit::whole)
      .column("SENT TO", sent_of, Align::left, Fit::whole);
  return with_details<AlertRow>(out, table.text(), rows,
                                [&](const AlertRow& row) { return details_of(out, row); });
}

std::string alert_rules_text(const Output& out, const std::vector<AlertRuleInfo>& rows) {
  using Row = AlertRuleInfo;
  const auto after = [](Duration d) {
    return d == Duration{0} ? std::string("at once") : human_duration(d);
  };
  Table table(out, rows);
  table.column("RULE", &Row::rule)
      .column("SEVERITY",
              [](const Row& row) {
                return Cell{std::string(name_of(row.severity)), paint_of(row.severity)};
              })
      .column("ABOUT", &Row::subject)
      .column("SAID AFTER", [&](const Row& row) { return after(row.hold); })
      .column("AGAIN",
              [](const Row& row) { return row.repeat ? human_duration(*row.repeat) : "never"; })
      .column("ON", on_of)
      .column("MEANING", &Row::meaning);
  return with_details<Row>(out, table.text(), rows, [&](const Row& row) {
    std::vector<Cell> lines;
    for (const auto& silence : row.silences) {
      const auto object = silence.object ? printable(*silence.object) + ": " : std::string();
      lines.push_back(
          {object + silence_text(out, silence.until, silence.by, silence.why), Paint::warn});
    }
    return lines;
  });
}

}  // namespace timectl::cmd
