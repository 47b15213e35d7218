#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/past_text.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "cmd/view_text.h"
#include "daemon/control/api.h"

namespace timectl::cmd {
namespace {

constexpr std::size_t kWide = 96;  // from here on a table has room for what matters less

std::string bytes(const std::optional<std::uint64_t>& count) {
  return count ? human_bytes(*count) : "-";
}

Cell state_cell(const std::optional<PeerState>& state) {
  if (!state) return {"-"};
  return {std::string(name_of(*state)), paint_of_state(*state)};
}

// How long it is, or was then, connected.
std::string lasted(const Output& out, const PeerView& peer) {
  return out.since(*peer.connected_at);
}

std::string lasted(const Output&, const control::PastPeerRow& peer) {
  return human_duration(std::max(Duration::zero(), Duration(peer.past.as_of - *peer.connected_at)));
}

// Of PeerView, and of PastPeerRow, which has the same members.
template <class View>
std::string peer_table(const Output& out, const std::vector<View>& peers) {
  return Table(out, peers)
      .column("IP", &View::ip)
      .column("LABEL", &View::label)
      .column("STATE", [](const View& peer) { return state_cell(peer.state); })
      .column("WHITELISTED", &View::whitelisted)
      .column("DIR", &View::direction)
      .column(
          "CONNECTED",
          [&](const View& peer) { return peer.connected_at ? lasted(out, peer) : "-"; },
          Align::right)
      .column(
          "RTT MS", [](const View& peer) { return rtt_text(peer.rtt_ms); }, Align::right)
      .column(
          "LOSS", [](const View& peer) { return peer.loss ? percent(*peer.loss) : "-"; },
          Align::right)
      .column("MISSED", &View::missed_pongs, Align::right)
      .column("HEIGHT", &View::height, Align::right)
      .column(
          "SCORE",
          [](const View& peer) { return peer.score ? fmt::format("{:.0f}", *peer.score) : "-"; },
          Align::right)
      .column(
          "IN", [](const View& peer) { return bytes(peer.bytes_in); }, Align::right)
      .column(
          "OUT", [](const View& peer) { return bytes(peer.bytes_out); }, Align::right)
      .text();
}

Result<int> list_past(Context& context, const control::PeerListRequest& request,
                      const Answer& answer) {
  using Rows = std::vector<control::PastPeerRow>;
  return show<Rows>(context, "timectl.peer.list/1", answer, [&](const Rows& rows) {
    auto& out = context.out;
    if (rows.empty()) {
      out.text(fmt::format("no such peer was there at {}\n", out.time(*request.at)));
      return;
    }
    out.text(past_text(out, rows.front().past) + "\n" + peer_table(out, rows));
  });
}

Result<int> list(Context& context, const control::PeerListRequest& request) {
  const auto answer = ask(context, "peer.list", request);
  if (!answer) return answer.error();
  if (request.at) return list_past(context, request, *answer);
  const auto none = [&](std::string_view what) {
    context.out.text(fmt::format("no {}\n", what));
    context.out.note("next: timectl status");
  };
  if (request.registry) {
    using Rows = std::vector<RegistryView>;
    return show<Rows>(context, "timectl.peer.list/1", *answer, [&](const Rows& rows) {
      if (rows.empty()) return none("masternode has been heard of");
      context.out.text(Table(context.out, rows)
                           .column("IP", &RegistryView::ip)
                           .column("TIER (CLAIMED)", &RegistryView::tier)
                           .column("STATUS", &RegistryView::status)
                           .column("LAST HEARD", &RegistryView::last_heard_at)
                           .text());
    });
  }
  using Rows = std::vector<PeerView>;
  return show<Rows>(context, "timectl.peer.list/1", *answer, [&](const Rows& rows) {
    if (rows.empty())
      return none(request.connected ? "peer is connected"
                  : request.banned  ? "peer is banned"
                                    : "peer is known");
    context.out.text(peer_table(context.out, rows));
  });
}

// What would end the session.
std::string patience(const PathView& path) {
  const auto span = [](double s) { return human_duration(Duration(std::llround(s * 1e6))); };
  const std::string dead =
      fmt::format("{} without an acknowledgement", span(path.user_timeout_seconds));
  if (path.missed_pongs_limit == 0) return dead + "; missed pongs never";
  return fmt::format("{}, or {} missed pongs and {} of silence", dead, path.missed_pongs_limit,
                     span(path.timeout_seconds));
}

std::string detail_text(const Output& out, const PeerDetailView& peer) {
  const Cells cells(out);
  std::string title = out.paint(Paint::bold, peer.ip.to_string());
  if (!peer.label.empty()) title += "  " + printable(peer.label);
  title += "  " + out.paint(paint_of_state(peer.state), name_of(peer.state));
  if (peer.whitelisted) title += ", whitelisted";
  std::vector<Field> fields;
  if (peer.connected_at) {
    fields.push_back(
        {"Connected",
         fmt::format("{} ({}), {}", out.since(*peer.connected_at), out.time(*peer.connected_at),
                     peer.direction == Direction::in ? "it dialled us" : "we dialled it")});
    fields.push_back({"Round trip", peer.rtt_ms ? rtt_text(peer.rtt_ms) + " ms" : "unknown"});
    fields.push_back({"Pings", fmt::format("{} missed in a row, {} lost in this session",
                                           peer.missed_pongs.value_or(0),
                                           peer.loss ? percent(*peer.loss) : "unknown")});
    fields.push_back(
        {"Traffic", fmt::format("{} in, {} out", bytes(peer.bytes_in), bytes(peer.bytes_out))});
  }
  fields.push_back({"Height", peer.height ? grouped(*peer.height) + " (its claim)" : "unknown"});
  fields.push_back({"Commits", peer.commit_count ? cells(*peer.commit_count) : "unknown"});
  fields.push_back({"Last heard", peer.last_heard_at ? out.time(*peer.last_heard_at) : "never"});
  if (peer.last_end_reason) {
    fields.push_back({"Last end", fmt::format("{}: {}", name_of(*peer.last_end_reason),
                                              reason_row(*peer.last_end_reason).meaning)});
  }
  if (!peer.last_text.empty()) fields.push_back({"Detail", printable(peer.last_text)});
  if (peer.next_attempt_at) {
    fields.push_back({"Next attempt", fmt::format("{}{}{}", out.time(*peer.next_attempt_at),
                                                  peer.next_attempt_reason.empty() ? "" : ": ",
                                                  printable(peer.next_attempt_reason))});
  } else if (!peer.next_attempt_reason.empty()) {
    fields.push_back({"Next attempt", printable(peer.next_attempt_reason)});
  }
  fields.push_back(
      {"Attempts",
       fmt::format("{} since the last session; {} in the last minute, {} in the last hour",
                   peer.attempts, peer.ledger.last_minute, peer.ledger.last_hour)});
  if (peer.path) {
    const auto& path = *peer.path;
    fields.push_back(
        {"Path", fmt::format("segments sent again: {}; round trips vary by {} ms; {}/s",
                             path.retransmitted ? percent(*path.retransmitted) : "unknown",
                             rtt_text(path.rtt_deviation_ms),
                             human_bytes(static_cast<std::uint64_t>(path.bytes_per_second)))});
    if (!path.silence.empty()) fields.push_back({"Silence", printable(path.silence)});
    fields.push_back({"Patience", patience(path)});
  }
  if (peer.unknown_frames + peer.undecodable_frames > 0) {
    fields.push_back({"Odd frames", fmt::format("{} unknown, {} undecodable", peer.unknown_frames,
                                                peer.undecodable_frames)});
  }
  return title + "\n\n" + fields_text(out, fields) + "\n" + out.paint(Paint::dim, "Next:") + " " +
         out.paint(Paint::bold, "timectl peer history " + peer.ip.to_string()) + "\n";
}

Result<int> history(Context& context, const control::PeerHistoryRequest& request) {
  const auto answer = ask(context, "peer.history", request);
  if (!answer) return answer.error();
  using Row = control::HistoryRow;
  return show<std::vector<Row>>(
      context, "timectl.peer.history/1", *answer, [&](const std::vector<Row>& rows) {
        if (rows.empty()) {
          context.out.text("no connection of " + printable(request.peer) + " is recorded\n");
          context.out.note("next: timectl peer show " + printable(request.peer));
          return;
        }
        const auto& out = context.out;
        Table table(out, rows);
        table.column("STARTED", &Row::started_at)
            .column(
                "LASTED",
                [&](const Row& row) {
                  return row.ended_at ? human_duration(std::chrono::duration_cast<Duration>(
                                            *row.ended_at - row.started_at))
                                      : out.since(row.started_at);
                },
                Align::right)
            .column("DIR", &Row::direction)
            .column(
                "ENDED BY",
                [](const Row& row) {
                  return row.end_reason ? Cell{std::string(name_of(*row.end_reason))}
                                        : Cell{"(open)", Paint::good};
                },
                Align::left, Fit::whole)
            .column("MISSED", &Row::missed_pongs, Align::right)
            .column(
                "RTT MS", [](const Row& row) { return rtt_text(row.rtt_ms_p50); }, Align::right);
        if (out.width() >= kWide) {
          table
              .column(
                  "P95", [](const Row& row) { return rtt_text(row.rtt_ms_p95); }, Align::right)
              .column(
                  "IN", [](const Row& row) { return human_bytes(row.bytes_in); }, Align::right)
              .column(
                  "OUT", [](const Row& row) { return human_bytes(row.bytes_out); }, Align::right);
        }
        context.out.text(table.column("DETAIL", &Row::detail).text());
      });
}

struct ConnectReply {
  IpAddress ip = {};
  std::string result = {};
};
BOOST_DESCRIBE_STRUCT(ConnectReply, (), (ip, result))

struct DisconnectReply {
  IpAddress ip = {};
  std::string result = {};
  Duration stay_away_seconds = {};
};
BOOST_DESCRIBE_STRUCT(DisconnectReply, (), (ip, result, stay_away_seconds))

Result<int> connect(Context& context, const control::PeerRequest& request) {
  const auto answer = ask(context, "peer.connect", request);
  if (!answer) return answer.error();
  return show<ConnectReply>(context, "timectl.peer.connect/1", *answer, [&](const auto& reply) {
    const bool there = reply.result == "unchanged";
    context.out.text((there ? "connected already: " : "dialling ") + reply.ip.to_string() + "\n");
    context.out.note("next: timectl peer show " + reply.ip.to_string());
  });
}

Result<int> disconnect(Context& context, const control::PeerDisconnectRequest& request) {
  const auto answer = ask(context, "peer.disconnect", request);
  if (!answer) return answer.error();
  return show<DisconnectReply>(
      context, "timectl.peer.disconnect/1", *answer, [&](const auto& reply) {
        const bool was = reply.result == "disconnected";
        context.out.text((was ? "closed " : "was not connected: ") + reply.ip.to_string() +
                         "; it is neither dialled nor let in for " +
                         human_duration(reply.stay_away_seconds) + "\n");
      });
}

}  // namespace

void add_peer(CLI::App& root, Context& context) {
  auto& peer = add_command(root, "peer", "the peers: state, next attempt, history",
                           {{"peer list --whitelisted", "the masternodes"},
                            {"peer show 203.0.113.7", "one of them, and the next attempt"}});

  auto& listing = add_command(
      peer, "list", "peers with state, round trip and traffic",
      {{"peer list", "whitelisted ones first"},
       {"peer list --connected --sort rtt_ms", "the fastest first"},
       {"peer list --at 2h", "as it was two hours ago"},
       {"peer list --banned", "those that are kept out; `timectl ban list` says why"},
       {"peer list --registry", "masternodes that the network talks about; never trusted"}});
  auto request = std::make_shared<control::PeerListRequest>();
  add_flag(listing, "--whitelisted", request->whitelisted, "only masternodes");
  add_flag(listing, "--connected", request->connected, "only with a connection");
  add_flag(listing, "--banned", request->banned, "only those that are kept out now");
  add_flag(listing, "--registry", request->registry, "the registry instead of the peers");
  add_option(listing, "--sort", request->sort, "KEY", "a key of the JSON: rtt_ms, loss, ...");
  add_at(listing, context, request->at, "as it was then: 2h (ago), or an RFC 3339 time");
  on_run(listing, context, [&context, request] { return list(context, *request); });

  auto& showing =
      add_command(peer, "show", "one peer: state, quality, next attempt and why",
                  {{"peer show 203.0.113.7", "by address"}, {"peer show berlin", "by label"}});
  auto named = std::make_shared<control::PeerRequest>();
  add_argument(showing, "ip", Count::one, named->peer, "IP", "an address or a label");
  on_run(showing, context, [&context, named]() -> Result<int> {
    const auto answer = ask(context, "peer.show", *named);
    if (!answer) return answer.error();
    return show<PeerDetailView>(context, "timectl.peer.show/1", *answer, [&](const auto& detail) {
      context.out.text(detail_text(context.out, detail));
    });
  });

  auto& past = add_command(peer, "history", "its connections and why each ended, newest first",
                           {{"peer history 203.0.113.7 --since 7d", "the last week"},
                            {"peer history berlin --reason unresponsive", "only these ends"}});
  auto wanted = std::make_shared<control::PeerHistoryRequest>();
  add_argument(past, "ip", Count::one, wanted->peer, "IP", "an address or a label");
  add_since(past, context, wanted->since, "only later ones: 7d, or an RFC 3339 time");
  add_option(past, "--reason", wanted->reason, "REASON", "only those that ended so");
  on_run(past, context, [&context, wanted] { return history(context, *wanted); });

  add_peer_score(peer, context);

  auto& dialling = add_command(peer, "connect", "dial a peer now, within its ledger",
                               {{"peer connect berlin", "also one that was parked"}});
  add_argument(dialling, "ip", Count::one, named->peer, "IP", "an address or a label");
  on_run(dialling, context, [&context, named] { return connect(context, *named); });

  auto closing = std::make_shared<control::PeerDisconnectRequest>();
  auto& hanging_up =
      add_command(peer, "disconnect", "close a connection and stay away for a while",
                  {{"peer disconnect berlin --for 10m", "neither dial nor let it in"}});
  add_argument(hanging_up, "ip", Count::one, closing->peer, "IP", "an address or a label");
  add_option(hanging_up, "--for", closing->stay_away, "DURATION", "how long, default 10m");
  on_run(hanging_up, context, [&context, closing] { return disconnect(context, *closing); });
}

}  // namespace timectl::cmd
