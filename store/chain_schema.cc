#include "store/chain_schema.h"

#include <string>

#include "store/database_file.h"
#include "store/migrations.h"

namespace timectl::store {
namespace {

// header || rest is a block's bytes; `sum` is over both. Columns of 64 bits without a sign are kept
// as the signed number of the same bits. `staged` is the branch that is being built, `branch` those
// that were replaced.
constexpr const char* kTables = R"sql(
CREATE TABLE about (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  network TEXT NOT NULL,
  paused INTEGER NOT NULL
) STRICT;
CREATE TABLE block (
  height INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,
  timestamp INTEGER NOT NULL,
  treasury INTEGER NOT NULL,
  header BLOB NOT NULL
) STRICT;
CREATE TABLE body (
  height INTEGER PRIMARY KEY,
  sum INTEGER NOT NULL,
  rest BLOB NOT NULL
) STRICT;
CREATE TABLE staged (
  height INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,
  timestamp INTEGER NOT NULL,
  treasury INTEGER NOT NULL,
  header BLOB NOT NULL,
  sum INTEGER NOT NULL,
  rest BLOB NOT NULL
) STRICT;
CREATE TABLE branch (
  id INTEGER PRIMARY KEY,
  ancestor INTEGER NOT NULL,
  tip INTEGER NOT NULL,
  tip_hash BLOB NOT NULL,
  kept INTEGER NOT NULL
) STRICT;
CREATE TABLE branch_block (
  id INTEGER PRIMARY KEY,
  branch INTEGER NOT NULL,
  height INTEGER NOT NULL,
  hash BLOB NOT NULL,
  timestamp INTEGER NOT NULL,
  treasury INTEGER NOT NULL,
  header BLOB NOT NULL,
  sum INTEGER,
  rest BLOB,
  UNIQUE (branch, height)
) STRICT;
CREATE TABLE fork (
  seen_at INTEGER NOT NULL,
  ancestor INTEGER NOT NULL,
  view TEXT NOT NULL,
  PRIMARY KEY (seen_at, ancestor)
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace

void create_chain_schema(Connection& connection) {
  connection.execute(kTables);
  connection.db().exec("PRAGMA user_version=" + std::to_string(kChainSchema) +
                       "; PRAGMA application_id=" + std::to_string(kChainApplicationId));
}

void check_chain_schema(Connection& connection) {
  if (connection.number("PRAGMA application_id") != kChainApplicationId) {
    throw_damaged(connection.file(), "it is not a chain of timectl: another program made it");
  }
  const auto version = connection.number("PRAGMA user_version");
  if (version > kChainSchema) {
    throw StoreFailure{Error{Code::database_newer,
                             connection.file().string() + " has schema " + std::to_string(version) +
                                 ", this timectl knows up to " + std::to_string(kChainSchema),
                             "a newer timectl has written it",
                             {"install that version of timectl again",
                              "move the file away: the chain is fetched again"}}};
  }
  if (version != kChainSchema) {
    throw_damaged(connection.file(), "it has an impossible schema version");
  }
  Connection expected(":memory:", Access::writer);
  expected.execute(kTables);
  // Nothing in addition either: what others put there can be had nowhere again, but a chain can.
  if (schema_objects(expected) != schema_objects(connection)) {
    throw_damaged(connection.file(), "its tables were changed");
  }
}

}  // namespace timectl::store
