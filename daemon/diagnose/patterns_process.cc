#include <array>

#include "daemon/diagnose/log_patterns.h"

namespace timectl::diagnose {
namespace {

using enum LineKind;

constexpr auto kPatterns = std::to_array<Pattern>({
    {"# NODE RESTART", "", banner},
    {"TIME COIN DAEMON STARTING", "", started},
    {"heartbeat", "", heartbeat, "", "", 0, std::numeric_limits<std::uint64_t>::max(), true},
    {"Shutdown signal received", "", stopped},
    {"All tasks shut down gracefully", "", stopped},
    {"Block storage flushed successfully", "", stopped},
    {"Network server listening on", "", node_sign},
    {"TIME Coin Daemon is Running!", "", node_sign},
    {"Core components initialized successfully!", "", node_sign},

    {"Server error: ", "FM-R4", node_sign},
    {"RPC server error: ", "FM-A8", node_sign},
    {"Failed to start RPC server", "FM-C8", node_sign},
    {"RPC server listening on", "", node_sign},
    {"Failed to start network: ", "FM-R5", node_sign},
    {"(Port may already be in use)", "FM-R5", node_sign},
    {"Too many open files", "FM-X9", node_sign},
    {"panicked at", "FM-X16", node_sign},
    {"Out of memory: Killed process", "FM-X8", node_sign, "(timed)"},
    {"Out of memory: Killed process", "FM-X8", node_sign, "(timetd)"},
    {"oom-kill", "FM-X8", node_sign},
    {"code=killed, status=9/KILL", "FM-X8", node_sign},

    {"CRITICAL: SYSTEM CLOCK OUT OF SYNC", "FM-X1", node_sign},
    {"CRITICAL: System time is off by", "FM-X1", node_sign},
    {"Your system clock is", "FM-X1", node_sign, "off (tolerance"},
    {"Node shutting down to prevent consensus failures", "FM-X1", node_sign},
    {"System time deviation is", "FM-X1", node_sign},
    {"CRITICAL: Failed to contact NTP server", "FM-X2", node_sign},
    {"NTP sync error", "FM-X2", node_sign},
    {"All NTP servers failed", "FM-X2", node_sign},
    {"System time is synchronized", "", node_sign},
    {"NTP sync with", "", node_sign},
    {"Failed to query", "", node_sign},
    {"has persistent clock drift", "FM-X3"},
    {"future timestamp", "FM-X3"},

    {"MB of disk space available", "FM-X4", node_sign, "Only "},
    {"Sled failed at", "FM-X4", node_sign},
    {"Removing corrupted database directory", "FM-X4", node_sign},
    {"Starting with a fresh database", "FM-X4", node_sign},
    {"No space left on device", "FM-X4", node_sign},

    {"[STARTUP] UTXO reindex failed", "FM-P12", node_sign},
    {"[STARTUP] UTXO reindex complete", "", node_sign},
    {"[STARTUP] Rebuilding in-memory UTXO set", "FM-X11", node_sign},
    {"Full reindex requested via reindex sentinel", "FM-X11", node_sign},

    {"TLS initialization failed, running without encryption", "FM-H9", node_sign},
    {"TLS enabled for P2P connections", "", node_sign},
    {"does not match detected public IP", "FM-C1", node_sign},
    {"Using detected IP", "FM-C1", node_sign},
    {"No masternode configured", "FM-C7", node_sign},
    {"Loaded legacy configuration from", "FM-C4", node_sign},
    {"ignoring malformed line", "FM-C5", node_sign},
    {"Invalid IP in whitelisted_peers", "FM-P13", node_sign},
    {"Local public IP detected: 0.0.0.0", "FM-D3", node_sign},
    {"Local public IP detected", "", node_sign},
    {"using listen address", "FM-D3", node_sign, "Could not detect public IP"},
    {"Could not detect public IP", "FM-D3", node_sign},
    {"Auto-detected public IP", "", node_sign},
    {"Local IP: 0.0.0.0", "FM-D3", node_sign},
    {"Local IP: ", "", node_sign},

    // mn-watchdog, in the journal beside timed.
    {"status=not_a_masternode", "FM-X12", node_sign},
    {"systemctl restart timed FAILED", "FM-X12", node_sign},
    {"Sync stalled for 0s (0 polls", "FM-X12", watchdog_restart},
    {"restarting timed (restart #", "", watchdog_restart},
    {"timed is not active", "", watchdog_restart},
    {"triggering restart", "FM-X6", watchdog_restart, "RPC-unresponsive"},
    {"restarting timed", "", watchdog_restart},
    {"RPC timeout", "FM-X6", node_sign, "busy_streak"},
    {"RPC call failed", "FM-X6", node_sign, "has NOT logged in"},
    {"getconnectioncount=0 but journal shows live peer traffic", "FM-D11", node_sign},
    {"Another mn-watchdog", "FM-X12", node_sign},
    {"Masternode NOT active (status=", "FM-P11", node_sign},
    {"Boot/update grace: timed started", "", node_sign},
    {"mn-watchdog.service: Deactivated", "FM-X13", node_sign},
    {"mn-watchdog.service: Main process exited", "FM-X13", node_sign},

    {"curl: No such file or directory", "FM-P2", node_sign, "Failed to run"},
    {"Failed to run curl", "FM-P2", node_sign},
    {"curl exited exit status", "FM-P1", node_sign},
    {"HandshakeFailure", "FM-P1", node_sign},
    {"Failed to parse peer list from server", "FM-P3", node_sign},
    {"API fetch failed: JSON parse error", "FM-P3", node_sign},
    {"API returned empty list", "FM-A4", node_sign},
    {"Could not resolve host", "FM-A1", node_sign},
    {"API fetch failed", "FM-B4", node_sign},
    {"Loaded 0 peer(s)", "FM-B4", node_sign},
    {"Preparing whitelist with", "FM-B4", node_sign, "", "whitelist with ", 0, 0},
    {"Preparing whitelist with", "", node_sign},
    {"Discovering peers from", "", node_sign},
});

}  // namespace

std::span<const Pattern> process_patterns() {
  return kPatterns;
}

}  // namespace timectl::diagnose
