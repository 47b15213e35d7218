#pragma once
// What `timectl sync` shows, as plain values; keys are those of cli.md. Made by the chain's
// coordinator (daemon/chain/coordinator.h) of a running node, or from the stored chain alone where
// no node runs: then nobody vouches for anything, and there is no best height.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/time.h"

namespace timectl {

// `disabled`: by sync.enabled. `waiting`: behind, and nobody who may be asked is ahead.
enum class SyncActivity : std::uint8_t { idle, syncing, stalled, paused, disabled, waiting };
BOOST_DESCRIBE_ENUM(SyncActivity, idle, syncing, stalled, paused, disabled, waiting)

struct SyncStatusView {
  std::optional<std::uint64_t> height = {};  // of our verified chain; none: there is no chain file
  std::optional<std::string> tip_hash = {};  // hex
  std::optional<WallTime> tip_at = {};       // the time stamp of that block
  std::optional<std::uint64_t> best_height = {};  // believed (requirements Y1)
  std::optional<IpAddress> best_peer = {};        // the first that vouches for it
  std::vector<IpAddress> vouched_by = {};
  std::string ground = {};  // why it is believed, or why nothing is: one clause
  std::optional<std::uint64_t> lag_blocks = {};
  std::optional<double> lag_seconds = {};  // the blocks' time
  // What is believed is on another branch than ours: the lag counts from where they part.
  bool other_branch = false;
  std::optional<std::uint64_t> parted_at = {};  // the last block in common, where that is known
  std::uint64_t expected_height = 0;            // by the clock
  // The highest that a masternode claims above what is believed; none where nobody does. While it
  // is there, "in sync" is not known.
  std::optional<std::uint64_t> claimed_height = {};
  bool syncing = false;
  bool paused = false;
  SyncActivity activity = SyncActivity::idle;
  std::string activity_because = {};  // stalled, waiting, disabled: one clause; else empty
  std::optional<double> blocks_per_minute = {};  // over the last minute; none without progress
  std::optional<double> eta_seconds = {};
  std::optional<std::uint64_t> spread_blocks = {};  // highest less lowest plausible height
  std::uint64_t masternodes = 0;                    // connected
  bool network_stalled = false;      // we are where everybody is, and the clock is further (FM-S10)
  bool clock_doubted = false;        // most masternodes are above our clock's height
  std::uint64_t forks = 0;           // open ones
  std::uint64_t in_sync_blocks = 2;  // a lag up to this counts as none (Y4)
};
BOOST_DESCRIBE_STRUCT(SyncStatusView, (),
                      (height, tip_hash, tip_at, best_height, best_peer, vouched_by, ground,
                       lag_blocks, lag_seconds, other_branch, parted_at, expected_height,
                       claimed_height, syncing, paused, activity, activity_because,
                       blocks_per_minute, eta_seconds, spread_blocks, masternodes, network_stalled,
                       clock_doubted, forks, in_sync_blocks))

struct SyncPeerView {
  IpAddress ip = {};
  std::string state = {};   // name of a PeerStanding (chain/height_truth.h)
  std::string letter = {};  // its letter, in the manner of `chronyc sources`
  bool masternode = false;
  std::string why = {};                      // evidence, one clause
  std::optional<std::uint64_t> height = {};  // as it claims
  std::optional<std::uint64_t> served = {};  // the highest block that it served and we verified
  std::optional<bool> hash_agrees = {};      // with our chain, where both have the block
  bool believed = false;                     // it vouches for the believed height
  std::string left_because = {};             // it is not asked for blocks now: one clause
};
BOOST_DESCRIBE_STRUCT(SyncPeerView, (),
                      (ip, state, letter, masternode, why, height, served, hash_agrees, believed,
                       left_because))

struct SyncLegendView {
  std::string letter = {};
  std::string state = {};
  std::string meaning = {};
};
BOOST_DESCRIBE_STRUCT(SyncLegendView, (), (letter, state, meaning))

struct ForkBranchView {
  bool ours = false;
  std::uint64_t tip_height = 0;
  std::string tip_hash = {};    // hex
  std::string first_hash = {};  // of its first block after the ancestor; empty for ours
  std::vector<IpAddress> peers = {};
  std::uint64_t masternodes = 0;  // of the peers
  bool majority = false;          // more than half of the masternodes that answered are on it
};
BOOST_DESCRIBE_STRUCT(ForkBranchView, (),
                      (ours, tip_height, tip_hash, first_hash, peers, masternodes, majority))

struct ForkView {
  std::uint64_t ancestor_height = 0;  // the last block in common
  std::vector<ForkBranchView> branches = {};
  WallTime seen_at = {};
  std::optional<WallTime> resolved_at = {};
  std::string resolution = {};     // how it ended; empty while it is open
  bool needs_consent = false;      // switching is left to the operator: `sync fork --accept`
  std::string needs_because = {};  // one clause, where it does
};
BOOST_DESCRIBE_STRUCT(ForkView, (),
                      (ancestor_height, branches, seen_at, resolved_at, resolution, needs_consent,
                       needs_because))

}  // namespace timectl
