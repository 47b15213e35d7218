#include "store/network_claim.h"

#include <string>

#include "daemon/core/reflect.h"
#include "store/columns.h"
#include "store/connection.h"

namespace timectl::store {

Result<void> claim_network(Database& database, Network network) {
  Connection& connection = database.connection();
  const std::string name(name_of(network));
  return in_transaction(connection, Sync::full, "claiming the database", [&]() -> Result<void> {
    Query present(connection, "SELECT name FROM network");
    if (!present.step()) {
      Query(connection, "INSERT INTO network (id, name) VALUES (1, ?)").bind(name).run();
      return {};
    }
    const std::string holder = present.row().getColumn(0).getString();
    if (holder == name) return {};
    return Error{Code::config_invalid,
                 "the database " + database.file().string() + " is of " + printable(holder, 32) +
                     ", not of " + name,
                 "each network has a data directory of its own",
                 {"timectl --network " + printable(holder, 32) + " ...", "timectl --data-dir DIR"}};
  });
}

}  // namespace timectl::store
