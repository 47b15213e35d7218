#include <array>

#include "daemon/diagnose/log_patterns.h"

namespace timectl::diagnose {
namespace {

using enum LineKind;

constexpr auto kPatterns = std::to_array<Pattern>({
    {"Marked temporarily incompatible", "FM-S12"},
    {"Re-checking previously incompatible peer", ""},
    {"is now compatible", ""},
    {"Incompatible peers: ", "FM-S12", node_sign, "", "Incompatible peers: ", 1},
    {"Incompatible peers: ", "", node_sign},
    {"UPDATE REQUIRED", "FM-S12", node_sign},

    {"NETWORK PARTITION DETECTED", "FM-S18", node_sign},
    {"Still partitioned", "FM-S18", node_sign},
    {"Partition recovery", "", node_sign},
    {"Partition resolved", "", node_sign},
    {"0 connected peers but node has previously had peers", "FM-S18", node_sign},
    {"proceeding solo", "FM-S18", node_sign},
    {"FORK PREVENTION", "FM-S18", node_sign},
    {"tip cache is empty", "FM-S4", node_sign},
    {"No peer chain tip responses", "FM-S4", node_sign},
    {"haven't shared chain tips yet", "FM-S4", node_sign},
    {"Block production blocked", "FM-S18", node_sign},

    {"Network stall detected", "FM-S10", node_sign},
    {"No peers have blocks beyond height", "FM-S10", node_sign},
    {"Consensus timeout for block", "FM-S10", node_sign},
    {"finalized via consensus", "", node_sign},
    {"Catch-up gate: ", "FM-S1", node_sign},
    {"Peer gate: waiting", "", node_sign},

    {"MINORITY FORK DETECTED: We", "FM-S5", node_sign},
    {"SAME-HEIGHT MINORITY FORK", "FM-S6", node_sign},
    {"MINORITY FORK DETECTED", "FM-S6", node_sign},
    {"Finality lock prevents reorg", "FM-S6", node_sign},
    {"FINALITY LOCK ESCAPE", "FM-S6", node_sign},
    {"LONGER-CHAIN ESCAPE", "FM-S6", node_sign},
    {"WHITELISTED PEER ESCAPE", "FM-S6", node_sign},
    {"Minority chain detected", "FM-S5", node_sign},
    {"appear to be on minority fork", "FM-S5", node_sign},
    {"Same-height fork at", "FM-S5", node_sign},
    {"SOLO FORK RECOVERY", "FM-S5", node_sign},
    {"FORK with", "FM-S5", sign, "our "},
    {"Fork detected with peer", "FM-S5"},
    {"(fork detected)", "FM-S5", sign, "blocks skipped"},
    {"NOT on consensus chain", "FM-S5"},
    {"LARGE REORG", "FM-S7", node_sign},
    {"REJECTED REORG TO GENESIS", "FM-S7", node_sign},
    {"Reorg pre-flight", "FM-S15", node_sign},
    {"clearing stale fork resolution state", "FM-S9", node_sign},
    {"Fork resolution stalled", "FM-S9", node_sign},
    {"for fork resolution", "FM-S9", sign, "Requesting blocks"},

    {"No progress after parallel sync request", "FM-S2", node_sign},
    {"didn't respond)", "FM-S2", sign, "Gap detected"},
    {"Rotating to", "FM-S2", node_sign, "fallback peer(s)"},
    {"No fallback peers available", "FM-S2", node_sign},
    {"Sync incomplete at height", "FM-S2", node_sign},
    {"No connected peers to sync from", "FM-S2", node_sign},
    {"No sync progress from", "FM-S2"},
    {"did not respond within", "FM-S2", sign, "Peer "},
    {"[AI] Trying alternate peer", "FM-S2"},
    {"is behind best peer", "FM-S2", node_sign},
    {"Possible sync loop detected", "FM-S3"},
    {"Breaking potential sync loop", "FM-S3", node_sign},
    {"Deferring ", "FM-S8", sign, "(syncing)"},
    {"Auto-expiring stale sync with", "FM-S19"},
    {"Sync approved with", ""},
    {"Sync completed with", ""},

    {"Ignoring implausible peer height", "FM-S11"},
    {"Single peer ahead at height", "FM-S11"},
    {"before launch (max valid height", "FM-S11"},
    {"during initial block download", "FM-S13", sign, "Dropping "},
    {"untrusted", "FM-S13", node_sign, "yncing from"},
    {"is zombie (", "FM-S14"},
    {"Sending sync alert", "FM-S14"},
    {"blocks behind (height", "FM-S14", sign, "Peer "},
    {"Failed to add block", "FM-S15", node_sign, "reward"},
    {"has invalid reward distribution", "FM-S15"},
    {"CORRUPTION DETECTED", "FM-S16", node_sign},
    {"Auto-healing: repaired", "FM-S16", node_sign},
    {"Gap detected: block ", "FM-S16", node_sign, "missing"},
    {"Missing block", "FM-S16", node_sign},
    {"Genesis block not found but height is", "FM-S16", node_sign},
    {"[purge_wrong_chain]", "FM-S17", node_sign},
    {"[purge_pre_genesis]", "FM-S17", node_sign},
    {"exceeds max valid height", "FM-S17", node_sign},

    {"Parallel sync: using", "FM-S1", node_sign},
    {"Still syncing...", "FM-S1", node_sign},
    {"Starting sync: ", "FM-S1", node_sign},
    {"Starting parallel sync loop", "FM-S1", node_sign},
    {"Syncing from peers: ", "FM-S1", node_sign},
    {"Block sync progress", "FM-S1", node_sign},
    {"No blocks added from", ""},
    {" blocks from ", "", sign, "Added "},
    {"Sync complete at height", "", node_sign},
    {"Opportunistic sync: peer", "", node_sign},
    {"reported higher height", ""},
    {"ahead at height", ""},
    {"Status: Height=", "", node_sign},
    {"Accepting ", "", sign, "without consensus check"},
});

}  // namespace

std::span<const Pattern> chain_patterns() {
  return kPatterns;
}

}  // namespace timectl::diagnose
