#pragma once
// The schema as a table of steps. PRAGMA user_version is the number of the last step that was
// made; each step is one transaction. A step is never changed once released: a new one is added.
// Private to store/.

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "store/connection.h"

namespace timectl::store {

inline constexpr int kApplicationId = 0x544d434c;  // "TMCL": tells our files from other SQLite ones

struct Migration {
  int version;  // 1, 2, 3 ...
  std::string_view name;
  const char* sql;
};
[[nodiscard]] std::span<const Migration> migrations();
[[nodiscard]] int newest_version();

// The file's version, 0 for an empty one. Throws StoreFailure: database_damaged where the file is
// not timectl's, database_newer.
[[nodiscard]] int schema_version_of(Connection& connection);

// Makes the missing steps. Throws; what was made stays, the rest follows at the next start.
void migrate(Connection& connection);

// What is in a file, "table whitelist" -> its CREATE statement. Indexes and tables that others
// added (ANALYZE makes one) change nothing that we decide by, triggers and views could.
[[nodiscard]] std::map<std::string, std::string> schema_objects(Connection& connection);

// Compares tables, triggers and views with what the steps make, so that a file without its
// append-only triggers, or with triggers of somebody else, is not used. Throws database_damaged.
void check_schema(Connection& connection);

}  // namespace timectl::store
