#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cmd/alerts_text.h"
#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/control/alerts_api.h"

namespace timectl::cmd {
namespace {

using control::AlertRow;

constexpr int kNotTaken = 1;  // exit status

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
        out.text(alerts_text(out, rows));
        const auto open = std::ranges::find_if(rows, [](const AlertRow& row) {
          return row.state == AlertState::firing && !row.silenced_until && !row.hidden_by;
        });
        if (open != rows.end()) {
          out.note("next: timectl explain " + std::string(name_of(open->rule)));
        }
      });
}

Result<int> acknowledge(Context& context, const control::AlertAckRequest& request) {
  const auto answer = ask(context, "alerts.ack", request);
  if (!answer) return answer.error();
  using Replies = std::vector<control::AlertAckReply>;
  return show<Replies>(context, "timectl.alerts.ack/1", *answer, [&](const Replies& replies) {
    for (const auto& reply : replies) {
      const std::string what = std::string(name_of(reply.rule)) +
                               (reply.object.empty() ? "" : " of " + printable(reply.object));
      const bool before = reply.result == "unchanged";
      context.out.text(fmt::format("alert {} ({}) {}acknowledged by {}: it is not repeated\n",
                                   reply.id, what, before ? "was already " : "is ",
                                   printable(reply.acked_by)));
    }
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

Result<int> rules(Context& context) {
  const auto answer = ask(context, "alerts.rules", json::object());
  if (!answer) return answer.error();
  using Row = control::AlertRuleInfo;
  return show<std::vector<Row>>(context, "timectl.alerts.rules/1", *answer,
                                [&](const std::vector<Row>& rows) {
                                  context.out.text(alert_rules_text(context.out, rows));
                                  context.out.note("next: timectl explain RULE");
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
                             {{"alerts ack 12", "the id is the first column of `alerts`"},
                              {"alerts ack 12 13 14", "several: all of them or none"}});
  auto ids = std::make_shared<std::vector<std::string>>();
  add_arguments(acking, "id", Count::one_or_more, *ids, "ALERT", "ids of open alerts");
  on_run(acking, context, [&context, ids]() -> Result<int> {
    control::AlertAckRequest acks;
    for (const auto& id : *ids) {
      if (auto ok = parse_value(id, acks.ids.emplace_back()); !ok) return ok.error();
    }
    return acknowledge(context, acks);
  });

  auto& quiet = add_command(
      alerts, "silence", "tell nothing new of a rule, or of one peer, for some time",
      {{"alerts silence lag --for 6h --reason \"restored a backup\"", "the rule as a whole"},
       {"alerts silence masternode_down --peer 203.0.113.7 --for 2h --reason moves",
        "one peer; again to change the end"},
       {"alerts silence sink_failing --object ops --for 1d --reason \"its server moves\"",
        "one sink"}});
  auto wanted = std::make_shared<control::AlertSilenceRequest>();
  add_argument(quiet, "rule", Count::one, wanted->rule, "RULE", "a rule of `alerts rules`");
  add_option(quiet, "--peer", wanted->peer, "IP", "only of this peer");
  add_option(quiet, "--object", wanted->object, "NAME", "only of this peer, sink or height");
  add_option(quiet, "--for", wanted->lasts, "DURATION", "how long; at most 30 days");
  add_option(quiet, "--reason", wanted->reason, "TEXT", "why; kept in the audit log");
  on_run(quiet, context, [&context, wanted] {
    wanted->unknown = context.globals.yes;
    return silence(context, *wanted);
  });

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
