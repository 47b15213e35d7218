#include "daemon/daemon_chain.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <filesystem>
#include <fstream>
#include <utility>

#include "daemon/chain_jobs.h"
#include "daemon/clock.h"
#include "daemon/core/reflect.h"
#include "daemon/wire/network_params.h"

namespace timectl {
namespace {

constexpr const char* kDamageMark = "chain.db.is_damaged";  // beside the file, for the next start
constexpr std::size_t kServedBytes =
    2'097'152;  // of one answer; what more was asked for is asked again
constexpr Duration kLeastWait = std::chrono::milliseconds(1);
constexpr std::size_t kResolvedForks = 200;  // the store keeps no more
constexpr std::size_t kLeaderText = 64;      // an address is shorter
constexpr std::size_t kProducers = 1000;     // of one message

wire::Network on_wire(timectl::Network network) {
  const auto found = wire::network_from_name(name_of(network));
  TIMECTL_CHECK(found.has_value());
  return *found;
}

// By the text that stands in a block's `leader`: the address without a port.
std::vector<std::pair<std::string, wire::Hash32>> producer_keys(
    const wire::msg::MasternodesResponse& message) {
  std::vector<std::pair<std::string, wire::Hash32>> keys;
  for (const auto& entry : message.masternodes) {
    std::string_view address = entry.address;
    if (std::ranges::count(address, ':') == 1) address = address.substr(0, address.find(':'));
    if (address.size() <= kLeaderText && keys.size() < kProducers) {
      keys.emplace_back(std::string(address), entry.public_key.bytes);
    }
  }
  return keys;
}

}  // namespace

chain::CoordinatorPolicy coordinator_policy(const config::Config& config) {
  const auto& sync = config.sync;
  chain::CoordinatorPolicy policy;
  policy.truth.witnesses = sync.witnesses;
  policy.truth.max_peers = config.policy.slots.max_connections;
  policy.truth.ask_again_after = sync.poll_interval;
  policy.truth.in_sync_blocks = sync.in_sync_blocks;
  policy.plan.enabled = sync.enabled;
  policy.plan.interval = sync.interval;
  policy.plan.poll_interval = sync.poll_interval;
  policy.plan.threshold = sync.threshold;
  policy.plan.batch = sync.batch;
  policy.plan.peers_at_once = sync.peers_at_once;
  policy.plan.witnesses = sync.witnesses;
  policy.plan.max_sources = 2 * config.policy.slots.max_connections;
  policy.fork.depth_masternode = sync.fork_depth_masternode;
  policy.fork.attempts_masternode = sync.fork_attempts_masternode;
  policy.fork.depth_regular = sync.fork_depth_regular;
  policy.fork.attempts_regular = sync.fork_attempts_regular;
  policy.lag.notice = sync.alert_blocks;
  policy.lag.warning = config.alerts.lag_warning_blocks;
  policy.lag.tip_age = config.alerts.tip_age_warning;
  policy.keep_bodies = config.chain.keep_bodies;
  return policy;
}

Result<std::unique_ptr<DaemonChain>> DaemonChain::open(boost::asio::io_context& io, Options options,
                                                       ChainHost host) {
  const auto mode = store::OpenMode::read_write;
  const auto mark = std::filesystem::path(options.data_dir) / kDamageMark;
  auto file = store::ChainFile::open(options.data_dir, options.network, mode);
  std::error_code none;
  if (file && std::filesystem::exists(mark, none)) {
    file = Error{Code::database_damaged, "the chain's file was found damaged before this start"};
  }
  if (!file && file.error().code == Code::database_damaged) {
    const auto aside = store::ChainFile::set_aside(options.data_dir);
    if (!aside) return aside.error();
    std::filesystem::remove(mark, none);
    host.record({.at = host.now().wall,
                 .kind = EventKind::chain_failed,
                 .severity = Severity::warning,
                 .detail = file.error().message + "; it is kept as " + aside->string() +
                           ", and the chain is fetched again"});
    file = store::ChainFile::open(options.data_dir, options.network, mode);
  }
  if (!file) return file.error();
  const auto paused = file->paused();
  if (!paused) return paused.error();
  // The history of forks is for people: where it cannot be read, the chain still can.
  if (auto forks = file->forks(kResolvedForks)) {
    const auto open = std::ranges::find_if(*forks, [](const auto& f) { return !f.resolved_at; });
    if (open != forks->end()) options.open_fork = std::move(*open);
  }
  auto reader = file->open_reader();
  if (!reader) return reader.error();
  return std::unique_ptr<DaemonChain>(new DaemonChain(
      io, std::move(options), std::move(host), std::move(*file), std::move(*reader), *paused));
}

DaemonChain::DaemonChain(boost::asio::io_context& io, Options options, ChainHost host,
                         store::ChainFile file, store::ChainFile reader, bool paused)
    : host_(std::move(host)),
      data_dir_(options.data_dir),
      network_(options.network),
      worker_(std::move(file), [&io](auto after) { boost::asio::post(io, std::move(after)); }),
      timer_(io),
      reader_(std::move(reader)),
      coordinator_({.policy = options.policy,
                    .network = on_wire(options.network),
                    .seed = options.seed,
                    .paused = paused,
                    .open_fork = std::move(options.open_fork),
                    .masternode = host_.masternode,
                    .masternodes = host_.masternodes,
                    .poorly = host_.poorly},
                   reader_, host_.now()) {}

DaemonChain::~DaemonChain() {
  *alive_ = false;
}

void DaemonChain::start() {
  running_ = true;
  pump();
}

void DaemonChain::stop() {
  running_ = false;
  timer_.cancel();
  for (auto& answer : std::exchange(pause_answers_, {})) {
    answer(Error{Code::interrupted, "the node is stopping"});
  }
}

void DaemonChain::on_ready(const IpAddress& peer, Now now) {
  coordinator_.on_connected(peer, now);
  pump();
}

void DaemonChain::on_gone(const IpAddress& peer, Now now) {
  coordinator_.on_left(peer, now);
  pump();
}

void DaemonChain::on_message(const IpAddress& peer, const wire::Message& message,
                             wire::Bytes payload, Now now) {
  namespace msg = wire::msg;
  if (const auto* ping = std::get_if<msg::Ping>(&message)) {
    if (ping->height) coordinator_.on_height(peer, chain::ClaimSource::ping, *ping->height, now);
  } else if (const auto* pong = std::get_if<msg::Pong>(&message)) {
    if (pong->height) coordinator_.on_height(peer, chain::ClaimSource::pong, *pong->height, now);
  } else if (const auto* tip = std::get_if<msg::ChainTipResponse>(&message)) {
    coordinator_.on_tip(peer, {tip->height, tip->hash}, now);
  } else if (const auto* hash = std::get_if<msg::BlockHashResponse>(&message)) {
    coordinator_.on_hash(peer, hash->height, hash->hash, now);
  } else if (const auto* blocks = std::get_if<msg::BlocksResponse>(&message)) {
    chain::BlockBatch batch;
    batch.heights.reserve(blocks->blocks.size());
    for (const auto& block : blocks->blocks) batch.heights.push_back(block.header.height);
    if (coordinator_.awaits_blocks(peer)) batch.payload.assign(payload.begin(), payload.end());
    coordinator_.on_blocks(peer, std::move(batch), now);
  } else if (const auto* keys = std::get_if<msg::MasternodesResponse>(&message)) {
    // Claims; those of strangers would only make warnings about honest blocks.
    if (host_.masternode(peer)) coordinator_.on_keys(producer_keys(*keys));
  } else if (const auto* range = std::get_if<msg::BlockRangeResponse>(&message)) {
    coordinator_.on_unasked(peer, range->blocks.size(), now);
  } else if (std::holds_alternative<msg::BlockResponse>(message) ||
             std::holds_alternative<msg::BlockAnnouncement>(message)) {
    coordinator_.on_unasked(peer, 1, now);
  } else if (std::holds_alternative<msg::TimeLockBlockProposal>(message) ||
             std::holds_alternative<msg::BlockInventory>(message)) {
    coordinator_.on_hint(now);
  } else {
    return;  // nothing has changed
  }
  pump();
}

std::optional<wire::OutgoingMessage> DaemonChain::answer(const IpAddress&,
                                                         const wire::Message& request, Now now) {
  namespace msg = wire::msg;
  if (const auto* at = std::get_if<msg::GetBlockHash>(&request)) {
    return msg::BlockHashResponse{at->height, reader_.hash_at(at->height)};
  }
  const auto tip = coordinator_.tip_to_tell(now);
  if (std::holds_alternative<msg::GetChainTip>(request)) {
    if (!tip) return std::nullopt;
    return msg::ChainTipResponse{tip->height, tip->hash};
  }
  if (std::holds_alternative<msg::GetBlockHeight>(request)) {
    if (!tip) return std::nullopt;
    return msg::BlockHeightResponse{tip->height};
  }
  const auto bodies = [&](std::uint64_t first, std::uint64_t last) {
    if (first > last) return std::vector<std::vector<std::uint8_t>>{};
    const auto most = std::min(last - first, wire::max_blocks_per_response - 1);
    return reader_.bodies(first, first + most, kServedBytes);
  };
  const auto borrowed = [](const std::vector<std::vector<std::uint8_t>>& blocks) {
    return std::vector<wire::Bytes>(blocks.begin(), blocks.end());
  };
  if (const auto* range = std::get_if<msg::GetBlocks>(&request)) {
    const auto blocks = bodies(range->start, range->end);
    return wire::StoredBlocksResponse{borrowed(blocks)};
  }
  if (const auto* range = std::get_if<msg::GetBlockRange>(&request)) {
    const auto blocks = bodies(range->start_height, range->end_height);
    return wire::StoredBlockRangeResponse{borrowed(blocks)};
  }
  if (const auto* one = std::get_if<msg::BlockRequest>(&request)) {
    const auto blocks = bodies(one->height, one->height);
    if (blocks.empty()) return std::nullopt;
    return wire::StoredBlockResponse{blocks.front()};
  }
  return std::nullopt;
}

std::optional<std::uint64_t> DaemonChain::own_height(Now now) const {
  const auto tip = coordinator_.tip_to_tell(now);
  return tip ? std::optional(tip->height) : std::nullopt;
}

void DaemonChain::set_policy(const chain::CoordinatorPolicy& policy) {
  coordinator_.set_policy(policy, host_.now());
  pump();
}

void DaemonChain::on_whitelist_changed() {
  coordinator_.on_whitelist_changed(host_.now());
  pump();
}

// What is sent may come back at once as an event of a session: its commands are taken by the loop.
void DaemonChain::pump() {
  if (!running_ || std::exchange(pumping_, true)) return;
  // Also where a command throws (no memory): the next event must find the door open.
  const std::unique_ptr<bool, void (*)(bool*)> open_again(&pumping_, [](bool* b) { *b = false; });
  for (auto commands = coordinator_.take_commands(); !commands.empty();
       commands = coordinator_.take_commands()) {
    for (auto& command : commands) {
      std::visit([this](auto& one) { execute(one); }, command);
    }
  }
  schedule();
}

// What cannot be read is not served; said once, because only a restart puts the file aside.
void DaemonChain::note_damage() {
  const auto& failure = reader_.read_failure();
  if (!failure || std::exchange(damage_said_, true)) return;
  // Open() looks at the ends of the chain only, so the next start must be told.
  if (failure->code == Code::database_damaged) {
    std::ofstream(std::filesystem::path(data_dir_) / kDamageMark) << failure->message << '\n';
  }
  host_.record({.at = host_.now().wall,
                .kind = EventKind::chain_failed,
                .severity = Severity::error,
                .detail = failure->message +
                          (failure->because.empty() ? "" : ": " + failure->because) +
                          "; what is damaged is put aside at `timectl node restart` and fetched "
                          "again"});
}

void DaemonChain::schedule() {
  note_damage();
  const Instant next = coordinator_.next_tick();
  if (!running_ || next == timer_at_) return;
  timer_at_ = next;
  timer_.expires_after(std::max(next - host_.now().mono, kLeastWait));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || !running_) return;
    timer_at_ = Instant::max();
    coordinator_.tick(host_.now());
    pump();
  });
}

