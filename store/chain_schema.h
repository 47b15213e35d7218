#pragma once
// The tables of chain.db, and the look at a file before it is used. A schema of its own with its
// own numbers: a chain that cannot be read is fetched again, so there is no migration with copies
// here. Private to store/.

#include "store/connection.h"

namespace timectl::store {

inline constexpr int kChainSchema = 1;
inline constexpr int kChainApplicationId = 0x544d4343;  // "TMCC"

// Makes the tables in an empty file. Throws.
void create_chain_schema(Connection& connection);

// Throws database_damaged where the tables are not ours, database_newer.
void check_chain_schema(Connection& connection);

}  // namespace timectl::store
