// `whitelist export` and `whitelist import`: whole lists, between nodes and from files. The forms
// are config/whitelist_file's; here are the file, the question and what is shown.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/input_file.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "config/toml_guard.h"
#include "config/whitelist_file.h"
#include "daemon/control/api.h"
#include "daemon/core/errors.h"

namespace timectl::cmd {
namespace {

using config::ListFormat;

constexpr std::size_t kShownProblems = 20;

struct ImportOptions {
  std::string file = {};
  std::optional<ListFormat> format = {};
  bool replace = false;
  bool all_sources = false;
  bool dry_run = false;
};

// Every invalid entry in one error; nothing was sent to anybody.
Error problems_of(const config::PeerList& list, const std::string& file) {
  std::string because;
  const auto shown = std::min(list.problems.size(), kShownProblems);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& problem = list.problems[i];
    if (i > 0) because += '\n';
    if (!problem.place.empty()) because += problem.place + ": ";
    if (!problem.text.empty()) because += problem.text + ": ";
    because += problem.why;
  }
  if (list.problem_count > shown) {
    because += fmt::format("\nand {} more", list.problem_count - shown);
  }
  return {
      Code::bad_data,
      fmt::format("{} has {} and was not imported", file == "-" ? "the list" : file,
                  list.problem_count == 1 ? "an invalid entry"
                                          : fmt::format("{} invalid entries", list.problem_count)),
      std::move(because),
      {fmt::format("it was read as {}; --format text|json|toml reads it otherwise",
                   name_of(list.format))}};
}

// What is not said is left out: a long list must fit into one request.
json::object request_of(const config::PeerList& list, const ImportOptions& options) {
  json::array entries;
  entries.reserve(list.peers.size());
  for (const auto& peer : list.peers) {
    auto entry = to_json(peer).get_object();
    for (const char* key : {"liveness", "expires_at"}) {
      if (entry.at(key).is_null()) entry.erase(key);
    }
    for (const char* key : {"label", "reason"}) {
      if (entry.at(key).get_string().empty()) entry.erase(key);
    }
    if (!peer.trusts_us) entry.erase("trusts_us");
    entries.push_back(std::move(entry));
  }
  return {{"entries", std::move(entries)}, {"replace", options.replace}};
}

Cell result_cell(const control::ImportRow& row) {
  const bool bad = row.result == ImportResult::refused;
  const bool warn = row.result == ImportResult::removed || row.result == ImportResult::skipped;
  return {std::string(name_of(row.result)), bad ? Paint::bad : warn ? Paint::warn : Paint::good};
}

std::string difference_text(const Output& out, const control::ImportReply& reply) {
  std::vector<control::ImportRow> rows;
  std::copy_if(reply.rows.begin(), reply.rows.end(), std::back_inserter(rows),
               [](const auto& row) { return row.result != ImportResult::unchanged; });
  std::string text;
  if (!rows.empty()) {
    text = Table(out, rows)
               .column("IP", &control::ImportRow::ip)
               .column("RESULT", result_cell)
               .column("LABEL", &control::ImportRow::label)
               .column("STILL BY", &control::ImportRow::still_by)
               .column("WHAT",
                       [](const control::ImportRow& row) {
                         return row.why.empty() ? to_text(row.changes) : row.why;
                       })
               .text();
  }
  text += fmt::format("{} added, {} changed, {} unchanged, {} removed", reply.added, reply.changed,
                      reply.unchanged, reply.removed);
  if (reply.skipped > 0) text += fmt::format(", {} skipped", reply.skipped);
  if (reply.refused > 0) text += fmt::format(", {} refused", reply.refused);
  return text + "\n";
}

// One line of the terminal; everything but y and yes is a no.
bool says_yes() {
  static constexpr std::string_view kQuestion = "apply? [y/N] ";
  (void)!::write(STDERR_FILENO, kQuestion.data(), kQuestion.size());
  char answer[16];
  const auto got = ::read(STDIN_FILENO, answer, sizeof answer);
  std::string_view text(answer, got > 0 ? static_cast<std::size_t>(got) : 0);
  text = text.substr(0, text.find_first_of("\r\n"));
  return text == "y" || text == "Y" || text == "yes";
}

bool changes_something(const control::ImportReply& reply) {
  return reply.added + reply.changed + reply.removed > 0;
}

Result<int> import_list(Context& context, const ImportOptions& options) {
  const auto text = read_input(options.file, "list", config::kMostListBytes);
  if (!text) return text.error();
  const auto list = config::read_list(*text, options.file, {options.format, options.all_sources});
  if (list.problem_count > 0) return problems_of(list, options.file);
  if (list.left_out > 0) {
    context.out.note(
        fmt::format("{} entries that only config or api hold are left out; "
                    "--all-sources takes them",
                    list.left_out));
  }
  auto request = request_of(list, options);
  const bool yes = context.globals.yes && !options.dry_run;
  const bool asks = !yes && !options.dry_run && !context.out.json() && options.file != "-" &&
                    ::isatty(STDIN_FILENO) != 0 && ::isatty(STDERR_FILENO) != 0;
  request["dry_run"] = !yes;
  auto answer = ask(context, "whitelist.import", request);
  if (!answer) return answer.error();
  auto reply = read_answer<control::ImportReply>(answer->data);
  if (!reply) return reply.error();
  // They speak of a change.
  if (!reply->applied || !changes_something(*reply)) answer->warnings.clear();
  if (context.out.json()) {
    context.out.document("timectl.whitelist.import/1", answer->data, answer->source,
                         answer->warnings);
  } else {
    for (const auto& warning : answer->warnings) context.out.warning(warning);
    context.out.text(difference_text(context.out, *reply));
    context.out.flush();
  }
  const int refused = error_row(Code::list_refused).exit_status;
  if (reply->refused > 0) {
    context.out.note("nothing was changed: a list is imported whole or not at all");
    return refused;
  }
  if (!changes_something(*reply)) return 0;
  if (reply->applied) {
    context.out.note("applied");
    return 0;
  }
  if (options.dry_run) {
    context.out.note("--dry-run: nothing was changed");
    return 0;
  }
  if (!asks) {
    context.out.note("nothing was changed: --yes applies it");
    return refused;
  }
  if (!says_yes()) {
    context.out.note("nothing was changed");
    return refused;
  }
  request["dry_run"] = false;
  request["plan"] = reply->plan;
  const auto applied = ask(context, "whitelist.import", request);
  if (!applied) return applied.error();
  for (const auto& warning : applied->warnings) context.out.warning(warning);
  context.out.note("applied");
  return 0;
}

Result<int> export_list(Context& context, std::optional<ListFormat> format, bool all) {
  if (context.out.json() && format && *format != ListFormat::json) {
    return Error{Code::invalid_argument,
                 "--json and --format " + std::string(name_of(*format)) + " exclude each other",
                 "--json is the same as --format json",
                 {"timectl whitelist export --format json"}};
  }
  control::WhitelistListRequest request;
  if (!all) request.source = Source::manual;
  const auto answer = ask(context, "whitelist.list", request);
  if (!answer) return answer.error();
  const auto rows = read_answer<std::vector<control::WhitelistRow>>(answer->data);
  if (!rows) return rows.error();
  std::vector<ListedPeer> peers;
  for (const auto& row : *rows) {
    peers.push_back(
        {row.ip, row.label, row.own_liveness, row.trusts_us, row.reason, row.expires_at});
  }
  if (context.out.json() || format == ListFormat::json) {
    context.out.document("timectl.whitelist.export/1", config::list_json(peers), answer->source,
                         answer->warnings);
  } else {
    const auto text = config::write_list(peers, format.value_or(ListFormat::text));
    const auto most = format == ListFormat::toml ? config::kMostBytes : config::kMostListBytes;
    if (text.size() > most) {
      context.out.warning(
          fmt::format("the list is over {}: `import` takes it in no such size", human_bytes(most)));
    }
    context.out.text(text);
  }
  return 0;
}

}  // namespace

