#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "cmd/view_text.h"
#include "daemon/control/alerts_api.h"

namespace timectl::cmd {
namespace {

using control::AlertRow;
using control::AlertRuleInfo;

constexpr int kNotTaken = 1;  // exit status

Cell sent_of(const AlertRow& row) {
  std::string text;
  Paint paint = Paint::plain;
  for (const auto& delivery : row.deliveries) {
    text += (text.empty() ? "" : ", ") + alert_delivery(delivery);
    if (delivery.state != DeliveryState::delivered) paint = Paint::warn;
  }
  return {text.empty() ? "-" : text, paint};
}

bool has_deliveries(const std::vector<AlertRow>& rows) {
  return std::ranges::any_of(rows, [](const AlertRow& row) { return !row.deliveries.empty(); });
}

std::string list_text(const Output& out, const std::vector<AlertRow>& rows) {
  Table table(out, rows);
  table
      .column(
          "ID",
          [](const AlertRow& row) { return row.id ? std::to_string(*row.id) : std::string("-"); },
          Align::right)
      .column("SEVERITY",
              [](const AlertRow& row) {
                return Cell{std::string(name_of(row.severity)), paint_of(row.severity)};
              })
      .column("RULE", &AlertRow::rule)
      .column("OBJECT", [](const AlertRow& row) { return alert_object(row.object); })
      .column("STATE", alert_state)
      .column("FOR",
              [&](const AlertRow& row) {
                return row.resolved_at ? human_duration(*row.resolved_at - row.since)
                                       : out.since(row.since);
              })
      .column("WHAT", &AlertRow::text);
  if (has_deliveries(rows)) table.column("SENT TO", sent_of);
  return table.text();
}

Result<int> list(Context& context, const control::AlertsListRequest& request) {
  const auto answer = ask(context, "alerts.list", request);
  if (!answer) return answer.error();
  return show<std::vector<AlertRow>>(
      context, "timectl.alerts.list/1", *answer, [&](const std::vector<AlertRow>& rows) {
        auto& out = context.out;
        if (rows.empty()) {
          out.text("no alert is open\n");
          return;
        }
        out.text(list_text(out, rows));
        const auto open = std::ranges::find_if(rows, [](const AlertRow& row) {
          return row.state == AlertState::firing && !row.silenced_until && !row.hidden_by;
        });
        if (open != rows.end()) {
          out.note("next: timectl explain " + std::string(name_of(open->rule)));
        }
      });
}

Result<int> acknowledge(Context& context, std::uint64_t id) {
  const auto answer = ask(context, "alerts.ack", control::AlertAckRequest{id});
  if (!answer) return answer.error();
  using Reply = control::AlertAckReply;
  return show<Reply>(context, "timectl.alerts.ack/1", *answer, [&](const Reply& reply) {
    const std::string what = std::string(name_of(reply.rule)) +
                             (reply.object.empty() ? "" : " of " + printable(reply.object));
    const bool before = reply.result == "unchanged";
    context.out.text(fmt::format("alert {} ({}) {}acknowledged by {}: it is not repeated\n",
                                 reply.id, what, before ? "was already " : "is ",
                                 printable(reply.acked_by)));
  });
}

Result<int> silence(Context& context, const control::AlertSilenceRequest& request) {
  const auto answer = ask(context, "alerts.silence", request);
  if (!answer) return answer.error();
  return show<AlertSilence>(
      context, "timectl.alerts.silence/1", *answer, [&](const AlertSilence& silence) {
        context.out.text(
            fmt::format("{}{} is silenced for {}: {}\n", name_of(silence.rule),
                        silence.object ? " of " + printable(*silence.object) : std::string(),
                        human_duration(silence.until - silence.from), printable(silence.why)));
      });
}

// A sink that does not take it is the answer, and the command's failure.
Result<int> test(Context& context, const control::AlertTestRequest& request) {
  const auto answer = ask(context, "alerts.test", request);
  if (!answer) return answer.error();
  using Reply = control::AlertTestReply;
  auto shown = show<Reply>(context, "timectl.alerts.test/1", *answer, [&](const Reply& reply) {
    const bool good = reply.result == SendResult::delivered;
    std::string text = printable(reply.sink) + " (" + std::string(name_of(reply.kind));
    if (!reply.to.empty()) text += " to " + printable(reply.to);
    text += good ? ") took the test" : ") did not take the test: " + printable(reply.error);
    if (reply.status) text += "; HTTP " + std::to_string(*reply.status);
    if (reply.exit_status) text += "; exit status " + std::to_string(*reply.exit_status);
    text += "; " + fmt::format("{:.0f} ms", seconds(reply.took) * 1000) + "\n";
    if (!reply.answer.empty()) text += "answer: " + printable(reply.answer, 300) + "\n";
    context.out.text(text);
  });
  const auto read = read_answer<Reply>(answer->data);
  if (shown && read && read->result != SendResult::delivered) return kNotTaken;
  return shown;
}

Cell on_of(const AlertRuleInfo& row) {
  if (!row.enabled) return {"no", Paint::warn};
  if (row.silences.empty()) return {"yes"};
  const bool whole = std::ranges::any_of(row.silences, [](const auto& s) { return !s.object; });
  return {whole ? "silenced" : "not for all peers", Paint::warn};
}

Result<int> rules(Context& context) {
  const auto answer = ask(context, "alerts.rules", json::object());
  if (!answer) return answer.error();
  using Row = AlertRuleInfo;
  return show<std::vector<Row>>(
      context, "timectl.alerts.rules/1", *answer, [&](const std::vector<Row>& rows) {
        auto& out = context.out;
        const auto after = [](Duration d) {
          return d == Duration{0} ? std::string("at once") : human_duration(d);
        };
        out.text(
            Table(out, rows)
                .column("RULE", &Row::rule)
                .column("SEVERITY",
                        [](const Row& row) {
                          return Cell{std::string(name_of(row.severity)), paint_of(row.severity)};
                        })
                .column("ABOUT", &Row::subject)
                .column("SAID AFTER", [&](const Row& row) { return after(row.hold); })
                .column("AGAIN",
                        [](const Row& row) {
                          return row.repeat ? human_duration(*row.repeat) : "never";
                        })
                .column("ON", on_of)
                .column("MEANING", &Row::meaning)
                .text());
        out.note("next: timectl explain RULE");
      });
}

}  // namespace

void add_alerts(CLI::App& root, Context& context) {
  auto& alerts =
      add_command(root, "alerts", "what is wrong, told once: list, acknowledge, silence",
                  {{"alerts", "what is open, the gravest first"},
                   {"alerts ack 12", "somebody is at it: it is not repeated"},
                   {"alerts silence masternode_down --peer berlin --for 2h --reason \"moves\"",
                    "nothing new is told of it meanwhile"}});
  on_run(alerts, context, [&context] { return list(context, {}); });

  auto& listing = add_command(alerts, "list", "what is open, pending, silenced or hidden",
                              {{"alerts list", "the gravest first"},
                               {"alerts list --all", "and what was resolved, the newest first"}});
  auto request = std::make_shared<control::AlertsListRequest>();
  add_flag(listing, "--all", request->all, "also resolved ones");
  add_option(listing, "--limit", request->limit, "N", "at most so many");
  on_run(listing, context, [&context, request] { return list(context, *request); });

  auto& acking = add_command(alerts, "ack", "say that somebody is at it: it is not repeated",
                             {{"alerts ack 12", "the id is the first column of `alerts`"}});
  auto id = std::make_shared<std::string>();
  add_argument(acking, "id", Count::one, *id, "ALERT", "the id of an open alert");
  on_run(acking, context, [&context, id]() -> Result<int> {
    std::uint64_t number = 0;
    if (auto ok = parse_value(*id, number); !ok) return ok.error();
    return acknowledge(context, number);
  });

  auto& quiet = add_command(
      alerts, "silence", "tell nothing new of a rule, or of one peer, for some time",
      {{"alerts silence lag --for 6h --reason \"restored a backup\"", "the rule as a whole"},
       {"alerts silence masternode_down --peer 203.0.113.7 --for 2h --reason moves",
        "one peer; again to change the end"}});
  auto wanted = std::make_shared<control::AlertSilenceRequest>();
  add_argument(quiet, "rule", Count::one, wanted->rule, "RULE", "a rule of `alerts rules`");
  add_option(quiet, "--peer", wanted->peer, "IP", "only of this peer");
  add_option(quiet, "--for", wanted->lasts, "DURATION", "how long; at most 30 days");
  add_option(quiet, "--reason", wanted->reason, "TEXT", "why; kept in the audit log");
  on_run(quiet, context, [&context, wanted] { return silence(context, *wanted); });

  auto& trial = add_command(alerts, "test", "send a real test message through a sink, now",
                            {{"alerts test pager", "a name of [[alerts.sink]]; shows the answer"}});
  auto sink = std::make_shared<control::AlertTestRequest>();
  add_argument(trial, "sink", Count::one, sink->sink, "SINK", "a sink of the configuration");
  on_run(trial, context, [&context, sink] { return test(context, *sink); });

  auto& listed = add_command(alerts, "rules", "what is watched, how grave it is, when it is said",
                             {{"alerts rules", "`timectl explain RULE` says what to do"}});
  on_run(listed, context, [&context] { return rules(context); });
}

}  // namespace timectl::cmd
