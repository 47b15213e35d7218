#include "daemon/stored_chain.h"

#include <algorithm>

#include "daemon/core/reflect.h"
#include "daemon/wire/network_params.h"
#include "store/chain_file.h"

namespace timectl {
namespace {

WallTime wall_of(std::int64_t unix_seconds) {
  return WallTime(std::chrono::seconds(unix_seconds));
}

}  // namespace

std::uint64_t expected_height(Network network, WallTime now) {
  const auto known = wire::network_from_name(name_of(network));
  TIMECTL_CHECK(known.has_value());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  return wire::expected_height(*known, seconds);
}

Result<StoredChain> stored_chain(const std::filesystem::path& data_dir, Network network,
                                 std::size_t forks, WallTime now) {
  StoredChain stored;
  auto& status = stored.status;
  status.expected_height = expected_height(network, now);
  status.ground = "no node is running, so nobody vouches for a height";
  const auto file = store::ChainFile::open(data_dir, network, store::OpenMode::read_only);
  if (!file && file.error().code == Code::not_found) return stored;
  if (!file) return file.error();
  const auto tip = file->tip();
  status.height = tip.block.height;
  status.tip_hash = wire::to_hex(tip.block.hash);
  status.tip_at = wall_of(tip.timestamp);
  const auto paused = file->paused();
  if (!paused) return paused.error();
  status.paused = *paused;
  if (status.paused) status.activity = SyncActivity::paused;
  auto known = file->forks(forks);
  if (!known) return known.error();
  stored.forks = std::move(*known);
  const auto is_open = [](const ForkView& fork) { return !fork.resolved_at; };
  std::ranges::stable_partition(stored.forks, is_open);
  status.forks = static_cast<std::uint64_t>(std::ranges::count_if(stored.forks, is_open));
  return stored;
}

}  // namespace timectl
