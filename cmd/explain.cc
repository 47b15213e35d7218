#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

#include "cmd/catalogue.h"
#include "cmd/commands.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "config/problem.h"

namespace timectl::cmd {
namespace {

struct ExplainOptions {
  std::string code;
  bool list = false;
};

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

Error no_such_code(const std::string& code) {
  std::vector<std::string> codes;
  for (const auto& entry : catalogue()) codes.push_back(entry.code);
  Error error{Code::unknown_code, "there is no code '" + printable(code) + "'"};
  std::string upper = code;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  auto near = config::nearest(code, codes);
  if (near.empty()) near = config::nearest(upper, codes);
  if (!near.empty()) {
    error.because = "did you mean " + near + "?";
    error.remedy = {"timectl explain " + near};
  }
  error.remedy.emplace_back("timectl explain --list");
  return error;
}

struct CatalogueRow {
  std::string_view name;
  std::string_view heading;
  std::string_view singular;
};

// The order of `explain --list`.
constexpr auto kCatalogues = std::to_array<CatalogueRow>({
    {"error", "Errors", "an error of a command"},
    {"end_reason", "Why a connection or an attempt ended", "why a connection or an attempt ended"},
    {"state", "States of a peer", "a state of a peer"},
    {"ailment", "Troubles of this node itself", "a trouble of this node itself"},
    {"step", "Steps at which `timectl refresh` fails", "a step of `timectl refresh`"},
    {"alert", "Alert rules (`timectl alerts rules`)", "an alert rule"},
    {"alert_state", "States of an alert (`timectl alerts`)", "a state of an alert"},
    {"event", "Kinds of events", "a kind of event"},
    {"fact", "What `timectl whitelist verify` looks at", "a fact of `timectl whitelist verify`"},
    {"violation", "What counts against a peer (`timectl ban why IP`)",
     "something that counts against a peer"},
    {"activity", "What sync does (`timectl sync status`)", "what sync does"},
    {"standing", "Letters of `timectl sync peers`", "a state of a peer in `timectl sync peers`"},
    {"block_reason", "What verification says about a block", "what verification says of a block"},
    {"failure", "Failures of nodes and of the network (`timectl diagnose`)",
     "a failure that `timectl diagnose` finds"},
    {"finding", "What else `timectl diagnose` finds", "a finding of `timectl diagnose`"},
});

std::string_view kind_of(std::string_view catalogue) {
  for (const auto& row : kCatalogues) {
    if (row.name == catalogue) return row.singular;
  }
  check_failed("every catalogue has a row", __FILE__, __LINE__);
}

std::string list_text(const Output& out) {
  std::string text;
  for (const auto& [name, heading, singular] : kCatalogues) {
    std::vector<Explanation> rows;
    for (const auto& entry : catalogue()) {
      if (entry.catalogue == name) rows.push_back(entry);
    }
    text += (text.empty() ? "" : "\n") + out.paint(Paint::bold, heading) + "\n";
    text += Table(out, rows)
                .column("CODE", &Explanation::code)
                .column("EXIT", &Explanation::exit_status, Align::right)
                .column("MEANING", &Explanation::title)
                .text();
  }
  return text;
}

std::string entry_text(const Output& out, const Explanation& entry) {
  const auto page = entry.failure.value_or(FailurePage{});
  const std::string name = page.name.empty() ? "" : page.name + ": ";
  std::string text = fmt::format("{}  {}\n", out.paint(Paint::bold, entry.code),
                                 wrapped(name + entry.title, entry.code.size() + 2, out.width()));
  std::string hides;
  for (const auto& code : page.hides) hides += (hides.empty() ? "" : " ") + code;
  std::vector<Field> fields;
  const auto add = [&](const char* title, std::string value) {
    if (!value.empty()) fields.push_back({title, std::move(value)});
  };
  add("  what", std::string(kind_of(entry.catalogue)));
  add("  means", page.meaning);
  add("  told by", page.told_by);
  if (!page.severity.empty()) {
    add("  weight", page.severity + " at its usual worst; acts: " + page.act);
  }
  add("  do", entry.remedy);
  add("  here", page.here);
  add("  hides", hides);
  if (entry.exit_status) add("  exit", std::to_string(*entry.exit_status));
  return text + fields_text(out, fields);
}

Result<int> explain(Context& context, const ExplainOptions& options) {
  auto& out = context.out;
  if (options.list) {
    if (out.json()) {
      out.document("timectl.explain/1", to_json(catalogue()));
    } else {
      out.text(list_text(out));
    }
    return 0;
  }
  if (options.code.empty()) {
    return Error{Code::invalid_argument,
                 "timectl explain needs a CODE",
                 "",
                 {"timectl explain TC-WL-001", "timectl explain --list"}};
  }
  std::vector<Explanation> found;
  for (const auto& entry : catalogue()) {
    if (same_letters(entry.code, options.code)) found.push_back(entry);
  }
  if (found.empty()) return no_such_code(options.code);
  if (out.json()) {
    out.document("timectl.explain/1", to_json(found));
    return 0;
  }
  std::string text;
  for (const auto& entry : found) text += (text.empty() ? "" : "\n") + entry_text(out, entry);
  out.text(text);
  return 0;
}

}  // namespace

void add_explain(CLI::App& root, Context& context) {
  auto& command =
      add_command(root, "explain", "what a code, end reason, state or event means, and what to do",
                  {{"explain TC-WL-001", "an error code, and what to do"},
                   {"explain FM-K1", "a failure that timectl diagnose found"},
                   {"explain closed_before_tls", "why a connection ended"},
                   {"explain --list", "all of them"}});
  auto options = std::make_shared<ExplainOptions>();
  add_argument(command, "code", Count::at_most_one, options->code, "CODE", "as it was printed");
  add_flag(command, "--list", options->list, "all codes with one line each");
  on_run(command, context, [&context, options] { return explain(context, *options); });
}

}  // namespace timectl::cmd
