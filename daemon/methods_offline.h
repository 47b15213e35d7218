#pragma once
// The methods without a node: takes the state directory's lock, opens the database, loads the
// whitelist, and answers in this process with the same handlers and the same audit. Used by the
// commands (cmd/client) when no node runs; the lock is held as long as the object lives.

#include <filesystem>
#include <memory>
#include <string>

#include "daemon/methods.h"
#include "store/backup.h"

namespace timectl {

struct OfflineOptions {
  config::Config config = {};
  std::filesystem::path data_dir = {};
  store::OpenMode mode = store::OpenMode::read_only;
  std::string command = {};  // for the next one who finds the lock taken
  Duration wait = 5s;        // for the lock
};

class Offline {
 public:
  // Errors: database_locked naming the holder; the others of store::Database::open. Reading where
  // there is no database yet answers from an empty one and creates nothing.
  [[nodiscard]] static Result<std::unique_ptr<Offline>> open(OfflineOptions options);
  ~Offline();
  Offline(const Offline&) = delete;
  Offline& operator=(const Offline&) = delete;

  [[nodiscard]] Result<control::json::value> call(const std::string& name,
                                                  const control::json::value& params);

 private:
  Offline(OfflineOptions options, store::Database database);
  [[nodiscard]] Result<void> load(store::OpenMode mode);
  config::Config config_;
  store::Database database_;
  Whitelist whitelist_;
  Bans bans_;
  ListMemory list_;
  control::Actor actor_;
  Methods methods_;
};

// The user of this process.
[[nodiscard]] control::Actor own_actor();

// True when nobody holds the state directory any more; waits for it up to `limit`.
[[nodiscard]] bool wait_until_free(const std::filesystem::path& data_dir, Duration limit);

// Puts a backup in the place of the database, which no node may hold: database_locked names the
// holder after `wait`; the others of store::restore.
[[nodiscard]] Result<store::RestoreReport> restore_database(const std::filesystem::path& data_dir,
                                                            const std::filesystem::path& file,
                                                            const std::string& command,
                                                            WallTime now, Duration wait);

}  // namespace timectl
