#include "daemon/alert_facts.h"

#include <cctype>

#include "daemon/alert_keeper.h"
#include "daemon/core/reflect.h"

namespace timectl {
namespace {

// Why a masternode is down takes a look at each. All of them or none, so that no text changes
// because of another peer; so many at once have one cause anyway.
constexpr std::size_t kExplained = 1000;
constexpr std::size_t kForks = 10;

// A clause: what else keeps it away, or how its last connection or attempt ended. Nothing that
// passes by itself, such as its state or a time: an alert says it for hours.
std::string why_down(const Node& node, const IpAddress& ip, Now now) {
  const auto held = node.kept_away_because(ip, now);
  if (!held.empty()) return held.substr(0, held.find(" for another "));
  const auto peer = node.peer(ip, now);
  if (!peer || !peer->last_end_reason) return "";
  std::string why(reason_row(*peer->last_end_reason).meaning);
  while (why.ends_with('.')) why.pop_back();
  const bool word = why.size() > 1 && why[1] >= 'a' && why[1] <= 'z';  // not of "TCP" or "A"
  if (word) why[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(why[0])));
  return why;
}

void add_masternodes(const Services& services, AlertFacts& facts, std::size_t most_down, Now now) {
  const auto& whitelist = *services.whitelist;
  facts.whitelisted = whitelist.size();
  if (services.bans != nullptr && (!services.bans->none() || !whitelist.blacklist().empty())) {
    const auto standing = standing_of(true, services.config->policy.whitelist.ban_immunity);
    for (const auto& [ip, entry] : whitelist.entries()) {
      if (whitelist.blacklist().contains(ip)) {
        facts.kept_out.push_back({ip, "network.blacklisted_peers holds it", entry.label});
      } else if (const auto* ban = services.bans->in_force(ip, standing)) {
        facts.kept_out.push_back({ip, "banned, " + ban->reason, entry.label});
      }
    }
  }
  if (!facts.active) return;
  const auto& node = *services.node;
  const auto down = node.masternodes_down();
  const auto view = node.masternodes(now);
  facts.whitelisted = view.whitelisted;  // without ourselves
  facts.connected = view.connected;
  const bool explained = down.size() <= kExplained;
  for (const auto& ip : down) {
    if (facts.down.size() >= most_down) break;
    const auto* entry = whitelist.find(ip);
    facts.down.push_back(
        {ip, explained ? why_down(node, ip, now) : "", entry == nullptr ? "" : entry->label});
  }
}

}  // namespace

std::optional<std::string> write_failure(const Services& services, const SlowAlertFacts& slow) {
  if (!slow.write_failure.empty()) return slow.write_failure;
  const auto& failure = services.database->write_failure();
  return failure ? std::optional(failure->message) : std::nullopt;
}

AlertFacts alert_facts(const Services& services, SlowAlertFacts slow, std::size_t most_down,
                       Now now) {
  AlertFacts facts;
  facts.config = services.config;
  facts.now = now.wall;
  facts.slow = std::move(slow);
  facts.node = services.node != nullptr;
  facts.active = facts.node && services.facts.mode == NodeMode::active;
  facts.passive_because = services.facts.passive_because;
  if (facts.node) facts.uptime = now.mono - services.facts.started;
  facts.write_failure = write_failure(services, facts.slow);
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
