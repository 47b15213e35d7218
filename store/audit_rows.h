#pragma once
// Audit rows between memory and file, and their hash. Private to store/.

#include <cstddef>

#include "store/audit_log.h"
#include "store/connection.h"

namespace timectl::store {

inline constexpr std::size_t kMaxAuditWordBytes = 64;
inline constexpr std::size_t kMaxAuditNameBytes = 128;
inline constexpr std::size_t kMaxAuditSubjectBytes = 200;
inline constexpr std::size_t kMaxAuditReasonBytes = 500;
inline constexpr std::size_t kMaxAuditJsonBytes = 65'536;
inline constexpr std::size_t kHashDigits = 64;

// In the order of AuditRow, oldest first.
inline constexpr const char* kAllAuditRows =
    "SELECT seq, at, actor, uid, user, via, action, subject, \"before\", \"after\", reason,"
    " result, prev_hash, hash FROM audit ORDER BY seq";

// All throw SQLite::Exception, and StoreFailure for a row that does not read.
[[nodiscard]] AuditRow read_audit_row(SQLite::Statement& statement);
void write_audit_row(Connection& connection, const AuditRow& row);  // and moves the head to it
[[nodiscard]] AuditHead read_audit_head(Connection& connection);
[[nodiscard]] std::uint64_t last_audit_seq(Connection& connection);  // 0 for an empty log
[[nodiscard]] std::string sha256_hex(std::string_view bytes);        // 64 lower-case hex digits
[[nodiscard]] bool is_hash(std::string_view text);                   // 64 lower-case hex digits

}  // namespace timectl::store
