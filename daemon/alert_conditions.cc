#include "daemon/alert_conditions.h"

#include <cmath>

#include "daemon/chain_conditions.h"
#include "daemon/control/api.h"
#include "daemon/core/alert_message.h"
#include "daemon/core/reflect.h"

namespace timectl {
namespace {

using enum AlertRule;

// As `timectl diagnose node` judges them (FM-X4, FM-X9).
constexpr std::uint64_t kLittleDisk = 1'073'741'824;  // 1 GiB: a day of logs and blocks
constexpr double kDescriptorsFull = 0.8;
constexpr double kMebibyte = 1'048'576;
constexpr Duration kTimeToBelieve = std::chrono::minutes(10);  // connections, then their heights

struct Look {
  const AlertFacts& facts;
  AlertLook out = {};

  void add(AlertRule rule, std::string text, std::optional<WallTime> since = {},
           std::string brief = "") {
    out.holding.push_back({rule, "", std::move(text), since, std::move(brief)});
  }
  // A text of the slow facts: unknown, fine, or what is wrong.
  void add(AlertRule rule, const std::string& what, const std::optional<std::string>& wrong) {
    if (!wrong) return out.known.erase(rule);
    if (!wrong->empty()) add(rule, what + *wrong);
  }
};

void add_store(Look& look) {
  const auto& facts = look.facts;
  if (facts.write_failure) {
    look.add(database_unwritable, "The database cannot be written: " + *facts.write_failure);
  }
  look.add(database_damaged, "The database is damaged: ", facts.slow.database_damaged);
  look.add(audit_broken, "The audit log is broken: ", facts.slow.audit_broken);
  look.add(config_rejected, "A new configuration is refused: ", facts.slow.config_rejected);
  look.add(chain_failed, "The chain cannot be used: ", facts.slow.chain_failed);
}

void add_host(Look& look) {
  if (!look.facts.slow.host) {
    look.out.known.erase(disk_low);
    look.out.known.erase(descriptors_low);
    return;
  }
  const auto& host = *look.facts.slow.host;
  if (!host.disk_free_bytes) look.out.known.erase(disk_low);
  if (host.disk_free_bytes && *host.disk_free_bytes < kLittleDisk) {
    const auto free = std::llround(static_cast<double>(*host.disk_free_bytes) / kMebibyte);
    look.add(disk_low, std::to_string(free) + " MiB are free where the data is");
  }
  const auto used = host.descriptors.value_or(0);
  const auto limit = host.descriptors_limit.value_or(0);
  const bool full =
      limit > 0 && static_cast<double>(used) > kDescriptorsFull * static_cast<double>(limit);
  if (full || host.descriptors_refused > 0) {
    look.add(descriptors_low, std::to_string(used) + " of " + std::to_string(limit) +
                                  " file descriptors are in use; connections refused for want of "
                                  "one within an hour: " +
                                  std::to_string(host.descriptors_refused));
  }
}

void add_clock(Look& look) {
  const auto& clock = look.facts.clock;
  if (!clock.ahead_seconds) return look.out.known.erase(clock_off);
  const double limit = seconds(look.facts.config->alerts.clock_offset);
  const double off = std::abs(*clock.ahead_seconds);
  if (off <= limit) return;
  const Duration by(static_cast<Duration::rep>(off * 1e6));
  look.add(clock_off, "This machine's clock is " + human_duration(by) +
                          (*clock.ahead_seconds > 0 ? " ahead of" : " behind") + " the median of " +
                          std::to_string(clock.peers) + " peers (alerts.clock_offset = " +
                          human_duration(look.facts.config->alerts.clock_offset) + ")");
}

// Its own trouble first: what it says of others rests on it.
void add_node(Look& look) {
  const auto& facts = look.facts;
  for (const auto& own : facts.ailments) {
    const auto rule = value_of<AlertRule>(name_of(own.ailment));
    TIMECTL_CHECK(rule.has_value());  // a test walks them
    look.add(*rule, std::string(ailment_row(own.ailment).meaning) + " (" + own.detail + ")",
             own.since);
  }
  add_clock(look);
  if (!facts.active) look.add(node_passive, "The node runs passive");
  if (!facts.slow.reachable || !facts.active) {
    look.out.known.erase(port_unreachable);
  } else if (!*facts.slow.reachable) {
    look.add(port_unreachable,
             "Nobody has connected to this node within a day: its P2P port may be closed");
  }
}

void add_peer(Look& look, AlertRule rule, const PeerTrouble& peer, const std::string& what) {
  auto object = peer.ip.to_string();
  auto text = "Whitelisted peer " + labelled(peer.label, object) + what +
              (peer.why.empty() ? "" : ": " + peer.why);
  look.out.holding.push_back(
      {.rule = rule, .object = std::move(object), .text = std::move(text), .label = peer.label});
}

void add_masternodes(Look& look) {
  const auto& facts = look.facts;
  if (facts.whitelisted == 0) look.add(whitelist_empty, "The whitelist is empty");
  for (const auto& peer : facts.kept_out) add_peer(look, protection_lost, peer, " is kept out");
  if (!facts.active) {
    look.out.known.erase(no_masternode);
    look.out.known.erase(masternode_down);
    return;
  }
  if (facts.whitelisted > 0 && facts.connected == 0) {
    look.add(no_masternode, "No whitelisted peer is connected");
  }
  for (const auto& peer : facts.down) add_peer(look, masternode_down, peer, " is not connected");
}

// The list of masternodes: what waits for the operator, and since when it cannot be had.
void add_list(Look& look) {
  const auto& list = look.facts.list;
  if (list.held_since) {
    look.add(list_held_back, "A refresh of the masternode list is held back: " + list.held_because,
             list.held_since, "a refresh of the list waits for your approval");
  }
  if (list.failing_since && list.failed_step) {
    look.add(list.accepted_at ? list_failed : list_missing,
             "The masternode list cannot be fetched (" + std::string(name_of(*list.failed_step)) +
                 ": " + list.failed_because + ")",
             list.failing_since);
  }
}

// While no height is believed a lag is neither there nor gone. But a tip that is old is worth a
// word of its own: either we are behind, or the network stands still. A node that has just started
// has asked nobody yet.
void add_unknown_height(Look& look) {
  const auto& facts = look.facts;
  look.out.known.erase(lag);
  const auto& alerts = facts.config->alerts;
  const bool expected =
      facts.sync && facts.active && facts.whitelisted > 0 && facts.uptime >= kTimeToBelieve;
  const auto tip = expected ? facts.sync->tip_at : std::nullopt;
  if (!tip || facts.now - *tip <= alerts.tip_age_warning) return look.out.known.erase(lag_high);
  const auto age = human_duration(std::chrono::duration_cast<Duration>(facts.now - *tip));
  look.add(lag_high,
           "No height of the network is believed, and our tip is " + age +
               " old (alerts.tip_age_warning = " + human_duration(alerts.tip_age_warning) + ")",
           {}, "our tip is " + age + " old");
}

void add_chain(Look& look) {
  const auto& facts = look.facts;
  const bool asked = facts.sync.has_value();
  if (!asked || control::verdict_of(*facts.sync) == control::SyncVerdict::unknown) {
    add_unknown_height(look);
  }
  if (!asked) {
    for (const auto rule : {clock_doubted, network_stalled, fork_long}) look.out.known.erase(rule);
    return;
  }
  for (auto& condition : chain_conditions(*facts.sync, facts.forks, *facts.config, facts.now)) {
    look.out.holding.push_back(std::move(condition));
  }
}

void add_sinks(Look& look) {
  for (const auto& sink : look.facts.failing_sinks) {
    std::string text = "The alert sink " + sink.state.name + " fails: " + sink.state.error;
    if (sink.waiting > 0) text += "; messages that wait: " + std::to_string(sink.waiting);
    if (sink.state.given_up > 0) text += "; given up: " + std::to_string(sink.state.given_up);
    look.out.holding.push_back({.rule = sink_failing,
                                .object = sink.state.name,
                                .text = std::move(text),
                                .since = sink.state.failing_since});
  }
}

}  // namespace

AlertRules disabled_rules(const config::Config& config) {
  AlertRules rules;
  for (const auto& word : config.alerts.disabled_rules) {
    if (const auto rule = value_of<AlertRule>(word)) rules.insert(*rule);
  }
  return rules;
}

AlertLook alert_look(const AlertFacts& facts) {
  Look look{facts};
  look.out.disabled = disabled_rules(*facts.config);
  add_store(look);
  if (facts.node) {
    add_host(look);
    add_node(look);
  }
  add_masternodes(look);
  add_list(look);
  add_chain(look);
  add_sinks(look);
  return std::move(look.out);
}

}  // namespace timectl
