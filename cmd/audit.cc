#include <fmt/format.h>

#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/control/api.h"
#include "daemon/core/errors.h"
#include "daemon/methods.h"

namespace timectl::cmd {
namespace {

struct ExportPage {
  std::vector<json::value> rows = {};
  std::optional<std::uint64_t> next = {};
};
BOOST_DESCRIBE_STRUCT(ExportPage, (), (rows, next))

Result<int> list(Context& context, const control::AuditListRequest& request) {
  const auto answer = ask(context, "audit.list", request);
  if (!answer) return answer.error();
  using Row = store::AuditRow;
  return show<std::vector<Row>>(
      context, "timectl.audit.list/1", *answer, [&](const std::vector<Row>& rows) {
        if (rows.empty()) {
          const bool narrowed = request.since || !request.actor.empty() || !request.subject.empty();
          context.out.text(narrowed ? "no recorded change matches\n" : "no change is recorded\n");
          return;
        }
        context.out.text(
            Table(context.out, rows)
                .column("SEQ", &Row::seq, Align::right)
                .column("AT", &Row::at)
                .column("BY",
                        [](const Row& row) { return row.user.empty() ? row.actor : row.user; })
                .column("VIA", &Row::via)
                .column("ACTION", &Row::action)
                .column("SUBJECT", &Row::subject)
                .column("RESULT", &Row::result)
                .column("REASON", &Row::reason)
                .text());
        if (rows.size() >= request.limit) {
          context.out.note(fmt::format("the newest {} only: narrow it with --since, or export all",
                                       rows.size()));
        }
      });
}

std::string verdict_text(const Output& out, const store::AuditVerdict& verdict) {
  std::string text = verdict.ok ? out.paint(Paint::good, "the chain is whole")
                                : out.paint(Paint::bad, "THE CHAIN IS BROKEN");
  text += fmt::format(": {} row{} read\n", grouped(verdict.rows), verdict.rows == 1 ? "" : "s");
  std::vector<Field> fields{{"  head", verdict.head}};
  if (!verdict.problem.empty()) fields.push_back({"  problem", printable(verdict.problem)});
  if (verdict.first_bad_seq) {
    fields.push_back({"  first bad row", std::to_string(*verdict.first_bad_seq)});
  }
  if (!verdict.ok) fields.push_back({"  do", std::string(error_row(Code::audit_broken).remedy)});
  return text + fields_text(out, fields);
}

Result<int> verify(Context& context, const control::AuditVerifyRequest& request) {
  const auto answer = ask(context, "audit.verify", request);
  if (!answer) return answer.error();
  const auto verdict = read_answer<store::AuditVerdict>(answer->data);
  if (!verdict) return verdict.error();
  const auto shown = show<store::AuditVerdict>(
      context, "timectl.audit.verify/1", *answer,
      [&](const auto& value) { context.out.text(verdict_text(context.out, value)); });
  if (!shown) return shown;
  return verdict->ok ? 0 : error_row(Code::audit_broken).exit_status;
}

// Page by page: the log may be larger than any reply.
Result<int> export_rows(Context& context) {
  control::AuditExportRequest request;
  while (true) {
    const auto answer = ask(context, "audit.export", request);
    if (!answer) return answer.error();
    const auto page = read_answer<ExportPage>(answer->data);
    if (!page) return page.error();
    for (const auto& row : page->rows) context.out.json_line(row);
    if (!page->next) return 0;
    request.from = *page->next;
  }
}

}  // namespace

void add_audit(CLI::App& root, Context& context) {
  auto& audit = add_command(root, "audit", "who changed what, in a log that shows tampering",
                            {{"audit list --since 7d", "the changes of the last week"},
                             {"audit verify", "is the log whole"}});

  auto& listing = add_command(audit, "list", "the changes, the newest last",
                              {{"audit list --since 7d", "of the last week"},
                               {"audit list --subject 203.0.113.7", "of one address"},
                               {"audit list --actor alice", "by one user"}});
  auto request = std::make_shared<control::AuditListRequest>();
  add_since(listing, context, request->since, "only later ones: 7d, or an RFC 3339 time");
  add_option(listing, "--actor", request->actor, "NAME", "a user, or operator, api, config, node");
  add_option(listing, "--subject", request->subject, "IP", "an address or a label");
  on_run(listing, context, [&context, request] { return list(context, *request); });

  auto& verifying = add_command(
      audit, "verify", "recompute the hash chain; 2 if it is broken",
      {{"audit verify", "every row fits the one before"},
       {"audit verify --head 9f86d081884c7d65...", "and a head noted elsewhere is in it"}});
  auto head = std::make_shared<control::AuditVerifyRequest>();
  add_option(verifying, "--head", head->head, "HASH", "64 hex digits, from `audit head` of before");
  on_run(verifying, context, [&context, head] { return verify(context, *head); });

  auto& noting = add_command(audit, "head", "the last row's hash, to note on another machine",
                             {{"audit head", "then later: timectl audit verify --head HASH"}});
  on_run(noting, context, [&context]() -> Result<int> {
    const auto answer = ask(context, "audit.head", json::object());
    if (!answer) return answer.error();
    return show<store::AuditHead>(
        context, "timectl.audit.head/1", *answer, [&](const store::AuditHead& value) {
          context.out.text(fmt::format("{}  (row {})\n", value.hash, value.seq));
        });
  });

  auto& exporting = add_command(audit, "export", "every row as one JSON object a line",
                                {{"audit export > audit.jsonl", "docs/audit.md verifies it"}});
  on_run(exporting, context, [&context] { return export_rows(context); });
}

}  // namespace timectl::cmd
