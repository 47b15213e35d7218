#include "daemon/alert_facts.h"

#include "daemon/alert_keeper.h"
#include "daemon/core/reflect.h"

namespace timectl {
namespace {

constexpr std::size_t kExplained = 100;  // of the masternodes that are down: why takes a look each
constexpr std::size_t kForks = 10;

void add_masternodes(const Services& services, AlertFacts& facts, std::size_t most_down, Now now) {
  const auto& whitelist = *services.whitelist;
  facts.whitelisted = whitelist.size();
  if (services.bans != nullptr && (!services.bans->none() || !whitelist.blacklist().empty())) {
    const auto standing = standing_of(true, services.config->policy.whitelist.ban_immunity);
    for (const auto& [ip, entry] : whitelist.entries()) {
      if (whitelist.blacklist().contains(ip)) {
        facts.kept_out.push_back({ip, "network.blacklisted_peers holds it"});
      } else if (const auto* ban = services.bans->in_force(ip, standing)) {
        facts.kept_out.push_back({ip, "banned: " + ban->reason});
      }
    }
  }
  if (!facts.active) return;
  const auto& node = *services.node;
  const auto down = node.masternodes_down();
  const auto view = node.masternodes(now);
  facts.whitelisted = view.whitelisted;  // without ourselves
  facts.connected = view.connected;
  for (const auto& ip : down) {
    if (facts.down.size() >= most_down) break;
    std::string why;
    if (facts.down.size() < kExplained) {
      why = node.kept_away_because(ip, now);
      if (const auto peer = why.empty() ? node.peer(ip, now) : Error{}) {
        why = std::string(name_of(peer->state));
      }
    }
    facts.down.push_back({ip, std::move(why)});
  }
}

}  // namespace

AlertFacts alert_facts(const Services& services, SlowAlertFacts slow, std::size_t most_down,
                       Now now) {
  AlertFacts facts;
  facts.config = services.config;
  facts.now = now.wall;
  facts.slow = std::move(slow);
  facts.node = services.node != nullptr;
  facts.active = facts.node && services.facts.mode == NodeMode::active;
  facts.passive_because = services.facts.passive_because;
  if (!facts.slow.write_failure.empty()) {
    facts.write_failure = facts.slow.write_failure;
  } else if (const auto& failure = services.database->write_failure()) {
    facts.write_failure = failure->message;
  }
  if (facts.node) {
    facts.ailments = services.node->ailments();
    facts.clock = services.node->clock();
  }
  add_masternodes(services, facts, most_down, now);
  facts.list = services.list->state;
  if (services.alerts != nullptr && services.alerts->outbox() != nullptr) {
    facts.failing_sinks = services.alerts->outbox()->failing();
  }
  if (!services.sync) return facts;
  facts.sync = services.sync->status();
  if (facts.sync->forks > 0) {
    if (auto known = services.sync->forks(kForks)) facts.forks = std::move(*known);
  }
  return facts;
}

}  // namespace timectl
