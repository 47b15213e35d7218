#pragma once
// HistoryKeeper: what a running node writes of its past besides sessions and events (recorder.h):
// samples of peers and of itself, the sessions that are open, and the health scores. The daemon
// calls look() once a minute and upkeep() from its tick; both take a few milliseconds. While the
// database cannot be written the samples wait in memory, bounded; nothing else stands still.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/core/node.h"
#include "daemon/core/sync_views.h"
#include "daemon/observe/sampler.h"
#include "store/database.h"

namespace timectl {

class HistoryKeeper {
 public:
  explicit HistoryKeeper(store::Database& database) : database_(database) {}

  // At start, before the first session: what a crash left open ends, the present step goes on.
  [[nodiscard]] Result<void> open(Now now);
  [[nodiscard]] Result<void> restore_scores(Node& node);  // before Node::start()
  void session_ended(const SessionRecord& session, Now now) { sampler_.note_end(session, now); }
  // `sync` and `standings`: of the chain; none where there is no chain.
  [[nodiscard]] Result<void> look(Node& node, const config::Config& config, std::size_t whitelisted,
                                  const std::optional<SyncStatusView>& sync,
                                  std::span<const SyncPeerView> standings, Now now);
  // One chunk of rolling up or forgetting; true where there is more to do at once.
  [[nodiscard]] Result<bool> upkeep(const config::Config& config, Now now);

  static constexpr Duration kLookInterval = std::chrono::minutes(1);
  // Rows of peers that are not stored, or of the step that is not over.
  [[nodiscard]] std::size_t waiting() const { return sampler_.rows().peers.size(); }

 private:
  void note_chain(Node& node, const std::optional<SyncStatusView>& sync,
                  std::span<const SyncPeerView> standings, std::span<const PeerReading> readings,
                  Now now);
  [[nodiscard]] Result<void> write_samples();
  [[nodiscard]] Result<void> write_scores();

  store::Database& database_;
  observe::Sampler sampler_;
  std::map<IpAddress, ScoreState> scores_;  // not stored yet
  std::map<IpAddress, std::string> standings_;
  Instant rolled_up_at_{};
};

}  // namespace timectl
