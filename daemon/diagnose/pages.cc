#include "daemon/diagnose/pages.h"

#include <algorithm>
#include <array>
#include <set>

#include "daemon/diagnose/log_patterns.h"
#include "daemon/diagnose/rules.h"

namespace timectl::diagnose {
namespace {

constexpr auto kOwnCodes = std::to_array<OwnCode>({
    {"slow", "The peer answers, but slowly",
     "It is reachable and well, but an answer takes far longer than is usual.",
     "Look at the path to it and at its load; `timectl peer score IP` shows what is usual."},
    {"own_address", "This is our own address", "A node has no session with itself.",
     "Nothing; `timectl diagnose node` judges this node."},
    {"kept_away", "An operator of this node keeps the peer away",
     "It was disconnected by hand for a time, and until that is over nobody dials it or lets it "
     "in.",
     "`timectl peer connect IP` ends that and dials it now."},
});

constexpr auto kOwnRemedies = std::to_array<OwnRemedy>({
    {"FM-R3",
     "Open or forward the node's port (24000/tcp) to this machine. Set "
     "node.external_address where NAT hides the public one."},
    {"FM-R4", "Restart the node with `timectl node restart` and look at its log for the listener.",
     "The node runs, and nothing listens on its port"},
    {"FM-R5",
     "Find the other process (ss -ltnp). Give the node an address of its own (node.listen), "
     "then `timectl node restart`.",
     "Another process has the port"},
    {"FM-R7", "Take the own address off the list: `timectl whitelist remove IP`."},
    {"FM-R9", "Give each node a public address of its own (node.listen)."},
    {"FM-H5", "Upgrade timectl, or set network.commit_count to what the network asks for."},
    {"FM-K1",
     "Nothing: the node ends such a session and dials again; `timectl peer show IP` says when."},
    {"FM-K4", "Nothing: it measures no round trip of those who dial it."},
    {"FM-D1", "Nothing on this side: the node keeps one session of two and dials by its ladder."},
    {"FM-D12", "Nothing on this side: the peer's own probe replaces the session; it comes back."},
    {"FM-D13", "Nothing on this side: the node dials again by its ladder."},
    {"FM-D14", "Nothing: the session is up, the peer's table is wrong until the next one."},
    {"FM-L1", "Nothing: the node waits its turn and dials again by its ladder."},
    {"FM-P10", "Nothing: the session is up, the peer's registry is late."},
    {"FM-K7", "`timectl peer disconnect IP --for 1m`; the node dials it again by itself."},
    {"FM-D3", "Set node.external_address to the public address, then `timectl node restart`.",
     "This node does not know its public address"},
    {"FM-D4", "Set node.external_address to the address that peers see, then reload."},
    {"FM-D2",
     "`timectl peer connect IP` dials now; check node.external_address, which decides "
     "who dials."},
    {"FM-L3",
     "Raise network.max_connections, or lower what is reserved; masternodes get in anyway.",
     "Connections are refused because the slots are full"},
    {"FM-B1",
     "`timectl ban why IP` says by whom and until when. `timectl ban remove IP` lifts it."},
    {"FM-B3", "`timectl refresh` fetches the list; `timectl whitelist add IP` adds by hand."},
    {"FM-B4",
     "`timectl refresh --dry-run` says at which step the fetch fails. Meanwhile "
     "`timectl whitelist add IP` protects each masternode by hand.",
     "The whitelist is empty, and the API's list cannot be had"},
    {"FM-B5", "`timectl refresh --dry-run` says why the list does not come."},
    {"FM-B8", "`timectl ban remove IP` with the own address, and set node.external_address."},
    {"FM-B12", "`timectl peer connect IP` dials it now, within the ledger."},
    {"FM-B13",
     "`timectl whitelist verify IP` says which part is not in force; then `timectl node "
     "reload`."},
    {"FM-P1", "Check this host's clock and ca-certificates; try `timectl refresh --dry-run`.",
     "The API's list cannot be fetched"},
    {"FM-P9", "`timectl peer connect IP` tries it again; `timectl whitelist add IP` keeps trying."},
    {"FM-P13", "Write the IP address in the place of the name, then `timectl node reload`."},
    {"FM-S2", "`timectl sync peers` says who has the blocks; connect more masternodes."},
    {"FM-S5",
     "`timectl sync fork` shows the branches; the node switches by itself up to its limit."},
    {"FM-S6",
     "`timectl sync fork` says why it waits; `timectl sync fork --accept` takes the "
     "majority's branch."},
    {"FM-S7", "`timectl sync fork --accept` takes the majority's branch, after a look at it."},
    {"FM-S9", "`timectl sync fork` says what is missing; connect more masternodes."},
    {"FM-S13", "Connect a masternode: `timectl diagnose` says why none is."},
    {"FM-S15", "Upgrade timectl: masternodes agree on a block that this version refuses."},
    {"FM-S16",
     "Check disk and free space. The node loads the chain again where the file is "
     "damaged."},
    {"FM-X1", "Repair the clock (chronyc makestep, timedatectl); the node goes on by itself.",
     "The clock of this machine is off"},
    {"FM-X2", "Allow UDP port 123 out, or set node.time_servers to ones that answer.",
     "No time server answers"},
    {"FM-X4", "Free space where the data directory is. Nothing confirmed is lost meanwhile."},
    {"FM-X5", "Set node.log_max_bytes and node.log_files, and SystemMaxUse for journald."},
    {"FM-X8", "Give the service more memory (MemoryMax), or see what else runs here.",
     "This node runs out of memory"},
    {"FM-X9", "Raise LimitNOFILE of the service, then `timectl node restart`.",
     "This node runs out of file descriptors"},
    {"FM-X10", "Stop the node with `timectl node stop`; the database checks itself after this.",
     "The last run ended without an orderly stop"},
    {"FM-C1", "Set node.external_address to the address that peers see, then reload."},
    {"FM-C2", "Remove network.port: everybody dials the network's own."},
    {"FM-C3", "Set network.name, then `timectl node restart`."},
    {"FM-C5", "Remove the settings; `timectl config check` names them with their lines."},
    {"FM-A1", "Check the resolver (getent hosts time-coin.io); the last good list stays in force."},
    {"FM-A5", "Look at `timectl whitelist pending`, then approve or reject."},
});

// Their rules judge facts that come from a file (`diagnose facts`) and that no node gathers yet:
// those of a timed beside us, identities and uptimes over time, and what a file of ours ignores.
constexpr auto kNotGathered = std::to_array<std::string_view>(
    {"FM-R5", "FM-R9", "FM-X7", "FM-X12", "FM-X15", "FM-X16", "FM-C5", "FM-C6", "FM-C9", "FM-P13"});

}  // namespace

std::span<const std::string_view> not_gathered() {
  return kNotGathered;
}

std::string told_by(std::string_view code) {
  const auto all = tellings();
  const auto row = std::ranges::find(all, code, &Telling::code);
  if (row != all.end()) {
    const bool gathered = std::ranges::find(kNotGathered, code) == kNotGathered.end();
    return std::string(row->text) + (gathered ? "" : " (this version does not gather that)");
  }
  const bool logged =
      std::ranges::any_of(patterns(), [&](const Pattern& line) { return line.code == code; });
  if (!logged) return "by nothing that this version looks at";
  return "by the lines of timed's own log alone: timectl diagnose log FILE";
}

std::span<const OwnRemedy> own_remedies() {
  return kOwnRemedies;
}

std::string_view own_remedy(std::string_view code) {
  const auto* row = std::ranges::find(kOwnRemedies, code, &OwnRemedy::code);
  return row == kOwnRemedies.end() ? "" : row->text;
}

std::span<const OwnCode> own_codes() {
  return kOwnCodes;
}

std::string_view own_title(std::string_view code) {
  const auto* row = std::ranges::find(kOwnRemedies, code, &OwnRemedy::code);
  return row == kOwnRemedies.end() ? "" : row->title;
}

std::vector<std::string> hidden_by(std::string_view code) {
  std::set<std::string> hidden;
  for (const Rule* rule : all_rules()) {
    if (rule->code != code) continue;
    const std::string_view all = rule->hides;
    for (std::size_t at = 0; at < all.size();) {
      const auto end = std::min(all.find(' ', at), all.size());
      hidden.emplace(all.substr(at, end - at));
      at = end + 1;
    }
  }
  return {hidden.begin(), hidden.end()};
}

}  // namespace timectl::diagnose
