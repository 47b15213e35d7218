#pragma once
// Requests and replies of the methods about the chain, as those of api.h; most replies are the
// views of core/sync_views.h themselves. And the one judgement about them that the command line,
// `status` and the alerts must share.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/sync_views.h"

namespace timectl::control {

// Y4. `unproven`: level with what is believed, but a masternode claims more than in_sync_blocks
// above it; that may be true. `unknown`: no height is believed, or there is no chain of ours.
// `other_branch`: what is believed is not on our chain.
enum class SyncVerdict : std::uint8_t { in_sync, behind, unproven, unknown, other_branch };
BOOST_DESCRIBE_ENUM(SyncVerdict, in_sync, behind, unproven, unknown, other_branch)
[[nodiscard]] SyncVerdict verdict_of(const SyncStatusView& view);

// sync.status (read): SyncStatusView. Without a node the stored chain alone: no best height.

// sync.peers (read, needs the node).
struct SyncPeersReply {
  std::vector<SyncPeerView> peers = {};  // in order of address
  std::vector<SyncLegendView> legend = {};
};
BOOST_DESCRIBE_STRUCT(SyncPeersReply, (), (peers, legend))

// sync.fork (read): array of ForkView, open ones first. sync.fork_accept (operate, needs the node):
// ForkView, the one whose majority branch is taken now.
struct SyncForkRequest {
  std::uint64_t limit = 20;
};
BOOST_DESCRIBE_STRUCT(SyncForkRequest, (), (limit))

// sync.pause, sync.resume (operate, need the node).
struct SyncSwitchReply {
  std::string result = {};  // paused resumed unchanged
  bool paused = false;
  SyncActivity activity = SyncActivity::idle;  // afterwards
  std::string activity_because = {};
};
BOOST_DESCRIBE_STRUCT(SyncSwitchReply, (), (result, paused, activity, activity_because))

// Of `status`: null is unknown.
struct SyncStatus {
  std::optional<std::uint64_t> height = {};
  std::optional<std::uint64_t> best_height = {};
  std::optional<std::uint64_t> lag_blocks = {};
  std::optional<std::uint64_t> claimed_height = {};
  SyncVerdict verdict = SyncVerdict::unknown;
  std::string ground = {};  // why best_height is believed, or why nothing is
  std::optional<SyncActivity> activity = {};
};
BOOST_DESCRIBE_STRUCT(SyncStatus, (),
                      (height, best_height, lag_blocks, claimed_height, verdict, ground, activity))

// How far the chain is, in one sentence for people.
[[nodiscard]] std::string sync_sentence(const SyncStatus& sync);

// Of getnetworkinfo.
struct SyncInfo {
  std::optional<std::uint64_t> height = {};
  std::optional<IpAddress> best_peer = {};
  std::optional<std::uint64_t> best_height = {};
  bool syncing = false;
};
BOOST_DESCRIBE_STRUCT(SyncInfo, (), (height, best_peer, best_height, syncing))

}  // namespace timectl::control
