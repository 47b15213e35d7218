#include "daemon/diagnose/ban_reason.h"

#include <algorithm>
#include <array>

namespace timectl::diagnose {
namespace {

constexpr auto kRows = std::to_array<BanReasonRow>({
    {"TLS handshake failed", "FM-B1", "broken TLS attempts were added up"},
    {"Pre-handshake timeout", "FM-H1", "connections without a Handshake were added up"},
    {"Sent message before completing handshake", "FM-H2", "a frame came before the Handshake"},
    {"Invalid TLS SNI", "FM-H10", "a probe used another server name"},
    {"Invalid magic bytes", "FM-H3", "a Handshake of the other network came"},
    {"Obsolete software", "FM-H5", "the commit count is under the minimum"},
    {"Message flood", "FM-L8", "its gate for bursts of messages was tripped"},
    {"Ping flood", "FM-K3", "keepalive was counted as a flood"},
    {"PingFlood", "FM-K3", "keepalive was counted as a flood"},
    {"Oversized frame header", "FM-H12", "a frame of impossible length came"},
    {"FrameBomb", "FM-H12", "a frame of impossible length came"},
    {"Frame-bomb temp ban", "FM-H12", "a frame of impossible length came"},
    {"SynchronizedCycling", "FM-B2", "several nodes of a network left at once"},
    {"ConnectionFlood", "FM-L1", "connections came faster than its limit"},
    {"TlsFlood", "FM-L1", "connections came faster than its limit"},
    {"MessageFlood", "FM-B10", "normal traffic was taken for an attack"},
    {"Rate limited: ", "FM-B10", "normal traffic was taken for an attack"},
    {"AI-detected: ", "FM-B14", "the pattern detector banned a whole network"},
    {"Sybil attack: ", "FM-B14", "addresses of one network claimed the same"},
    {"AV30 fork alert spam", "FM-S5", "fork alerts came too often"},
    {"Fork chain predates network genesis", "FM-S17", "blocks from before the genesis were served"},
    {"Invalid reorg reward", "FM-S15", "the two sides compute rewards differently"},
    {"Invalid reward distribution", "FM-B11", "the two sides compute rewards differently"},
    {"Reward-hijacking", "FM-B11", "the two sides compute rewards differently"},
    {"Collateral hijack", "FM-B9", "two nodes claim one collateral"},
    {"CollateralHijack", "FM-B9", "two nodes claim one collateral"},
    {"Collateral already locked", "FM-B9", "two nodes claim one collateral"},
    {"V4 collateral hijack", "FM-B9", "two nodes claim one collateral"},
    {"collateral squatter", "FM-B9", "two nodes claim one collateral"},
    {"Registry conflict", "FM-B9", "two nodes claim one collateral"},
    {"Relayed free-tier collateral", "FM-B9", "two nodes claim one collateral"},
    {"IP cycling", "FM-B9", "one identity came from several addresses"},
    {"Reward-redirect", "FM-B9", "two nodes claim one collateral"},
    {"Permanently banned: wrong genesis", "FM-H6", "the genesis hashes differed"},
    {"wrong genesis", "FM-H6", "the genesis hashes differed"},
});

}  // namespace

std::span<const BanReasonRow> ban_reason_table() {
  return kRows;
}

const BanReasonRow* ban_reason_of(std::string_view reason) {
  constexpr std::string_view kSevere = "SEVERE: ";  // ignores the whitelist, means the same
  if (reason.starts_with(kSevere)) reason.remove_prefix(kSevere.size());
  const auto* row = std::find_if(kRows.begin(), kRows.end(), [&](const BanReasonRow& r) {
    return reason.starts_with(r.begins);
  });
  return row == kRows.end() ? nullptr : row;
}

}  // namespace timectl::diagnose
