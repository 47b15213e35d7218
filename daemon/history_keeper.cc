#include "daemon/history_keeper.h"

#include <array>

#include "store/peer_history.h"
#include "store/samples.h"

namespace timectl {
namespace {

constexpr Duration kRollUpInterval = std::chrono::minutes(1);

// Standings of `sync peers` that no honest node comes into (chain/height_truth.h), said once each
// time it comes into one.
struct Lie {
  std::string_view standing;
  ChainMisconduct kind;
};
constexpr auto kLies = std::to_array<Lie>({
    {"implausible", ChainMisconduct::implausible_height},
    {"unsteady", ChainMisconduct::oscillating},
});

}  // namespace

Result<void> HistoryKeeper::open(Now now) {
  const auto ended = store::end_open_sessions(database_);
  if (!ended) return ended.error();
  const auto step = step_of(SampleStep::five_minutes, now.wall);
  store::SampleFilter present;
  present.since = step;
  const auto peers = store::list_peer_samples(database_, present);
  if (!peers) return peers.error();
  const auto nodes = store::list_node_samples(database_, present);
  if (!nodes) return nodes.error();
  sampler_.resume(*peers, nodes->empty() ? std::nullopt : std::optional(nodes->back()));
  return {};
}

Result<void> HistoryKeeper::restore_scores(Node& node) {
  auto scores = store::load_scores(database_);
  if (!scores) return scores.error();
  std::vector<std::pair<IpAddress, ScoreState>> stored;
  for (const auto& row : *scores) stored.emplace_back(row.ip, row.state);
  node.remember_scores(std::move(stored));
  return {};
}

void HistoryKeeper::note_chain(Node& node, const std::optional<SyncStatusView>& sync,
                               std::span<const SyncPeerView> standings,
                               std::span<const PeerReading> readings, Now now) {
  if (sync && sync->best_height) {
    for (const auto& reading : readings) {
      if (!reading.connected_at || !reading.height) continue;
      const auto best = *sync->best_height;
      node.on_lag(reading.ip, best > *reading.height ? best - *reading.height : 0, now);
    }
  }
  std::map<IpAddress, std::string> present;
  for (const auto& peer : standings) {
    const auto before = standings_.find(peer.ip);
    const bool news = before == standings_.end() || before->second != peer.state;
    for (const auto& lie : kLies) {
      if (news && peer.state == lie.standing) node.on_chain_misconduct(peer.ip, lie.kind, now);
    }
    present[peer.ip] = peer.state;
  }
  standings_ = std::move(present);
}

Result<void> HistoryKeeper::look(Node& node, const config::Config& config, std::size_t whitelisted,
                                 const std::optional<SyncStatusView>& sync,
                                 std::span<const SyncPeerView> standings, Now now) {
  auto readings = node.readings(now);
  note_chain(node, sync, standings, readings, now);
  node.look(now);
  const auto slots = node.slots();
  sampler_.look(readings,
                {.sick = !node.ailments().empty(),
                 .whitelisted = whitelisted,
                 .connections = slots.total,
                 .sync = sync,
                 .sync_threshold = config.sync.threshold},
                now);
  for (auto& [ip, state] : node.changed_scores()) scores_.insert_or_assign(ip, state);
  while (scores_.size() > store::kMaxScores) scores_.erase(scores_.begin());
  // A large change is being written, or writing is off until the recorder has reopened the file.
  if (database_.batch_open() || database_.write_failure()) return {};
  auto written = write_samples();
  return written ? write_scores() : written;
}

Result<void> HistoryKeeper::write_samples() {
  const auto rows = sampler_.rows();
  auto put = store::put_samples(database_, rows.peers, rows.nodes, rows.open);
  if (put) sampler_.stored();
  return put;
}

Result<void> HistoryKeeper::write_scores() {
  if (scores_.empty()) return {};
  std::vector<store::StoredScore> rows;
  for (const auto& [ip, state] : scores_) rows.push_back({ip, state});
  if (auto saved = store::save_scores(database_, rows); !saved) return saved;
  scores_.clear();
  return {};
}

Result<bool> HistoryKeeper::upkeep(const config::Config& config, Now now) {
  if (now.mono - rolled_up_at_ < kRollUpInterval) return false;
  const auto& keep = config.history;
  const auto rows = store::roll_up_samples(
      database_, {.five_minutes = keep.keep_samples, .max_bytes = keep.max_bytes}, now.wall);
  if (!rows) return rows.error();
  if (*rows == 0) rolled_up_at_ = now.mono;
  return *rows > 0;
}

}  // namespace timectl
