#include <fmt/format.h>

#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/control/list_api.h"
#include "daemon/core/errors.h"

namespace timectl::cmd {
namespace {

using Reply = control::RefreshReply;

// cli.md: 1 failed with the old list kept, 2 failed with no list, 80 held back.
int exit_status(const Reply& reply) {
  if (reply.error) return reply.accepted_at ? 1 : 2;
  return reply.held_back ? error_row(Code::blacklisted).exit_status : 0;
}

// Addresses in lines of the output's width; a long list is cut, --json has all of it.
constexpr std::size_t kShown = 24;

void show_addresses(Output& out, const std::string& title, const std::vector<IpAddress>& ips) {
  if (ips.empty()) return;
  std::string text = fmt::format("\n{} ({}):\n", title, grouped(ips.size()));
  std::string line = " ";
  for (std::size_t i = 0; i < std::min(ips.size(), kShown); ++i) {
    const auto ip = ips[i].to_string();
    if (line.size() + 1 + ip.size() > 96) {
      text += line + "\n";
      line = " ";
    }
    line += " " + ip;
  }
  text += line + "\n";
  if (ips.size() > kShown) text += fmt::format("  and {} more\n", grouped(ips.size() - kShown));
  out.text(text);
}

void show_refused(Output& out, const std::vector<RefusedEntry>& refused) {
  if (refused.empty()) return;
  out.text(fmt::format("\nrefused ({}):\n", grouped(refused.size())));
  std::vector<RefusedEntry> shown(
      refused.begin(),
      refused.begin() + static_cast<std::ptrdiff_t>(std::min(refused.size(), kShown)));
  out.text(Table(out, shown)
               .column("ADDRESS", [](const RefusedEntry& row) { return printable(row.address); })
               .column("WHY", [](const RefusedEntry& row) { return printable(row.why); })
               .text());
  if (refused.size() > kShown) {
    out.text(fmt::format("and {} more\n", grouped(refused.size() - kShown)));
  }
}

std::string headline(const Output& out, const Reply& reply) {
  const auto counts = [&](const char* added) {
    return fmt::format("{} {}, {} kept, {} missing, {} refused", grouped(reply.added.size()), added,
                       grouped(reply.kept.size()), grouped(reply.missing.size()),
                       grouped(reply.refused.size()));
  };
  if (reply.held_back) {
    return out.paint(Paint::bad, "held back") + ": " + counts("new") + "\n  because " +
           printable(reply.held_because, 500) + "\n";
  }
  std::string text = reply.dry_run ? "would be taken" : "taken";
  if (reply.not_modified) text = "unchanged at the source, " + text;
  text = out.paint(Paint::good, text) + ": " + counts(reply.dry_run ? "to add" : "added");
  if (!reply.waiting.empty()) {
    text += fmt::format(", {} waiting for approval", grouped(reply.waiting.size()));
  }
  return text + "\n";
}

void show_failure(Context& context, const Reply& reply) {
  auto& out = context.out;
  const auto& error = *reply.error;
  out.text(out.paint(Paint::bad, "failed") + fmt::format(" at step {} ({}): {}\n",
                                                         name_of(error.step), error.code,
                                                         printable(error.message, 500)));
  std::vector<Field> fields{{"  url", printable(reply.url, 500)}};
  if (!error.address.empty()) fields.push_back({"  address", printable(error.address)});
  fields.push_back({"  in force", reply.accepted_at
                                      ? fmt::format("the list of {} ago, nothing is lost",
                                                    out.since(*reply.accepted_at))
                                      : "no list was ever accepted"});
  out.text(fields_text(out, fields));
  show_refused(out, reply.refused);
  if (reply.whitelisted == 0) {
    out.text(out.paint(Paint::bad, "the whitelist is empty: no masternode is protected") + "\n");
    out.note("next: timectl whitelist add IP");
  } else {
    out.note(fmt::format("next: timectl explain {}", name_of(error.step)));
  }
}

void show_reply(Context& context, const Reply& reply) {
  auto& out = context.out;
  if (reply.error) return show_failure(context, reply);
  out.text(headline(out, reply));
  std::vector<Field> fields{{"  url", printable(reply.url, 500)}};
  if (!reply.address.empty()) fields.push_back({"  address", printable(reply.address)});
  fields.push_back({"  whitelisted", grouped(reply.whitelisted)});
  for (const auto& note : reply.notes) fields.push_back({"  note", printable(note, 300)});
  out.text(fields_text(out, fields));
  const bool now = !reply.dry_run && !reply.held_back;
  show_addresses(out, now ? "added" : "to add", reply.added);
  if (!reply.held_back) show_addresses(out, "waiting for approval", reply.waiting);
  show_addresses(out, "missing, still protected", reply.missing);
  show_refused(out, reply.refused);
  if (reply.dry_run) {
    out.note("--dry-run: nothing was changed");
  } else if (reply.held_back || !reply.waiting.empty()) {
    out.note("next: timectl whitelist pending");
  }
}

Result<int> run(Context& context, const control::RefreshRequest& request) {
  auto answer = ask(context, "refresh", request);
  if (!answer) return answer.error();
  if (request.dry_run) answer->warnings.clear();  // they speak of a change
  const auto reply = read_answer<Reply>(answer->data);
  if (!reply) return reply.error();
  const auto shown = show<Reply>(context, "timectl.refresh/1", *answer,
                                 [&](const Reply& value) { show_reply(context, value); });
  if (!shown) return shown;
  return exit_status(*reply);
}

Result<int> snapshots(Context& context) {
  const auto answer = ask(context, "refresh.snapshots", control::SnapshotsRequest{});
  if (!answer) return answer.error();
  using Row = ListSnapshot;
  return show<std::vector<Row>>(
      context, "timectl.refresh.snapshots/1", *answer, [&](const std::vector<Row>& rows) {
        if (rows.empty()) {
          context.out.text("no list was fetched yet\n");
          context.out.note("next: timectl refresh");
          return;
        }
        context.out.text(
            Table(context.out, rows)
                .column("FIRST", &Row::first_at)
                .column("LAST", &Row::last_at)
                .column("LISTED", &Row::listed, Align::right)
                .column("REFUSED", &Row::refused, Align::right)
                .column("OUTCOME", &Row::outcome)
                .column("SHA256", [](const Row& row) { return row.sha256.substr(0, 16); })
                .text());
      });
}

}  // namespace

void add_refresh(CLI::App& root, Context& context) {
  auto& refresh =
      add_command(root, "refresh", "fetch the list of masternodes now (discovery.url)",
                  {{"refresh --dry-run", "what would change, and why entries are refused"},
                   {"refresh", "take it; too large a change waits for your approval"},
                   {"refresh --history", "the lists of the last 30 days"}});
  auto request = std::make_shared<control::RefreshRequest>();
  auto history = std::make_shared<bool>(false);
  add_flag(refresh, "--dry-run", request->dry_run, "say what would happen, change nothing");
  add_flag(refresh, "--history", *history, "the lists that were fetched, instead of fetching one");
  on_run(refresh, context, [&context, request, history]() -> Result<int> {
    if (*history && request->dry_run) {
      return Error{Code::invalid_argument, "either --history or --dry-run, not both"};
    }
    return *history ? snapshots(context) : run(context, *request);
  });
}

}  // namespace timectl::cmd
