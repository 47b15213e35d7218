#pragma once
// Alerts and silences on disk, so that a restart neither repeats nor forgets (requirements A2). The
// node loads them before its first evaluation and writes what Alerts::unsaved() says, on disk when
// the call returns: only then is somebody told. What an operator says of them is audited.

#include <cstdint>
#include <span>
#include <vector>

#include "daemon/core/alerts.h"
#include "daemon/core/outbox.h"
#include "store/audit_log.h"
#include "store/database.h"

namespace timectl::store {

inline constexpr std::size_t kMaxAlertTextBytes = 1000;
inline constexpr std::size_t kMaxAlertObjectBytes = 64;
inline constexpr std::size_t kMaxSilenceReasonBytes = 500;

struct StoredAlerts {
  std::vector<Alert> alerts = {};  // firing and resolved, by id
  std::vector<AlertSilence> silences = {};
};
// A row that does not read is database_damaged; of too many the newest are read.
[[nodiscard]] Result<StoredAlerts> load_alerts(Database& database);

// One transaction with the messages about them: an alert is told exactly where they are stored.
// Too long texts are cut and made printable. It does not wait for a lock of another process.
[[nodiscard]] Result<void> save_alerts(Database& database, const Alerts::Unsaved& unsaved,
                                       const Outbox::Changes& changes = {});

// The alerts as acknowledged, each with its audit row ("alert.ack"): all or none.
[[nodiscard]] Result<void> acknowledge(Database& database, const AuditOrigin& origin,
                                       const std::vector<Alert>& alerts);
// Takes the place of one for the same rule and object; audited ("alert.silence"). Those that are
// over by then are removed.
[[nodiscard]] Result<void> silence(Database& database, const AuditOrigin& origin,
                                   const AlertSilence& silence);

}  // namespace timectl::store
