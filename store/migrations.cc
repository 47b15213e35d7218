#include "store/migrations.h"

#include <array>
#include <map>
#include <string>

namespace timectl::store {
namespace {

[[noreturn]] void damaged(const Connection& connection, const std::string& message,
                          const std::string& because) {
  throw StoreFailure{Error{Code::database_damaged,
                           connection.file().string() + " " + message,
                           because,
                           {"timectl db check", "timectl db restore FILE"}}};
}

}  // namespace

std::map<std::string, std::string> schema_objects(Connection& connection) {
  std::map<std::string, std::string> objects;
  Query query(connection,
              "SELECT type, name, coalesce(sql, '') FROM sqlite_schema"
              " WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' LIMIT 1000");
  while (query.step()) {
    auto& row = query.row();
    objects[row.getColumn(0).getString() + " " + row.getColumn(1).getString()] =
        row.getColumn(2).getString();
  }
  return objects;
}

int schema_version_of(Connection& connection) {
  const auto version = connection.number("PRAGMA user_version");
  const auto application = connection.number("PRAGMA application_id");
  if (application != kApplicationId) {
    const bool empty = application == 0 && version == 0 &&
                       connection.number("SELECT count(*) FROM sqlite_schema") == 0;
    if (!empty) damaged(connection, "is not a timectl database", "another program made it");
  }
  if (version > newest_version()) {
    throw StoreFailure{Error{Code::database_newer,
                             connection.file().string() + " has schema " + std::to_string(version) +
                                 ", this timectl knows up to " + std::to_string(newest_version()),
                             "a newer timectl has written it",
                             {"install that version of timectl again",
                              "timectl db restore FILE, with a backup made before the upgrade"}}};
  }
  if (version < 0 || (version == 0 && application == kApplicationId)) {
    damaged(connection, "has an impossible schema version", std::to_string(version));
  }
  return static_cast<int>(version);
}

void migrate(Connection& connection) {
  const int present = schema_version_of(connection);
  for (const auto& step : migrations()) {
    if (step.version <= present) continue;
    const auto doing = "migrating to schema " + std::to_string(step.version);
    auto done = in_transaction(connection, Sync::full, doing, [&]() -> Result<void> {
      connection.execute(step.sql);
      connection.db().exec("PRAGMA user_version=" + std::to_string(step.version) +
                           "; PRAGMA application_id=" + std::to_string(kApplicationId));
      return {};
    });
    if (!done) throw StoreFailure{done.error()};
  }
}

void check_schema(Connection& connection) {
  const int version = schema_version_of(connection);
  Connection expected(":memory:", Access::writer);
  for (const auto& step : migrations()) {
    if (step.version <= version) expected.execute(step.sql);
  }
  const auto wanted = schema_objects(expected);
  const auto found = schema_objects(connection);
  for (const auto& [name, sql] : wanted) {
    if (name.starts_with("index ")) continue;
    const auto it = found.find(name);
    if (it == found.end()) damaged(connection, "has no " + name, "its schema was changed");
    if (it->second != sql) damaged(connection, "has another " + name, "its schema was changed");
  }
  for (const auto& [name, sql] : found) {
    const bool active = name.starts_with("trigger ") || name.starts_with("view ");
    if (active && !wanted.contains(name)) {
      damaged(connection, "has a foreign " + name, "its schema was changed");
    }
  }
}

}  // namespace timectl::store
