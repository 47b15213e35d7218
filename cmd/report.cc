#include <algorithm>
#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/report_text.h"
#include "cmd/tree.h"
#include "daemon/control/diagnose_api.h"
#include "daemon/observe/report.h"

namespace timectl::cmd {
namespace {

using observe::ReportTarget;
using observe::ReportView;

enum class ReportFormat : std::uint8_t { table, markdown };
BOOST_DESCRIBE_ENUM(ReportFormat, table, markdown)

int exit_of(const ReportView& view) {
  const auto missed = [](const ReportTarget& target) { return target.met == false; };
  if (std::ranges::any_of(view.targets, missed)) return 1;
  const auto met = [](const ReportTarget& target) { return target.met == true; };
  return std::ranges::any_of(view.targets, met) ? 0 : 3;
}

Result<int> report(Context& context, const control::ReportRequest& request, ReportFormat format) {
  const auto answer = ask(context, "report", request);
  if (!answer) return answer.error();
  const auto view = read_answer<ReportView>(answer->data);
  if (!view) return view.error();
  const auto shown =
      show<ReportView>(context, "timectl.report/1", *answer, [&](const ReportView& value) {
        context.out.text(format == ReportFormat::markdown ? report_markdown(value)
                                                          : report_text(context.out, value));
      });
  if (!shown) return shown;
  return exit_of(*view);
}

}  // namespace

void add_report(CLI::App& root, Context& context) {
  auto& command =
      add_command(root, "report", "the targets against what was measured over a period",
                  {{"report", "the last day; 0 all met, 1 some missed, 3 nothing measured"},
                   {"report --since 30d --format markdown", "to paste it into a ticket"}});
  auto request = std::make_shared<control::ReportRequest>();
  auto format = std::make_shared<ReportFormat>(ReportFormat::table);
  add_since(command, context, request->since, "from when on: 24h, or an RFC 3339 time");
  add_option(command, "--format", *format, words_of<ReportFormat>(), "how to print it");
  on_run(command, context,
         [&context, request, format] { return report(context, *request, *format); });
}

}  // namespace timectl::cmd
