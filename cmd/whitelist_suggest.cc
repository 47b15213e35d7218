#include <fmt/format.h>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/control/diagnose_api.h"

namespace timectl::cmd {
namespace {

using Row = control::SuggestionRow;

// One that can be pasted as it is.
std::string command_to_add(const std::vector<Row>& rows) {
  std::string command = "timectl whitelist add";
  for (const auto& row : rows) command += " " + row.ip.to_string();
  return command + " --reason \"proved reliable\"";
}

Result<int> suggestions(Context& context) {
  const auto answer = ask(context, "whitelist.suggest", json::object());
  if (!answer) return answer.error();
  return show<std::vector<Row>>(
      context, "timectl.whitelist.suggest/1", *answer, [&](const std::vector<Row>& rows) {
        auto& out = context.out;
        if (rows.empty()) {
          out.text("no peer is suggested\n");
          out.note(
              "it takes whitelist.suggest_after of sessions with a score of "
              "whitelist.suggest_score: docs/health-score.md");
          return;
        }
        out.text(Table(out, rows)
                     .column("IP", &Row::ip)
                     .column(
                         "SCORE", [](const Row& row) { return fmt::format("{:.0f}", row.score); },
                         Align::right)
                     .column(
                         "DAYS",
                         [](const Row& row) { return fmt::format("{:.1f}", row.observed_days); },
                         Align::right)
                     .column(
                         "UPTIME", [](const Row& row) { return percent(row.uptime_ratio); },
                         Align::right)
                     .column("BECAUSE", &Row::because)
                     .text());
        out.text("\nNone is added by itself. Next, if you know whose they are:\n  " +
                 out.paint(Paint::bold, command_to_add(rows)) + "\n");
      });
}

}  // namespace

void add_whitelist_suggest(CLI::App& whitelist, Context& context) {
  auto& command =
      add_command(whitelist, "suggest", "peers that proved reliable; none is added by itself",
                  {{"whitelist suggest", "with the evidence, and the command to add them"}});
  on_run(command, context, [&context] { return suggestions(context); });
}

}  // namespace timectl::cmd
