#include "store/alerts_table.h"

#include "daemon/core/json.h"
#include "store/columns.h"
#include "store/connection.h"
#include "store/outbox_table.h"

namespace timectl::store {
namespace {

constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMaxRows = Alerts::kMaxOpen + Alerts::kMaxResolved;

Alert read_alert(SQLite::Statement& statement) {
  RowReader reader(statement, "alerts");
  Alert alert;
  alert.id = reader.counter();
  if (alert.id == 0) reader.bad_last("is 0, which no alert has");
  alert.rule = reader.word<AlertRule>();
  alert.object = reader.line(kMaxAlertObjectBytes);
  alert.state = reader.word<AlertState>();
  if (alert.state == AlertState::pending) reader.bad_last("holds `pending`, which is not stored");
  alert.text = reader.line(kMaxAlertTextBytes);
  const auto time = [&] { return reader.time(); };
  alert.since = time();
  alert.fired_at = reader.optional(time);
  alert.cleared_at = reader.optional(time);
  alert.resolved_at = reader.optional(time);
  alert.told_at = reader.optional(time);
  alert.firings = reader.counter();
  alert.flap_since = reader.optional(time);
  alert.flapping = reader.boolean();
  alert.acked_by = reader.line(kMaxNameBytes);
  alert.acked_at = reader.optional(time);
  return alert;
}

AlertSilence read_silence(SQLite::Statement& statement) {
  RowReader reader(statement, "silences", 2);
  AlertSilence silence;
  silence.rule = reader.word<AlertRule>();
  // The whole rule is '*': NULL would be no key.
  if (auto object = reader.line(kMaxAlertObjectBytes); object != "*") silence.object = object;
  silence.by = reader.line(kMaxNameBytes);
  silence.why = reader.line(kMaxSilenceReasonBytes);
  silence.from = reader.time();
  silence.until = reader.time();
  return silence;
}

void write_alert(Connection& connection, const Alert& alert) {
  Query(connection,
        "INSERT OR REPLACE INTO alerts (id, rule, object, state, text, since, fired_at, cleared_at,"
        " resolved_at, told_at, firings, flap_since, flapping, acked_by, acked_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(bounded(alert.id), name_of(alert.rule), printable(alert.object, kMaxAlertObjectBytes),
            name_of(alert.state), printable(alert.text, kMaxAlertTextBytes),
            milliseconds_of(alert.since), milliseconds_of(alert.fired_at),
            milliseconds_of(alert.cleared_at), milliseconds_of(alert.resolved_at),
            milliseconds_of(alert.told_at), bounded(alert.firings),
            milliseconds_of(alert.flap_since), alert.flapping,
            printable(alert.acked_by, kMaxNameBytes), milliseconds_of(alert.acked_at))
      .run();
}

std::string subject_of(AlertRule rule, const std::string& object) {
  return std::string(name_of(rule)) + (object.empty() ? "" : " " + object);
}

}  // namespace

Result<StoredAlerts> load_alerts(Database& database) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the alerts", [&]() -> Result<StoredAlerts> {
    StoredAlerts stored;
    Query alerts(connection,
                 "SELECT * FROM (SELECT id, rule, object, state, text, since, fired_at, cleared_at,"
                 " resolved_at, told_at, firings, flap_since, flapping, acked_by, acked_at"
                 " FROM alerts ORDER BY state = 'resolved', id DESC LIMIT ?) ORDER BY id");
    alerts.bind(kMaxRows);
    while (alerts.step()) stored.alerts.push_back(read_alert(alerts.row()));
    Query silences(connection,
                   "SELECT rule, object, by, why, since, until FROM silences"
                   " ORDER BY since, rule, object LIMIT ?");
    silences.bind(Alerts::kMaxSilences);
    while (silences.step()) stored.silences.push_back(read_silence(silences.row()));
    return stored;
  });
}

Result<void> save_alerts(Database& database, const Alerts::Unsaved& unsaved,
                         const Outbox::Changes& changes) {
  const bool alerts = !unsaved.alerts.empty() || !unsaved.forgotten.empty();
  if (!alerts) return save_outbox(database, changes);
  Connection& connection = database.connection();
  const NoWaiting now(connection);
  return in_transaction(connection, Sync::full, "writing the alerts", [&]() -> Result<void> {
    // The resolved first: the same thing may have fired again since, and only one is firing.
    for (const auto state : {AlertState::resolved, AlertState::firing}) {
      for (const auto& alert : unsaved.alerts) {
        if (alert.state == state) write_alert(connection, alert);
      }
    }
    for (const auto id : unsaved.forgotten) {
      Query(connection, "DELETE FROM alerts WHERE id = ?").bind(bounded(id)).run();
    }
    write_outbox(connection, changes);
    return {};
  });
}

Result<void> acknowledge(Database& database, const AuditOrigin& origin,
                         const std::vector<Alert>& alerts) {
  auto done = audited(database, origin, [&](AuditScope& scope) -> Result<void> {
    for (const auto& alert : alerts) {
      auto written = guarded(scope.connection(), "writing the alerts", [&]() -> Result<void> {
        write_alert(scope.connection(), alert);
        return {};
      });
      if (!written) return written;
      auto recorded = scope.record({"alert.ack", subject_of(alert.rule, alert.object), std::nullopt,
                                    json::serialize(json::object{{"id", alert.id}}), "", "ok"});
      if (!recorded) return recorded;
    }
    return {};
  });
  if (!done) return done.error();
  return {};
}

Result<void> silence(Database& database, const AuditOrigin& origin, const AlertSilence& silence) {
  auto done = audited(database, origin, [&](AuditScope& scope) -> Result<void> {
    auto written = guarded(scope.connection(), "writing the silences", [&]() -> Result<void> {
      Connection& connection = scope.connection();
      Query(connection, "DELETE FROM silences WHERE until <= ?")
          .bind(milliseconds_of(silence.from))
          .run();
      Query(connection,
            "INSERT OR REPLACE INTO silences (rule, object, by, why, since, until)"
            " VALUES (?, ?, ?, ?, ?, ?)")
          .bind(name_of(silence.rule),
                silence.object ? printable(*silence.object, kMaxAlertObjectBytes) : "*",
                printable(silence.by, kMaxNameBytes),
                printable(silence.why, kMaxSilenceReasonBytes), milliseconds_of(silence.from),
                milliseconds_of(silence.until))
          .run();
      return {};
    });
    if (!written) return written;
    return scope.record({"alert.silence", subject_of(silence.rule, silence.object.value_or("")),
                         std::nullopt, json::serialize(to_json(silence)), silence.why, "ok"});
  });
  if (!done) return done.error();
  return {};
}

}  // namespace timectl::store
