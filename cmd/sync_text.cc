#include "cmd/sync_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "cmd/sync_verdict.h"
#include "cmd/table.h"

namespace timectl::cmd {
namespace {

constexpr std::size_t kNamed = 4;       // addresses in a line; --json has all of them
constexpr std::size_t kMostText = 300;  // bytes of one clause

std::string names(const std::vector<IpAddress>& ips) {
  std::string text;
  for (std::size_t i = 0; i < std::min(ips.size(), kNamed); ++i) {
    text += (i == 0 ? "" : ", ") + ips[i].to_string();
  }
  if (ips.size() > kNamed) text += fmt::format(" and {} more", grouped(ips.size() - kNamed));
  return text;
}

std::string height_text(const Output& out, const SyncStatusView& view) {
  if (!view.height) return "none: no chain is stored here";
  std::string text = grouped(*view.height);
  if (view.tip_at) {
    const auto at = *view.tip_at;
    text += fmt::format(", a block of {}, ", out.time(at));
    text += at > out.now().wall ? out.until(at) + " ahead of our clock" : out.since(at) + " ago";
  }
  return text;
}

std::string best_text(const SyncStatusView& view) {
  if (!view.best_height) return "unknown";
  std::string text = grouped(*view.best_height);
  if (!view.vouched_by.empty()) text += ", vouched for by " + names(view.vouched_by);
  return text;
}

std::string lag_text(const SyncStatusView& view) {
  if (!view.lag_blocks) return "unknown";
  if (*view.lag_blocks == 0) return "none";
  std::string text = counted(*view.lag_blocks, "block");
  if (view.lag_seconds) text += ", " + about(*view.lag_seconds) + " of blocks";
  return text;
}

std::string clock_text(const SyncStatusView& view) {
  std::string text = grouped(view.expected_height) + " by the clock";
  if (!view.height) return text;
  const auto ours = *view.height;
  if (view.expected_height > ours) {
    return text + fmt::format(", {} above ours", grouped(view.expected_height - ours));
  }
  if (view.expected_height < ours) {
    return text + fmt::format(", {} below ours", grouped(ours - view.expected_height));
  }
  return text + ", the same as ours";
}

std::string spread_text(const SyncStatusView& view) {
  if (view.masternodes == 0) return "no masternode is connected";
  std::string text = counted(view.masternodes, "masternode");
  if (!view.spread_blocks) return text;
  if (*view.spread_blocks == 0) return text + ", all at our height";
  return text + fmt::format(", {} between the lowest and the highest",
                            counted(*view.spread_blocks, "block"));
}

std::string sync_text(const SyncStatusView& view) {
  std::string text(activity_row(view.activity).phrase);
  switch (view.activity) {
    case SyncActivity::syncing:
      if (view.blocks_per_minute) text += ", " + rate_text(*view.blocks_per_minute);
      if (view.eta_seconds) text += ", about " + about(*view.eta_seconds) + " left";
      return text;
    case SyncActivity::paused:
      return text + " by the operator: no block is fetched";
    case SyncActivity::disabled:
      return text + ": set sync.enabled = true, then timectl node reload";
    case SyncActivity::idle:
    case SyncActivity::stalled:
    case SyncActivity::waiting:
      break;
  }
  // Behind, the sentence above has said why.
  const auto verdict = control::verdict_of(view);
  const bool said =
      verdict == control::SyncVerdict::behind || verdict == control::SyncVerdict::other_branch;
  if (view.activity_because.empty() || said) return text;
  return text + ": " + printable(view.activity_because, kMostText);
}

// What is wrong around us, in clear words.
std::string warnings_text(const Output& out, const SyncStatusView& view) {
  std::string text;
  const auto warn = [&](const std::string& line) {
    text += out.paint(Paint::warn, "!") + " " + wrapped(line, 2, out.width()) + "\n";
  };
  if (view.network_stalled) {
    const auto missing = view.height && view.expected_height > *view.height
                             ? view.expected_height - *view.height
                             : 0;
    warn(
        fmt::format("The network stands still: we have every block that is believed, and by the "
                    "clock there should be {} more. Nothing is to be done on this node.",
                    grouped(missing)));
  }
  if (view.clock_doubted) {
    warn(
        fmt::format("This machine's clock may be slow: most masternodes are above {}, the height "
                    "that it allows. Check it with: timedatectl",
                    grouped(view.expected_height)));
  }
  return text.empty() ? "" : "\n" + text;
}

}  // namespace

std::string next_line(const Output& out, const std::string& command) {
  if (command.empty()) return "";
  return "\n" + out.paint(Paint::dim, "Next:") + " " + out.paint(Paint::bold, command) + "\n";
}

std::string status_page(const Output& out, const SyncStatusView& view, bool live) {
  const auto sentence = sentence_of(view);
  // Wrapped before it is painted: an escape has no width.
  auto text = wrapped(sentence.text(), 0, out.width()) + "\n";
  text = out.paint(sentence.paint, sentence.head) + text.substr(sentence.head.size()) +
         warnings_text(out, view) + "\n";
  std::vector<Field> fields{{"Height", height_text(out, view)}};
  if (view.tip_hash) fields.push_back({"Tip", printable(*view.tip_hash, 64)});
  if (live) {
    fields.push_back({"Best", best_text(view)});
    if (view.best_height && !view.ground.empty()) {
      fields.push_back({"Because", printable(view.ground, kMostText)});
    }
    fields.push_back({"Lag", lag_text(view)});
    if (view.claimed_height) {
      fields.push_back(
          {"Claimed", grouped(*view.claimed_height) +
                          " by a masternode: not proven, and not counted into the lag"});
    }
  }
  fields.push_back({"Expected", clock_text(view)});
  if (live) fields.push_back({"Network", spread_text(view)});
  if (live || view.activity != SyncActivity::idle) fields.push_back({"Sync", sync_text(view)});
  if (live || view.forks > 0) {
    fields.push_back({"Forks", view.forks == 0 ? "none open" : grouped(view.forks) + " open"});
  }
  return text + fields_text(out, fields) + next_line(out, next_command(view, live));
}

namespace {

Paint paint_of(const SyncPeerView& peer) {
  if (peer.believed) return Paint::good;
  const bool bad =
      peer.state == "other_branch" || peer.state == "implausible" || peer.state == "unsteady";
  return bad ? Paint::bad : Paint::plain;
}

std::string why_text(const SyncPeerView& peer) {
  std::string text = printable(peer.why, kMostText);
  if (peer.left_because.empty()) return text;
  return text + (text.empty() ? "" : "; ") +
         "not asked: " + printable(peer.left_because, kMostText);
}

std::string count_line(const std::vector<SyncPeerView>& peers) {
  const auto masternodes = static_cast<std::uint64_t>(
      std::ranges::count_if(peers, [](const auto& peer) { return peer.masternode; }));
  const auto believed = static_cast<std::uint64_t>(
      std::ranges::count_if(peers, [](const auto& peer) { return peer.believed; }));
  std::string text = fmt::format("{} and {}", counted(masternodes, "masternode"),
                                 counted(peers.size() - masternodes, "regular peer"));
  return text + (believed == 0 ? "; nobody vouches for a height"
                               : fmt::format("; {} vouch{} for the believed height",
                                             grouped(believed), believed == 1 ? "es" : ""));
}

// Masternodes first, then in the order of the legend: who counts stands above who does not.
std::vector<SyncPeerView> ordered(const control::SyncPeersReply& reply) {
  auto peers = reply.peers;
  const auto rank = [&](const SyncPeerView& peer) {
    const auto at = std::ranges::find(reply.legend, peer.state, &SyncLegendView::state);
    return at - reply.legend.begin();
  };
  std::ranges::stable_sort(peers, {}, [&](const SyncPeerView& peer) {
    return std::tuple(!peer.masternode, rank(peer), peer.ip);
  });
  return peers;
}

std::string legend_text(const Output& out, const control::SyncPeersReply& reply) {
  std::string text;
  const auto line = [&](const std::string& letter, const std::string& meaning) {
    text += fmt::format("  {}  {}\n", printable(letter, 4),
                        wrapped(printable(meaning, kMostText), 5, out.width()));
  };
  for (const auto& row : reply.legend) {
    const bool shown =
        std::ranges::find(reply.peers, row.state, &SyncPeerView::state) != reply.peers.end();
    if (shown) line(row.letter, row.meaning);
  }
  const bool masternodes = std::ranges::any_of(reply.peers, &SyncPeerView::masternode);
  if (masternodes) line("M", "a masternode (whitelisted); without it a regular peer");
  return text;
}

}  // namespace

std::string peers_page(const Output& out, const control::SyncPeersReply& reply) {
  if (reply.peers.empty()) {
    return "nobody is connected\n" + next_line(out, "timectl peer list --whitelisted");
  }
  const auto peers = ordered(reply);
  std::size_t address = 0;
  for (const auto& peer : peers) address = std::max(address, peer.ip.to_string().size());
  // A long IPv6 address leaves the evidence no room beside both heights.
  constexpr std::size_t kLongAddress = 24;
  const bool roomy = address <= kLongAddress || out.width() >= kMaxWidth;
  Table table(out, peers);
  table
      .column("S",
              [](const SyncPeerView& peer) {
                return Cell{printable(peer.letter, 4), paint_of(peer)};
              })
      .column("M", [](const SyncPeerView& peer) { return Cell{peer.masternode ? "M" : ""}; })
      .column("PEER", &SyncPeerView::ip)
      .column(
          "HEIGHT",
          [](const SyncPeerView& peer) { return peer.height ? short_height(*peer.height) : "-"; },
          Align::right, Fit::whole);
  if (roomy) {
    table.column(
        "SERVED",
        [](const SyncPeerView& peer) { return peer.served ? short_height(*peer.served) : "-"; },
        Align::right, Fit::whole);
  }
  table
      .column(
          "CHAIN",
          [](const SyncPeerView& peer) {
            if (!peer.hash_agrees) return Cell{"-"};
            return *peer.hash_agrees ? Cell{"ours"} : Cell{"other", Paint::bad};
          },
          Align::left, Fit::whole)
      .column("WHY", why_text);
  return wrapped(count_line(peers), 0, out.width()) + "\n\n" + table.text() + "\n" +
         legend_text(out, reply);
}

}  // namespace timectl::cmd
