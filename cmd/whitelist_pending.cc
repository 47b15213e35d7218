#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/control/list_api.h"
#include "daemon/core/errors.h"

namespace timectl::cmd {
namespace {

Result<int> pending(Context& context) {
  const auto answer = ask(context, "whitelist.pending", json::object());
  if (!answer) return answer.error();
  using Row = control::PendingRow;
  return show<std::vector<Row>>(
      context, "timectl.whitelist.pending/1", *answer, [&](const std::vector<Row>& rows) {
        if (rows.empty()) {
          context.out.text("nothing waits for approval\n");
          return;
        }
        context.out.text(
            Table(context.out, rows)
                .column("IP", &Row::ip)
                .column("CHANGE", &Row::change)
                .column("WAITS FOR", [&](const Row& row) { return context.out.since(row.seen_at); })
                .column("WHY", &Row::why)
                .text());
        context.out.note("next: timectl whitelist approve --all --list " + rows.front().list +
                         ", or reject");
      });
}

void add_decision(CLI::App& whitelist, Context& context, const std::string& verb,
                  const std::string& summary, std::initializer_list<Example> examples) {
  auto& command = add_command(whitelist, verb, summary, examples);
  auto request = std::make_shared<control::DecisionRequest>();
  add_arguments(command, "ip", Count::any, request->ips, "IP", "addresses that wait");
  add_flag(command, "--all", request->all, "all that waits: of a held list, the list itself");
  add_option(command, "--list", request->list, "HASH",
             "only if this list still waits, as `pending` names it");
  on_run(command, context, [&context, request, verb]() -> Result<int> {
    const auto answer = ask(context, "whitelist." + verb, *request);
    if (!answer) return answer.error();
    return show_changes(context, "timectl.whitelist." + verb + "/1", *answer, "");
  });
}

}  // namespace

void add_whitelist_pending(CLI::App& whitelist, Context& context) {
  auto& command =
      add_command(whitelist, "pending", "what the API's list brings and you must decide",
                  {{"whitelist pending", "new addresses, and lists that are held back"}});
  on_run(command, context, [&context] { return pending(context); });
  add_decision(whitelist, context, "approve", "take what waits from the API's list",
               {{"whitelist approve 203.0.113.7", "one address"},
                {"whitelist approve --all", "all that waits"}});
  add_decision(whitelist, context, "reject", "refuse what waits from the API's list",
               {{"whitelist reject 203.0.113.7", "not taken until you approve it"},
                {"whitelist reject --all", "a held list is not asked about again"}});
}

}  // namespace timectl::cmd
