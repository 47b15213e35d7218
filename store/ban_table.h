#pragma once
// Bans on disk. The node loads them before the first socket opens. What an operator does is one
// audited transaction; automatic bans are written in batches and not audited: strangers decide how
// many there are, and the audit log is never pruned. They are events, like everything peers do.

#include <span>
#include <vector>

#include "daemon/core/bans.h"
#include "store/audit_log.h"
#include "store/database.h"

namespace timectl::store {

inline constexpr std::size_t kMaxBanReasonBytes = 500;
inline constexpr std::size_t kMaxBanRows = 40'000;  // read at most

// All of them, over or not, by address; a row that does not read is database_damaged.
[[nodiscard]] Result<std::vector<Ban>> load_bans(Database& database);

// Writes one planned change and its audit row; see apply_bans.
[[nodiscard]] Result<void> apply(AuditScope& scope, const BanChange& change,
                                 const std::string& reason = {});

// Writes the planned changes, each with its audit row ("ban.add" or "ban.remove", before and after
// as compact JSON of the ban), in one transaction. `unchanged` and `refused` write nothing.
[[nodiscard]] Result<void> apply_bans(Database& database, const AuditOrigin& origin,
                                      std::span<const BanChange> changes,
                                      const std::string& reason = {});

// Makes the rows what Bans::unsaved() says. A power cut may lose them.
[[nodiscard]] Result<void> save_bans(Database& database, std::span<const BanWrite> rows);

}  // namespace timectl::store
