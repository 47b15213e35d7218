#pragma once
// A database as schema 1 left it, frozen: migrations are tested against it, whatever later
// schemas look like.

#include <SQLiteCpp/Database.h>

#include <filesystem>
#include <string>

#include "store/audit_log.h"

namespace timectl::store {

inline constexpr const char* kSchemaV1 = R"sql(
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
PRAGMA user_version=1;
PRAGMA application_id=1414349644;
INSERT INTO whitelist VALUES ('10.0.0.1', 'old', NULL, 0);
INSERT INTO whitelist_source VALUES
  ('10.0.0.1', 'manual', 'first', 'alice', 1795259400123, NULL, NULL);
)sql";

// The hash of row 1, computed once by the script of docs/audit.md: the form must never change.
inline constexpr const char* kRowV1 = R"sql(
INSERT INTO audit VALUES (1, 1795259400123, 'operator', 1000, 'alice', 'cli', 'whitelist.add',
  '10.0.0.1', NULL, '{}', 'first', 'added',
  '0000000000000000000000000000000000000000000000000000000000000000', '@HASH@');
UPDATE audit_head SET seq = 1, hash = '@HASH@';
)sql";
inline constexpr std::string_view kHashV1 =
    "7a07878d7111c46306d140f71190db74d2c79932b9e4d52b6d18d7cb595bbcd3";

inline void make_schema_v1(const std::filesystem::path& file) {
  SQLite::Database db(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  db.exec("PRAGMA auto_vacuum=INCREMENTAL");
  db.exec("PRAGMA journal_mode=WAL");
  db.exec(kSchemaV1);
  std::string row = kRowV1;
  for (auto at = row.find("@HASH@"); at != std::string::npos; at = row.find("@HASH@")) {
    row.replace(at, 6, kHashV1);
  }
  db.exec(row);
}

}  // namespace timectl::store