void DaemonChain::execute(const chain::AskBlocks& ask) {
  host_.send(ask.peer, wire::msg::GetBlocks{ask.first, ask.last});
}

void DaemonChain::execute(const chain::AskTip& ask) {
  host_.send(ask.peer, wire::msg::GetChainTip{});
}

void DaemonChain::execute(const chain::AskHash& ask) {
  host_.send(ask.peer, wire::msg::GetBlockHash{ask.height});
}

void DaemonChain::execute(chain::StartJob& start) {
  worker_.give(
      [this, alive = alive_, job = std::move(start.job), directory = data_dir_, network = network_](
          store::ChainFile& file, wire::Arena& arena) -> ChainWorker::After {
        auto done = do_job(file, arena, job);
        // After an input/output error a file writes no more; the next try has a new one.
        if (!done && done.error().code == Code::database_unwritable) {
          auto again = store::ChainFile::open(directory, network, store::OpenMode::read_write);
          if (again) file = std::move(*again);
        }
        return [this, alive, done = std::move(done)] {
          if (!*alive || !running_) return;
          coordinator_.on_job_done(done, host_.now());
          pump();
        };
      });
}

void DaemonChain::execute(chain::RecordEvent& record) {
  host_.record(std::move(record.event));
}

void DaemonChain::execute(const chain::Accuse& accuse) {
  host_.accuse(accuse.peer, accuse.kind, accuse.detail);
}

