// ChainFile: what stands beside the blocks, the history of forks and the operator's pause.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "daemon/core/json.h"
#include "store/chain_rows.h"

namespace timectl::store {
namespace {

constexpr std::size_t kMostForks = 200;
// Of one fork: more than any network of ours has, and bounds what a row can hold.
constexpr std::size_t kMostBranches = 16;
constexpr std::size_t kMostPeers = 500;
constexpr std::size_t kMaxClause = 1024;  // bytes of a text
constexpr std::size_t kMaxView = std::size_t{1} << 20U;

ForkView within_bounds(ForkView fork) {
  if (fork.branches.size() > kMostBranches) fork.branches.resize(kMostBranches);
  for (auto& branch : fork.branches) {
    if (branch.peers.size() > kMostPeers) branch.peers.resize(kMostPeers);
  }
  fork.resolution = printable(fork.resolution, kMaxClause);
  fork.needs_because = printable(fork.needs_because, kMaxClause);
  return fork;
}

ForkView read_fork(SQLite::Statement& row) {
  RowReader reader(row, "fork");
  const WallTime seen_at = reader.time();
  const chain::Height ancestor = reader.counter();
  const std::string text = reader.text(kMaxView);
  boost::system::error_code failed;
  const json::value value = json::parse(text, failed);
  ForkView fork;
  if (failed || !from_json(value, fork, "")) reader.bad_last("is no fork");
  if (fork.ancestor_height != ancestor || fork.seen_at != seen_at ||
      fork.branches.size() > kMostBranches) {
    reader.bad_last("is of another fork");
  }
  return fork;
}

}  // namespace

Result<void> ChainFile::save_fork(const ForkView& fork) {
  Connection& connection = *state_->connection;
  const std::string text = json::serialize(to_json(within_bounds(fork)));
  return of_chain(
      in_transaction(connection, Sync::relaxed, "storing a fork", [&]() -> Result<void> {
        // Where it begins may be found to be elsewhere while it is open.
        Query(connection, "DELETE FROM fork WHERE seen_at = ?")
            .bind(milliseconds_of(fork.seen_at))
            .run();
        Query(connection, "INSERT OR REPLACE INTO fork (seen_at, ancestor, view) VALUES (?, ?, ?)")
            .bind(milliseconds_of(fork.seen_at), bounded(fork.ancestor_height), text)
            .run();
        Query(connection,
              "DELETE FROM fork WHERE (seen_at, ancestor) NOT IN"
              " (SELECT seen_at, ancestor FROM fork ORDER BY seen_at DESC, ancestor DESC LIMIT ?)")
            .bind(kMostForks)
            .run();
        return {};
      }));
}

Result<std::vector<ForkView>> ChainFile::forks(std::size_t most) const {
  Connection& connection = *state_->connection;
  using Forks = std::vector<ForkView>;
  return of_chain(guarded(connection, "reading the forks", [&]() -> Result<Forks> {
    Query query(connection,
                "SELECT seen_at, ancestor, view FROM fork"
                " ORDER BY seen_at DESC, ancestor DESC LIMIT ?");
    query.bind(bounded(std::min(most, kMostForks)));
    Forks forks;
    while (query.step()) {
      try {
        forks.push_back(read_fork(query.row()));
      } catch (const StoreFailure& failure) {  // the others can still be shown
        state_->read_failure = of_chain(failure.error);
      }
    }
    return forks;
  }));
}

Result<void> ChainFile::set_paused(bool paused) {
  Connection& connection = *state_->connection;
  // The operator's word survives a power cut, unlike blocks.
  return of_chain(
      in_transaction(connection, Sync::full, "storing the pause", [&]() -> Result<void> {
        Query(connection, "UPDATE about SET paused = ? WHERE id = 1").bind(paused).run();
        return {};
      }));
}

Result<bool> ChainFile::paused() const {
  Connection& connection = *state_->connection;
  return of_chain(guarded(connection, "reading the pause", [&]() -> Result<bool> {
    Query query(connection, "SELECT paused FROM about WHERE id = 1");
    return query.step() && RowReader(query.row(), "about").boolean();
  }));
}

}  // namespace timectl::store
