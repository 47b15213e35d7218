#include "store/chain_schema.h"

#include <map>
#include <string>

#include "store/database_file.h"

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

constexpr int kMostObjects = 100;  // that are looked at in a file

std::map<std::string, std::string> objects_of(Connection& connection) {
  std::map<std::string, std::string> objects;
  Query query(connection,
              "SELECT type, name, coalesce(sql, '') FROM sqlite_schema"
              " WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' LIMIT ?");
  query.bind(kMostObjects);
  while (query.step()) {
    auto& row = query.row();
    objects[row.getColumn(0).getString() + " " + row.getColumn(1).getString()] =
        row.getColumn(2).getString();
  }
  return objects;
}

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
  // Also what is there in addition: a trigger or an index of somebody else has no business here.
  if (objects_of(expected) != objects_of(connection)) {
    throw_damaged(connection.file(), "its tables were changed");
  }
}

}  // namespace timectl::store
