#pragma once
// What is known of the list from outside (core/discovery.h) on disk: its state, what waits for the
// operator, what he rejected, and every list of the last 30 days with its hash. Loaded at start;
// saved in the transaction of the changes that it explains. What does not read is
// database_damaged naming the row.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/discovery.h"
#include "store/audit_log.h"
#include "store/database.h"

namespace timectl::store {

inline constexpr std::size_t kMaxUrlBytes = 2048;
inline constexpr std::size_t kMaxPendingRows = 100'000;  // the largest list that config allows
inline constexpr std::size_t kMaxRejectedRows = 100'000;
inline constexpr std::size_t kMaxBodyBytes =
    3'145'728;  // larger ones are not kept; a row has 4 MiB
inline constexpr std::size_t kMaxKeptBodyBytes = 67'108'864;  // of all kept lists together

[[nodiscard]] Result<ListMemory> load_list_memory(Database& database);
// The body whose hash this is; empty where it is not kept any more.
[[nodiscard]] Result<std::string> load_list_body(Database& database, const std::string& sha256);

// SHA-256 of a body as 64 lower-case hex digits.
[[nodiscard]] std::string body_hash(std::string_view body);

struct SnapshotWrite {
  ListSnapshot snapshot = {};
  std::string_view body = {};  // kept once for each hash; empty: it is there already
  Duration keep = {};          // older snapshots and their bodies go
};

// All of it; with the changes of the same transaction, or by itself (synchronous=FULL).
[[nodiscard]] Result<void> save_list(AuditScope& scope, const ListMemory& memory,
                                     const SnapshotWrite* snapshot);
[[nodiscard]] Result<void> save_list(Database& database, const ListMemory& memory,
                                     const SnapshotWrite* snapshot);
// The newest `limit` (1 to 10,000), oldest first.
[[nodiscard]] Result<std::vector<ListSnapshot>> list_snapshots(Database& database,
                                                               std::size_t limit);

}  // namespace timectl::store
