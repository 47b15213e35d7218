#include "daemon/control/api.h"

#include <algorithm>
#include <array>

namespace timectl::control {
namespace {

constexpr bool kNode = true;
constexpr bool kDatabase = false;
constexpr bool kSlow = true;
constexpr bool kQuick = false;
constexpr bool kMemory = true;

constexpr auto kMethods = std::to_array<MethodRow>({
    {"hello", Privilege::read, kDatabase, "Agree on the API version; first on every connection",
     kQuick, kMemory},
    {"status", Privilege::read, kDatabase, "The verdict and what it rests on", kQuick, kMemory},
    {"overview", Privilege::read, kNode, "What the dashboard, top and the metrics show", kQuick,
     kMemory},
    {"overview.history", Privilege::read, kDatabase, "The last day or year, in steps", kSlow},
    {"getnetworkinfo", Privilege::read, kNode, "The network information document", kQuick, kMemory},
    {"whitelist.add", Privilege::operate, kDatabase, "Whitelist addresses by hand"},
    {"whitelist.remove", Privilege::operate, kDatabase, "Take the manual source away"},
    {"whitelist.list", Privilege::read, kDatabase, "All whitelisted addresses", kQuick, kMemory},
    {"whitelist.show", Privilege::read, kDatabase, "One entry with each of its sources", kQuick,
     kMemory},
    {"whitelist.import", Privilege::operate, kDatabase, "Whitelist a whole list, all or none"},
    {"whitelist.verify", Privilege::read, kDatabase, "Facts and a verdict on the protection"},
    {"whitelist.pending", Privilege::read, kDatabase, "What waits for the operator's word", kQuick,
     kMemory},
    {"whitelist.approve", Privilege::operate, kDatabase, "Take what waits", kSlow},
    {"whitelist.reject", Privilege::operate, kDatabase, "Refuse what waits", kSlow},
    {"whitelist.suggest", Privilege::read, kDatabase, "Peers that proved reliable, for your word",
     kSlow},
    {"refresh", Privilege::operate, kDatabase, "Fetch the list of masternodes now", kSlow},
    {"refresh.snapshots", Privilege::read, kDatabase, "The lists that were fetched"},
    {"ban.add", Privilege::operate, kDatabase, "Keep an address out"},
    {"ban.remove", Privilege::operate, kDatabase, "Lift the bans of an address"},
    {"ban.list", Privilege::read, kDatabase, "All bans in force"},
    {"ban.why", Privilege::read, kDatabase, "The bans and violations of one address"},
    {"peer.list", Privilege::read, kDatabase, "Peers and the state of their connections", kQuick,
     kMemory},
    {"peer.show", Privilege::read, kDatabase, "One peer with its next attempt"},
    {"peer.history", Privilege::read, kDatabase, "Sessions of one peer or of all"},
    {"peer.score", Privilege::read, kDatabase, "The health of one peer, part by part", kSlow},
    {"peer.connect", Privilege::operate, kNode, "Dial a peer now, within its ledger"},
    {"peer.disconnect", Privilege::operate, kNode, "Close a connection and stay away"},
    {"slots.show", Privilege::read, kNode, "Usage of the connection slots", kQuick, kMemory},
    {"slots.check", Privilege::read, kDatabase, "Would this address be accepted now", kQuick,
     kMemory},
    {"sync.status", Privilege::read, kDatabase, "How far the chain is, and according to whom",
     kQuick, kMemory},
    {"sync.peers", Privilege::read, kNode, "Whose height counts, one row a peer", kQuick, kMemory},
    {"sync.fork", Privilege::read, kDatabase, "Forks, open and resolved", kQuick, kMemory},
    {"sync.fork_accept", Privilege::operate, kNode, "Take the majority's branch of a deep fork"},
    {"sync.pause", Privilege::operate, kNode, "Fetch no blocks until it is resumed"},
    {"sync.resume", Privilege::operate, kNode, "Fetch blocks again"},
    {"diagnose.peer", Privilege::read, kDatabase,
     "What is the matter with a peer, as far as known"},
    {"diagnose.probe", Privilege::operate, kDatabase, "The same, and ask the peer itself", kSlow},
    {"diagnose.node", Privilege::read, kDatabase, "What is the matter with this node", kSlow},
    {"diagnose.all", Privilege::read, kDatabase, "This node and every masternode, by root cause",
     kSlow},
    {"alerts.list", Privilege::read, kDatabase, "What is open, pending and was resolved", kQuick,
     kMemory},
    {"alerts.ack", Privilege::operate, kDatabase, "Say no more of one: somebody is at it"},
    {"alerts.silence", Privilege::operate, kDatabase, "Tell nothing of a rule for some time"},
    {"alerts.rules", Privilege::read, kDatabase, "What is watched, and how grave it is", kQuick,
     kMemory},
    {"alerts.test", Privilege::operate, kDatabase, "Send a test through one sink, now", kSlow},
    {"audit.list", Privilege::read, kDatabase, "Rows of the audit log"},
    {"audit.verify", Privilege::read, kDatabase, "Check the hash chain", kSlow},
    {"audit.head", Privilege::read, kDatabase, "The last row's hash, to note elsewhere"},
    {"audit.export", Privilege::read, kDatabase, "Rows in pages, in the canonical order", kSlow},
    {"report", Privilege::read, kDatabase, "The targets against what was measured", kSlow},
    {"events.list", Privilege::read, kDatabase, "Recorded events"},
    {"events.follow", Privilege::read, kNode, "Recorded events, then live ones"},
    {"db.check", Privilege::read, kDatabase, "Check the database file", kSlow},
    {"db.backup", Privilege::admin, kDatabase, "A consistent copy of the database", kSlow},
    {"node.stop", Privilege::admin, kNode, "Stop the node in order"},
    {"node.reload", Privilege::admin, kNode, "Load the configuration again"},
});

}  // namespace

std::span<const MethodRow> method_table() {
  return kMethods;
}

const MethodRow* find_method(std::string_view name) {
  const auto* row = std::ranges::find(kMethods, name, &MethodRow::name);
  return row == kMethods.end() ? nullptr : row;
}

}  // namespace timectl::control
