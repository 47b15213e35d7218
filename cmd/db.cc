#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/settings.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/control/api.h"
#include "daemon/core/errors.h"
#include "daemon/methods_offline.h"

namespace timectl::cmd {
namespace {

struct CheckReply {
  bool ok = false;
  std::vector<std::string> problems = {};
};
BOOST_DESCRIBE_STRUCT(CheckReply, (), (ok, problems))

// SQLite packs several findings into one text, with a banner before them.
std::string problem_text(std::string_view problem) {
  std::string text;
  while (!problem.empty()) {
    const auto end = std::min(problem.find('\n'), problem.size());
    const auto line = problem.substr(0, end);
    if (!line.empty() && !line.starts_with("***")) text += printable(line, 500) + "\n";
    problem.remove_prefix(std::min(end + 1, problem.size()));
  }
  return text;
}

Result<int> check(Context& context) {
  const auto answer = ask(context, "db.check", json::object());
  if (!answer) return answer.error();
  const auto reply = read_answer<CheckReply>(answer->data);
  if (!reply) return reply.error();
  const auto shown =
      show<CheckReply>(context, "timectl.db.check/1", *answer, [&](const CheckReply& value) {
        if (value.ok)
          context.out.text(context.out.paint(Paint::good, "the database is sound") + "\n");
        for (const auto& problem : value.problems) context.out.text(problem_text(problem));
        if (!value.ok) context.out.note("next: timectl db restore FILE, with the node stopped");
      });
  if (!shown) return shown;
  return reply->ok ? 0 : error_row(Code::database_damaged).exit_status;
}

Result<int> backup(Context& context, const std::string& file) {
  const auto answer = ask(context, "db.backup", control::BackupRequest{absolute_path(file)});
  if (!answer) return answer.error();
  return show<store::BackupReport>(
      context, "timectl.db.backup/1", *answer, [&](const store::BackupReport& report) {
        context.out.text(fmt::format("{}: {}, {} audit rows, verified\n",
                                     printable(report.file, 4000), human_bytes(report.bytes),
                                     grouped(report.audit_rows)));
        context.out.text("audit head " + report.audit_head + "\n");
      });
}

// Without the node always: it would be replaced under its feet.
Result<int> restore(Context& context, const std::string& file) {
  const auto settings = load_settings(context.globals);
  if (!settings) return settings.error();
  const auto report =
      restore_database(settings->data_dir, absolute_path(file), context.command, context.now.wall,
                       context.globals.timeout.value_or(std::chrono::seconds(5)));
  if (!report) return report.error();
  if (context.out.json()) {
    context.out.document("timectl.db.restore/1", to_json(*report), "database");
    return 0;
  }
  context.out.text(fmt::format("restored {}: {} audit rows\n", printable(report->file, 4000),
                               grouped(report->audit_rows)));
  if (!report->kept_as.empty()) {
    context.out.text("the database of before is kept as " + printable(report->kept_as, 4000) +
                     "\n");
  }
  context.out.note("next: timectl node start");
  return 0;
}

}  // namespace

void add_db(CLI::App& root, Context& context) {
  auto& db =
      add_command(root, "db", "check, back up and restore the database",
                  {{"db backup /var/backups/timectl.db", "while the node runs, or without"}});
  auto& checking = add_command(db, "check", "every page, row and hash; 74 if something is wrong",
                               {{"db check", "may take seconds; the node goes on meanwhile"}});
  on_run(checking, context, [&context] { return check(context); });

  auto file = std::make_shared<std::string>();
  auto& saving = add_command(db, "backup", "one verified file, although the node goes on writing",
                             {{"db backup /var/backups/timectl.db", "the file must not exist"}});
  add_argument(saving, "file", Count::one, *file, "FILE", "where to write it");
  on_run(saving, context, [&context, file] { return backup(context, *file); });

  auto& restoring =
      add_command(db, "restore", "put a backup in the database's place; the node must be stopped",
                  {{"db restore /var/backups/timectl.db", "the present database is kept beside"}});
  add_argument(restoring, "file", Count::one, *file, "FILE", "a file that `db backup` wrote");
  on_run(restoring, context, [&context, file] { return restore(context, *file); });
}

}  // namespace timectl::cmd
