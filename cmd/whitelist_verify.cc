#include <algorithm>
#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/control/api.h"

namespace timectl::cmd {
namespace {

using control::ProtectionRow;

Cell verdict_cell(ProtectionVerdict verdict) {
  const Paint paint = verdict == ProtectionVerdict::enforced   ? Paint::good
                      : verdict == ProtectionVerdict::unproven ? Paint::warn
                                                               : Paint::bad;
  return {std::string(name_of(verdict)), paint};
}

Cell fact_cell(const std::optional<bool>& ok) {
  if (!ok) return {"unknown", Paint::warn};
  return *ok ? Cell{"yes", Paint::good} : Cell{"no", Paint::bad};
}

std::string facts_text(const Output& out, const ProtectionRow& row) {
  return Table(out, row.facts)
      .column("FACT", &ProtectionFact::name)
      .column("OK", [](const ProtectionFact& fact) { return fact_cell(fact.ok); })
      .column("DETAIL", &ProtectionFact::detail)
      .text();
}

// What is wrong before what is unknown; facts with the same detail are named together.
std::string because(const ProtectionRow& row) {
  std::vector<std::pair<std::string, std::string>> reasons;  // detail, names
  for (const bool known : {true, false}) {
    for (const auto& fact : row.facts) {
      if (fact.ok == true || fact.ok.has_value() != known) continue;
      const auto same =
          std::ranges::find(reasons, fact.detail, &std::pair<std::string, std::string>::first);
      const std::string name(name_of(fact.name));
      if (same == reasons.end()) {
        reasons.emplace_back(fact.detail, name);
      } else {
        same->second += ", " + name;
      }
    }
  }
  std::string text;
  for (const auto& [detail, names] : reasons) {
    text += (text.empty() ? "" : "; ") + names + ": " + detail;
  }
  return text.empty() ? "every fact holds" : text;
}

std::string rows_text(const Output& out, const std::vector<ProtectionRow>& rows) {
  return Table(out, rows)
      .column("IP", &ProtectionRow::ip)
      .column("LABEL", &ProtectionRow::label)
      .column("VERDICT", [](const ProtectionRow& row) { return verdict_cell(row.verdict); })
      .column("BECAUSE", because)
      .text();
}

int exit_status(const std::vector<ProtectionRow>& rows) {
  const auto any = [&](ProtectionVerdict verdict) {
    return std::ranges::find(rows, verdict, &ProtectionRow::verdict) != rows.end();
  };
  if (any(ProtectionVerdict::broken)) return 2;
  return rows.empty() || any(ProtectionVerdict::unproven) ? 3 : 0;
}

Result<int> verify(Context& context, const control::PeerRequest& request) {
  const auto answer = ask(context, "whitelist.verify", request);
  if (!answer) return answer.error();
  const auto rows = read_answer<std::vector<ProtectionRow>>(answer->data);
  if (!rows) return rows.error();
  const auto shown = show<std::vector<ProtectionRow>>(
      context, "timectl.whitelist.verify/1", *answer, [&](const auto&) {
        auto& out = context.out;
        if (rows->empty()) {
          out.text("the whitelist is empty: nobody is protected\n");
          out.note("next: timectl whitelist add IP");
          return;
        }
        if (request.peer.empty()) {
          out.text(rows_text(out, *rows));
          return;
        }
        const auto& row = rows->front();
        const auto verdict = verdict_cell(row.verdict);
        out.text("The protection of " + out.paint(Paint::bold, row.ip.to_string()) + " is " +
                 out.paint(verdict.paint, verdict.text) + "\n\n" + facts_text(out, row));
      });
  if (!shown) return shown;
  return exit_status(*rows);
}

}  // namespace

void add_whitelist_verify(CLI::App& whitelist, Context& context) {
  auto& command = add_command(whitelist, "verify",
                              "is the protection in force? facts and a verdict for each peer",
                              {{"whitelist verify", "all; exit 0 enforced, 3 unproven, 2 broken"},
                               {"whitelist verify berlin", "one of them, fact by fact"}});
  auto named = std::make_shared<control::PeerRequest>();
  add_argument(command, "ip", Count::at_most_one, named->peer, "IP", "an address or a label");
  on_run(command, context, [&context, named] { return verify(context, *named); });
}

}  // namespace timectl::cmd
