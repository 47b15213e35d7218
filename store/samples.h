#pragma once
// Samples of the past (core/samples.h): steps of 5 minutes, rolled up to hours and days, so that
// years stay small; and the sessions that are open, so that a kill -9 loses none. The node writes
// the present step again at each look (a minute apart) and rolls up in small chunks from its tick;
// reports, charts and `--at` query. A bad word or address is database_damaged naming the row.

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "daemon/core/events.h"
#include "daemon/core/samples.h"
#include "daemon/core/score.h"
#include "store/database.h"

namespace timectl::store {

// Inserts or replaces the rows of these (step of 5 minutes, peer), in one transaction; what was
// looked at for longer is not replaced (a clock that went back). The same for `open`: all sessions
// that are open now, in the place of those stored. database_full while the disk is: nothing is
// written then, and what was stays.
[[nodiscard]] Result<void> put_samples(Database& database, std::span<const PeerSample> peers,
                                       std::span<const NodeSample> nodes,
                                       std::span<const SessionRecord> open);
[[nodiscard]] inline Result<void> put_samples(Database& database, std::span<const PeerSample> peers,
                                              const std::optional<NodeSample>& node,
                                              std::span<const SessionRecord> open) {
  return put_samples(database, peers, std::span(node ? &*node : nullptr, node ? 1 : 0), open);
}

struct SampleFilter {
  std::optional<IpAddress> ip = {};    // of peers
  std::optional<WallTime> since = {};  // steps that end after it
  std::optional<WallTime> until = {};  // steps that begin before it
  SampleStep step = SampleStep::five_minutes;
  std::size_t limit = 10'000;
};
// Oldest first; of more than `limit` the newest.
[[nodiscard]] Result<std::vector<PeerSample>> list_peer_samples(Database& database,
                                                                const SampleFilter& filter);
[[nodiscard]] Result<std::vector<NodeSample>> list_node_samples(Database& database,
                                                                const SampleFilter& filter);
// Everything of a period, one row for each peer, in the order of addresses: as exact at both ends
// as the steps that are still kept there (a period that begins within a step counts all of that
// step), from hours and days between, so that a year costs no more than a month.
[[nodiscard]] Result<std::vector<PeerSample>> sum_peer_samples(Database& database, WallTime since,
                                                               WallTime until);
[[nodiscard]] Result<std::optional<NodeSample>> sum_node_samples(Database& database, WallTime since,
                                                                 WallTime until);
// The last sample of each peer that begins at or before `at`, none that ended longer than `within`
// before it; hours or days where that is all that is kept of the time.
[[nodiscard]] Result<std::vector<PeerSample>> peer_samples_at(Database& database, WallTime at,
                                                              Duration within);
[[nodiscard]] Result<std::optional<NodeSample>> node_sample_at(Database& database, WallTime at,
                                                               Duration within);
// The step that tells of a time: the finest of which rows are still kept there. A time of which it
// has none is one in which no node ran, whatever the rows of coarser steps around it say.
[[nodiscard]] Result<SampleStep> step_kept_at(Database& database, WallTime at);
// The sessions that were open at that moment, whether they have ended since or not: one that is
// open has the node's last look as its end.
[[nodiscard]] Result<std::vector<SessionRecord>> sessions_at(Database& database, WallTime at);

// Sessions that a node which did not stop in order left open: moves them to the history, ended at
// its last look with the reason `shutdown` and a detail that says so. At start, before the first
// put_samples. Returns how many.
[[nodiscard]] Result<std::size_t> end_open_sessions(Database& database);

struct SampleRetention {
  Duration five_minutes = std::chrono::hours(24 * 30);
  Duration hours = std::chrono::hours(24 * 365);
  Duration days = std::chrono::hours(24 * 365 * 10);
  // Of the whole database file, without what is free in it: the oldest go, of strangers first, then
  // of events and steps of five minutes, then of sessions and hours. What has no age (lists, audit
  // log) stays.
  std::size_t max_bytes = 1'073'741'824;
};
// One bounded chunk (a few milliseconds): hours and days out of complete steps below them, then
// what is too old (by the clock and by the days recorded since: sample_rows.h, aged_before), then
// what is too much. Returns the rows written or removed: again until 0.
[[nodiscard]] Result<std::uint64_t> roll_up_samples(Database& database,
                                                    const SampleRetention& retention, WallTime now);

// Health scores (core/score.h), over restarts.
struct StoredScore {
  IpAddress ip = {};
  ScoreState state = {};
};
inline constexpr std::size_t kMaxScores = 16'384;  // the oldest go
[[nodiscard]] Result<void> save_scores(Database& database, std::span<const StoredScore> scores);
[[nodiscard]] Result<std::vector<StoredScore>> load_scores(Database& database);

}  // namespace timectl::store
