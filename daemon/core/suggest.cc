#include "daemon/core/suggest.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace timectl {
namespace {

constexpr double kDay = 86'400;  // seconds

std::string tenths(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

double uptime_of(const SuggestFacts& peer) {
  // The node may have looked less often than the peer was there by the rounding of a step.
  if (!(peer.observed_seconds > 0)) return 0;
  return std::min(1.0, peer.connected_seconds / peer.observed_seconds);
}

bool passes(const SuggestFacts& peer, const SuggestPolicy& policy) {
  return !peer.whitelisted && !peer.banned && peer.score && *peer.score >= policy.score &&
         peer.connected_seconds >= seconds(policy.after) && uptime_of(peer) >= policy.uptime;
}

std::string because(const SuggestFacts& peer) {
  return "connected " + tenths(peer.connected_seconds / kDay) + " of " +
         tenths(std::max(peer.observed_seconds, peer.connected_seconds) / kDay) + " days, " +
         counted(peer.disconnects, "disconnect") + ", " +
         counted(peer.missed_pongs, "missed pong") + " of " + std::to_string(peer.pings);
}

bool better(const Suggestion& a, const Suggestion& b) {
  if (a.score != b.score) return a.score > b.score;
  if (a.observed_days != b.observed_days) return a.observed_days > b.observed_days;
  return a.ip < b.ip;
}

}  // namespace

std::vector<Suggestion> suggest(std::span<const SuggestFacts> peers, const SuggestPolicy& policy) {
  std::vector<Suggestion> rows;
  for (const auto& peer : peers) {
    if (!passes(peer, policy)) continue;
    rows.push_back({peer.ip, *peer.score, peer.connected_seconds / kDay, uptime_of(peer),
                    peer.disconnects, because(peer)});
  }
  std::ranges::sort(rows, better);
  return rows;
}

}  // namespace timectl
