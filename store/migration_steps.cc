// The steps of the schema, declared in migrations.h. A step is never changed once released.
#include <array>

#include "store/migrations.h"

namespace timectl::store {
namespace {

constexpr const char* kWhitelistAndAudit = R"sql(
CREATE TABLE whitelist (
  ip TEXT PRIMARY KEY,
  label TEXT NOT NULL,
  liveness TEXT,
  trusts_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE whitelist_source (
  ip TEXT NOT NULL REFERENCES whitelist (ip) ON DELETE CASCADE,
  source TEXT NOT NULL,
  reason TEXT NOT NULL,
  added_by TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  expires_at INTEGER,
  missing_since INTEGER,
  PRIMARY KEY (ip, source)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  uid INTEGER,
  user TEXT NOT NULL,
  via TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  "before" TEXT,
  "after" TEXT,
  reason TEXT NOT NULL,
  result TEXT NOT NULL,
  prev_hash TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TABLE audit_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL
) STRICT;
INSERT INTO audit_head VALUES
  (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
CREATE TRIGGER audit_never_updated BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_never_deleted BEFORE DELETE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_only_appended BEFORE INSERT ON audit
WHEN NEW.seq IS NULL OR NEW.seq <= (SELECT max(seq) FROM audit) BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_head_never_deleted BEFORE DELETE ON audit_head BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
)sql";

constexpr const char* kPeersAndHistory = R"sql(
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY,
  ip TEXT NOT NULL,
  direction TEXT NOT NULL,
  whitelisted INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  end_reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  missed_pongs INTEGER NOT NULL,
  rtt_ms_p50 REAL,
  rtt_ms_p95 REAL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_ip ON sessions (ip, id);
CREATE INDEX sessions_by_reason ON sessions (end_reason, id);
CREATE INDEX sessions_by_end ON sessions (ended_at);
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL,
  peer TEXT,
  whitelisted INTEGER NOT NULL,
  direction TEXT,
  reason TEXT,
  detail TEXT NOT NULL,
  delay_seconds INTEGER NOT NULL,
  missed_pongs INTEGER NOT NULL,
  total INTEGER NOT NULL,
  inbound INTEGER NOT NULL,
  masternodes INTEGER NOT NULL
) STRICT;
CREATE INDEX events_by_peer ON events (peer, id);
CREATE INDEX events_by_kind ON events (kind, id);
CREATE INDEX events_by_time ON events (at);
CREATE TABLE peers (
  ip TEXT PRIMARY KEY,
  masternode_claimed INTEGER NOT NULL,
  last_connected_at INTEGER,
  last_dialed_us_at INTEGER,
  last_heard_at INTEGER,
  next_attempt_at INTEGER,
  last_reason TEXT,
  attempts INTEGER NOT NULL,
  recent_attempts TEXT NOT NULL,
  last_text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kNetwork = R"sql(
CREATE TABLE network (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL
) STRICT;
)sql";

constexpr const char* kBans = R"sql(
CREATE TABLE bans (
  ip TEXT NOT NULL,
  origin TEXT NOT NULL,
  reason TEXT NOT NULL,
  added_by TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER,
  offences INTEGER NOT NULL,
  PRIMARY KEY (ip, origin)
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kParkedUnder = R"sql(
ALTER TABLE peers ADD COLUMN parked_under TEXT NOT NULL DEFAULT '';
)sql";

constexpr const char* kApiList = R"sql(
CREATE TABLE api_list (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  url TEXT NOT NULL,
  etag TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  fetched_at INTEGER,
  accepted_at INTEGER,
  accepted_sha256 TEXT NOT NULL,
  baseline_at INTEGER,
  fetched_lists_us INTEGER NOT NULL,
  accepted_lists_us INTEGER NOT NULL,
  held_since INTEGER,
  held_because TEXT NOT NULL,
  rejected_sha256 TEXT NOT NULL,
  attempted_at INTEGER,
  failures INTEGER NOT NULL,
  failing_since INTEGER,
  failed_step TEXT,
  failed_because TEXT NOT NULL
) STRICT;
CREATE TABLE api_pending (
  ip TEXT NOT NULL,
  change TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (ip, change)
) STRICT, WITHOUT ROWID;
CREATE TABLE api_rejected (
  ip TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE api_snapshot (
  id INTEGER PRIMARY KEY,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  url TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  listed INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  outcome TEXT NOT NULL
) STRICT;
CREATE INDEX api_snapshot_by_time ON api_snapshot (last_at);
CREATE TABLE api_body (
  sha256 TEXT PRIMARY KEY,
  last_at INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
)sql";

// Samples are small because there are many: a minute counts from 1970, times are milliseconds and
// round trips microseconds, scores hundredths, means thousandths. `step` is its length in minutes.
// Of events and sessions the indexes that end a search by peer, kind or reason where it is old
// enough.
constexpr const char* kSamples = R"sql(
CREATE TABLE peer_samples (
  step INTEGER NOT NULL,
  minute INTEGER NOT NULL,
  ip TEXT NOT NULL,
  looked_ms INTEGER NOT NULL,
  connected_ms INTEGER NOT NULL,
  own_outage_ms INTEGER NOT NULL,
  whitelisted_ms INTEGER NOT NULL,
  pings INTEGER NOT NULL,
  missed_pongs INTEGER NOT NULL,
  disconnects INTEGER NOT NULL,
  round_trips INTEGER NOT NULL,
  rtt_us_min INTEGER,
  rtt_us_mean INTEGER,
  rtt_us_max INTEGER,
  height INTEGER,
  lag_max INTEGER,
  score INTEGER,
  state TEXT NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  PRIMARY KEY (step, minute, ip)
) STRICT, WITHOUT ROWID;
CREATE INDEX peer_samples_by_ip ON peer_samples (ip, step, minute);
CREATE INDEX peer_samples_of_strangers ON peer_samples (minute) WHERE whitelisted_ms = 0;
CREATE TABLE node_samples (
  step INTEGER NOT NULL,
  minute INTEGER NOT NULL,
  looked_ms INTEGER NOT NULL,
  own_outage_ms INTEGER NOT NULL,
  whitelisted INTEGER NOT NULL,
  connected_mean INTEGER NOT NULL,
  connected_min INTEGER NOT NULL,
  connections_max INTEGER NOT NULL,
  height INTEGER,
  best_height INTEGER,
  lag_max INTEGER,
  spread_max INTEGER,
  blocks INTEGER NOT NULL,
  syncing_ms INTEGER NOT NULL,
  blocks_syncing INTEGER NOT NULL,
  PRIMARY KEY (step, minute)
) STRICT, WITHOUT ROWID;
CREATE TABLE sample_pending (
  step INTEGER NOT NULL,
  minute INTEGER NOT NULL,
  done_to TEXT NOT NULL,
  PRIMARY KEY (step, minute)
) STRICT, WITHOUT ROWID;
CREATE TABLE sample_kept (
  step INTEGER PRIMARY KEY,
  since_minute INTEGER NOT NULL
) STRICT;
CREATE TABLE open_sessions (
  id INTEGER PRIMARY KEY,
  ip TEXT NOT NULL,
  direction TEXT NOT NULL,
  whitelisted INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  end_reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  missed_pongs INTEGER NOT NULL,
  rtt_ms_p50 REAL,
  rtt_ms_p95 REAL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL
) STRICT;
CREATE TABLE scores (
  ip TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX scores_by_time ON scores (at);
DROP INDEX IF EXISTS sessions_by_end;
DROP INDEX IF EXISTS sessions_by_reason;
DROP INDEX IF EXISTS events_by_kind;
CREATE INDEX sessions_by_end ON sessions (ended_at, started_at);
CREATE INDEX sessions_by_reason ON sessions (end_reason, ended_at);
CREATE INDEX sessions_by_ip_end ON sessions (ip, ended_at, end_reason);
CREATE INDEX events_by_kind ON events (kind, at);
CREATE INDEX events_by_peer_time ON events (peer, at, kind, reason);
)sql";

// At most one alert of a rule and object is firing. `object` of a silence is '*' for a whole rule.
constexpr const char* kAlerts = R"sql(
CREATE TABLE alerts (
  id INTEGER PRIMARY KEY,
  rule TEXT NOT NULL,
  object TEXT NOT NULL,
  state TEXT NOT NULL,
  text TEXT NOT NULL,
  since INTEGER NOT NULL,
  fired_at INTEGER,
  cleared_at INTEGER,
  resolved_at INTEGER,
  told_at INTEGER,
  firings INTEGER NOT NULL,
  flap_since INTEGER,
  flapping INTEGER NOT NULL,
  acked_by TEXT NOT NULL,
  acked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX alerts_firing ON alerts (rule, object) WHERE state = 'firing';
CREATE TABLE silences (
  rule TEXT NOT NULL,
  object TEXT NOT NULL,
  by TEXT NOT NULL,
  why TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (rule, object)
) STRICT, WITHOUT ROWID;
)sql";

// Messages wait until the last sink has come past them: alert_sinks.done is the number of the last
// one that it has. alert_deliveries: what became of the last message about an alert.
constexpr const char* kOutbox = R"sql(
CREATE TABLE alert_messages (
  number INTEGER PRIMARY KEY,
  message TEXT NOT NULL
) STRICT;
CREATE TABLE alert_sinks (
  name TEXT PRIMARY KEY,
  done INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  failing_since INTEGER,
  next_at INTEGER,
  given_up INTEGER NOT NULL,
  error TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE alert_deliveries (
  alert INTEGER NOT NULL,
  sink TEXT NOT NULL,
  number INTEGER NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (alert, sink)
) STRICT, WITHOUT ROWID;
)sql";

constexpr auto kMigrations = std::to_array<Migration>({
    {1, "whitelist and audit log", kWhitelistAndAudit},
    {2, "sessions, events and peers", kPeersAndHistory},
    {3, "the network it belongs to", kNetwork},
    {4, "bans", kBans},
    {5, "what parked peers were parked under", kParkedUnder},
    {6, "the list of masternodes from outside", kApiList},
    {7, "samples, open sessions, scores", kSamples},
    {8, "alerts and silences", kAlerts},
    {9, "messages to the alert sinks", kOutbox},
});

}  // namespace

std::span<const Migration> migrations() {
  return kMigrations;
}

int newest_version() {
  return kMigrations.back().version;
}

}  // namespace timectl::store
