#include <fmt/format.h>

#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/control/api.h"

namespace timectl::cmd {
namespace {

using control::BanRow;
using control::BanWhy;
using control::ViolationCount;

// `ban why` as programs read it: the bans of the address, each with the evidence.
struct BanWhyRow : BanRow {
  std::optional<double> score = {};
  double threshold = 0;
  std::vector<ViolationCount> violations = {};
};
BOOST_DESCRIBE_STRUCT(BanWhyRow, (BanRow), (score, threshold, violations))

std::string end_of(const Output& out, const BanRow& row) {
  if (!row.until) return "never";
  return out.until(*row.until);
}

Result<int> list(Context& context) {
  const auto answer = ask(context, "ban.list", json::object());
  if (!answer) return answer.error();
  return show<std::vector<BanRow>>(
      context, "timectl.ban.list/1", *answer, [&](const std::vector<BanRow>& rows) {
        auto& out = context.out;
        if (rows.empty()) {
          out.text("nobody is banned\n");
          return;
        }
        out.text(
            Table(out, rows)
                .column("IP", &BanRow::covers)
                .column("ORIGIN", &BanRow::origin)
                .column("ENDS IN", [&](const BanRow& row) { return end_of(out, row); })
                .column("HOLDS",
                        [](const BanRow& row) {
                          return row.exempt ? Cell{"no: whitelisted", Paint::warn} : Cell{"yes"};
                        })
                .column("BY", &BanRow::added_by)
                .column("REASON", &BanRow::reason)
                .text());
      });
}

std::string headline(const Output& out, const BanWhy& why) {
  const std::string ip = out.paint(Paint::bold, why.ip.to_string());
  if (why.banned) return ip + " is " + out.paint(Paint::bad, "banned") + "\n";
  std::string text = ip + " is " + out.paint(Paint::good, "not banned");
  if (!why.bans.empty()) {
    text += ": it is whitelisted, and what is below does not hold while it is";
  } else if (why.immune) {
    text += ", and cannot be: it is whitelisted (whitelist.ban_immunity = \"all\")";
  } else if (why.whitelisted) {
    text += "; it is whitelisted, but whitelist.ban_immunity = \"timeouts\" lets bans hold";
  }
  return text + "\n";
}

std::string score_text(const Output& out, const BanWhy& why) {
  if (why.immune) return "";  // it has none
  std::vector<Field> fields;
  fields.push_back(
      {"Score", why.score ? fmt::format("{:.1f} of {} points; it halves every {}", *why.score,
                                        why.threshold, human_duration(why.half_life))
                          : "unknown: only a running node keeps it"});
  if (why.last_violation_at) {
    fields.push_back({"Last", out.since(*why.last_violation_at) + " ago"});
  }
  const auto offences = why.offences.value_or(0);
  fields.push_back({"Ladder", offences == 0
                                  ? fmt::format("no ban for attacks yet; the first lasts {}",
                                                human_duration(why.next_ban))
                                  : fmt::format("{} bans for attacks; the next lasts {}", offences,
                                                human_duration(why.next_ban))});
  return "\n" + fields_text(out, fields);
}

std::string why_text(const Output& out, const BanWhy& why) {
  std::string text = headline(out, why);
  if (!why.bans.empty()) {
    text += "\n" + Table(out, why.bans)
                       .column("COVERS", &BanRow::covers)
                       .column("ORIGIN", &BanRow::origin)
                       .column("SINCE", &BanRow::since)
                       .column("ENDS IN", [&](const BanRow& row) { return end_of(out, row); })
                       .column("BY", &BanRow::added_by)
                       .column("REASON", &BanRow::reason)
                       .text();
  }
  text += score_text(out, why);
  if (!why.violations.empty()) {
    text += "\n" + Table(out, why.violations)
                       .column("VIOLATION", &ViolationCount::kind)
                       .column("COUNT", &ViolationCount::count, Align::right)
                       .column(
                           "POINTS EACH",
                           [](const ViolationCount& row) { return fmt::format("{}", row.points); },
                           Align::right)
                       .column("GRAVITY", &ViolationCount::gravity)
                       .column("MEANING",
                               [](const ViolationCount& row) {
                                 return std::string(violation_row(row.kind).meaning);
                               })
                       .text();
  }
  return text;
}

Result<int> why(Context& context, const control::PeerRequest& request) {
  auto answer = ask(context, "ban.why", request);
  if (!answer) return answer.error();
  const auto told = read_answer<BanWhy>(answer->data);
  if (!told) return told.error();
  auto& out = context.out;
  if (!out.json()) {
    out.text(why_text(out, *told));
    for (const auto& ban : told->bans) {
      if (ban.exempt || ban.origin == BanOrigin::config) continue;
      out.note("next: timectl ban remove " + told->ip.to_string());
      break;
    }
    return 0;
  }
  std::vector<BanWhyRow> rows;
  for (const auto& ban : told->bans) {
    BanWhyRow row;
    static_cast<BanRow&>(row) = ban;
    row.score = told->score;
    row.threshold = told->threshold;
    row.violations = told->violations;
    rows.push_back(std::move(row));
  }
  if (!told->banned) answer->warnings.push_back(told->ip.to_string() + " is not banned");
  out.document("timectl.ban.why/1", to_json(rows), answer->source, answer->warnings);
  return 0;
}

Result<int> show_change(Context& context, std::string_view schema, const Answer& answer) {
  using Row = control::BanReply;
  return show<std::vector<Row>>(context, schema, answer, [&](const std::vector<Row>& rows) {
    auto& out = context.out;
    out.text(
        Table(out, rows)
            .column("IP", &Row::ip)
            .column(
                "RESULT",
                [](const Row& row) {
                  return Cell{row.result, row.result == "unchanged" ? Paint::plain : Paint::good};
                })
            .column("ORIGIN", &Row::origin)
            .column("ENDS IN",
                    [&](const Row& row) -> std::string {
                      if (row.result != "added") return "-";
                      return row.until ? out.until(*row.until) : "never";
                    })
            .column("WHY", &Row::why)
            .text());
  });
}

}  // namespace

void add_ban(CLI::App& root, Context& context) {
  auto& ban = add_command(root, "ban", "which addresses are kept out, by whom and why",
                          {{"ban add 203.0.113.66 --for 1h", "keep an address out for an hour"},
                           {"ban list", "the config's, yours and the automatic ones"},
                           {"ban why 203.0.113.66", "its bans and what it did"}});

  auto& adding =
      add_command(ban, "add", "keep an address out; an open connection to it is closed",
                  {{"ban add 203.0.113.66 --reason spam", "until it is removed"},
                   {"ban add 203.0.113.66 --for 1h", "for an hour; again to change the time"}});
  auto wanted = std::make_shared<control::BanAddRequest>();
  add_argument(adding, "ip", Count::one, wanted->ip, "ADDRESS", "an IPv4 or IPv6 address");
  add_option(adding, "--for", wanted->lasts, "DURATION", "how long; without it for good");
  add_option(adding, "--reason", wanted->reason, "TEXT", "why; kept in the audit log");
  on_run(adding, context, [&context, wanted]() -> Result<int> {
    const auto answer = ask(context, "ban.add", *wanted);
    if (!answer) return answer.error();
    return show_change(context, "timectl.ban.add/1", *answer);
  });

  auto& removing = add_command(ban, "remove", "lift the bans of an address, automatic ones too",
                               {{"ban remove 203.0.113.66", "its violations are forgotten, too"}});
  auto lifted = std::make_shared<control::BanRemoveRequest>();
  add_argument(removing, "ip", Count::one, lifted->ip, "BANNED", "a banned address");
  add_option(removing, "--reason", lifted->reason, "TEXT", "why; kept in the audit log");
  on_run(removing, context, [&context, lifted]() -> Result<int> {
    const auto answer = ask(context, "ban.remove", *lifted);
    if (!answer) return answer.error();
    return show_change(context, "timectl.ban.remove/1", *answer);
  });

  auto& listing = add_command(ban, "list", "all bans: of the config, by hand and automatic",
                              {{"ban list", "with origin, reason and end"}});
  on_run(listing, context, [&context] { return list(context); });

  auto& asking = add_command(ban, "why", "why an address is banned, or that it is not",
                             {{"ban why 203.0.113.66", "bans, score and violations"},
                              {"ban why berlin", "also of a whitelisted peer, by its label"}});
  auto named = std::make_shared<control::PeerRequest>();
  add_argument(asking, "ip", Count::one, named->peer, "IP", "an address or a label");
  on_run(asking, context, [&context, named] { return why(context, *named); });
}

}  // namespace timectl::cmd
