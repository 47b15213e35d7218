#include "daemon/observe/report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <ranges>
#include <set>

namespace timectl::observe {
namespace {

// The targets, as the requirements have them ("The problem that operators have").
constexpr double kUptimePercent = 99.9;
constexpr double kLagBelow = 10;         // blocks
constexpr double kSpreadWithin = 10;     // blocks
constexpr double kForkBelow = 60;        // seconds
constexpr double kCatchUpAtLeast = 100;  // blocks a minute
// The node is looked at once a minute, so a short catch-up seems slower than it was by up to a
// minute. Below this much of it a slow one is not told from a fast one.
constexpr double kCatchUpJudged = 180;  // seconds

std::string_view no_node(const ReportInput& input) {
  return input.running ? "the node has just started" : "no node ran";
}

std::string number(double value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string several(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string span_text(double seconds) {
  return human_duration(Duration(static_cast<Duration::rep>(seconds * 1e6)));
}

std::string name_of_peer(const ReportMasternode& node) {
  return node.label.empty() ? node.ip.to_string() : node.ip.to_string() + " (" + node.label + ")";
}

// What is not whitelisted is looked at only while it has a session (Node::readings), so the time
// without one is all of the time in which it was whitelisted.
ReportMasternode masternode_of(const PeerSample& sample) {
  ReportMasternode node{.ip = sample.ip};
  node.own_outage_seconds = sample.own_outage_seconds;
  node.observed_seconds = sample.whitelisted_seconds;
  node.disconnects = sample.disconnects;
  node.missed_pongs = sample.missed_pongs;
  node.rtt_ms_mean = sample.rtt_ms_mean;
  node.score = sample.score;
  const double counted = sample.whitelisted_seconds - sample.own_outage_seconds;
  const double down = sample.seconds - sample.connected_seconds - sample.own_outage_seconds;
  if (counted > 0) node.uptime_ratio = std::clamp(1 - down / counted, 0.0, 1.0);
  return node;
}

// The worst first; those of which nothing is known last.
bool worse(const ReportMasternode& a, const ReportMasternode& b) {
  static constexpr double kUnknown = 2;
  const auto ratio = [](const ReportMasternode& node) {
    return node.uptime_ratio.value_or(kUnknown);
  };
  if (ratio(a) != ratio(b)) return ratio(a) < ratio(b);
  if (a.disconnects != b.disconnects) return a.disconnects > b.disconnects;
  if (a.missed_pongs != b.missed_pongs) return a.missed_pongs > b.missed_pongs;
  return a.ip < b.ip;
}

std::vector<ReportMasternode> masternodes_of(const ReportInput& input) {
  const std::map<IpAddress, std::string> labels(input.labels.begin(), input.labels.end());
  std::set<IpAddress> unseen(input.whitelisted.begin(), input.whitelisted.end());
  std::vector<ReportMasternode> nodes;
  for (const auto& sample : input.peers) {
    if (!(sample.whitelisted_seconds > 0)) continue;
    nodes.push_back(masternode_of(sample));
    unseen.erase(sample.ip);
  }
  for (const auto& ip : unseen) nodes.push_back({.ip = ip});
  for (auto& node : nodes) {
    if (const auto label = labels.find(node.ip); label != labels.end()) node.label = label->second;
  }
  std::ranges::sort(nodes, worse);
  return nodes;
}

using Masternodes = std::vector<ReportMasternode>;
using Count = std::uint64_t ReportMasternode::*;

bool was_looked_at(const ReportMasternode& node) {
  return node.observed_seconds > 0;
}

ReportTarget count_target(ReportTarget target, const Masternodes& nodes, Count count) {
  target.target = "0";
  std::uint64_t sum = 0;
  std::uint64_t seen = 0;
  const ReportMasternode* worst = nullptr;
  for (const auto& node : nodes) {
    if (!was_looked_at(node)) continue;
    ++seen;
    sum += node.*count;
    if (worst == nullptr || node.*count > worst->*count) worst = &node;
  }
  if (worst == nullptr) {
    target.detail = "no masternode was looked at";
    return target;
  }
  target.measured = static_cast<double>(sum);
  target.met = sum == 0;
  target.detail = sum == 0 ? "of " + several(seen, "masternode")
                           : "most: " + name_of_peer(*worst) + " " + std::to_string(worst->*count);
  return target;
}

ReportTarget uptime_target(const Masternodes& nodes) {
  ReportTarget target{.name = "uptime", .title = "Uptime (the worst)"};
  target.target = "at least " + number(kUptimePercent, 1) + " %";
  target.unit = "%";
  const auto worst = std::ranges::find_if(
      nodes, [](const ReportMasternode& node) { return node.uptime_ratio.has_value(); });
  if (worst == nodes.end()) {
    target.detail = "no masternode was looked at";
    return target;
  }
  target.measured = *worst->uptime_ratio * 100;
  target.met = *target.measured >= kUptimePercent;
  target.detail = name_of_peer(*worst);
  if (worst->own_outage_seconds > 0) {
    target.detail += "; " + span_text(worst->own_outage_seconds) + " of our own fault left out";
  }
  return target;
}

ReportTarget blocks_target(ReportTarget target, const std::optional<std::uint64_t>& blocks,
                           double limit, bool limit_is_met, std::string_view unknown) {
  target.unit = "blocks";
  if (!blocks) {
    target.detail = unknown;
    return target;
  }
  target.measured = static_cast<double>(*blocks);
  target.met = *target.measured < limit || (limit_is_met && *target.measured == limit);
  target.detail = "the most at any look";
  return target;
}

bool open_in(const ForkView& fork, const ReportInput& input) {
  return fork.seen_at <= input.until && (!fork.resolved_at || *fork.resolved_at >= input.since);
}

ReportTarget fork_target(const ReportInput& input) {
  ReportTarget target{.name = "fork", .title = "Longest fork", .target = "under 1 minute"};
  target.unit = "s";
  if (!input.forks) {
    target.detail = "no chain could be read";
    return target;
  }
  const ForkView* longest = nullptr;
  double length = -1;
  std::uint64_t forks = 0;
  for (const auto& fork : *input.forks) {
    if (!open_in(fork, input)) continue;
    ++forks;
    const double lasted =
        std::max(0.0, seconds(fork.resolved_at.value_or(input.until) - fork.seen_at));
    if (lasted <= length) continue;
    length = lasted;
    longest = &fork;
  }
  if (longest == nullptr) {
    target.detail = "no fork was seen";
    return target;
  }
  target.measured = length;
  // One that is open and young is neither resolved in time nor late yet.
  if (longest->resolved_at || length >= kForkBelow) target.met = length < kForkBelow;
  target.detail = several(forks, "fork") + "; the longest above height " +
                  std::to_string(longest->ancestor_height) + ", " +
                  (longest->resolved_at ? "resolved" : "still open");
  return target;
}

ReportTarget catch_up_target(const ReportInput& input) {
  const auto& node = input.node;
  ReportTarget target{.name = "catch_up", .title = "Catch-up speed"};
  target.target = "at least " + number(kCatchUpAtLeast, 0) + " blocks/min";
  target.unit = "blocks/min";
  if (!node || !(node->syncing_seconds > 0)) {
    target.detail = node ? "it was never behind" : std::string(no_node(input));
    return target;
  }
  target.measured = static_cast<double>(node->blocks_syncing) / (node->syncing_seconds / 60);
  const bool fast = *target.measured >= kCatchUpAtLeast;
  if (fast || node->syncing_seconds >= kCatchUpJudged) target.met = fast;
  target.detail = several(node->blocks_syncing, "block") + " in " +
                  span_text(node->syncing_seconds) + " behind" +
                  (target.met ? "" : ": too short to judge");
  return target;
}

std::string names_of(const std::vector<const ReportTarget*>& targets) {
  std::string names;
  for (const auto* target : targets) names += (names.empty() ? "" : ", ") + target->name;
  return names;
}

// The clause that is never left out: how many are met. Then which are not, and which nobody knows.
std::string summary_of(const ReportView& view, const ReportInput& input) {
  std::vector<const ReportTarget*> missed;
  std::vector<const ReportTarget*> unknown;
  for (const auto& target : view.targets) {
    if (!target.met) unknown.push_back(&target);
    if (target.met == false) missed.push_back(&target);
  }
  const auto all = view.targets.size();
  if (unknown.size() == all) {
    if (view.observed_seconds > 0) return "nothing was measured that a target is about";
    return input.running ? "nothing was measured yet: the node has just started, and its first look"
                           " comes within a minute"
                         : "nothing was measured: no node ran in this period";
  }
  const auto met = all - missed.size() - unknown.size();
  std::string text = std::to_string(met) + " of " + several(all, "target") + " met";
  text += missed.empty() ? ", none missed" : "; missed: " + names_of(missed);
  // The three of masternodes come first.
  constexpr std::size_t kOfMasternodes = 3;
  const bool theirs =
      std::ranges::any_of(view.targets | std::views::take(kOfMasternodes),
                          [](const ReportTarget& target) { return target.met == false; });
  if (theirs) text += "; the worst masternode: " + name_of_peer(view.masternodes.front());
  if (!unknown.empty()) text += "; not measured: " + names_of(unknown);
  return text;
}

}  // namespace

ReportView make_report(const ReportInput& input) {
  ReportView view{.since = input.since, .until = input.until};
  if (input.node) {
    view.observed_seconds = input.node->seconds;
    view.own_outage_seconds = input.node->own_outage_seconds;
  }
  view.masternodes = masternodes_of(input);
  const auto& nodes = view.masternodes;
  const auto lag = input.node ? input.node->lag_max : std::nullopt;
  const auto spread = input.node ? input.node->spread_max : std::nullopt;
  view.targets = {
      count_target({.name = "disconnects", .title = "Disconnects"}, nodes,
                   &ReportMasternode::disconnects),
      count_target({.name = "missed_pongs", .title = "Missed pongs"}, nodes,
                   &ReportMasternode::missed_pongs),
      uptime_target(nodes),
      blocks_target({.name = "lag", .title = "Lag of our chain", .target = "under 10 blocks"}, lag,
                    kLagBelow, false, input.node ? "no best height was believed" : no_node(input)),
      blocks_target({.name = "spread", .title = "Spread of heights", .target = "within 10 blocks"},
                    spread, kSpreadWithin, true,
                    input.node ? "fewer than two heights were known" : no_node(input)),
      fork_target(input),
      catch_up_target(input),
  };
  view.summary = summary_of(view, input);
  return view;
}

}  // namespace timectl::observe
