#pragma once
// AlertRule: what is worth waking somebody for (requirements A1), one row each: how grave, what it
// means, what to do, how long it must hold before it is said, and behind which other alerts it is
// hidden. The engine (alerts.h), `status`, `timectl alerts rules` and `explain` read this table;
// docs/runbooks.md has a runbook under each name. Rules that hide others stand before them.

#include <boost/describe/enum.hpp>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

// Sent, stored and printed, so an enumerator is never renamed.
enum class AlertRule : std::uint8_t {
  database_unwritable,
  database_damaged,
  audit_broken,
  disk_low,
  descriptors_low,
  config_rejected,
  late_timers,
  clock_step,
  clock_off,
  clock_doubted,
  uplink_down,
  most_peers_failing,
  node_passive,
  port_unreachable,
  whitelist_empty,
  list_held_back,
  list_missing,
  list_failed,
  no_masternode,
  protection_lost,
  masternode_down,
  chain_failed,
  lag_high,
  lag,
  network_stalled,
  fork_long,
  sink_failing,
};
BOOST_DESCRIBE_ENUM(AlertRule, database_unwritable, database_damaged, audit_broken, disk_low,
                    descriptors_low, config_rejected, late_timers, clock_step, clock_off,
                    clock_doubted, uplink_down, most_peers_failing, node_passive, port_unreachable,
                    whitelist_empty, list_held_back, list_missing, list_failed, no_masternode,
                    protection_lost, masternode_down, chain_failed, lag_high, lag, network_stalled,
                    fork_long, sink_failing)

// A set of rules.
class AlertRules {
 public:
  constexpr AlertRules() = default;
  constexpr AlertRules(std::initializer_list<AlertRule> rules) {
    for (const auto rule : rules) insert(rule);
  }
  [[nodiscard]] static constexpr AlertRules all() {
    AlertRules rules;
    rules.bits_ = ~std::uint64_t{0};
    return rules;
  }
  constexpr void insert(AlertRule rule) { bits_ |= bit(rule); }
  constexpr void erase(AlertRule rule) { bits_ &= ~bit(rule); }
  [[nodiscard]] constexpr bool contains(AlertRule rule) const { return (bits_ & bit(rule)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }

 private:
  [[nodiscard]] static constexpr std::uint64_t bit(AlertRule rule) {
    return std::uint64_t{1} << static_cast<unsigned>(rule);
  }
  std::uint64_t bits_ = 0;
};

// What an alert of the rule is about: the node as a whole or a named part of it, one peer (its
// address), or one fork (the height of its last common block).
enum class AlertSubject : std::uint8_t { node, peer, fork };
BOOST_DESCRIBE_ENUM(AlertSubject, node, peer, fork)

struct AlertRuleRow {
  AlertRule rule;
  AlertSubject subject;
  Severity severity;
  Duration hold;             // it must hold so long without a break before it is said
  Duration clear;            // it must be gone so long before its end is said
  Duration repeat;           // said again after so long while nobody acknowledged it; 0: never
  AlertRules behind;         // not said while one of these is open: it follows from it
  std::string_view meaning;  // one sentence, for people
  std::string_view remedy;
  // The sentence that says its end: {who} is its object, with the label; {time} how long it held.
  std::string_view end;
};
[[nodiscard]] std::span<const AlertRuleRow> alert_rule_table();
[[nodiscard]] const AlertRuleRow& alert_rule_row(AlertRule rule);

}  // namespace timectl
