#pragma once
// Which network a database belongs to. The first process that writes says so; a node or a change
// for the other network is refused, because masternodes, bans and heights of one network mean
// nothing on the other.

#include "daemon/core/result.h"
#include "daemon/core/vocabulary.h"
#include "store/database.h"

namespace timectl::store {

// config_invalid where the database is the other network's.
[[nodiscard]] Result<void> claim_network(Database& database, Network network);

}  // namespace timectl::store