void DaemonChain::execute(chain::SaveFork& save_fork) {
  worker_.give([fork = std::move(save_fork.fork)](store::ChainFile& file,
                                                  wire::Arena&) -> ChainWorker::After {
    // The history of forks is for people; a disk that fails is said by the jobs.
    (void)file.save_fork(fork);
    return {};
  });
}

void DaemonChain::execute(const chain::SavePaused& save) {
  worker_.give(
      [this, alive = alive_, paused = save.paused, answers = std::exchange(pause_answers_, {})](
          store::ChainFile& file, wire::Arena&) -> ChainWorker::After {
        return [alive, answers, saved = file.set_paused(paused)] {
          if (!*alive) return;
          for (const auto& answer : answers) answer(saved);
        };
      });
}

SyncServices DaemonChain::services() {
  SyncServices services;
  services.status = [this] { return coordinator_.status(host_.now()); };
  services.peers = [this] { return coordinator_.peers(host_.now()); };
  services.forks = [this](std::size_t most) -> Result<std::vector<ForkView>> {
    auto forks = coordinator_.open_forks(host_.now());
    auto stored = reader_.forks(std::min(most, kResolvedForks));
    if (!stored) return stored.error();
    for (auto& fork : *stored) {
      if (forks.size() >= most) break;
      // Which one is open the coordinator knows.
      if (fork.resolved_at) forks.push_back(std::move(fork));
    }
    return forks;
  };
  services.pause = [this](bool paused, std::function<void(Result<void>)> done) {
    const auto before = coordinator_.status(host_.now()).paused;
    if (before == paused) return done({});
    pause_answers_.push_back(std::move(done));
    coordinator_.pause(paused, host_.now());
    pump();
  };
  services.accept_fork = [this] {
    auto accepted = coordinator_.accept_fork(host_.now());
    pump();
    return accepted;
  };
  services.whitelist_changed = [this] { on_whitelist_changed(); };
  return services;
}

}  // namespace timectl
