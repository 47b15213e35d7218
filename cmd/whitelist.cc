#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/control/api.h"
#include "daemon/core/errors.h"

namespace timectl::cmd {
namespace {

Result<int> list(Context& context, const control::WhitelistListRequest& request) {
  const auto answer = ask(context, "whitelist.list", request);
  if (!answer) return answer.error();
  using Row = control::WhitelistRow;
  return show<std::vector<Row>>(
      context, "timectl.whitelist.list/1", *answer, [&](const std::vector<Row>& rows) {
        if (rows.empty()) {
          if (request.source) {
            context.out.text(
                fmt::format("no address has the source {}\n", name_of(*request.source)));
            context.out.note("next: timectl whitelist list");
            return;
          }
          context.out.text("the whitelist is empty\n");
          context.out.note("next: timectl whitelist add IP");
          return;
        }
        context.out.text(
            Table(context.out, rows)
                .column("IP", &Row::ip)
                .column("LABEL", &Row::label)
                .column("CONNECTED",
                        [](const Row& row) -> Cell {
                          if (!row.connected) return {"-"};
                          return *row.connected ? Cell{"yes", Paint::good} : Cell{"no", Paint::bad};
                        })
                .column("SOURCES", &Row::sources)
                .column("LIVENESS", &Row::liveness)
                .column("AGE", [&](const Row& row) { return context.out.since(row.added_at); })
                .column("EXPIRES IN",
                        [&](const Row& row) {
                          return row.expires_at ? context.out.until(*row.expires_at) : "-";
                        })
                .column("MISSING FOR",
                        [&](const Row& row) {
                          return row.missing_since ? context.out.since(*row.missing_since) : "-";
                        })
                .column("REASON", &Row::reason)
                .text());
      });
}

std::string detail_text(const Output& out, const control::WhitelistDetail& entry) {
  const Cells cells(out);
  std::vector<Field> fields{
      {"IP", cells(entry.ip)},
      {"Label", cells(entry.label)},
      {"Connected", entry.connected ? cells(*entry.connected) : "unknown"},
      {"Liveness", cells(entry.liveness)},
      {"Trusts us", cells(entry.trusts_us)},
  };
  using Row = WhitelistSource;
  return fields_text(out, fields) + "\n" +
         Table(out, entry.by_source)
             .column("SOURCE", &Row::source)
             .column("ADDED", &Row::added_at)
             .column("BY", &Row::added_by)
             .column("EXPIRES", &Row::expires_at)
             .column("MISSING SINCE", &Row::missing_since)
             .column("REASON", &Row::reason)
             .text();
}

void add_adding(CLI::App& whitelist, Context& context) {
  auto& add = add_command(
      whitelist, "add", "whitelist addresses; a running node protects them at once",
      {{"whitelist add 203.0.113.7 --label berlin", "one masternode, with a name"},
       {"whitelist add 203.0.113.7 203.0.113.8 --reason mine", "several, with a reason"},
       {"whitelist add 203.0.113.9 --expires 30d", "for a month"}});
  auto request = std::make_shared<control::WhitelistAddRequest>();
  add_arguments(add, "ip", Count::one_or_more, request->ips, "IP", "IPv4 or IPv6 addresses");
  add_option(add, "--reason", request->reason, "TEXT", "why; kept in the audit log");
  add_option(add, "--label", request->label, "NAME", "a name for the peer (one address only)");
  add_option(add, "--liveness", request->liveness, words_of<LivenessProfile>(),
             "how patient the node is with it");
  add_option(add, "--expires", request->expires_in, "DURATION", "remove it after this time: 30d");
  add_flag(add, "--dry-run", request->dry_run, "say what would happen, change nothing");
  on_run(add, context, [&context, request]() -> Result<int> {
    auto answer = ask(context, "whitelist.add", *request);
    if (!answer) return answer.error();
    if (request->dry_run) answer->warnings.clear();  // they speak of a change
    return show_changes(context, "timectl.whitelist.add/1", *answer,
                        request->dry_run ? "--dry-run: nothing was changed" : "");
  });
}

void add_removing(CLI::App& whitelist, Context& context) {
  auto& remove = add_command(
      whitelist, "remove", "take addresses off that were added by hand",
      {{"whitelist remove 203.0.113.7 --reason sold", "the config and the API may still hold it"},
       {"whitelist remove berlin", "by its label"}});
  auto request = std::make_shared<control::WhitelistRemoveRequest>();
  add_arguments(remove, "ip", Count::one_or_more, request->ips, "IP", "addresses or labels");
  add_option(remove, "--reason", request->reason, "TEXT", "why; kept in the audit log");
  on_run(remove, context, [&context, request]() -> Result<int> {
    const auto answer = ask(context, "whitelist.remove", *request);
    if (!answer) return answer.error();
    return show_changes(context, "timectl.whitelist.remove/1", *answer, "");
  });
}

}  // namespace

// Every address is known now, so that a refusal of one does not hide what became of the others.
Result<int> show_changes(Context& context, std::string_view schema, const Answer& answer,
                         const std::string& nothing_done) {
  const auto changes = read_answer<std::vector<control::ChangeReply>>(answer.data);
  if (!changes) return changes.error();
  const auto shown = show<
      std::vector<control::ChangeReply>>(context, schema, answer, [&](const auto& rows) {
    context.out.text(
        Table(context.out, rows)
            .column("IP", &control::ChangeReply::ip)
            .column(
                "RESULT",
                [](const control::ChangeReply& row) {
                  const bool refused = row.result == "refused";
                  const bool same = row.result == "unchanged";
                  return Cell{row.result, refused ? Paint::bad : same ? Paint::plain : Paint::good};
                })
            .column("STILL BY", &control::ChangeReply::still_by)
            .column("WHY", &control::ChangeReply::why)
            .text());
    if (!nothing_done.empty()) context.out.note(nothing_done);
  });
  if (!shown) return shown;
  const bool refused = std::any_of(changes->begin(), changes->end(),
                                   [](const auto& change) { return change.result == "refused"; });
  return refused ? error_row(Code::blacklisted).exit_status : 0;
}

void add_whitelist(CLI::App& root, Context& context) {
  auto& whitelist =
      add_command(root, "whitelist", "which peers are masternodes and keep their connection",
                  {{"whitelist add 203.0.113.7 --label berlin", "protect a masternode"},
                   {"whitelist list", "all of them, and whether they are connected"}});
  add_adding(whitelist, context);
  add_removing(whitelist, context);

  auto& listing = add_command(whitelist, "list", "all whitelisted addresses",
                              {{"whitelist list", "with sources, age and connection"},
                               {"whitelist list --source manual", "only those added by hand"}});
  auto request = std::make_shared<control::WhitelistListRequest>();
  add_option(listing, "--source", request->source, "config|api|manual", "only of this source");
  on_run(listing, context, [&context, request] { return list(context, *request); });

  auto& showing = add_command(
      whitelist, "show", "one entry with each of its sources",
      {{"whitelist show 203.0.113.7", "by address"}, {"whitelist show berlin", "by label"}});
  auto named = std::make_shared<control::PeerRequest>();
  add_argument(showing, "ip", Count::one, named->peer, "IP", "an address or a label");
  on_run(showing, context, [&context, named]() -> Result<int> {
    const auto answer = ask(context, "whitelist.show", *named);
    if (!answer) return answer.error();
    return show<control::WhitelistDetail>(
        context, "timectl.whitelist.show/1", *answer,
        [&](const auto& entry) { context.out.text(detail_text(context.out, entry)); });
  });
  add_whitelist_pending(whitelist, context);
  add_whitelist_suggest(whitelist, context);
  add_whitelist_lists(whitelist, context);
  add_whitelist_verify(whitelist, context);
}

}  // namespace timectl::cmd