void add_whitelist_lists(CLI::App& whitelist, Context& context) {
  auto& exporting =
      add_command(whitelist, "export", "the entries added by hand, as a list that `import` takes",
                  {{"whitelist export > masternodes.txt", "one address a line, with its fields"},
                   {"whitelist export --format toml", "to paste into timectl.toml"},
                   {"whitelist export --all --json", "what config and api hold, too"}});
  auto format = std::make_shared<std::optional<ListFormat>>();
  auto all = std::make_shared<bool>(false);
  add_option(exporting, "--format", *format, words_of<ListFormat>(), "the form; text if not given");
  add_flag(exporting, "--all", *all, "of all sources, not the manual ones alone");
  on_run(exporting, context,
         [&context, format, all] { return export_list(context, *format, *all); });

  auto& importing = add_command(
      whitelist, "import", "whitelist a whole list: the difference is shown, then all or nothing",
      {{"whitelist import masternodes.txt", "shows what would change, and asks"},
       {"whitelist import - --yes", "from another program: `... export | ssh NODE timectl ...`"},
       {"whitelist import masternodes.txt --replace", "manual entries that are not in it go"}});
  auto options = std::make_shared<ImportOptions>();
  add_argument(importing, "file", Count::one, options->file, "FILE",
               "lines `IP label=NAME reason=\"TEXT\" # comment`, or JSON, or TOML; - is stdin");
  add_option(importing, "--format", options->format, words_of<ListFormat>(),
             "if not given, by the name's ending or the content");
  add_flag(importing, "--replace", options->replace, "remove manual entries that are not listed");
  add_flag(importing, "--all-sources", options->all_sources,
           "of `whitelist list --json` also what only config or api hold");
  add_flag(importing, "--dry-run", options->dry_run, "show the difference, change nothing");
  on_run(importing, context, [&context, options] { return import_list(context, *options); });
}

}  // namespace timectl::cmd
