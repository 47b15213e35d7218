#pragma once
// The whitelist on disk. The node loads it all before the first socket opens (W2) and keeps it in
// the core's Whitelist; changes planned there are applied here, then put there. What the file
// holds is checked like any input: a bad address, word or length is database_damaged naming the
// row.

#include <span>
#include <vector>

#include "daemon/core/whitelist.h"
#include "store/audit_log.h"
#include "store/database.h"

namespace timectl::store {

inline constexpr std::size_t kMaxLabelBytes = 64;
inline constexpr std::size_t kMaxReasonBytes = 500;
inline constexpr std::size_t kMaxAddedByBytes = 128;
inline constexpr std::size_t kMaxWhitelistRows = kMostEntries;  // more is damage

// All entries in the order of their addresses, sources ordered by strength.
[[nodiscard]] Result<std::vector<WhitelistEntry>> load_whitelist(Database& database);

// Writes one planned change and its audit row ("whitelist.add", "whitelist.change" where no source
// comes or goes, or "whitelist.remove", with before
// and after as compact JSON of the entry). `unchanged` and `refused` write nothing. `reason` is
// the audit row's why; empty takes the strongest source's. Texts that are not printable or over
// their limit: invalid_argument.
[[nodiscard]] Result<void> apply(AuditScope& scope, const WhitelistChange& change,
                                 const std::string& reason = {});

// The usual case: all changes in one transaction, a row each. Without anything to write no
// transaction is made.
[[nodiscard]] Result<void> apply_changes(Database& database, const AuditOrigin& origin,
                                         std::span<const WhitelistChange> changes,
                                         const std::string& reason = {});

}  // namespace timectl::store
