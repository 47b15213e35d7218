#include "cmd/catalogue.h"

#include <array>

#include "cmd/sync_verdict.h"
#include "daemon/chain/height_truth.h"
#include "daemon/chain/verdict.h"
#include "daemon/core/alert_rules.h"
#include "daemon/core/api_list.h"
#include "daemon/core/errors.h"
#include "daemon/core/events.h"
#include "daemon/core/observer.h"
#include "daemon/core/protection.h"
#include "daemon/core/reflect.h"
#include "daemon/core/time.h"
#include "daemon/core/violation.h"
#include "daemon/core/vocabulary.h"
#include "daemon/diagnose/catalogue.h"
#include "daemon/diagnose/pages.h"

namespace timectl::cmd {
namespace {

struct EventRow {
  EventKind kind;
  std::string_view title;
};

// What `timectl events` prints; a test holds it complete.
constexpr auto kEvents = std::to_array<EventRow>({
    {EventKind::node_started, "The node started"},
    {EventKind::node_stopping, "The node closes its connections and stops"},
    {EventKind::config_reloaded, "A new configuration is in force"},
    {EventKind::config_rejected, "A new configuration has errors; the old one stays in force"},
    {EventKind::whitelist_added, "An address was whitelisted, or a source of it changed"},
    {EventKind::whitelist_removed, "A source of a whitelist entry was taken away"},
    {EventKind::promoted, "A live connection is now protected as a masternode's"},
    {EventKind::demoted, "A live connection lost the protection of a masternode"},
    {EventKind::dial_scheduled, "The next attempt to reach a peer was planned"},
    {EventKind::dial_failed, "An attempt to reach a peer failed"},
    {EventKind::inbound_accepted, "A peer that dialled us was accepted"},
    {EventKind::inbound_rejected, "A peer that dialled us was turned away"},
    {EventKind::peer_connected, "The handshake with a peer is complete"},
    {EventKind::peer_disconnected, "A connection ended; the reason is with it"},
    {EventKind::peer_suspect, "A masternode is silent for longer than one ping interval"},
    {EventKind::peer_degraded, "The path to a peer loses pings; the connection is kept"},
    {EventKind::peer_recovered, "A suspect or degraded peer answers again"},
    {EventKind::peer_unresponsive, "A peer missed so many pongs that it is taken for dead"},
    {EventKind::attempts_exhausted, "The fast attempts are used up; the periodic pass goes on"},
    {EventKind::peer_parked, "A peer is left alone until something changes"},
    {EventKind::peer_evicted, "A regular peer made room for a masternode"},
    {EventKind::violation, "A peer broke a rule of the protocol"},
    {EventKind::no_masternode_connected, "No whitelisted peer is connected"},
    {EventKind::masternode_connected_again, "At least one whitelisted peer is connected again"},
    {EventKind::store_degraded, "The database cannot be written; connections stay up"},
    {EventKind::store_recovered, "The database can be written again"},
    {EventKind::peer_cut, "We end the session of a whitelisted peer; the evidence is with it"},
    {EventKind::observer_sick, "This node itself is in trouble; no peer is blamed meanwhile"},
    {EventKind::observer_well, "A trouble of this node itself is over"},
    {EventKind::peer_banned, "An address is kept out from now on, by hand or for what it did"},
    {EventKind::ban_ended, "A ban is over or was lifted"},
    {EventKind::protection_lost, "A whitelisted peer that should be protected is not; why is said"},
    {EventKind::protection_regained, "A whitelisted peer is protected again"},
    {EventKind::list_changed, "The API's list of masternodes brought new ones"},
    {EventKind::list_failed, "The API's list could not be fetched; the last good one stays"},
    {EventKind::list_recovered, "The API's list can be fetched again"},
    {EventKind::list_held_back, "A refresh waits for the operator: too much changed at once"},
    {EventKind::sync_started, "More blocks are missing than a poll of the tips fetches"},
    {EventKind::sync_stalled, "A sync is under way and no block came for a minute"},
    {EventKind::sync_ended, "The sync has reached what its sources have"},
    {EventKind::lag_high,
     "We are further behind than sync.alert_blocks (notice) or "
     "alerts.lag_warning_blocks (warning)"},
    {EventKind::lag_over, "The lag is over"},
    {EventKind::fork_seen, "Masternodes are on another branch than we; `timectl sync fork`"},
    {EventKind::fork_resolved, "A fork is over: we or the others have switched"},
    {EventKind::chain_failed, "The file of the chain cannot be read or written; sync waits"},
    {EventKind::signature_doubted,
     "A block's signature does not fit the key that a masternode told; a warning by the protocol"},
    {EventKind::chain_recovered, "The file of the chain works again"},
    {EventKind::unreachable_said,
     "A masternode says that it cannot reach our port from outside; `timectl diagnose node`"},
    {EventKind::alert_fired, "An alert was told; `timectl alerts` and `timectl explain RULE`"},
    {EventKind::alert_resolved, "What an alert told of is over"},
});

struct AlertStateRow {
  std::string_view word;
  std::string_view title;
  std::string_view remedy;
};

// The STATE column of `timectl alerts`.
constexpr auto kAlertStates = std::to_array<AlertStateRow>({
    {"pending", "It holds, but not yet as long as its rule waits: nobody was told", ""},
    {"firing", "It holds, and was told; again after its rule's AGAIN until it is acknowledged",
     "`timectl explain RULE` says what to do; `timectl alerts ack ID` that somebody is at it."},
    {"ending", "It holds no more; if that stays so, its end is told within minutes", ""},
    {"flapping", "It came and went so often that its end is told only after a longer calm", ""},
    {"acked", "Somebody said that he is at it: it is not repeated, only its end is told", ""},
    {"silenced", "It holds, and an operator wanted to hear nothing of it for some time",
     "Until when, by whom and why stands under it, and in `timectl alerts rules`."},
    {"hidden", "It holds, and follows from a graver one that is told instead", ""},
    {"resolved", "It is over, and its end was told to whoever was told of it", ""},
});

std::string_view consequence_of(chain::Effect effect) {
  switch (effect) {
    case chain::Effect::refuse:
      return "Nothing: the block is refused, and who served it is scored and left.";
    case chain::Effect::wait:
      return "Check this machine's clock (timedatectl); nothing is held against who served it.";
    case chain::Effect::warn:
      break;
  }
  return "Nothing: the block is taken, and this is only noted.";
}

// Sync's words: what it does, the letters of `sync peers`, what a block is refused for.
void gather_sync(std::vector<Explanation>& all) {
  for (const auto& row : activity_table()) {
    all.push_back({std::string(name_of(row.activity)), "activity", std::string(row.meaning),
                   std::string(row.remedy), std::nullopt});
  }
  for (const auto& row : chain::standing_table()) {
    all.push_back({std::string(name_of(row.standing)), "standing",
                   "letter " + std::string(1, row.letter) + ": " + std::string(row.meaning), "",
                   std::nullopt});
  }
  for (const auto& row : chain::reason_table()) {
    all.push_back({std::string(name_of(row.reason)), "block_reason", std::string(row.meaning),
                   std::string(consequence_of(row.effect)), std::nullopt});
  }
}

// What `timectl diagnose` finds: the failures, and its own words.
void gather_failures(std::vector<Explanation>& all) {
  for (const auto& mode : diagnose::catalogue()) {
    all.push_back({std::string(mode.code), "failure", std::string(mode.title),
                   std::string(mode.remedy), std::nullopt,
                   FailurePage{.name = std::string(mode.name),
                               .severity = std::string(name_of(mode.gravity)),
                               .act = std::string(name_of(mode.act)),
                               .meaning = std::string(mode.meaning),
                               .told_by = diagnose::told_by(mode.code),
                               .here = std::string(diagnose::own_remedy(mode.code)),
                               .hides = diagnose::hidden_by(mode.code)}});
  }
  for (const auto& own : diagnose::own_codes()) {
    all.push_back(
        {std::string(own.code), "finding", std::string(own.title), std::string(own.remedy),
         std::nullopt,
         FailurePage{.meaning = std::string(own.meaning), .told_by = diagnose::told_by(own.code)}});
  }
}

std::vector<Explanation> gather() {
  std::vector<Explanation> all;
  for (const auto& row : error_table()) {
    all.push_back({std::string(row.id), "error", std::string(row.title), std::string(row.remedy),
                   row.exit_status});
  }
  for (const auto& row : reason_table()) {
    all.push_back({std::string(name_of(row.reason)), "end_reason", std::string(row.meaning),
                   std::string(row.remedy), std::nullopt});
  }
  for (const auto& row : state_table()) {
    all.push_back(
        {std::string(name_of(row.state)), "state", std::string(row.meaning), "", std::nullopt});
  }
  for (const auto& row : ailment_table()) {
    all.push_back({std::string(name_of(row.ailment)), "ailment", std::string(row.meaning),
                   std::string(row.remedy), std::nullopt});
  }
  for (const auto& row : alert_rule_table()) {
    // The ailments are rules of the same name and words.
    if (value_of<Ailment>(name_of(row.rule))) continue;
    const std::string after =
        row.hold == Duration{0} ? "" : ", said after " + human_duration(row.hold);
    all.push_back({std::string(name_of(row.rule)), "alert",
                   std::string(name_of(row.severity)) + after + ": " + std::string(row.meaning),
                   std::string(row.remedy), std::nullopt});
  }
  for (const auto& row : kAlertStates) {
    all.push_back({std::string(row.word), "alert_state", std::string(row.title),
                   std::string(row.remedy), std::nullopt});
  }
  for (const auto& row : fetch_step_table()) {
    all.push_back({std::string(name_of(row.step)), "step",
                   std::string(row.meaning) + " (" + std::string(row.code) + ")",
                   std::string(row.remedy), std::nullopt});
  }
  for (const auto& row : kEvents) {
    all.push_back(
        {std::string(name_of(row.kind)), "event", std::string(row.title), "", std::nullopt});
  }
  for (const auto& row : fact_table()) {
    all.push_back(
        {std::string(name_of(row.name)), "fact", std::string(row.meaning), "", std::nullopt});
  }
  for (const auto& row : violation_table()) {
    const auto points = static_cast<int>(row.points);
    std::string title = std::string(name_of(row.gravity)) + ", " + std::to_string(points) +
                        (points == 1 ? " point: " : " points: ") + std::string(row.meaning);
    all.push_back({std::string(name_of(row.kind)), "violation", std::move(title),
                   std::string(row.remedy), std::nullopt});
  }
  gather_sync(all);
  gather_failures(all);
  return all;
}

}  // namespace

const std::vector<Explanation>& catalogue() {
  static const std::vector<Explanation> all = gather();
  return all;
}

}  // namespace timectl::cmd
