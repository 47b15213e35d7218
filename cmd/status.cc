#include <fmt/format.h>

#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/past_text.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "cmd/view_text.h"
#include "daemon/control/api.h"

namespace timectl::cmd {
namespace {

int exit_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return 0;
    case Verdict::degraded:
      return 1;
    case Verdict::critical:
      return 2;
    case Verdict::unknown:
      return 3;
  }
  return 3;
}

// The reply names the first few.
std::string more_line(const Output& out, const control::MasternodesStatus& masternodes) {
  const auto away = masternodes.whitelisted - masternodes.connected.value_or(0);
  if (!masternodes.connected || away <= masternodes.down.size()) return "";
  return out.paint(Paint::dim, fmt::format("  and {} more: timectl peer list --whitelisted\n",
                                           away - masternodes.down.size()));
}

std::string down_table(const Output& out, const control::MasternodesStatus& masternodes) {
  return Table(out, masternodes.down)
             .column("  DOWN", [](const PeerView& peer) { return "  " + peer.ip.to_string(); })
             .column("LABEL", &PeerView::label)
             .column("STATE",
                     [](const PeerView& peer) {
                       return Cell{std::string(name_of(peer.state)), Paint::bad};
                     })
             .column("MISSED PONGS", &PeerView::missed_pongs, Align::right)
             .text() +
         more_line(out, masternodes);
}

std::string alert_lines(const Output& out, const std::vector<control::AlertLine>& alerts) {
  std::string text;
  for (const auto& alert : alerts) {
    const std::string word = fmt::format("{:<8}", upper(name_of(alert.severity)));
    text += "  " + out.paint(paint_of(alert.severity), word) + "  " +
            wrapped(printable(alert.text), 12, out.width());
    if (alert.since) text += out.paint(Paint::dim, "  for " + out.since(*alert.since));
    if (alert.silenced_until) text += out.paint(Paint::dim, "  silenced");
    if (alert.acked_by) text += out.paint(Paint::dim, "  acked by " + printable(*alert.acked_by));
    text += "\n";
  }
  return text;
}

// One screen, the worst first, the next command last.
std::string status_text(const Output& out, const control::StatusReply& status) {
  const std::string verdict = upper(name_of(status.verdict));
  std::string text = out.paint(paint_of(status.verdict), verdict) + "  " +
                     wrapped(printable(status.summary), verdict.size() + 2, out.width()) + "\n\n";
  if (!status.alerts.empty()) text += alert_lines(out, status.alerts) + "\n";
  std::vector<Field> fields{{"Masternodes", masternodes_line(status.masternodes)},
                            {"Node", node_line(status)}};
  if (!status.node.passive_because.empty()) {
    fields.push_back({"Passive", printable(status.node.passive_because)});
  }
  if (status.slots) fields.push_back({"Slots", slots_line(*status.slots)});
  fields.push_back({"Sync", sync_line(status.sync)});
  text += fields_text(out, fields);
  if (!status.masternodes.down.empty()) text += "\n" + down_table(out, status.masternodes);
  if (!status.next_command.empty()) {
    text += "\n" + out.paint(Paint::dim, "Next:") + " " +
            out.paint(Paint::bold, printable(status.next_command)) + "\n";
  }
  return text;
}

// Of then: no process, no slots, nothing that a node keeps in memory only.
std::string past_status_text(const Output& out, const control::PastStatusReply& status) {
  const std::string verdict = upper(name_of(status.verdict));
  std::string text = past_text(out, status.past) + "\n";
  text += out.paint(paint_of(status.verdict), verdict) + "  " +
          wrapped(printable(status.summary), verdict.size() + 2, out.width()) + "\n\n";
  if (!status.alerts.empty()) text += alert_lines(out, status.alerts) + "\n";
  text += fields_text(out, {{"Masternodes", masternodes_line(status.masternodes)},
                            {"Network", printable(status.network)},
                            {"Sync", sync_line(status.sync)}});
  if (!status.masternodes.down.empty()) text += "\n" + down_table(out, status.masternodes);
  return text + "\n" + out.paint(Paint::dim, "Next:") + " " +
         out.paint(Paint::bold, printable(status.next_command)) + "\n";
}

Result<int> show_past(Context& context, WallTime at) {
  const auto answer = ask(context, "status", control::StatusRequest{at});
  if (!answer) return answer.error();
  const auto status = read_answer<control::PastStatusReply>(answer->data);
  if (!status) return status.error();
  const auto shown = show<control::PastStatusReply>(
      context, "timectl.status/1", *answer,
      [&](const auto& value) { context.out.text(past_status_text(context.out, value)); });
  if (!shown) return shown;
  return exit_of(status->verdict);
}

Result<int> show_status(Context& context) {
  const auto answer = ask(context, "status", json::object());
  if (!answer) return answer.error();
  const auto status = read_answer<control::StatusReply>(answer->data);
  if (!status) return status.error();
  const auto shown = show<control::StatusReply>(
      context, "timectl.status/1", *answer,
      [&](const auto& value) { context.out.text(status_text(context.out, value)); });
  if (!shown) return shown;
  return exit_of(status->verdict);
}

}  // namespace

void add_status(CLI::App& root, Context& context) {
  auto& status = add_command(root, "status", "how is it: verdict, masternodes, slots, alerts",
                             {{"status", "one screen, the worst first; bare `timectl` is the same"},
                              {"status --at 2h", "as it was two hours ago"},
                              {"status --json", "for monitoring; the exit status is the verdict"}});
  auto at = std::make_shared<std::optional<WallTime>>();
  add_at(status, context, *at, "as it was then: 2h (ago), or an RFC 3339 time");
  on_run(status, context,
         [&context, at] { return *at ? show_past(context, **at) : show_status(context); });
  on_run(root, context, [&context] { return show_status(context); });
}

}  // namespace timectl::cmd
