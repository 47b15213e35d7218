#pragma once
// Facts to begin with: a node and a peer with nothing wrong, and the few changes that most cases
// share. A case changes what it is about; what it leaves alone stays well.

#include <string>

#include "daemon/diagnose/facts.h"
#include "daemon/diagnose/scene.h"

namespace timectl::diagnose {

using namespace std::chrono_literals;

inline constexpr WallTime kNow{1'784'894'400'000ms};  // 2026-07-24 12:00 UTC
inline const IpAddress kOurs = IpAddress::v4(50, 28, 104, 50);
inline const IpAddress kPeer = IpAddress::v4(64, 91, 241, 10);  // higher: it has to dial
inline const std::string kGenesis = "45181d4c" + std::string(56, 'a');
inline constexpr std::uint64_t kHeight = 14'000;

[[nodiscard]] IpAddress other_peer(int i);  // 1 to 200

[[nodiscard]] Facts well();  // connected, and nothing wrong
[[nodiscard]] Facts gone();  // the same without a session, after a dial that is not known to fail

[[nodiscard]] inline PeerFacts& peer(Facts& facts) {
  return *facts.peer;
}
[[nodiscard]] inline RpcFacts& rpc(Facts& facts) {
  return *facts.peer->rpc;
}
[[nodiscard]] inline PeerDetailView& live(Facts& facts) {
  return *facts.peer->node;
}

// Our last dial, and some before it, ended so.
void dialled(Facts& facts, EndReason reason, std::uint64_t times = 1);
// A probe that is ok up to the stage, where it ends so.
void probed(Facts& facts, Stage stage, Outcome outcome);
void no_rpc(Facts& facts, RpcAnswer answer);
// A session that ended so long ago and lasted so long.
void had_session(Facts& facts, Duration ago, Duration lasted, EndReason reason,
                 Direction direction = Direction::out);
void banned_there(Facts& facts, const std::string& reason);
// All peers, this one too, were lost `ago`, one after the other `apart`.
void lost_all(Facts& facts, EndReason reason, Duration ago, Duration apart);
void lag(Facts& facts, std::uint64_t blocks, SyncActivity activity, double blocks_per_minute);
void fork(Facts& facts, std::uint64_t depth, bool ours_is_majority, bool needs_consent = false);

}  // namespace timectl::diagnose
