#include "daemon/methods_offline.h"

#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/control/socket_file.h"
#include "daemon/host.h"
#include "store/api_table.h"
#include "store/ban_table.h"
#include "store/network_claim.h"
#include "store/whitelist_table.h"

namespace timectl {
namespace {

Result<store::Database> open_database(const OfflineOptions& options) {
  const bool reading = options.mode == store::OpenMode::read_only;
  const auto file = options.data_dir / store::kDatabaseFile;
  std::error_code unknown;
  // A command that reads makes no directory, not even for the lock. A log without its database is
  // no new beginning: opening says so.
  if (reading && !std::filesystem::exists(file, unknown) && !unknown &&
      !std::filesystem::exists(file.string() + "-wal", unknown) && !unknown) {
    return store::Database::in_memory();
  }
  auto lock = store::StateLock::acquire(options.data_dir, options.command, options.wait);
  if (!lock) return lock.error();
  return store::Database::open(std::move(*lock), options.mode);
}

}  // namespace

control::Actor own_actor() {
  control::Actor actor;
  actor.uid = ::getuid();
  actor.gid = ::getgid();
  actor.pid = ::getpid();
  actor.user = control::user_name(actor.uid);
  actor.via = "cli";
  return actor;
}

Offline::Offline(OfflineOptions options, store::Database database)
    : config_(std::move(options.config)),
      database_(std::move(database)),
      whitelist_(config_.policy.whitelist.max_entries),
      actor_(own_actor()),
      methods_([this, &options] {
        Services services;
        services.config = &config_;
        services.database = &database_;
        services.whitelist = &whitelist_;
        services.bans = &bans_;
        services.list = &list_;
        services.facts.own_address = own_address_of(config_);
        services.now = clock_now;
        services.data_dir = options.data_dir.string();
        services.probes = network_probe_tools();
        // The file's owner and mode have decided already: who got here could write it by hand.
        services.access.node_uid = actor_.uid;
        return services;
      }()) {}

Offline::~Offline() = default;

Result<void> Offline::load(store::OpenMode mode) {
  auto entries = store::load_whitelist(database_);
  if (!entries) return entries.error();
  whitelist_.load(std::move(*entries));
  auto known = store::load_list_memory(database_);
  if (!known) return known.error();
  list_ = std::move(*known);
  auto bans = store::load_bans(database_);
  if (!bans) return bans.error();
  bans_.load(std::move(*bans), config_.policy.bans, clock_now());
  if (mode == store::OpenMode::read_only) {
    show_config_whitelist(methods_.services());
    return {};
  }
  if (auto claimed = store::claim_network(database_, config_.network.name); !claimed) {
    return claimed.error();
  }
  if (auto synced = sync_config_whitelist(methods_.services(), "cli"); !synced)
    return synced.error();
  return {};
}

Result<std::unique_ptr<Offline>> Offline::open(OfflineOptions options) {
  auto database = open_database(options);
  if (!database) return database.error();
  const auto mode = options.mode;
  std::unique_ptr<Offline> offline(new Offline(std::move(options), std::move(*database)));
  if (auto ok = offline->load(mode); !ok) return ok.error();
  return offline;
}

Result<control::json::value> Offline::call(const std::string& name,
                                           const control::json::value& params) {
  return methods_.call(name, params, actor_);
}

bool wait_until_free(const std::filesystem::path& data_dir, Duration limit) {
  return store::StateLock::acquire(data_dir, "timectl node stop", limit).has_value();
}

Result<store::RestoreReport> restore_database(const std::filesystem::path& data_dir,
                                              const std::filesystem::path& file,
                                              const std::string& command, WallTime now,
                                              Duration wait) {
  auto lock = store::StateLock::acquire(data_dir, command, wait);
  if (!lock) {
    auto error = lock.error();
    if (error.code == Code::database_locked) error.remedy = {"timectl node stop"};
    return error;
  }
  const auto actor = own_actor();
  const store::AuditOrigin origin{
      .at = now, .uid = actor.uid, .user = actor.user, .via = actor.via};
  return store::restore(std::move(*lock), file, origin);
}

}  // namespace timectl
